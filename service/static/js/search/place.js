// Where a shopper was among the products: Back and a reload return to it.

const PAUSE_MS = 200;
/** Further down than this, coming back begins at the top: loading it all again would take too long. */
const MOST = 960;

/** How many products were shown, and how far the window was scrolled. @typedef {{products: number, top: number}} Place */

history.scrollRestoration = "manual";

/** The place that the present entry of the history holds. @returns {Place | null} */
export function savedPlace() {
  const place = history.state?.place;
  return place && place.products <= MOST ? place : null;
}

/** Keep the place in the history's present entry whenever it changes. @param {() => number} countProducts */
export function watchPlace(countProducts) {
  let timer = 0;
  const save = () => {
    clearTimeout(timer);
    const place = { products: countProducts(), top: Math.round(scrollY) };
    history.replaceState({ ...history.state, place }, "");
  };
  addEventListener("scroll", () => {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  });
  addEventListener("popstate", () => clearTimeout(timer)); // the place belongs to the entry that was left
  addEventListener("pagehide", save);
  return save;
}
