// The requests that a state makes of POST /v1/search.

import { asks, mixes, withFilter } from "./state.js";

export const PAGE = 24;
/** Sorted by anything but relevance, only the closest products are shown: the cheapest of all are rarely what was asked for. */
export const CLOSEST = 200;

/** The request of one page; its facets are those of the fields without a filter of their own. */
export function pageRequest(state, fields) {
  return { ...base(state, fields), facets: facetNames(fields).filter((name) => !state.filters[name]), limit: PAGE };
}

/**
 * For each field with a filter the request that counts its values as if that filter were not there:
 * so a shopper sees what else could be chosen beside it.
 */
export function facetRequests(state, fields) {
  return facetNames(fields)
    .filter((name) => state.filters[name])
    .map((name) => ({ ...base(withFilter(state, name, null), fields), facets: [name], limit: 1 }));
}

/** The same request for the products after a cursor. */
export function nextRequest(state, fields, cursor) {
  return { ...base(state, fields), limit: PAGE, cursor };
}

export const facetNames = (fields) => fields.filter((field) => field.facet).map((field) => field.name);

function base(state, fields) {
  const request = { like: state.like, unlike: state.unlike, filter: filterOf(state, fields), sort: state.sort };
  if (state.text) request.text = state.text;
  if (mixes(state)) request.weights = { text: 1 + state.balance, image: 1 - state.balance };
  if (state.styles) request.collapse = "group_id";
  if (asks(state) && state.sort !== "relevance") request.candidates = CLOSEST;
  return request;
}

function filterOf(state, fields) {
  const filter = {};
  for (const { name, type } of fields) {
    const found = state.filters[name];
    if (found) filter[name] = found.values ? found.values.map((value) => (type === "bool" ? value === "true" : value)) : rangeOf(found);
  }
  const examples = [...state.like, ...state.unlike];
  if (examples.length) filter.not = { id: examples };
  return filter;
}

function rangeOf({ min, max }) {
  return { ...(min === null ? {} : { gte: min }), ...(max === null ? {} : { lte: max }) };
}
