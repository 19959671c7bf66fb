// The versions of the index: which is live, which can be made so, which can go.

import { make } from "../page/dom.js";
import { count, moment } from "../page/format.js";
import { confirmed } from "./confirm.js";
import { act, showTable, state } from "./table.js";

const COLUMNS = [["Version"], ["State"], ["Model"], ["Products", "number"], ["Made"], ["", "acts"]];

export function showVersions(holder, versions, desk) {
  const rows = versions.map((version) => [
    make("code", {}, version.name),
    state(version.state),
    make("span", { title: `fingerprint ${version.fingerprint}` }, version.model),
    count(version.count),
    moment(version.created),
    acts(version, desk),
  ]);
  showTable(holder, COLUMNS, rows, "Nothing has been ingested yet.");
}

function acts({ name, state: now }, desk) {
  const found = [];
  if (now === "ready") found.push(act("Publish", `publish ${name}`, () => publish(name, desk)));
  if (now !== "live")
    found.push(act("Delete", `delete ${name}`, () => discard(name, desk), "button--danger"));
  return found;
}

async function publish(name, desk) {
  if (
    await confirmed(
      `Let ${name} answer all searches from now on? The present version is kept.`,
      "Publish",
    )
  )
    desk.act(() => desk.publish(name), `${name} is live.`);
}

async function discard(name, desk) {
  if (await confirmed(`Delete ${name} and everything it stored? This cannot be undone.`, "Delete"))
    desk.act(() => desk.discard(name), `${name} is deleted.`);
}
