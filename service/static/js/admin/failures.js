// What could not be taken, and why: the most frequent reason first.

/** @import { CatalogueWarning, Failure, Failures } from "../types.js" */
/** @import { Column } from "./table.js" */

import { arrange, block, make } from "../page/dom.js";
import { capital, count, moment, plural } from "../page/format.js";
import { sentence } from "../page/messages.js";
import { showTable } from "./table.js";

/** @type {Column[]} */
const COLUMNS = [["Product"], ["Message", "message"], ["Source"], ["Stage"], ["Time"]];
/** @type {Column[]} */
const WARNING_COLUMNS = [
  ["Product"],
  ["Warning", "message"],
  ["Source"],
  ["Products", "number"],
  ["Time"],
];
/** Rows shown of one reason; a reason that fails thousands has one cause. */
const MOST = 50;

/** @type {Map<string, HTMLDetailsElement>} */
const groups = new Map();

/** @param {Failures} ledger */
export function showFailures({ failures, total, warnings }) {
  showWarnings(warnings);
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
      placeOf(failure),
      failure.stage,
      moment(failure.at),
    ]);
  body.append(make("p", { class: "panel__note" }, sentence(failures[0].remedy)));
  const table = make("div");
  showTable(table, COLUMNS, rows, "");
  body.append(table);
  if (failures.length > MOST) {
    body.append(make("p", { class: "panel__none" }, `The newest ${count(MOST)} of this reason.`));
  }
  group.replaceChildren(summary, body);
  return group;
}

/** @param {{source: string, place: string}} entry */
function placeOf({ source, place }) {
  if (source === "api") return "admin API";
  return place ? `${source}, ${place}` : source;
}

/** @param {CatalogueWarning[]} warnings */
function showWarnings(warnings) {
  const rows = warnings
    .slice(0, MOST)
    .map((warning) => [
      warning.id ? make("code", {}, warning.id) : "",
      warning.message,
      placeOf(warning),
      count(warning.count),
      moment(warning.at),
    ]);
  showTable(block("warnings"), WARNING_COLUMNS, rows, "");
  block("warnings-panel").hidden = rows.length === 0;
}
