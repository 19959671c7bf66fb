// The active filters as chips, each of which takes itself away.

import { arrange, icon, keepingFocus, make } from "../page/dom.js";
import { capital, count, day, fieldName, money, path } from "../page/format.js";
import { toggled, withFilter } from "../search/state.js";

/** Show the chips of a state; `go(state)` searches on. */
export function showChips(list, state, fields, currency, go) {
  const found = fields.flatMap((field) =>
    state.filters[field.name] ? chipsOf(field, state, currency) : [],
  );
  keepingFocus(list, () => {
    const items = found.map(({ text, without }) =>
      make(
        "li",
        {},
        chip(text, () => go(without)),
      ),
    );
    if (found.length > 0)
      items.push(
        make(
          "li",
          {},
          make(
            "button",
            {
              type: "button",
              class: "plain chips__clear",
              "data-key": "clear all",
              onclick: () => go({ ...state, filters: {} }),
            },
            "Clear all",
          ),
        ),
      );
    arrange(list, items);
  });
  list.hidden = found.length === 0;
  return found.length;
}

function chip(text, remove) {
  const button = make(
    "button",
    { type: "button", class: "chip", "data-key": text, onclick: remove },
    make("span", { class: "chip__text" }, text),
    icon("cross"),
  );
  button.setAttribute("aria-label", `Remove the filter ${text}`);
  return button;
}

function chipsOf(field, state, currency) {
  const filter = state.filters[field.name];
  if (!filter.values)
    return [
      { text: spanText(field, filter, currency), without: withFilter(state, field.name, null) },
    ];
  return filter.values.map((value) => ({
    text: valueText(field, value),
    without: toggled(state, field.name, value),
  }));
}

function valueText(field, value) {
  if (field.type === "bool")
    return value === "true" ? fieldName(field.name) : `Not ${fieldName(field.name).toLowerCase()}`;
  return field.type === "path" ? path(value) : capital(value);
}

function spanText(field, { min, max }, currency) {
  const show = (value) =>
    field.type === "money"
      ? money(value, currency)
      : field.type === "datetime"
        ? day(value)
        : count(value);
  const name = fieldName(field.name);
  if (min === null) return `${name} up to ${show(max)}`;
  return max === null ? `${name} from ${show(min)}` : `${name} ${show(min)} to ${show(max)}`;
}
