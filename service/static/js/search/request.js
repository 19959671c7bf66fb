// The requests that a state makes of POST /v1/search. A catalogue is the answer of GET /v1/fields.

import { asks, mixes, withFilter } from "./state.js";

export const PAGE = 24;
/** Sorted by anything but relevance, only the closest products are shown: the cheapest of all are rarely what was asked for. */
export const CLOSEST = 200;

const narrowed = (state) => asks(state) && state.sort !== "relevance";

/** The request of one page; with it come the counts of the fields that have no filter of their own. */
export function pageRequest(state, catalogue) {
  return {
    ...asked(state, catalogue),
    facets: narrowed(state) ? [] : unfiltered(state, catalogue),
    limit: PAGE,
  };
}

/**
 * The requests of all other counts. A field with a filter is counted as if that filter were not there, so that a shopper
 * sees what else could be chosen beside it. Counts tell how many products pass the filters, also when only the closest
 * of them are shown.
 */
export function countRequests(state, catalogue) {
  const counted = { ...state, sort: "relevance" };
  const found = facetNames(catalogue)
    .filter((name) => state.filters[name])
    .map((name) => count(withFilter(counted, name, null), catalogue, [name]));
  return narrowed(state)
    ? [...found, count(counted, catalogue, unfiltered(state, catalogue))]
    : found;
}

const count = (state, catalogue, facets) => ({ ...asked(state, catalogue), facets, limit: 1 });

/** The request of the products after a cursor. */
export function nextRequest(state, catalogue, cursor) {
  return { ...asked(state, catalogue), limit: PAGE, cursor };
}

const facetNames = ({ fields }) => fields.filter((field) => field.facet).map((field) => field.name);
const unfiltered = (state, catalogue) =>
  facetNames(catalogue).filter((name) => !state.filters[name]);

function asked(state, catalogue) {
  const request = {
    like: state.like,
    unlike: state.unlike,
    filter: filterOf(state, catalogue.fields),
    sort: state.sort,
  };
  if (state.text) request.text = state.text;
  if (mixes(state)) request.weights = { text: 1 + state.balance, image: 1 - state.balance };
  if (state.styles) request.collapse = "group_id";
  if (asks(state)) Object.assign(request, candidates(state, catalogue));
  return request;
}

/** How many products are ranked: all where that is allowed, so that every count is exact; else as many as the service likes. */
function candidates(state, { products, max_candidates: most }) {
  if (narrowed(state)) return { candidates: Math.min(CLOSEST, most) };
  return products <= most ? { candidates: most } : {};
}

function filterOf(state, fields) {
  const filter = {};
  for (const { name, type } of fields) {
    const found = state.filters[name];
    if (found)
      filter[name] = found.values
        ? found.values.map((value) => (type === "bool" ? value === "true" : value))
        : rangeOf(found);
  }
  const examples = [...state.like, ...state.unlike];
  if (examples.length) filter.not = { id: examples };
  return filter;
}

function rangeOf({ min, max }) {
  return { ...(min === null ? {} : { gte: min }), ...(max === null ? {} : { lte: max }) };
}
