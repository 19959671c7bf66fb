// On narrow windows the filters live in a sheet that comes up from below; on wide ones beside the products.

import { byId } from "./dom.js";

const NARROW = matchMedia("(max-width: 60rem)");

/** `clear()` takes all filters away. Returns say(text), which labels the button that leads back to the products. */
export function filterSheet({ clear }) {
  const [sheet, filters, aside, body] = ["sheet", "filters", "aside", "sheet-body"].map(byId);
  byId("open-filters").addEventListener("click", () => sheet.showModal());
  byId("close-filters").addEventListener("click", () => sheet.close());
  byId("show-results").addEventListener("click", () => sheet.close());
  byId("clear-filters").addEventListener("click", clear);
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());

  function place() {
    if (!NARROW.matches && sheet.open) sheet.close();
    (NARROW.matches ? body : aside).append(filters);
  }

  NARROW.addEventListener("change", place);
  place();
  return { say: (text) => (byId("show-results").textContent = text) };
}
