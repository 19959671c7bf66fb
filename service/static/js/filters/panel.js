// The filters, one group for each field that the catalogue can count, made by the field's type.

import { arrange, keepingFocus, make } from "../page/dom.js";
import { fieldName } from "../page/format.js";
import { checklist } from "./checklist.js";
import { dates } from "./dates.js";
import { range } from "./range.js";
import { swatches } from "./swatches.js";
import { toggle } from "./toggle.js";
import { tree } from "./tree.js";

const KINDS = {
  color: swatches,
  path: tree,
  bool: toggle,
  money: range,
  number: range,
  keyword: checklist,
  datetime: dates,
};
const ORDER = ["path", "money", "color", "bool", "number", "keyword", "datetime"];

/**
 * Build the panel into `form`. `change(name, filter)` is called with a field's new filter, null for none.
 * Each kind is a function (field, change) to {element, bare?, update(facet, filter, currency)}, where update tells whether
 * the field is worth showing.
 */
export function panel(form, fields, change) {
  form.addEventListener("submit", (event) => event.preventDefault());
  const groups = fields
    .filter((field) => KINDS[field.type] && (field.facet || field.type === "datetime"))
    .sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type))
    .map((field) => group(field, change));

  return {
    update(facets, state, currency) {
      keepingFocus(form, () => {
        const shown = groups.filter((one) =>
          one.update(facets[one.name], state.filters[one.name], currency),
        );
        arrange(
          form,
          shown.map((one) => one.element),
        );
      });
    },
  };
}

function group(field, change) {
  const kind = KINDS[field.type](field, (filter) => change(field.name, filter));
  const clear = make(
    "button",
    { type: "button", class: "plain", hidden: true, onclick: () => change(field.name, null) },
    "Clear",
  );
  clear.setAttribute("aria-label", `Clear ${fieldName(field.name)}`);
  clear.dataset.key = `${field.name} clear`;
  const element = kind.bare
    ? make("div", { class: "filters__group", "data-field": field.name }, kind.element)
    : make(
        "fieldset",
        { class: "filters__group", "data-field": field.name },
        make("legend", { class: "unseen" }, fieldName(field.name)),
        make(
          "div",
          { class: "filters__head" },
          make("span", { class: "filters__name", "aria-hidden": "true" }, fieldName(field.name)),
          clear,
        ),
        kind.element,
      );
  return {
    name: field.name,
    element,
    update(facet, filter, currency) {
      clear.hidden = !filter;
      return kind.update(facet, filter, currency);
    },
  };
}
