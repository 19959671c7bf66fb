// Tables of the operator's page.

import { keepingFocus, make } from "../page/dom.js";

/** Fill `holder` with a table, or with `none` when there are no rows. A column is [heading, class]. */
export function showTable(holder, columns, rows, none) {
  const heads = columns.map(([text, kind]) =>
    make("th", { scope: "col", class: kind }, text || make("span", { class: "unseen" }, "Actions")),
  );
  const body = rows.map((cells) =>
    make(
      "tr",
      {},
      cells.map((cell, at) => make("td", { class: columns[at][1] }, cell)),
    ),
  );
  const shown = rows.length
    ? make(
        "table",
        { class: "table" },
        make("thead", {}, make("tr", {}, heads)),
        make("tbody", {}, body),
      )
    : make("p", { class: "panel__none" }, none);
  keepingFocus(holder, () => holder.replaceChildren(shown));
}

export const state = (name) => make("span", { class: `state state--${name}` }, name);

export function act(text, key, work, kind = "") {
  return make(
    "button",
    { type: "button", class: `button button--small ${kind}`, "data-key": key, onclick: work },
    text,
  );
}
