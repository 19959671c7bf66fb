// What is being searched for. States are values: every change makes a new one.

/** A filter on a field: `values` (any of them), or a range from `min` to `max`, either of which may be null. */
export const EMPTY = Object.freeze({
  text: "",
  picture: null, // key of an uploaded picture, see picture/kept.js
  like: Object.freeze([]),
  unlike: Object.freeze([]),
  balance: 0, // from -1, the picture decides, to 1, the words do
  sort: "relevance",
  styles: false, // one product of each style
  show: null, // id of the product that is open
  filters: Object.freeze({}),
});

export const asks = (state) =>
  Boolean(state.text || state.picture || state.like.length || state.unlike.length);
export const mixes = (state) => Boolean(state.text && state.picture);
export const filtered = (state) => Object.keys(state.filters).length > 0;

/** The state with a field's filter replaced; null takes it away. */
export function withFilter(state, name, filter) {
  const { [name]: _, ...others } = state.filters;
  return { ...state, filters: filter && !isEmpty(filter) ? { ...others, [name]: filter } : others };
}

export const isEmpty = (filter) =>
  filter.values ? filter.values.length === 0 : filter.min === null && filter.max === null;

/** The values chosen on a field. */
export const chosen = (state, name) => state.filters[name]?.values ?? [];

/** The state with one value of a field switched on or off. */
export function toggled(state, name, value) {
  const values = chosen(state, name);
  return withFilter(state, name, {
    values: values.includes(value) ? values.filter((v) => v !== value) : [...values, value],
  });
}

/** Whether two states ask the same of the shop; which product is open makes no difference. */
export function sameSearch(one, other) {
  return canonical(one) === canonical(other);
}

/** One text for one search, in whatever order its filters were chosen. */
function canonical(state) {
  const filters = Object.entries(state.filters).map(([name, { values, min, max }]) => [
    name,
    values ?? [],
    min ?? null,
    max ?? null,
  ]);
  return JSON.stringify({
    ...state,
    show: null,
    filters: filters.sort(([one], [other]) => (one < other ? -1 : 1)),
  });
}
