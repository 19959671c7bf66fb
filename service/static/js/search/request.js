// The requests that a state makes of POST /v1/search.

/** @import { Catalogue, Field, Filter, State } from "../types.js" */

import { hasQuery, isMixed, withFilter } from "./state.js";

const PAGE = 24;
/** Of a page that a shopper comes back to; several such pages, where it takes more. */
const LARGE_PAGE = 96;
/** @param {number} products how many are to be shown at least */
const pageSize = (products) => Math.min(LARGE_PAGE, Math.max(PAGE, products));

/**
 * The request of the first page; with it come the counts of the fields that have no filter of their own.
 * @param {State} state
 * @param {Catalogue} catalogue
 * @param {number} products how many are to be shown at least
 */
export function pageRequest(state, catalogue, products) {
  const facets = facetNames(catalogue).filter((name) => !state.filters[name]);
  return { ...baseRequest(state, catalogue), facets, limit: pageSize(products) };
}

/**
 * The requests of all other counts. A field with a filter is counted as if that filter were not there, so that a shopper
 * sees what else could be chosen beside it.
 * @param {State} state
 * @param {Catalogue} catalogue
 */
export const countRequests = (state, catalogue) =>
  facetNames(catalogue)
    .filter((name) => state.filters[name])
    .map((name) => countRequest(withFilter(state, name, null), catalogue, [name]));

/** The request of the counts of some fields. @param {State} state @param {Catalogue} catalogue @param {string[]} facets */
export const countRequest = (state, catalogue, facets) => ({
  ...baseRequest(state, catalogue),
  facets,
  limit: 1,
});

/**
 * The request of the products after a cursor.
 * @param {State} state
 * @param {Catalogue} catalogue
 * @param {{cursor: string, products: number}} position `products` as in `pageRequest`
 */
export const nextRequest = (state, catalogue, { cursor, products }) => ({
  ...baseRequest(state, catalogue),
  limit: pageSize(products),
  cursor,
});

/** @param {Catalogue} catalogue */
const facetNames = ({ fields }) => fields.filter((field) => field.facet).map(({ name }) => name);

/** @param {State} state @param {Catalogue} catalogue */
function baseRequest(state, catalogue) {
  return {
    like: state.like,
    unlike: state.unlike,
    filter: filterOf(state, catalogue.fields),
    sort: state.sort,
    text: state.text || undefined,
    image: state.box ? { box: state.box } : undefined,
    literal: state.literal.length ? state.literal : undefined,
    explain: state.explain || undefined,
    cutoff: state.far ? "off" : undefined,
    weights: isMixed(state) ? { text: 1 + state.balance, image: 1 - state.balance } : undefined,
    collapse: state.styles ? "group_id" : undefined,
    candidates: hasQuery(state) ? candidates(catalogue) : undefined,
  };
}

/**
 * How many products are ranked: all where that is allowed, so that every count is exact; else as many as the service
 * likes.
 * @param {Catalogue} catalogue
 */
const candidates = ({ products, max_candidates: most }) => (products <= most ? most : undefined);

/** @param {State} state @param {Field[]} fields */
function filterOf(state, fields) {
  /** @type {Record<string, object>} */
  const conditions = {};
  for (const { name, type } of fields) {
    const filter = state.filters[name];
    if (filter) conditions[name] = conditionOf(filter, type);
  }
  const examples = [...state.like, ...state.unlike];
  if (examples.length) conditions.not = { id: examples };
  return conditions;
}

/** @param {Filter} filter @param {string} type */
function conditionOf({ values, min, max }, type) {
  if (values) return type === "bool" ? values.map((value) => value === "true") : values;
  return { gte: min ?? undefined, lte: max ?? undefined };
}
