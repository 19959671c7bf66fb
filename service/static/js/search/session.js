// One search at a time: a new one cancels what the last one still waits for, so an old answer never overwrites a newer one.

import { catalogue, search } from "../api/client.js";
import { kept } from "../picture/kept.js";
import { countRequests, nextRequest, pageRequest } from "./request.js";

export class Session {
  #running = new AbortController();
  #catalogue = null;

  /** What the catalogue is, asked for once; a failure is forgotten so that the next try asks again. */
  catalogue() {
    this.#catalogue ??= catalogue().catch((problem) => {
      this.#catalogue = null;
      throw problem;
    });
    return this.#catalogue;
  }

  /**
   * The first page of a state, the counts of every field among its facets, and in `others` one product of each further
   * request; rejects with AbortError once another search begins.
   */
  async run(state, known) {
    const signal = this.#restart();
    const picture = await kept(state.picture);
    signal.throwIfAborted();
    const requests = [pageRequest(state, known), ...countRequests(state, known)];
    const [page, ...counted] = await Promise.all(
      requests.map((request) => search(request, picture, signal)),
    );
    return {
      ...page,
      facets: Object.assign({}, page.facets, ...counted.map((answer) => answer.facets)),
      others: counted.flatMap((answer) => answer.hits),
    };
  }

  /** The page after a cursor. */
  async next(state, known, cursor) {
    const signal = this.#running.signal;
    const picture = await kept(state.picture);
    signal.throwIfAborted();
    return search(nextRequest(state, known, cursor), picture, signal);
  }

  #restart() {
    this.#running.abort();
    this.#running = new AbortController();
    return this.#running.signal;
  }
}
