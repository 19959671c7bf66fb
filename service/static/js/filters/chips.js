// The active filters as chips, each of which takes itself away.

/** @import { Field, Filter, Go, State } from "../types.js" */

import { arrange, block, icon, keepingFocus, make } from "../page/dom.js";
import { capital, colorName, count, day, fieldName, moneyLimit, path } from "../page/format.js";
import { t } from "../page/texts.js";
import { toggleValue, withFilter } from "../search/state.js";

/**
 * Show the chips of a state.
 * @param {State} state
 * @param {Field[]} fields
 * @param {string | null} currency
 * @param {Go} go searches on
 * @returns how many there are
 */
export function showChips(state, fields, currency, go) {
  const chips = fields.flatMap((field) => chipsOf(field, state, currency));
  const items = chips.map(({ text, without }) =>
    make(
      "li",
      {},
      chip(text, () => go(without)),
    ),
  );
  if (items.length)
    items.push(
      make(
        "li",
        {},
        clearAll(() => go({ ...state, filters: {} })),
      ),
    );
  const list = block("chips");
  keepingFocus(list, () => arrange(list, items));
  list.hidden = items.length === 0;
  return chips.length;
}

/** @param {() => void} clear */
const clearAll = (clear) =>
  make(
    "button",
    { type: "button", class: "plain chips__clear", "data-key": "clear all", onclick: clear },
    t("filters.clear"),
  );

/** @param {string} text @param {() => void} remove */
function chip(text, remove) {
  return make(
    "button",
    {
      type: "button",
      class: "chip",
      "data-key": text,
      "aria-label": t("filter.remove", { text }),
      onclick: remove,
    },
    make("span", { class: "chip__text", dir: "auto" }, text),
    icon("cross"),
  );
}

/** A chip for each value of a field's filter: what it says, and the state without it. @param {Field} field @param {State} state @param {string | null} currency */
export function chipsOf(field, state, currency) {
  const filter = state.filters[field.name];
  if (!filter) return [];
  if (!filter.values) {
    const text = rangeText(field, filter, currency);
    return [{ text, without: withFilter(state, field.name, null) }];
  }
  return filter.values.map((value) => ({
    text: valueText(field, value),
    without: withFilter(state, field.name, toggleValue(filter, value)),
  }));
}

/** A value of a filter as people read it. @param {Field} field @param {string} value */
export function valueText(field, value) {
  const name = fieldName(field);
  if (field.type === "bool") return value === "true" ? name : t("filter.not", { field: name });
  if (field.type === "color") return capital(colorName(value));
  return field.type === "path" ? path(value) : capital(value);
}

/** @param {Field} field @param {Filter} filter @param {string | null} currency */
function rangeText(field, { min, max }, currency) {
  /** @param {string | number} bound */
  const show = (bound) => {
    if (field.type === "datetime") return day(bound);
    return field.type === "money" ? moneyLimit(Number(bound), currency) : count(Number(bound));
  };
  const name = fieldName(field);
  if (min == null) return max == null ? name : t("chip.upto", { field: name, to: show(max) });
  if (max == null) return t("chip.from", { field: name, from: show(min) });
  return t("chip.span", { field: name, from: show(min), to: show(max) });
}
