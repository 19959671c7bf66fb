// A list of keywords: brands, patterns, materials. Long lists are cut, and can be searched.

/** @import { ChangeFilter, Control, Field, Filter } from "../types.js" */
/** @import { Option } from "./options.js" */

import { arrange, make } from "../page/dom.js";
import { capital, count, fieldName } from "../page/format.js";
import { toggleValue } from "../search/state.js";
import { countsByValue, option } from "./options.js";

const SHORT = 7;
const SEARCHABLE = 12;

/** @param {Field} field @param {ChangeFilter} change @returns {Control} */
export function checklist(field, change) {
  const name = fieldName(field.name);
  /** @type {Map<string, Option>} */
  const boxes = new Map();
  /** @type {Filter | null} */
  let filter = null;
  /** @type {Map<string, number>} */
  let counts = new Map();
  let expanded = false;

  const needle = make("input", {
    type: "search",
    class: "field options__search",
    placeholder: `Find in ${name.toLowerCase()}`,
    "aria-label": `Find in ${name}`,
    hidden: true,
    autocomplete: "off",
    "data-key": `${field.name} find`,
    oninput: show,
  });
  const list = make("div");
  const none = make("p", { class: "options__none", hidden: true }, "No matches");
  const more = make("button", {
    type: "button",
    class: "plain options__more",
    "data-key": `${field.name} more`,
    onclick: expand,
  });

  function expand() {
    expanded = !expanded;
    show();
  }

  /** @param {string} value */
  function box(value) {
    const known = boxes.get(value);
    if (known) return known;
    const key = `${field.name} ${value}`;
    const pick = () => change(toggleValue(filter, value));
    const made = option({ key, text: capital(value), pick });
    boxes.set(value, made);
    return made;
  }

  /** @param {string} value */
  const isChosen = (value) => Boolean(filter?.values?.includes(value));

  /** The values to list: those that match, or the first ones and the chosen. @param {string} typed */
  function listed(typed) {
    const values = [...counts.keys()];
    if (typed) return values.filter((value) => value.toLocaleLowerCase().includes(typed));
    if (expanded || values.length <= SHORT + 1) return values;
    return values.filter((value, at) => at < SHORT || isChosen(value));
  }

  function show() {
    const typed = needle.value.trim().toLocaleLowerCase();
    const values = listed(typed);
    for (const value of values) box(value).update(counts.get(value) ?? 0, isChosen(value));
    arrange(
      list,
      values.map((value) => box(value).element),
    );
    none.hidden = values.length > 0;
    needle.hidden = counts.size < SEARCHABLE;
    more.hidden = Boolean(typed) || counts.size <= SHORT + 1;
    more.textContent = expanded ? "Show fewer" : `Show all ${count(counts.size)}`;
    more.setAttribute("aria-expanded", String(expanded));
  }

  return {
    element: make("div", {}, needle, list, none, more),
    update(facet, newFilter) {
      filter = newFilter;
      counts = countsByValue(facet, filter);
      show();
      return counts.size > 1 || filter !== null;
    },
  };
}
