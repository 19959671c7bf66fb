// What a text may become while it is typed: a list under the field, by the keys of a combobox (WAI-ARIA practices).

import { block, icon, make } from "../page/dom.js";

/** One entry: what it says, its sign, and what choosing it does. @typedef {{text: string, sign: string, note?: string, choose: () => void}} Completion */

const PREFIX = "completion-";

/** The list under a field. */
export class Completions {
  #list = block("completions");
  #field;
  #load;
  /** @type {Completion[]} */
  #shown = [];
  #active = -1;
  #loading = new AbortController();

  /**
   * `load(text, signal)` gives the entries for a text.
   * @param {HTMLInputElement} field
   * @param {(text: string, signal: AbortSignal) => Promise<Completion[]>} load
   */
  constructor(field, load) {
    this.#field = field;
    this.#load = load;
    field.addEventListener("input", () => this.update());
    field.addEventListener("focus", () => this.update());
    field.addEventListener("blur", () => this.close());
    field.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  }

  /** Show what the field's text may become. */
  async update() {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const completions = await this.#load(this.#field.value.trim(), signal);
    if (!signal.aborted && document.activeElement === this.#field) this.#show(completions);
  }

  close() {
    this.#loading.abort();
    this.#show([]);
  }

  /** @param {Completion[]} completions */
  #show(completions) {
    this.#shown = completions;
    this.#list.replaceChildren(...completions.map((entry, at) => this.#option(entry, at)));
    this.#list.hidden = completions.length === 0;
    this.#field.setAttribute("aria-expanded", String(completions.length > 0));
    this.#activate(-1);
  }

  /** @param {Completion} completion @param {number} at */
  #option({ text, sign, note }, at) {
    return make(
      "li",
      {
        class: "completion",
        role: "option",
        id: PREFIX + at,
        "aria-selected": "false",
        onclick: () => this.#choose(at),
      },
      icon(sign),
      make("span", { class: "completion__text", dir: "auto" }, marked(text, this.#field.value)),
      note ? make("span", { class: "completion__note", dir: "auto" }, note) : null,
    );
  }

  /** @param {number} at */
  #choose(at) {
    const { choose } = this.#shown[at];
    this.close();
    choose();
  }

  /** @param {number} at */
  #activate(at) {
    this.#active = at;
    [...this.#list.children].forEach((option, number) => {
      option.setAttribute("aria-selected", String(number === at));
      if (number === at) option.scrollIntoView({ block: "nearest" });
    });
    if (at < 0) this.#field.removeAttribute("aria-activedescendant");
    else this.#field.setAttribute("aria-activedescendant", PREFIX + at);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.#shown.length - 1;
    if (last < 0) return;
    if (event.key === "ArrowDown") this.#activate(this.#active < last ? this.#active + 1 : -1);
    else if (event.key === "ArrowUp") this.#activate(this.#active < 0 ? last : this.#active - 1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && this.#active >= 0) this.#choose(this.#active);
    else return;
    event.preventDefault();
  }
}

/** A text with what was typed of it brought out. @param {string} text @param {string} typed */
function marked(text, typed) {
  const part = typed.trim().toLocaleLowerCase();
  const start = text.toLocaleLowerCase().indexOf(part);
  if (!part || start < 0) return [text];
  const end = start + part.length;
  return [text.slice(0, start), make("b", {}, text.slice(start, end)), text.slice(end)];
}
