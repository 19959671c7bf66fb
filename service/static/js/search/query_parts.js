// The parts of the query that are no words: the picture, the products as examples, and how much each counts.

/** @import { Go, State } from "../types.js" */
/** @import { Upload } from "../picture/store.js" */

import { loadObjects, loadProduct, problemFrom } from "../api/client.js";
import { arrange, block, icon, keepingFocus, make, picture } from "../page/dom.js";
import { t } from "../page/texts.js";
import { openCrop } from "../picture/crop.js";
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
  const image = upload && (await shownImage(upload.url));
  const picture = image
    ? thumbnail(image, state.box)
    : make("span", { class: "query-part__picture no-picture" }, icon("picture"));
  const name = upload ? upload.name || t("part.unnamed") : t("part.elsewhere");
  const remove = () => go({ ...state, picture: null, box: null, balance: 0 });
  const element = part(picture, t("part.yours"), name, remove);
  if (image)
    element.querySelector(".query-part__name")?.after(cropButton(image, upload, state, go));
  return element;
}

/** The image of an address, null of a format that this browser cannot show. @param {string} url */
async function shownImage(url) {
  const image = make("img", { src: url });
  const shown = await image.decode().then(
    () => true,
    () => false,
  );
  return shown ? image : null;
}

/** The part of an image that is searched for. @param {HTMLImageElement} image @param {State["box"]} box */
function thumbnail(image, box) {
  const { naturalWidth, naturalHeight } = image;
  const { xmin, ymin, xmax, ymax } = box ?? {
    xmin: 0,
    ymin: 0,
    xmax: naturalWidth,
    ymax: naturalHeight,
  };
  const canvas = make("canvas", {
    class: "query-part__picture",
    role: "img",
    "aria-label": t("part.yours"),
    width: Math.min(xmax, naturalWidth) - xmin,
    height: Math.min(ymax, naturalHeight) - ymin,
  });
  const { width, height } = canvas;
  canvas.getContext("2d")?.drawImage(image, xmin, ymin, width, height, 0, 0, width, height);
  return canvas;
}

/** @param {HTMLImageElement} image @param {Upload} upload @param {State} state @param {Go} go */
function cropButton(image, { blob }, state, go) {
  const open = () =>
    openCrop({
      image,
      box: state.box,
      objects: objectsIn(blob),
      choose: (box) => go({ ...state, box }),
    });
  return make(
    "button",
    { type: "button", class: "plain query-part__crop", "data-key": "crop", onclick: open },
    icon("crop"),
    t("crop.open"),
  );
}

/** Objects are a help: where they cannot be found, a part is chosen by hand. @param {Blob} blob */
async function objectsIn(blob) {
  try {
    return await loadObjects(blob);
  } catch (error) {
    console.info("no objects:", error);
    return [];
  }
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
    { class: "query-part__words" },
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
