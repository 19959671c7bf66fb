// What could not be taken, and why: the most frequent reason first.

/** @import { Failure, Failures } from "../types.js" */
/** @import { Column } from "./table.js" */

import { arrange, block, make } from "../page/dom.js";
import { capital, count, moment, plural } from "../page/format.js";
import { showTable } from "./table.js";

/** @type {Column[]} */
const COLUMNS = [["Product"], ["Message", "message"], ["Source"], ["Stage"], ["Time"]];
/** Rows shown of one reason; a reason that fails thousands has one cause. */
const MOST = 50;

/** @type {Map<string, HTMLDetailsElement>} */
const groups = new Map();

/** @param {Failures} ledger */
export function showFailures({ failures, total }) {
  const byReason = [...Map.groupBy(failures, ({ reason }) => reason)];
  byReason.sort(([, a], [, b]) => b.length - a.length);
  const elements = byReason.map(([reason, alike]) => showGroup(reason, alike));
  const parts = total ? [...elements, ...newest(failures.length, total)] : [none()];
  arrange(block("failures"), parts);
}

const none = () => make("p", { class: "panel__none" }, "No failures.");

/** @param {number} listed @param {number} total */
function newest(listed, total) {
  if (listed === total) return [];
  const text = `The newest ${count(listed)} of ${count(total)}.`;
  return [make("p", { class: "panel__none" }, text)];
}

/** One reason, which stays open or closed while its failures change. @param {string} reason @param {Failure[]} failures */
function showGroup(reason, failures) {
  const group = groups.get(reason) ?? make("details", { class: "failures", open: !groups.size });
  groups.set(reason, group);
  const summary = make(
    "summary",
    { class: "failures__head" },
    make("span", { class: "failures__reason" }, capital(reason.replace(/_/g, " "))),
    make("span", { class: "failures__count" }, plural(failures.length, "failure")),
  );
  const body = make("div");
  const rows = failures
    .slice(0, MOST)
    .map((failure) => [
      make("code", {}, failure.id),
      failure.message,
      place(failure),
      failure.stage,
      moment(failure.at),
    ]);
  showTable(body, COLUMNS, rows, "");
  if (failures.length > MOST) {
    body.append(make("p", { class: "panel__none" }, `The newest ${count(MOST)} of this reason.`));
  }
  group.replaceChildren(summary, body);
  return group;
}

/** @param {Failure} failure */
function place({ source, row }) {
  if (source === "api") return "admin API";
  return row === null ? source : `${source}, row ${count(row + 1)}`;
}
