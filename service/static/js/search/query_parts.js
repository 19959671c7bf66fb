// The parts of the query that are no words: the picture, the products as examples, and how much each counts.

/** @import { Go, State } from "../types.js" */

import { loadProduct, problemFrom } from "../api/client.js";
import { arrange, block, icon, keepingFocus, make, picture } from "../page/dom.js";
import { t } from "../page/texts.js";
import { pictureStore } from "../picture/store.js";
import { isMixed } from "./state.js";

/** @typedef {{image_url: string | null, title: string}} Example */
/** @type {Map<string, Example>} */
const examples = new Map();

/**
 * Load what the parts of a state look like; the result shows them.
 * @param {State} state
 * @param {Go} go searches on
 */
export async function loadQueryParts(state, go) {
  /** @type {HTMLElement[]} */
  const parts = [];
  if (state.picture) parts.push(await uploadedPart(state.picture, state, go));
  for (const id of state.like) {
    parts.push(await examplePart(id, t("part.like"), () => go(without(state, "like", id))));
  }
  for (const id of state.unlike) {
    parts.push(await examplePart(id, t("part.unlike"), () => go(without(state, "unlike", id))));
  }
  if (isMixed(state)) parts.push(balancePart(state, go));
  return () => {
    const holder = block("query-parts");
    keepingFocus(holder, () => arrange(holder, parts));
    holder.hidden = parts.length === 0;
  };
}

/** @param {State} state @param {"like" | "unlike"} kind @param {string} id @returns {State} */
const without = (state, kind, id) => ({
  ...state,
  [kind]: state[kind].filter((other) => other !== id),
});

/** @param {string} key @param {State} state @param {Go} go */
async function uploadedPart(key, state, go) {
  const upload = await pictureStore.find(key);
  const missing = make("span", { class: "query-part__picture no-picture" }, icon("picture"));
  const image = upload
    ? make("img", { class: "query-part__picture", src: upload.url, alt: t("part.yours") })
    : missing;
  image.addEventListener("error", () => image.replaceWith(missing)); // a format that this browser cannot show
  const name = upload ? upload.name || t("part.unnamed") : t("part.elsewhere");
  return part(image, t("part.yours"), name, () => go({ ...state, picture: null, balance: 0 }));
}

/** @param {string} id @param {string} kind @param {() => void} remove */
async function examplePart(id, kind, remove) {
  const example = examples.get(id) ?? (await loadExample(id));
  const { image_url: url, title } = example;
  const sign = url ? picture(url, { size: 160, sizes: "4rem", lazy: false }) : icon("picture");
  const image = make("span", { class: "query-part__picture card__picture" }, sign);
  return part(image, kind, title, remove);
}

/** @param {string} id @returns {Promise<Example>} */
async function loadExample(id) {
  try {
    const { image_url, product } = await loadProduct(id);
    examples.set(id, { image_url, title: product.title });
    return { image_url, title: product.title };
  } catch (error) {
    const gone = problemFrom(error).status === 404;
    return { image_url: null, title: gone ? t("part.sold") : id };
  }
}

/** @param {Element} image @param {string} kind @param {string} name @param {() => void} remove */
function part(image, kind, name, remove) {
  const button = make(
    "button",
    {
      type: "button",
      class: "round",
      "data-key": `query part ${name}`,
      "aria-label": t("part.remove", { kind, name }),
      onclick: remove,
    },
    icon("cross"),
  );
  const words = make(
    "span",
    {},
    make("span", { class: "query-part__kind" }, kind),
    make("span", { class: "query-part__name", title: name, dir: "auto" }, name),
  );
  return make("div", { class: "query-part" }, image, words, button);
}

/** @param {State} state @param {Go} go */
function balancePart(state, go) {
  const slider = make("input", {
    type: "range",
    min: -1,
    max: 1,
    step: 0.25,
    "data-key": "balance",
    "aria-label": t("balance"),
    onchange: () => go({ ...state, balance: Number(slider.value) }),
  });
  slider.value = String(state.balance);
  return make("label", { class: "balance" }, t("balance.picture"), slider, t("balance.words"));
}
