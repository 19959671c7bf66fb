// One product in a dialog, with its other colors and what resembles it.

/** @import { Field, Hit, Product, StoredProduct } from "../types.js" */
/** @import { Problem } from "../api/client.js" */

import { aborted, loadProduct, loadSimilar, problemFrom, search } from "../api/client.js";
import { arrange, dialog, icon, make, picture } from "../page/dom.js";
import { day, fieldName, leaf, money, number, path } from "../page/format.js";
import { explained } from "../page/problem_texts.js";
import { t } from "../page/texts.js";
import { price, productLink } from "./card.js";
import { gallery } from "./gallery.js";

const TILE = 160;
const TILE_WIDTH = "8rem";
const SIMILAR = 12;
const VARIANTS = 24;

/**
 * What the dialog can do: `lessLike()` gives the action of that name where there is a query, `matched(id)` the number of
 * the picture that is most like it.
 * @typedef {{open: (id: string) => void, moreLike: (id: string) => void,
 *   lessLike: () => ((id: string) => void) | null, closed: () => void, fields: () => Field[],
 *   matched: (id: string) => number}} DetailActions
 */

export class Detail {
  #dialog = dialog("detail");
  #close = make(
    "button",
    {
      type: "button",
      class: "round detail__close",
      "aria-label": t("close"),
      onclick: () => this.#dialog.close(),
    },
    icon("cross"),
  );
  #actions;
  #loading = new AbortController();

  /** @param {DetailActions} actions */
  constructor(actions) {
    this.#actions = actions;
    this.#dialog.addEventListener("close", () => actions.closed());
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
  }

  /** Show the product of an id, or close when it is null. @param {string | null} id */
  async show(id) {
    this.#loading.abort();
    if (!id) return this.#dialog.close();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    if (!this.#dialog.open) {
      arrange(this.#dialog, [this.#close, detailSkeleton()]);
      this.#dialog.showModal();
    }
    try {
      const stored = await loadProduct(id, signal);
      this.#fill(stored);
      await Promise.all([this.#addVariants(stored, signal), this.#addSimilar(id, signal)]);
    } catch (error) {
      if (!aborted(error)) this.#fail(problemFrom(error));
    }
  }

  /** @param {StoredProduct} stored */
  #fill({ id, product, images }) {
    const words = make(
      "div",
      { class: "detail__words" },
      product.category.length
        ? make("p", { class: "detail__path", dir: "auto" }, product.category.map(path).join(", "))
        : null,
      make(
        "h2",
        { class: "detail__title", id: "detail-title", dir: "auto", tabIndex: -1 },
        product.title,
      ),
      priceLine(product),
      product.description
        ? make("p", { class: "detail__text", dir: "auto" }, product.description)
        : null,
      this.#buttons(id, shopLink(product.url)),
      facts(product, this.#actions.fields()),
    );
    const pictures = gallery(images, product.title, this.#actions.matched(id));
    this.#arrange(make("div", { class: "detail__top" }, pictures, words));
    this.#dialog.scrollTop = 0;
  }

  /** Replace what is shown; the focus never falls out of the dialog. @param {HTMLElement} content */
  #arrange(content) {
    arrange(this.#dialog, [this.#close, content]);
    if (!this.#dialog.contains(document.activeElement)) {
      const title = this.#dialog.querySelector("#detail-title");
      if (title instanceof HTMLElement) title.focus();
    }
  }

  /** @param {string} id @param {HTMLElement | null} link */
  #buttons(id, link) {
    const { moreLike } = this.#actions;
    const lessLike = this.#actions.lessLike();
    return make(
      "div",
      { class: "detail__actions" },
      link,
      actionButton("more-like", t("card.more"), link ? "" : "button--main", () => moreLike(id)),
      lessLike ? actionButton("less-like", t("card.less"), "", () => lessLike(id)) : null,
    );
  }

  /** @param {StoredProduct} stored @param {AbortSignal} signal */
  async #addVariants({ id, product }, signal) {
    if (!product.group_id) return;
    const request = { filter: { group_id: product.group_id, not: { id } }, limit: VARIANTS };
    const { hits } = await search(request, null, signal);
    if (!hits.length) return;
    const tiles = hits.map((hit) => this.#tile(hit, variantName(hit.product)));
    this.#dialog
      .querySelector(".detail__words")
      ?.append(strip(t("detail.variants"), "variants", tiles));
  }

  /** @param {string} id @param {AbortSignal} signal */
  async #addSimilar(id, signal) {
    const { hits } = await loadSimilar(id, SIMILAR, signal);
    if (!hits.length) return;
    const tiles = hits.map((hit) => this.#tile(hit, hit.product.title, hit.product.price));
    this.#dialog.append(strip(t("detail.similar"), "similar", tiles));
  }

  /** @param {Hit} hit @param {string} caption @param {number | null} [amount] */
  #tile({ id, image_url: url, product }, caption, amount = null) {
    const line = amount === null ? null : money(amount, product.currency);
    const link = make(
      "a",
      { class: "tile", title: product.title, ...productLink(id, this.#actions) },
      make("div", { class: "tile__picture" }, picture(url, { size: TILE, sizes: TILE_WIDTH })),
      make("span", { class: "tile__title", dir: "auto" }, caption),
      line ? make("span", { class: "tile__price" }, line) : null,
    );
    return make("li", {}, link);
  }

  /** @param {Problem} problem */
  #fail(problem) {
    const { title, text, lang } = explained(problem);
    const { requestId } = problem;
    const words = make(
      "div",
      { class: "notice notice--error", role: "alert" },
      make("h2", { class: "notice__title", id: "detail-title", tabIndex: -1 }, title),
      make("p", { class: "notice__text", lang }, text),
      requestId
        ? make("p", { class: "notice__id" }, t("problem.request", { id: requestId }))
        : null,
    );
    this.#arrange(words);
  }
}

const detailSkeleton = () =>
  make(
    "div",
    { class: "detail__top" },
    make("div", { class: "skeleton skeleton--picture" }),
    make(
      "div",
      {},
      make("div", { class: "skeleton skeleton--line" }),
      make("div", { class: "skeleton skeleton--line skeleton--short" }),
    ),
  );

/** @param {string} title @param {string} kind @param {HTMLElement[]} tiles */
const strip = (title, kind, tiles) =>
  make(
    "section",
    { class: `strip ${kind}` },
    make("h3", { class: "strip__title" }, title),
    make("ul", { class: "strip__list" }, tiles),
  );

/** What tells a variant from its siblings. @param {Product} product */
const variantName = ({ color, category }) => color.join(", ") || leaf(category[0] ?? "");

/** @param {string} sign @param {string} text @param {string} kind @param {() => void} run */
const actionButton = (sign, text, kind, run) =>
  make("button", { type: "button", class: `button ${kind}`, onclick: run }, icon(sign), text);

/** @param {Product} product */
function priceLine(product) {
  const stock = product.in_stock;
  const words = stock ? t("stock.in") : t("stock.out");
  return make(
    "p",
    { class: "detail__price" },
    price(product),
    stock === null ? null : make("small", { class: stock ? "in" : "" }, words),
  );
}

/** A link to the product's page in the shop; a catalogue may hold other addresses than those of the web. @param {string | null} url */
const shopLink = (url) =>
  url && /^https?:\/\//i.test(url)
    ? make("a", { class: "button button--main", href: url, rel: "noopener" }, t("detail.visit"))
    : null;

/** What is known of a product; that something does not hold is no fact worth a row. @param {Product} product @param {Field[]} fields */
function facts({ brand, color, attributes }, fields) {
  const rows = [
    ["brand", brand],
    ["color", color.join(", ")],
    ...Object.entries(attributes),
  ].filter(([, value]) => value !== null && value !== "" && value !== false);
  const cells = rows.flatMap(([name, value]) => {
    const field = fields.find((known) => known.name === name);
    return [
      make("dt", { dir: "auto" }, fieldName(field ?? { name: String(name) })),
      make("dd", { dir: "auto" }, field?.type === "datetime" ? day(String(value)) : spoken(value)),
    ];
  });
  return make("dl", { class: "facts" }, cells);
}

/** @param {unknown} value */
function spoken(value) {
  if (value === true) return t("yes");
  if (typeof value === "number") return number(value);
  return Array.isArray(value) ? value.join(", ") : String(value);
}
