// The grid of products and how it grows: more pages come as the shopper nears its end.

/** @import { CardActions, SearchAnswer } from "../types.js" */
/** @import { Problem } from "../api/client.js" */

import { aborted, problemFrom } from "../api/client.js";
import { block, button, keepingFocus } from "../page/dom.js";
import { card, cardSkeleton } from "./card.js";

const SKELETONS = 12;
const EAGER = 8;
const AHEAD = "900px";

/** @typedef {{cursor: string, products: number}} Position after a cursor, how many to load at least */
/** @typedef {{next: (position: Position) => Promise<SearchAnswer>, failed: (problem: Problem) => void}} GridActions */

export class Grid {
  #list = block("grid");
  #more = block("more");
  #button = button("more-button");
  #end = block("end");
  #actions;
  /** @type {CardActions | null} */
  #cardActions = null;
  /** @type {string | null} */
  #cursor = null;
  #loading = false;
  /** The shown products: which picture of each matched. @type {Map<string, number>} */
  #ids = new Map();

  /** `next(position)` answers with a further page, `failed(problem)` tells the shopper that it did not come. @param {GridActions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#button.addEventListener("click", () => this.#grow());
    const watch = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) this.#grow();
      },
      { rootMargin: AHEAD },
    );
    watch.observe(this.#more);
  }

  /** While the first page is on its way: skeletons where nothing is shown yet, the products that are shown grow pale. */
  wait() {
    if (this.#list.childElementCount === 0) {
      this.#list.replaceChildren(...Array.from({ length: SKELETONS }, cardSkeleton));
    }
    this.#list.classList.add("grid--stale");
    this.#list.setAttribute("aria-busy", "true");
    this.#stop();
  }

  /** @param {SearchAnswer} page @param {CardActions} cardActions */
  show(page, cardActions) {
    this.#cardActions = cardActions;
    this.#ids.clear();
    this.#empty();
    this.#add(page, EAGER);
  }

  /** The number of a product's picture that is most like the query. @param {string} id */
  matched(id) {
    return this.#ids.get(id) ?? 0;
  }

  /** How many products are shown. */
  get size() {
    return this.#ids.size;
  }

  /** Load until so many products are shown, or all. @param {number} products */
  async growTo(products) {
    let before = -1;
    while (this.#cursor && this.size < products && this.size > before) {
      before = this.size;
      await this.#grow(products - this.size);
    }
  }

  clear() {
    this.#empty();
    this.#stop();
  }

  #empty() {
    keepingFocus(this.#list, () => this.#list.replaceChildren());
    this.#list.classList.remove("grid--stale");
    this.#list.removeAttribute("aria-busy");
  }

  #stop() {
    this.#cursor = null;
    this.#loading = false;
    this.#more.hidden = true;
    this.#end.hidden = true;
  }

  /** @param {SearchAnswer} page */
  #add(page, eager = 0) {
    const actions = this.#cardActions;
    if (!actions) return;
    const fresh = page.hits.filter((hit) => !this.#ids.has(hit.id));
    for (const hit of fresh) this.#ids.set(hit.id, hit.matched_image ?? 0);
    this.#list.append(...fresh.map((hit, at) => card(hit, actions, { eager: at < eager })));
    this.#cursor = page.next_cursor;
    this.#more.hidden = !this.#cursor;
    this.#end.hidden = Boolean(this.#cursor) || this.#ids.size <= EAGER;
  }

  async #grow(products = 0) {
    const cursor = this.#cursor;
    if (!cursor || this.#loading) return;
    this.#loading = true;
    this.#button.disabled = true;
    try {
      const page = await this.#actions.next({ cursor, products });
      if (cursor === this.#cursor) {
        // otherwise another search has begun meanwhile
        this.#add(page);
        this.#fillWindow();
      }
    } catch (error) {
      if (!aborted(error) && cursor === this.#cursor) this.#actions.failed(problemFrom(error));
    } finally {
      this.#loading = false;
      this.#button.disabled = false;
    }
  }

  /** A tall window may still show the end: the observer tells of changes only. */
  #fillWindow() {
    if (this.#cursor && this.#more.getBoundingClientRect().top < innerHeight) {
      requestAnimationFrame(() => this.#grow());
    }
  }
}
