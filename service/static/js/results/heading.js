// The line over the products: what they answer, how many there are, how they are sorted.

/** @import { Field, Go, SearchAnswer, State } from "../types.js" */
/** @import { TextKey } from "../page/texts.js" */

import { button, byId, make } from "../page/dom.js";
import { fieldName, leaf } from "../page/format.js";
import { t } from "../page/texts.js";
import { IN_STOCK_FIRST, sorts } from "../search/address.js";
import { hasQuery } from "../search/state.js";

/** @param {State} state */
export function headline(state) {
  if (state.text && state.picture) return t("title.mixed", { text: state.text });
  if (state.text) return t("title.text", { text: state.text });
  if (state.picture) return t("title.picture");
  if (state.like.length) return t("title.like");
  const { category, ...others } = state.filters;
  const paths = Object.keys(others).length === 0 ? (category?.values ?? []) : [];
  return paths.length === 1 ? leaf(paths[0]) : t("title.all");
}

/**
 * How many products there are. Everything resembles a query a little, so of many only the closest are counted.
 * @param {State} state
 * @param {SearchAnswer} answer
 */
export function resultCount(state, { total, plan, beyond }) {
  if (beyond) return t("count.close", { count: total });
  if (hasQuery(state) && total < plan.matching && !state.styles) {
    return t("count.closest", { shown: total, count: plan.matching });
  }
  const products = t("products", { count: total });
  return plan.truncated_text ? `${products} ${t("count.truncated")}` : products;
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
  toggle.textContent = state.far ? t("closeness.less") : t("closeness.more", { count: beyond });
  toggle.onclick = () => go({ ...state, far: !state.far });
}

/** Sorts that have texts of their own. @type {Record<string, [TextKey, TextKey]>} */
const SORT_NAMES = {
  price: ["sort.price.up", "sort.price.down"],
  title: ["sort.title.up", "sort.title.down"],
};

/** @type {[TextKey, TextKey]} */
const BY_AMOUNT = ["sort.up", "sort.down"];
/** @type {[TextKey, TextKey]} */
const BY_TIME = ["sort.oldest", "sort.newest"];

/** @param {State} state @param {Field[]} fields */
export function showSorts(state, fields) {
  const select = byId("sort", HTMLSelectElement);
  const names = sorts(fields);
  if (select.length !== names.length) {
    select.replaceChildren(...names.map((sort) => make("option", { value: sort })));
  }
  for (const option of select.options) option.textContent = sortName(option.value, state, fields);
  select.value = state.sort;
}

/** @param {string} sort @param {State} state @param {Field[]} fields */
function sortName(sort, state, fields) {
  if (sort === "relevance") return hasQuery(state) ? t("sort.closest") : t("sort.catalogue");
  if (sort === IN_STOCK_FIRST) return t("sort.stock");
  const name = sort.replace(/^-/, "");
  const known = fields.find((other) => other.name === name);
  const field = fieldName(known ?? { name });
  const isTime = known?.type === "datetime";
  const [up, down] = SORT_NAMES[name] ?? (isTime ? BY_TIME : BY_AMOUNT);
  return t(sort.startsWith("-") ? down : up, { field });
}
