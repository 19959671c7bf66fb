// What is being searched for. States are values: every change makes a new one.

/** @import { Filter, State } from "../types.js" */

/** @type {State} */
export const EMPTY = Object.freeze({
  text: "",
  picture: null,
  box: null,
  like: Object.freeze([]),
  unlike: Object.freeze([]),
  literal: Object.freeze([]),
  far: false,
  balance: 0,
  sort: "relevance",
  styles: false,
  explain: false,
  show: null,
  filters: Object.freeze({}),
});

/** Whether there is a query, not only filters. @param {State} state */
export const hasQuery = (state) =>
  Boolean(state.text || state.picture || state.like.length || state.unlike.length);

/** @param {State} state */
export const isMixed = (state) => Boolean(state.text && state.picture);

/** @param {State} state */
export const isFiltered = (state) => Object.keys(state.filters).length > 0;

/**
 * The state with a field's filter replaced; null takes it away.
 * @param {State} state
 * @param {string} name
 * @param {Filter | null} filter
 * @returns {State}
 */
export function withFilter(state, name, filter) {
  const { [name]: _replaced, ...others } = state.filters;
  return {
    ...state,
    filters: filter && !isEmpty(filter) ? { ...others, [name]: filter } : others,
  };
}

/** The state with a part of its text taken as it stands. @param {State} state @param {string} text @returns {State} */
export const withLiteral = (state, text) => ({
  ...state,
  literal: [...new Set([...state.literal, text])],
});

/** @param {Filter} filter */
const isEmpty = ({ values, min, max }) =>
  values ? values.length === 0 : (min ?? null) === null && (max ?? null) === null;

/** The filter with one value switched on or off. @param {Filter | null | undefined} filter @param {string} value */
export function toggleValue(filter, value) {
  const values = filter?.values ?? [];
  const without = values.filter((other) => other !== value);
  return { values: values.includes(value) ? without : [...values, value] };
}

/** Whether two states ask the same of the shop; which product is open makes no difference. @param {State} a @param {State} b */
export const sameSearch = (a, b) => canonical(a) === canonical(b);

/** One text for one search, in whatever order its filters were chosen. @param {State} state */
function canonical(state) {
  const filters = Object.entries(state.filters).map(([name, { values, min, max }]) =>
    JSON.stringify([name, values ?? [], min ?? null, max ?? null]),
  );
  return JSON.stringify({ ...state, show: null, filters: filters.sort() });
}
