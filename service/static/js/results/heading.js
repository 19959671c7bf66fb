// The line over the products: what they answer, how many there are, how they are sorted.

import { make } from "../page/dom.js";
import { count, fieldName, leaf, plural } from "../page/format.js";
import { sorts } from "../search/address.js";
import { asks } from "../search/state.js";

export function headline(state) {
  if (state.text && state.picture) return `“${state.text}” and your picture`;
  if (state.text) return `“${state.text}”`;
  if (state.picture) return "Like your picture";
  if (state.like.length) return "More like this";
  const categories =
    Object.values(state.filters).length === 1 ? (state.filters.category?.values ?? []) : [];
  return categories.length === 1 ? leaf(categories[0]) : "All products";
}

/** How many products there are. Everything resembles a query a little, so of many only the closest are counted. */
export function tally(state, { total, plan }) {
  if (asks(state) && total < plan.matching && !state.styles)
    return `${count(total)} closest of ${plural(plan.matching, "product")}`;
  const tail = plan.truncated_text ? " (the text was longer than the model reads)" : "";
  return plural(total, "product") + tail;
}

const NAMES = {
  price: ["Price, low to high", "Price, high to low"],
  title: ["Name, A to Z", "Name, Z to A"],
};

export function sortOptions(select, state, fields) {
  const wanted = sorts(fields);
  if (select.length !== wanted.length)
    select.replaceChildren(...wanted.map((sort) => make("option", { value: sort })));
  for (const option of select.options) option.textContent = sortName(option.value, state);
  select.value = state.sort;
}

function sortName(sort, state) {
  if (sort === "relevance") return asks(state) ? "Closest first" : "Catalogue order";
  const name = sort.replace(/^-/, "");
  const [up, down] = NAMES[name] ?? [
    `${fieldName(name)}, ascending`,
    `${fieldName(name)}, descending`,
  ];
  return sort.startsWith("-") ? down : up;
}
