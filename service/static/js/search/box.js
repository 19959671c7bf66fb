// The search field: it searches on Enter, on a choice from its list, and after a pause when a word is whole.

import { form, input } from "../page/dom.js";
import { t } from "../page/texts.js";
import { Completions } from "./completions.js";
import { rememberSearch } from "./recent.js";
import { completionsOf } from "./suggest.js";

const PAUSE_MS = 350;
const NARROW = matchMedia("(max-width: 52rem)");
const TYPED_INTO =
  "input:not([type=checkbox], [type=range]), textarea, select, [contenteditable], dialog[open]";

/** A word that is still being typed means something else: "dre" is no dress. @param {string} text */
const isWhole = (text) => text === "" || /\s$/.test(text);

/**
 * `search(text, typing)` is called with the words once the promise of `ready()` holds.
 * `filter(field, value)` with a category or a brand that was chosen instead of words.
 * @param {{search: (text: string, typing: boolean) => void, filter: (field: string, value: string) => void,
 *   ready: () => Promise<unknown>}} actions
 */
export function searchBox({ search, filter, ready }) {
  const words = input("words");
  fitPlaceholder(words);
  focusOnSlash(words);
  const choices = { text: choose, filter: chooseFilter };
  const completions = new Completions(words, (text, signal) =>
    completionsOf(text, signal, choices),
  );
  let timer = 0;
  let pending = false; // words are about to be searched for
  let searched = "";

  /** @param {boolean} typing */
  async function send(typing) {
    clearTimeout(timer);
    pending = true;
    await ready();
    pending = false;
    const text = words.value.trim();
    if (!typing) {
      completions.close();
      rememberSearch(text);
    }
    if (text === searched) return;
    searched = text;
    search(text, typing);
  }

  /** @param {string} text */
  function choose(text) {
    words.value = text;
    send(false);
  }

  /** A category or a brand stands for the words that named it. @param {string} field @param {string} value */
  async function chooseFilter(field, value) {
    await ready();
    words.value = "";
    searched = "";
    filter(field, value);
  }

  words.addEventListener("input", () => {
    clearTimeout(timer);
    pending = isWhole(words.value);
    if (pending) timer = setTimeout(() => send(true), PAUSE_MS);
  });
  form("search").addEventListener("submit", (event) => {
    event.preventDefault();
    send(false);
    if (matchMedia("(pointer: coarse)").matches) words.blur(); // a phone's keyboard covers the products
  });

  return {
    /** Put words into the field. @param {string} text */
    show(text) {
      if (pending) return;
      searched = text;
      if (words.value !== text) words.value = text;
    },
  };
}

/** @param {HTMLInputElement} words */
function focusOnSlash(words) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest(TYPED_INTO);
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    words.focus();
    words.select();
  });
}

/** A short hint where the field is narrow; nothing is dropped on a phone. @param {HTMLInputElement} words */
function fitPlaceholder(words) {
  const long = words.placeholder;
  const fit = () => {
    words.placeholder = NARROW.matches ? t("search.placeholder.short") : long;
  };
  NARROW.addEventListener("change", fit);
  fit();
}
