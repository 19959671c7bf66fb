// The versions of the index: which is live, which can be published, which can be deleted.

/** @import { Version } from "../types.js" */
/** @import { AdminClient } from "./client.js" */
/** @import { Column } from "./table.js" */

import { block, button, dialog, make } from "../page/dom.js";
import { count, moment } from "../page/format.js";
import { actionButton, showTable, stateBadge } from "./table.js";

/** @type {Column[]} */
const COLUMNS = [
  ["Version"],
  ["State"],
  ["Model"],
  ["Products", "number"],
  ["Created"],
  ["", "actions"],
];

/** Does the work and says `message` afterwards, or what went wrong. @typedef {(work: () => Promise<unknown>, message: string) => void} Run */

/** @param {Version[]} versions @param {AdminClient} client @param {Run} run */
export function showVersions(versions, client, run) {
  const rows = versions.map((version) => [
    make("code", {}, version.name),
    stateBadge(version.state),
    make("span", { title: `fingerprint ${version.fingerprint}` }, version.model),
    count(version.count),
    moment(version.created),
    actions(version, client, run),
  ]);
  showTable(block("versions"), COLUMNS, rows, "Nothing has been ingested yet.");
}

/** @param {Version} version @param {AdminClient} client @param {Run} run */
function actions({ name, state }, client, run) {
  const publish = async () => {
    const question = `Publish ${name}? It will answer all searches from then on. The live version stays, but changes made to products since ${name} was built are not in it.`;
    if (await confirmed(question, "Publish")) run(() => client.publish(name), `${name} is live.`);
  };
  const discard = async () => {
    const question = `Delete ${name} and everything it stores? This cannot be undone.`;
    if (await confirmed(question, "Delete")) {
      run(() => client.discard(name), `${name} has been deleted.`);
    }
  };
  const buttons = [];
  if (state === "ready") buttons.push(actionButton("Publish", `publish ${name}`, publish));
  if (state !== "live") {
    buttons.push(actionButton("Delete", `delete ${name}`, discard, "button--danger"));
  }
  return buttons;
}

/** Ask before something that is hard to undo. @param {string} question @param {string} yes */
function confirmed(question, yes) {
  const confirmation = dialog("confirm");
  block("confirm-text").textContent = question;
  button("confirm-yes").textContent = yes;
  confirmation.returnValue = "";
  confirmation.showModal();
  return new Promise((resolve) => {
    const answer = () => resolve(confirmation.returnValue === "yes");
    confirmation.addEventListener("close", answer, { once: true });
  });
}
