// One search at a time: a new one cancels what the last one still waits for, so an old answer never overwrites a newer one.

import { fields as askFields, search } from "../api/client.js";
import { kept } from "../picture/kept.js";
import { facetRequests, nextRequest, pageRequest } from "./request.js";

export class Session {
  #running = new AbortController();
  #fields = null;

  /** The catalogue's fields, asked for once; a failure is forgotten so that the next try asks again. */
  fields() {
    this.#fields ??= askFields().then((answer) => answer.fields, (error) => {
      this.#fields = null;
      throw error;
    });
    return this.#fields;
  }

  /** The first page of a state with the facets of every field, and in `others` a product of each filter left out; rejects with AbortError once another search begins. */
  async run(state, fields) {
    const signal = this.#restart();
    const picture = await kept(state.picture);
    signal.throwIfAborted();
    const requests = [pageRequest(state, fields), ...facetRequests(state, fields)];
    const [page, ...counted] = await Promise.all(requests.map((request) => search(request, picture, signal)));
    return { ...page, facets: Object.assign({}, page.facets, ...counted.map((answer) => answer.facets)), others: counted.flatMap((answer) => answer.hits) };
  }

  /** The page after a cursor. */
  async next(state, fields, cursor) {
    const signal = this.#running.signal;
    const picture = await kept(state.picture);
    signal.throwIfAborted();
    return search(nextRequest(state, fields, cursor), picture, signal);
  }

  #restart() {
    this.#running.abort();
    this.#running = new AbortController();
    return this.#running.signal;
  }
}
