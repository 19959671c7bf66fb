// A short message over the page that goes by itself.

import { byId } from "./dom.js";

const STAYS_MS = 6000;
let leaving = null;

export function toast(text) {
  const element = byId("toast");
  clearTimeout(leaving);
  element.textContent = text;
  element.hidden = false;
  leaving = setTimeout(() => (element.hidden = true), STAYS_MS);
}
