// The grid of products and how it grows: more pages come as the shopper nears its end.

import { byId, keepingFocus } from "../page/dom.js";
import { bones, card } from "./card.js";

const BONES = 12;
const EAGER = 8;
const AHEAD = "900px";

export class Grid {
  #list = byId("grid");
  #more = byId("more");
  #button = byId("more-button");
  #end = byId("end");
  #acts = null;
  #next = null;
  #loading = false;
  #ids = new Set();

  /** `next(cursor)` answers with a further page, `failed(problem)` tells the shopper that it did not come. */
  constructor({ next, failed }) {
    this.next = next;
    this.failed = failed;
    this.#button.addEventListener("click", () => this.#grow());
    const watch = new IntersectionObserver(
      (seen) => seen.some((one) => one.isIntersecting) && this.#grow(),
      { rootMargin: AHEAD },
    );
    watch.observe(this.#more);
  }

  /** While the first page is on its way: bones where nothing is shown yet, the products that are shown grow pale. */
  wait() {
    if (this.#list.childElementCount === 0)
      this.#list.replaceChildren(...Array.from({ length: BONES }, bones));
    this.#list.classList.add("grid--stale");
    this.#list.setAttribute("aria-busy", "true");
    this.#stop();
  }

  show(page, acts) {
    this.#acts = acts;
    this.#ids.clear();
    this.#empty();
    this.#settle();
    this.#add(page, EAGER);
  }

  clear() {
    this.#empty();
    this.#settle();
    this.#stop();
  }

  #empty() {
    keepingFocus(this.#list, () => this.#list.replaceChildren());
  }

  #settle() {
    this.#list.classList.remove("grid--stale");
    this.#list.removeAttribute("aria-busy");
  }

  #stop() {
    this.#next = null;
    this.#loading = false;
    this.#more.hidden = true;
    this.#end.hidden = true;
  }

  #add(page, eager = 0) {
    const fresh = page.hits.filter((hit) => !this.#ids.has(hit.id));
    for (const hit of fresh) this.#ids.add(hit.id);
    this.#list.append(...fresh.map((hit, at) => card(hit, this.#acts, { eager: at < eager })));
    this.#next = page.next_cursor;
    this.#more.hidden = !this.#next;
    this.#end.hidden = Boolean(this.#next) || this.#ids.size <= EAGER;
  }

  async #grow() {
    const cursor = this.#next;
    if (!cursor || this.#loading) return;
    this.#loading = true;
    this.#button.disabled = true;
    try {
      const page = await this.next(cursor);
      if (cursor === this.#next) {
        // otherwise another search has begun meanwhile
        this.#add(page);
        this.#fill();
      }
    } catch (problem) {
      if (problem.name !== "AbortError" && cursor === this.#next) this.failed(problem);
    } finally {
      this.#loading = false;
      this.#button.disabled = false;
    }
  }

  /** A tall window may still show the end: the observer tells of changes only. */
  #fill() {
    if (this.#next && this.#more.getBoundingClientRect().top < innerHeight)
      requestAnimationFrame(() => this.#grow());
  }
}
