// The line over the products: what they answer, how many there are, how they are sorted.

/** @import { Field, Go, SearchAnswer, State } from "../types.js" */

import { button, byId, make } from "../page/dom.js";
import { count, fieldName, leaf, plural } from "../page/format.js";
import { IN_STOCK_FIRST, sorts } from "../search/address.js";
import { hasQuery } from "../search/state.js";

/** @param {State} state */
export function headline(state) {
  if (state.text && state.picture) return `“${state.text}” and your picture`;
  if (state.text) return `“${state.text}”`;
  if (state.picture) return "Like your picture";
  if (state.like.length) return "More like this";
  const { category, ...others } = state.filters;
  const paths = Object.keys(others).length === 0 ? (category?.values ?? []) : [];
  return paths.length === 1 ? leaf(paths[0]) : "All products";
}

/**
 * How many products there are. Everything resembles a query a little, so of many only the closest are counted.
 * @param {State} state
 * @param {SearchAnswer} answer
 */
export function resultCount(state, { total, plan, beyond }) {
  if (beyond) return plural(total, "close match", "close matches");
  if (hasQuery(state) && total < plan.matching && !state.styles) {
    return `${count(total)} closest of ${plural(plan.matching, "product")}`;
  }
  const cut = plan.truncated_text ? " (the text is longer than the model reads)" : "";
  return plural(total, "product") + cut;
}

/**
 * Offer the products that are not close, or to hide them again.
 * @param {State} state
 * @param {SearchAnswer} answer
 * @param {Go} go searches on
 */
export function showCloseness(state, { beyond = 0, total }, go) {
  const toggle = button("closeness");
  toggle.hidden = !state.far && (beyond === 0 || total === 0);
  toggle.textContent = state.far
    ? "Show close matches only"
    : `Show ${count(beyond)} less close ${beyond === 1 ? "one" : "ones"}`;
  toggle.onclick = () => go({ ...state, far: !state.far });
}

/** @type {Record<string, [string, string]>} */
const SORT_NAMES = {
  price: ["Price, low to high", "Price, high to low"],
  title: ["Name, A to Z", "Name, Z to A"],
};

/** @param {State} state @param {Field[]} fields */
export function showSorts(state, fields) {
  const select = byId("sort", HTMLSelectElement);
  const names = sorts(fields);
  if (select.length !== names.length) {
    select.replaceChildren(...names.map((sort) => make("option", { value: sort })));
  }
  for (const option of select.options) option.textContent = sortName(option.value, state);
  select.value = state.sort;
}

/** @param {string} sort @param {State} state */
function sortName(sort, state) {
  if (sort === "relevance") return hasQuery(state) ? "Closest first" : "Catalogue order";
  if (sort === IN_STOCK_FIRST) return "In stock first";
  const name = sort.replace(/^-/, "");
  const label = fieldName(name);
  const [up, down] = SORT_NAMES[name] ?? [`${label}, ascending`, `${label}, descending`];
  return sort.startsWith("-") ? down : up;
}
