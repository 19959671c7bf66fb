// The search field: it searches while words are typed, and at once on Enter.

import { form, input } from "../page/dom.js";

const PAUSE_MS = 350;
const NARROW = matchMedia("(max-width: 52rem)");
const TYPED_INTO =
  "input:not([type=checkbox], [type=range]), textarea, select, [contenteditable], dialog[open]";

/**
 * `search(text, typing)` is called with the words once the promise of `ready()` holds.
 * @param {{search: (text: string, typing: boolean) => void, ready: () => Promise<unknown>}} actions
 */
export function searchBox({ search, ready }) {
  const words = input("words");
  fitPlaceholder(words);
  let timer = 0;
  let pending = false; // words were typed that have not been searched for
  let searched = "";

  /** @param {boolean} typing */
  async function send(typing) {
    clearTimeout(timer);
    pending = true;
    await ready();
    pending = false;
    const text = words.value.trim();
    if (text === searched) return;
    searched = text;
    search(text, typing);
  }

  words.addEventListener("input", () => {
    clearTimeout(timer);
    pending = true;
    timer = setTimeout(() => send(true), PAUSE_MS);
  });
  form("search").addEventListener("submit", (event) => {
    event.preventDefault();
    send(false);
    if (matchMedia("(pointer: coarse)").matches) words.blur(); // a phone's keyboard covers the products
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest(TYPED_INTO);
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    words.focus();
    words.select();
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

/** A short hint where the field is narrow; nothing is dropped on a phone. @param {HTMLInputElement} words */
function fitPlaceholder(words) {
  const long = words.placeholder;
  const fit = () => {
    words.placeholder = NARROW.matches ? "Describe what you want" : long;
  };
  NARROW.addEventListener("change", fit);
  fit();
}
