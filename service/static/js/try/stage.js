// The picture and the boxes over it.

/** @import { Box, DetectedObject } from "../types.js" */

import { address } from "../api/client.js";
import { block, make } from "../page/dom.js";
import { score } from "../page/format.js";
import { t } from "../page/texts.js";
import { pictureStore } from "../picture/store.js";
import { draw } from "../picture/upload.js";

// One color for each label, told apart also by people who do not see all colors (Okabe and Ito 2008, without black).
const PAINTS = [
  "#e69f00",
  "#56b4e9",
  "#2fc08f",
  "#f0e442",
  "#6aa5ff",
  "#ff8a4c",
  "#e8a0cb",
  "#cbb8ff",
];

/** @param {string} label @param {string[]} labels */
export const paintOf = (label, labels) =>
  PAINTS[Math.max(0, labels.indexOf(label)) % PAINTS.length];

/** @param {number} share */
const percent = (share) => `${share * 100}%`;

export class Stage {
  /** @type {Blob | null} */
  blob = null;
  #holder = block("picture");
  #image = make("img", { alt: t("part.yours") });
  /** @type {{object: DetectedObject, element: HTMLElement}[]} */
  #boxes = [];

  /** Show a picture; rejects when the browser cannot read it. @param {Blob} blob */
  async show(blob) {
    const image = make("img", { alt: t("part.yours") });
    image.src = URL.createObjectURL(blob);
    await image.decode();
    URL.revokeObjectURL(this.#image.src);
    this.blob = blob;
    this.#image = image;
    this.#boxes = [];
    this.#holder.style.setProperty("--aspect", String(image.naturalWidth / image.naturalHeight));
    this.#holder.replaceChildren(image);
  }

  /** Draw the objects; pressing a box searches for what is in it. @param {DetectedObject[]} objects @param {string[]} labels */
  mark(objects, labels) {
    for (const { element } of this.#boxes) element.remove();
    this.#boxes = objects.map((object) => ({
      object,
      element: this.#boxOf(object, paintOf(object.label, labels)),
    }));
    this.#holder.append(...this.#boxes.map(({ element }) => element));
  }

  /** @param {DetectedObject} object @param {string} paint */
  #boxOf(object, paint) {
    const { xmin, ymin, xmax, ymax } = object.box;
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    const text = `${object.label} ${score(object.score)}`;
    const element = make(
      "button",
      {
        type: "button",
        class: "box",
        title: t("try.search.of", { label: object.label }),
        "aria-label": t("try.search.scored", { label: object.label, score: score(object.score) }),
        onclick: () => this.searchFor(object),
      },
      make("span", { class: "box__tag" }, text),
    );
    element.style.left = percent(xmin / width);
    element.style.top = percent(ymin / height);
    element.style.width = percent((xmax - xmin) / width);
    element.style.height = percent((ymax - ymin) / height);
    element.style.setProperty("--box", paint);
    return element;
  }

  /** Bring out one object's box, or none. @param {DetectedObject | null} object */
  hold(object) {
    for (const box of this.#boxes) {
      box.element.classList.toggle("box--held", box.object === object);
    }
  }

  /** What is inside a box, as a JPEG. @param {Box} box */
  crop({ xmin, ymin, xmax, ymax }) {
    const { naturalWidth, naturalHeight } = this.#image;
    const [x, y] = [Math.max(0, xmin), Math.max(0, ymin)];
    const width = Math.max(1, Math.min(xmax, naturalWidth) - x);
    const height = Math.max(1, Math.min(ymax, naturalHeight) - y);
    return draw(this.#image, { x, y, width, height });
  }

  /** Go to the shop with what is inside a box. @param {DetectedObject} object */
  async searchFor(object) {
    const key = await pictureStore.add(await this.crop(object.box), object.label);
    location.assign(address(`?picture=${key}`));
  }
}
