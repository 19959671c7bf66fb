// What could not be taken, and why.

/** @import { Failures } from "../types.js" */
/** @import { Column } from "./table.js" */

import { block, make } from "../page/dom.js";
import { count } from "../page/format.js";
import { showTable } from "./table.js";

/** @type {Column[]} */
const COLUMNS = [["Product"], ["Stage"], ["Reason"], ["Message", "message"]];

/** @param {Failures} ledger */
export function showFailures({ failures, total }) {
  const rows = failures.map(({ id, stage, reason, message }) => [
    make("code", {}, id),
    stage,
    reason,
    message,
  ]);
  const holder = block("failures");
  showTable(holder, COLUMNS, rows, "No failures.");
  if (total > failures.length) {
    const text = `The newest ${count(failures.length)} of ${count(total)}.`;
    holder.append(make("p", { class: "panel__none" }, text));
  }
}
