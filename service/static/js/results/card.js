// A product in the grid.

import { icon, make, picture } from "../page/dom.js";
import { money, score } from "../page/format.js";

const THUMBNAIL = 320;

/**
 * A card. `acts` has open(id), alike(id) and, where there is something to be less like, unlike(id); `eager` loads the
 * picture at once: those of the first rows are seen at once.
 */
export function card(hit, acts, { eager = false } = {}) {
  const { product } = hit;
  const link = make(
    "a",
    {
      class: "card__link",
      href: `/product/${encodeURIComponent(hit.id)}`,
      onclick: (event) => follow(event, () => acts.open(hit.id)),
    },
    make(
      "div",
      { class: "card__picture" },
      picture(hit.image_url, { size: THUMBNAIL, lazy: !eager }),
    ),
    make(
      "div",
      { class: "card__body" },
      product.brand ? make("p", { class: "card__brand" }, product.brand) : null,
      make("h3", { class: "card__title" }, product.title),
      foot(hit),
    ),
  );
  const gone = product.in_stock === false;
  return make(
    "li",
    { class: gone ? "card card--gone" : "card", "data-id": hit.id },
    link,
    gone ? make("span", { class: "card__gone" }, "Out of stock") : null,
    actions(hit, acts),
  );
}

function foot({ product, score: cosine }) {
  return make(
    "p",
    { class: "card__foot" },
    make(
      "span",
      { class: "card__price" },
      product.price === null ? "" : money(product.price, product.currency),
    ),
    cosine === null
      ? null
      : make(
          "span",
          { class: "card__score", title: "Similarity to what you look for (cosine)" },
          make("span", { class: "unseen" }, "similarity "),
          score(cosine),
        ),
  );
}

function actions(hit, acts) {
  const found = [
    action("alike", `More like ${hit.product.title}`, "More like this", () => acts.alike(hit.id)),
  ];
  if (acts.unlike)
    found.push(
      action("unlike", `Less like ${hit.product.title}`, "Less like this", () =>
        acts.unlike(hit.id),
      ),
    );
  return make("div", { class: "card__actions" }, found);
}

function action(sign, spoken, title, act) {
  return make(
    "button",
    {
      type: "button",
      class: `card__action card__action--${sign}`,
      title,
      "aria-label": spoken,
      "data-act": sign,
      onclick: act,
    },
    icon(sign),
  );
}

/** Follow a link here, unless the shopper asked for another tab. */
export function follow(event, here) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  here();
}

/** The shape of a card whose product is on its way. */
export function bones() {
  return make(
    "li",
    { class: "card", "aria-hidden": "true" },
    make("div", { class: "bone bone--picture" }),
    make("div", { class: "bone bone--line" }),
    make("div", { class: "bone bone--line bone--short" }),
  );
}
