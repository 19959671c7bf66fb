// What could not be taken, and why.

import { make } from "../page/dom.js";
import { count } from "../page/format.js";
import { showTable } from "./table.js";

const COLUMNS = [["Product"], ["Stage"], ["Reason"], ["What is wrong", "message"]];

export function showFailures(holder, { failures, total }) {
  const rows = failures.map((failure) => [
    make("code", {}, failure.id),
    failure.stage,
    failure.reason,
    failure.message,
  ]);
  showTable(holder, COLUMNS, rows, "Every product was taken.");
  if (total > failures.length)
    holder.append(
      make(
        "p",
        { class: "panel__none" },
        `The newest ${count(failures.length)} of ${count(total)}.`,
      ),
    );
}
