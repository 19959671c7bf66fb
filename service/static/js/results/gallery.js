// All pictures of an open product: one is shown whole, the next is a swipe, an arrow key or a click away.

import { make, picture } from "../page/dom.js";
import { t } from "../page/texts.js";
import { zoomable } from "./zoom.js";

const THUMBNAIL = 160;
const THUMBNAIL_WIDTH = "4.5rem";

/**
 * The pictures of a product, the one of number `first` shown first.
 * @param {string[]} urls
 * @param {string} title
 */
export function gallery(urls, title, first = 0) {
  const last = urls.length - 1;
  let shown = Math.min(Math.max(first, 0), last);
  if (last === 0) return zoomable(urls[0], title);
  const nameOf = (/** @type {number} */ at) =>
    t("gallery.picture", { number: at + 1, count: urls.length });
  const slides = urls.map((url, at) => zoomable(url, `${title}: ${nameOf(at)}`));
  const track = make("div", { class: "gallery__track" }, slides);
  const thumbnails = urls.map((url, at) =>
    make(
      "button",
      {
        type: "button",
        class: "gallery__thumbnail",
        "aria-label": nameOf(at),
        onclick: () => show(at),
      },
      picture(url, { size: THUMBNAIL, sizes: THUMBNAIL_WIDTH }),
    ),
  );

  /** Tell which picture is shown; the others take no focus. @param {number} at */
  const mark = (at) => {
    shown = at;
    slides.forEach((slide, other) => (slide.inert = other !== at));
    thumbnails.forEach((thumbnail, other) =>
      thumbnail.setAttribute("aria-current", String(other === at)),
    );
  };
  /** @param {number} at @param {ScrollBehavior} behavior */
  const scroll = (at, behavior) => track.scrollTo({ left: at * track.clientWidth, behavior });
  /** @param {number} at */
  const show = (at) => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    mark(at);
    scroll(at, still ? "instant" : "smooth");
  };
  /** @param {KeyboardEvent} event */
  const onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const moves = event.target instanceof Element && event.target.matches(".zoom__view--large");
    if (!step || moves || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = Math.min(Math.max(shown + step, 0), last);
    const focused = thumbnails[shown] === document.activeElement;
    show(next);
    if (focused) thumbnails[next].focus();
  };
  track.addEventListener("scrollend", () =>
    mark(Math.round(track.scrollLeft / Math.max(track.clientWidth, 1))),
  );
  // the width is known once the pictures are on the page, and changes with the window
  new ResizeObserver(() => scroll(shown, "instant")).observe(track);
  mark(shown);
  return make(
    "div",
    { class: "gallery", role: "group", "aria-label": t("gallery"), onkeydown },
    track,
    make("div", { class: "gallery__thumbnails" }, thumbnails),
  );
}
