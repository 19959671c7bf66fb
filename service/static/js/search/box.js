// The search field: it searches while words are typed, and at once on Enter.

import { byId } from "../page/dom.js";

const PAUSE_MS = 350;

/** `ask(text, typing)` is called with the words; `show(text)` of the result puts words into the field. */
export function searchBox({ ask }) {
  const [form, words] = ["search", "words"].map(byId);
  let waiting = null;
  let asked = "";

  function send(typing) {
    clearTimeout(waiting);
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
    const writes = event.target.closest?.("input:not([type=checkbox], [type=range]), textarea, select, [contenteditable], dialog[open]");
    if (event.key !== "/" || writes || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    words.focus();
    words.select();
  });

  return {
    show(text) {
      clearTimeout(waiting);
      asked = text;
      if (words.value !== text) words.value = text;
    },
  };
}
