// One search at a time: a new one cancels what the last one still waits for, so an old answer never overwrites a newer one.

/** @import { Catalogue, FirstPage, SearchAnswer, State } from "../types.js" */

import { loadCatalogue, search } from "../api/client.js";
import { storedPicture } from "../picture/store.js";
import { countRequests, nextRequest, pageRequest } from "./request.js";

export class Session {
  #running = new AbortController();
  /** @type {Promise<Catalogue> | null} */
  #catalogue = null;

  /** What the catalogue is, loaded once; a failure is forgotten so that the next try loads it again. */
  catalogue() {
    this.#catalogue ??= loadCatalogue().catch((problem) => {
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
    return { ...page, facets, others: counts.flatMap((answer) => answer.hits) };
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

  #restart() {
    this.#running.abort();
    this.#running = new AbortController();
    return this.#running.signal;
  }
}
