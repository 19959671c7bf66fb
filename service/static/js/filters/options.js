// One checkbox with its words and count, as checklist and tree use it.

/** @import { Facet, Filter } from "../types.js" */

import { make } from "../page/dom.js";
import { count } from "../page/format.js";
import { t } from "../page/texts.js";

/** @typedef {ReturnType<typeof option>} Option */

/**
 * A checkbox; `pick()` is called when it is switched.
 * @param {{key: string, text: string, pick: () => void}} options
 */
export function option({ key, text, pick }) {
  const box = make("input", { type: "checkbox", "data-key": key, onchange: pick });
  const number = make("span", { class: "option__count", "aria-hidden": "true" });
  const spoken = make("span", { class: "unseen" });
  const words = make("span", { class: "option__text", dir: "auto" }, text);
  const element = make("label", { class: "option", title: text }, box, words, number, spoken);
  return {
    element,
    /** @param {number} products @param {boolean} checked */
    update(products, checked) {
      box.checked = checked;
      number.textContent = count(products);
      spoken.textContent = `, ${t("products", { count: products })}`;
      element.classList.toggle("option--none", products === 0);
    },
  };
}

/**
 * Counts by value, the chosen values among them even when no product has them.
 * @param {Facet | undefined} facet
 * @param {Filter | null} filter
 */
export function countsByValue(facet, filter) {
  const values = Array.isArray(facet) ? facet : [];
  const counts = new Map(values.map(({ value, count: products }) => [String(value), products]));
  for (const value of filter?.values ?? []) if (!counts.has(value)) counts.set(value, 0);
  return counts;
}

/** A text for comparing: neither case nor accents count. @param {string} text */
export const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * The filter with its values spelled as the facet lists them: a value has one row, whose spelling
 * may change with the other filters.
 * @param {Filter | null} filter
 * @param {Facet | undefined} facet
 */
export function spelledAsListed(filter, facet) {
  if (!filter?.values || !Array.isArray(facet)) return filter;
  const listed = new Map(facet.map(({ value }) => [fold(String(value)), String(value)]));
  return { ...filter, values: filter.values.map((value) => listed.get(fold(value)) ?? value) };
}
