// Tables of the operator's page.

/** @import { Child } from "../page/dom.js" */

import { keepingFocus, make } from "../page/dom.js";

/** A heading and the class of its cells. @typedef {[heading: string, kind?: string]} Column */

/**
 * Fill `holder` with a table, or with the text `none` when there are no rows.
 * @param {HTMLElement} holder
 * @param {Column[]} columns
 * @param {(Child | Child[])[][]} rows
 * @param {string} none
 */
export function showTable(holder, columns, rows, none) {
  const shown = rows.length ? table(columns, rows) : make("p", { class: "panel__none" }, none);
  keepingFocus(holder, () => holder.replaceChildren(shown));
}

/** @param {Column[]} columns @param {(Child | Child[])[][]} rows */
function table(columns, rows) {
  const heads = columns.map(([heading, kind]) =>
    make(
      "th",
      { scope: "col", class: kind },
      heading || make("span", { class: "unseen" }, "Actions"),
    ),
  );
  const body = rows.map((cells) =>
    make(
      "tr",
      {},
      cells.map((cell, at) =>
        make("td", { class: columns[at][1], "data-heading": columns[at][0] }, ...[cell].flat()),
      ),
    ),
  );
  return make(
    "table",
    { class: "table" },
    make("thead", {}, make("tr", {}, heads)),
    make("tbody", {}, body),
  );
}

/** @param {string} name */
export const stateBadge = (name) => make("span", { class: `state state--${name}` }, name);

/** @param {string} text @param {string} key @param {() => void} run */
export const actionButton = (text, key, run, kind = "") =>
  make(
    "button",
    { type: "button", class: `button button--small ${kind}`, "data-key": key, onclick: run },
    text,
  );
