// A product in the grid.

/** @import { CardActions, Group, Hit, Product } from "../types.js" */

import { address } from "../api/client.js";
import { icon, make, picture } from "../page/dom.js";
import { paintOf } from "../filters/swatches.js";
import { colorName, money, percent } from "../page/format.js";
import { t } from "../page/texts.js";

const THUMBNAIL = 320;
/** Colors shown of a style. */
const MOST_DOTS = 6;
/** The width of a card, see cards.css. */
const CARD_WIDTH = "(max-width: 40rem) 50vw, 16rem";

/**
 * A card; `eager` loads the picture at once: those of the first rows are seen at once.
 * @param {Hit} hit
 * @param {CardActions} actions
 */
export function card(hit, actions, { eager = false } = {}) {
  const { product } = hit;
  const soldOut = product.in_stock === false;
  const link = make(
    "a",
    { class: "card__link", ...productLink(hit.id, actions) },
    make(
      "div",
      { class: "card__picture" },
      picture(hit.image_url, { size: THUMBNAIL, sizes: CARD_WIDTH, lazy: !eager }),
    ),
    make(
      "div",
      { class: "card__body" },
      product.brand ? make("p", { class: "card__brand", dir: "auto" }, product.brand) : null,
      make("h2", { class: "card__title", dir: "auto" }, product.title),
      make("p", { class: "card__price" }, hit.group ? groupPrice(hit) : price(product)),
      hit.group ? variants(hit.group) : null,
      hit.explain ? match(hit.score ?? 0, hit.explain) : null,
    ),
  );
  return make(
    "li",
    { class: soldOut ? "card card--sold-out" : "card", "data-id": hit.id },
    link,
    soldOut ? make("span", { class: "card__badge" }, t("stock.out")) : reduction(product),
    buttons(hit, actions),
  );
}

/**
 * The properties of a link to a product: it opens here, unless the shopper asks for another tab.
 * @param {string} id
 * @param {{open: (id: string) => void}} actions
 */
export function productLink(id, { open }) {
  /** @param {MouseEvent} event */
  const onclick = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    open(id);
  };
  /** @param {DragEvent} event */
  const ondragstart = (event) => event.dataTransfer?.setData(DRAGGED, id);
  return { href: address(`product/${encodeURIComponent(id)}`), onclick, ondragstart };
}

/** The price, and the one before where it is reduced. @param {Product} product */
export function price({ price: amount, compare_at_price: before, currency }) {
  if (amount === null) return [];
  if (before === null || before <= amount) return [money(amount, currency)];
  const crossed = make("s", { class: "before" }, money(before, currency));
  return [
    money(amount, currency),
    make("span", { class: "unseen" }, ` ${t("card.reduced")} `),
    crossed,
  ];
}

/** The least price of a style, of those in the currency of the product that stands for it. @param {Hit} hit */
function groupPrice({ group, product }) {
  const { min, max } = group?.price ?? { min: 0, max: 0 };
  if (min === max) return price(product);
  return [t("card.from", { price: money(min, product.currency) })];
}

/** How many products a style has, and in which colors. @param {Group} group */
function variants({ count, colors }) {
  if (count < 2) return null;
  const dots = colors.slice(0, MOST_DOTS).map((color) => {
    const dot = make("span", { class: "card__dot", title: colorName(color) });
    dot.style.background = paintOf(color);
    return dot;
  });
  const words = t("card.variants", { count });
  return make("p", { class: "card__variants" }, dots, make("span", {}, words));
}

/** How well a product matches, and what made it so. @param {number} score @param {Record<string, number>} signals */
function match(score, signals) {
  const bar = make("span", { class: "match__bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", `${score * 100}%`);
  const title = Object.entries(signals).map(([name, value]) => `${name} ${value}`);
  const words = t("card.match", { percent: percent(score) });
  return make("p", { class: "match", title: title.join("\n") }, bar, words);
}

/** By how much the price is reduced, where that is a percent at least. @param {Product} product */
function reduction({ price: amount, compare_at_price: before }) {
  const share = amount === null || !before ? 0 : 1 - amount / before;
  if (share < 0.01) return null;
  const words = `−${percent(share)}`;
  return make("span", { class: "card__badge card__badge--reduced", "aria-hidden": "true" }, words);
}

/** What a dragged product carries, beside its address. */
const DRAGGED = "application/x-vitrine-product";

/**
 * Take products that are dropped on an element.
 * @param {HTMLElement} element
 * @param {(id: string) => void} take
 */
export function listenForProducts(element, take) {
  element.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes(DRAGGED)) event.preventDefault();
  });
  element.addEventListener("drop", (event) => {
    const id = event.dataTransfer?.getData(DRAGGED);
    if (!id) return;
    event.preventDefault();
    take(id);
  });
}

/** @param {Hit} hit @param {CardActions} actions */
function buttons({ id, product: { title } }, { moreLike, lessLike }) {
  return make(
    "div",
    { class: "card__actions" },
    action("more-like", t("card.more.of", { title }), t("card.more"), () => moreLike(id)),
    lessLike
      ? action("less-like", t("card.less.of", { title }), t("card.less"), () => lessLike(id))
      : null,
  );
}

/** @param {string} sign @param {string} spoken @param {string} title @param {() => void} run */
const action = (sign, spoken, title, run) =>
  make(
    "button",
    {
      type: "button",
      class: `card__action card__action--${sign}`,
      title,
      "aria-label": spoken,
      "data-action": sign,
      onclick: run,
    },
    icon(sign),
  );

/** The shape of a card whose product is on its way. */
export const cardSkeleton = () =>
  make(
    "li",
    { class: "card", "aria-hidden": "true" },
    make("div", { class: "skeleton skeleton--picture" }),
    make("div", { class: "skeleton skeleton--line" }),
    make("div", { class: "skeleton skeleton--line skeleton--short" }),
  );
