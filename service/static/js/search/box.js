// The search field: it searches while words are typed, and at once on Enter.

import { byId } from "../page/dom.js";

const PAUSE_MS = 350;

/** `ask(text, typing)` is called with the words once the promise of `ready()` holds; `show(text)` of the result puts words into the field. */
export function searchBox({ ask, ready }) {
  const [form, words] = ["search", "words"].map(byId);
  let waiting = null; // words that were typed and not yet asked for
  let asked = "";

  async function send(typing) {
    clearTimeout(waiting);
    waiting = 0;
    await ready();
    waiting = null;
    const text = words.value.trim();
    if (text === asked) return;
    asked = text;
    ask(text, typing);
  }

  words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => send(true), PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(false);
    if (matchMedia("(pointer: coarse)").matches) words.blur(); // the keyboard of a phone covers the products
  });
  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest?.(
      "input:not([type=checkbox], [type=range]), textarea, select, [contenteditable], dialog[open]",
    );
    if (event.key !== "/" || writes || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    words.focus();
    words.select();
  });

  return {
    show(text) {
      if (waiting !== null) return;
      asked = text;
      if (words.value !== text) words.value = text;
    },
  };
}
