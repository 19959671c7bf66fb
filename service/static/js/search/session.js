// One search at a time: a new one cancels what the last one still waits for, so an old answer never overwrites a newer one.

/** @import { Catalogue, Field, FirstPage, SearchAnswer, State } from "../types.js" */

import { loadCatalogue, search, searchFacet } from "../api/client.js";
import { countsByValue } from "../filters/options.js";
import { storedPicture } from "../picture/store.js";
import { writeFilter } from "./address.js";
import { countRequest, countRequests, nextRequest, pageRequest } from "./request.js";
import { hasQuery, withFilter } from "./state.js";

const SAMPLES = 24;
/** Values listed of those that contain what was typed. */
const MOST_VALUES = 20;

/** Fields that can be counted and sorted by, but are of no use for choosing. */
const SHOWN_ONLY = new Set(["compare_at_price"]);

/** @param {Field} field @returns {Field} */
const forShoppers = (field) =>
  SHOWN_ONLY.has(field.name) ? { ...field, facet: false, sortable: false } : field;

export class Session {
  #running = new AbortController();
  /** @type {Promise<Catalogue> | null} */
  #catalogue = null;

  /** What the catalogue is, loaded once; a failure is forgotten so that the next try loads it again. */
  catalogue() {
    this.#catalogue ??= loadCatalogue()
      .then((catalogue) => ({ ...catalogue, fields: catalogue.fields.map(forShoppers) }))
      .catch((problem) => {
        this.#catalogue = null;
        throw problem;
      });
    return this.#catalogue;
  }

  /**
   * The first page of a state, the counts of every field among its facets, and in `others` one product of each further
   * request; rejects with AbortError once another search begins.
   * @param {State} state
   * @param {Catalogue} catalogue
   * @param {number} products how many to load at least
   * @returns {Promise<FirstPage>}
   */
  async run(state, catalogue, products) {
    const signal = this.#restart();
    const picture = await storedPicture(state.picture);
    signal.throwIfAborted();
    const [page, ...counts] = await Promise.all(
      [pageRequest(state, catalogue, products), ...countRequests(state, catalogue)].map((request) =>
        search(request, picture, signal),
      ),
    );
    const facets = Object.assign({}, page.facets, ...counts.map((answer) => answer.facets));
    const others = counts.flatMap((answer) => answer.hits);
    const facets_cut = [page, ...counts].flatMap((answer) => answer.facets_cut);
    return { ...page, facets, facets_cut, others };
  }

  /**
   * The page after a cursor.
   * @param {State} state
   * @param {Catalogue} catalogue
   * @param {{cursor: string, products: number}} position and how many to load at least
   * @returns {Promise<SearchAnswer>}
   */
  async next(state, catalogue, position) {
    const signal = this.#running.signal;
    const picture = await storedPicture(state.picture);
    signal.throwIfAborted();
    return search(nextRequest(state, catalogue, position), picture, signal);
  }

  /** Some products of the catalogue. */
  async samples() {
    return (await search({ limit: SAMPLES }, null, this.#running.signal)).hits;
  }

  /**
   * How many products each of some states shows.
   * @param {State[]} states
   * @param {Catalogue} catalogue
   */
  countEach(states, catalogue) {
    const { signal } = this.#running;
    return Promise.all(
      states.map(async (state) => {
        const picture = await storedPicture(state.picture);
        return (await search(countRequest(state, catalogue, []), picture, signal)).total;
      }),
    );
  }

  /**
   * The values of a field that contain a text, with the numbers of products that choosing each would show.
   * @param {State} state
   * @param {Catalogue} catalogue
   * @param {string} field
   * @param {string} text
   * @returns {Promise<Map<string, number>>}
   */
  async findValues(state, catalogue, field, text) {
    const parameters = new URLSearchParams({ q: text, limit: String(MOST_VALUES) });
    const others = withFilter(state, field, null);
    for (const [name, filter] of Object.entries(others.filters)) {
      writeFilter(parameters, name, filter);
    }
    const { values } = await searchFacet(field, parameters);
    const counts = new Map(values.map(({ value, count }) => [String(value), count]));
    if (!counts.size || !hasQuery(state)) return counts;
    const narrowed = withFilter(others, field, { values: [...counts.keys()] });
    const request = countRequest({ ...narrowed, sort: "relevance" }, catalogue, [field]);
    const answer = await search(request, await storedPicture(state.picture), this.#running.signal);
    const matching = countsByValue(answer.facets[field], null);
    return new Map([...counts.keys()].map((value) => [value, matching.get(value) ?? 0]));
  }

  #restart() {
    this.#running.abort();
    this.#running = new AbortController();
    return this.#running.signal;
  }
}
