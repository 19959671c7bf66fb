// On narrow windows the filters, and the choice of one product per style, live in a drawer that comes up from below; on
// wide ones beside and over the products.

import { block, button, dialog, form } from "./dom.js";

const NARROW = matchMedia("(max-width: 60rem)");

/**
 * `clear()` takes all filters away.
 * @param {{clear: () => void}} actions
 * @returns what labels the button that leads back to the products
 */
export function filterDrawer({ clear }) {
  const drawer = dialog("drawer");
  button("open-filters").addEventListener("click", () => drawer.showModal());
  button("close-filters").addEventListener("click", () => drawer.close());
  button("show-results").addEventListener("click", () => drawer.close());
  button("clear-filters").addEventListener("click", clear);
  drawer.addEventListener("click", (event) => {
    if (event.target === drawer) drawer.close();
  });

  function place() {
    if (!NARROW.matches && drawer.open) drawer.close();
    block(NARROW.matches ? "drawer-body" : "aside").append(form("filters"));
    if (NARROW.matches) block("drawer-body").prepend(block("styles-label"));
    else block("sorting").before(block("styles-label"));
  }

  NARROW.addEventListener("change", place);
  place();
  return {
    /** @param {string} text */
    label: (text) => {
      button("show-results").textContent = text;
    },
  };
}
