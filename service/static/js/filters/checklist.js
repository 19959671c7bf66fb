// A list of keywords: brands, patterns, materials. Long lists are cut, and can be searched.

/** @import { Control, ControlActions, Field, Filter } from "../types.js" */
/** @import { Option } from "./options.js" */

import { arrange, make } from "../page/dom.js";
import { capital } from "../page/format.js";
import { t } from "../page/texts.js";
import { toggleValue } from "../search/state.js";
import { finder, matching } from "./finder.js";
import { countsByValue, option } from "./options.js";
import { inOrder } from "./sizes.js";

const SHORT = 7;
const SEARCHABLE = 12;

/** @param {Field} field @param {ControlActions} actions @returns {Control} */
export function checklist(field, { change, find }) {
  /** @type {Map<string, Option>} */
  const boxes = new Map();
  /** @type {Filter | null} */
  let filter = null;
  /** @type {Map<string, number>} */
  let counts = new Map();
  let isCut = false;
  let expanded = false;

  const list = make("div");
  const more = make("button", {
    type: "button",
    class: "plain options__more",
    "data-key": `${field.name} more`,
    onclick: expand,
  });
  const search = finder(field, {
    lookUp: (text) => (isCut ? find(text) : matching(counts, text)),
    optionOf,
    begin: clear,
    end: show,
  });

  function expand() {
    expanded = !expanded;
    show();
  }

  /** @param {string} value @param {number} products */
  function optionOf(value, products) {
    const key = `${field.name} ${value}`;
    const pick = () => change(toggleValue(filter, value));
    const box = boxes.get(value) ?? option({ key, text: capital(value), pick });
    boxes.set(value, box);
    box.update(products, isChosen(value));
    return box.element;
  }

  /** @param {string} value */
  const isChosen = (value) => Boolean(filter?.values?.includes(value));

  function clear() {
    arrange(list, []);
    more.hidden = true;
  }

  function show() {
    const whole = expanded || counts.size <= SHORT + 1;
    const listed = [...counts].filter(([value], at) => whole || at < SHORT || isChosen(value));
    arrange(
      list,
      listed.map(([value, products]) => optionOf(value, products)),
    );
    more.hidden = counts.size <= SHORT + 1;
    const all = t(isCut ? "filter.more.cut" : "filter.more", { count: counts.size });
    more.textContent = expanded ? t("filter.fewer") : all;
    more.setAttribute("aria-expanded", String(expanded));
  }

  return {
    element: make("div", {}, ...search.elements, list, more),
    update(facet, newFilter, context) {
      filter = newFilter;
      counts = inOrder(countsByValue(facet, filter));
      isCut = context.cut;
      search.offer(isCut || counts.size >= SEARCHABLE);
      if (search.isActive()) search.show();
      else show();
      return counts.size > 1 || filter !== null;
    },
  };
}
