// One product in a dialog, with its other colours and what resembles it.

import { product as askProduct, search, similar } from "../api/client.js";
import { arrange, icon, make, picture } from "../page/dom.js";
import { fieldName, leaf, money, path } from "../page/format.js";
import { sentence } from "./notices.js";
import { follow } from "./card.js";

const LARGE = 640;
const SMALL = 320;
const ALIKE = 12;
const VARIANTS = 24;

/** The dialog; `acts` has open(id), alike(id), closed(), and unlike() that gives the act of the same name where there is a query. */
export class Detail {
  #dialog;
  #acts;
  #asking = new AbortController();

  constructor(dialog, acts) {
    this.#dialog = dialog;
    this.#acts = acts;
    dialog.addEventListener("close", () => acts.closed());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  /** Show the product of an id, or close when it is null. */
  async show(id) {
    this.#asking.abort();
    if (!id) return this.#dialog.close();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    if (!this.#dialog.open) {
      arrange(this.#dialog, [
        this.#closer(),
        make(
          "div",
          { class: "detail__top" },
          make("div", { class: "bone bone--picture" }),
          make(
            "div",
            {},
            make("div", { class: "bone bone--line" }),
            make("div", { class: "bone bone--line bone--short" }),
          ),
        ),
      ]);
      this.#dialog.showModal();
    }
    try {
      const found = await askProduct(id, signal);
      this.#fill(found);
      await Promise.all([this.#variants(found, signal), this.#alike(found, signal)]);
    } catch (problem) {
      if (problem.name !== "AbortError") this.#fail(problem);
    }
  }

  #closer() {
    const button = make(
      "button",
      { type: "button", class: "round detail__close", onclick: () => this.#dialog.close() },
      icon("cross"),
    );
    button.setAttribute("aria-label", "Close");
    return button;
  }

  #fill({ id, product, image_url: url }) {
    const words = make(
      "div",
      { class: "detail__words" },
      product.category.length
        ? make("p", { class: "detail__path" }, product.category.map(path).join(", "))
        : null,
      make("h2", { class: "detail__title", id: "detail-title" }, product.title),
      price(product),
      product.description ? make("p", { class: "detail__text" }, product.description) : null,
      make(
        "div",
        { class: "detail__actions" },
        button("alike", "More like this", "button--main", () => this.#acts.alike(id)),
        this.#acts.unlike()
          ? button("unlike", "Less like this", "", () => this.#acts.unlike()(id))
          : null,
      ),
      facts(product),
    );
    const shown = make(
      "div",
      { class: "detail__picture" },
      picture(url, { size: LARGE, alt: product.title, lazy: false }),
    );
    arrange(this.#dialog, [this.#closer(), make("div", { class: "detail__top" }, shown, words)]);
    this.#dialog.scrollTop = 0;
  }

  async #variants({ id, product }, signal) {
    if (!product.group_id) return;
    const page = await search(
      { filter: { group_id: product.group_id, not: { id } }, limit: VARIANTS },
      null,
      signal,
    );
    const strip = this.#strip(
      "Also in",
      page.hits,
      "variants",
      (hit) => hit.product.color.join(", ") || leaf(hit.product.category[0] ?? ""),
    );
    if (page.hits.length) this.#dialog.querySelector(".detail__words").append(strip);
  }

  async #alike({ id }, signal) {
    const page = await similar(id, ALIKE, signal);
    if (page.hits.length)
      this.#dialog.append(
        this.#strip("Looks similar", page.hits, "alike", (hit) => hit.product.title, true),
      );
  }

  #strip(title, hits, kind, caption, prices = false) {
    const tiles = hits.map((hit) =>
      make(
        "li",
        {},
        make(
          "a",
          {
            class: "tile",
            href: `/product/${encodeURIComponent(hit.id)}`,
            title: hit.product.title,
            onclick: (event) => follow(event, () => this.#acts.open(hit.id)),
          },
          make("div", { class: "tile__picture" }, picture(hit.image_url, { size: SMALL })),
          make("span", { class: "tile__title" }, caption(hit)),
          prices && hit.product.price !== null
            ? make("span", { class: "tile__price" }, money(hit.product.price, hit.product.currency))
            : null,
        ),
      ),
    );
    return make(
      "section",
      { class: `strip ${kind}` },
      make("h3", { class: "strip__title" }, title),
      make("ul", { class: "strip__list" }, tiles),
    );
  }

  #fail(problem) {
    const words = make(
      "div",
      { class: "notice notice--error", role: "alert" },
      make("h2", { class: "notice__title", id: "detail-title" }, problem.title),
      make("p", { class: "notice__text" }, sentence(problem.detail)),
      problem.requestId
        ? make("p", { class: "notice__id" }, "Request ", make("code", {}, problem.requestId))
        : null,
    );
    arrange(this.#dialog, [this.#closer(), words]);
  }
}

function button(sign, text, kind, act) {
  return make(
    "button",
    { type: "button", class: `button ${kind}`, onclick: act },
    icon(sign),
    text,
  );
}

function price({ price: amount, currency, in_stock: stock }) {
  const availability =
    stock === null
      ? null
      : make("small", { class: stock ? "in" : "" }, stock ? "In stock" : "Out of stock");
  return make(
    "p",
    { class: "detail__price" },
    amount === null ? "" : money(amount, currency),
    availability,
  );
}

function facts(product) {
  const rows = [
    ["brand", product.brand],
    ["color", product.color.join(", ")],
    ...Object.entries(product.attributes),
  ];
  const known = rows.filter(([, value]) => value !== null && value !== "");
  return make(
    "dl",
    { class: "facts" },
    known.flatMap(([name, value]) => [
      make("dt", {}, fieldName(name)),
      make("dd", {}, spoken(value)),
    ]),
  );
}

function spoken(value) {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return Array.isArray(value) ? value.join(", ") : String(value);
}
