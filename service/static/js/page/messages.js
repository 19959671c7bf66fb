// What the page says of its own accord: sentences, and short messages that go by themselves.

import { block } from "./dom.js";

const STAYS_MS = 6000;
let leaving = 0;

/** Show a short message over the page. @param {string} text */
export function toast(text) {
  const element = block("toast");
  clearTimeout(leaving);
  element.textContent = text;
  element.hidden = false;
  leaving = setTimeout(() => (element.hidden = true), STAYS_MS);
}

/** A text of the service as a sentence; one that begins with a file's name keeps it. @param {string} text */
export function sentence(text) {
  const start = /^\S+\.\w+:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
