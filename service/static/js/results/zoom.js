// The picture of an open product, whole, and on demand as large as it is.

import { icon, make, picture, sized } from "../page/dom.js";
import { t } from "../page/texts.js";

const SHOWN = 640;
const WIDTH = "(max-width: 40rem) 100vw, 30rem";
/** More than the service makes: it answers with its largest. */
const LARGEST = 4096;

/** The picture and the button that enlarges it. @param {string} url @param {string} title */
export function zoomable(url, title) {
  const image = picture(url, { size: SHOWN, sizes: WIDTH, alt: title, lazy: false });
  image.className = "zoom__image";
  image.removeAttribute("width");
  image.removeAttribute("height");
  const button = make(
    "button",
    { type: "button", class: "round zoom__button", "aria-pressed": "false", title: t("zoom") },
    icon("zoom"),
  );
  button.setAttribute("aria-label", t("zoom"));
  const view = make("div", { class: "zoom__view" }, image);

  /** Enlarge around a point of the picture, given as shares of its width and height, or shrink. */
  const toggle = (x = 0.5, y = 0.5) => {
    const large = view.classList.toggle("zoom__view--large");
    button.setAttribute("aria-pressed", String(large));
    view.tabIndex = large ? 0 : -1; // so that arrow keys move the picture
    if (!large) return;
    image.sizes = "100vw";
    image.removeAttribute("srcset");
    image.src = sized(url, LARGEST);
    view.scrollTo({
      left: x * view.scrollWidth - view.clientWidth / 2,
      top: y * view.scrollHeight - view.clientHeight / 2,
    });
  };
  button.addEventListener("click", () => toggle());
  image.addEventListener("click", (event) => {
    const { left, top, width, height } = image.getBoundingClientRect();
    toggle((event.clientX - left) / width, (event.clientY - top) / height);
  });
  return make("div", { class: "zoom" }, view, button);
}
