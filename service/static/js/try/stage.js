// The picture and the boxes over it.

import { make } from "../page/dom.js";
import { score } from "../page/format.js";
import { draw } from "../picture/intake.js";
import { keep } from "../picture/kept.js";

// One colour for each label, told apart also by people who do not see all colours (Okabe and Ito 2008, without black).
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

export class Stage {
  blob = null;
  #holder;
  #image = null;
  #boxes = [];

  constructor(holder) {
    this.#holder = holder;
  }

  /** Show a picture; rejects when the browser cannot read it. */
  async show(blob) {
    const image = make("img", { alt: "Your picture" });
    image.src = URL.createObjectURL(blob);
    await image.decode();
    if (this.#image) URL.revokeObjectURL(this.#image.src);
    this.blob = blob;
    this.#image = image;
    this.#boxes = [];
    this.#holder.style.setProperty("--aspect", image.naturalWidth / image.naturalHeight);
    this.#holder.replaceChildren(image);
  }

  /** Draw the found objects; `choose(object)` is called when a box is pressed. */
  mark(objects, labels, choose) {
    for (const { element } of this.#boxes) element.remove();
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    this.#boxes = objects.map((object) => {
      const { xmin, ymin, xmax, ymax } = object.box;
      const element = make(
        "button",
        {
          type: "button",
          class: "box",
          title: `Search for this ${object.label}`,
          onclick: () => choose(object),
        },
        make("span", { class: "box__tag" }, `${object.label} ${score(object.score)}`),
      );
      element.setAttribute(
        "aria-label",
        `Search for this ${object.label}, score ${score(object.score)}`,
      );
      Object.assign(element.style, {
        left: `${(xmin / width) * 100}%`,
        top: `${(ymin / height) * 100}%`,
        width: `${((xmax - xmin) / width) * 100}%`,
        height: `${((ymax - ymin) / height) * 100}%`,
      });
      element.style.setProperty("--box", paintOf(object.label, labels));
      return { object, element };
    });
    this.#holder.append(...this.#boxes.map(({ element }) => element));
  }

  /** Bring out one object's box, or none. */
  hold(object) {
    for (const one of this.#boxes) one.element.classList.toggle("box--held", one.object === object);
  }

  /** What is inside a box, as a JPEG. */
  cut({ xmin, ymin, xmax, ymax }) {
    const { naturalWidth, naturalHeight } = this.#image;
    const [x, y] = [Math.max(0, xmin), Math.max(0, ymin)];
    return draw(this.#image, {
      x,
      y,
      width: Math.max(1, Math.min(xmax, naturalWidth) - x),
      height: Math.max(1, Math.min(ymax, naturalHeight) - y),
    });
  }

  /** Go to the shop with what is inside a box. */
  async searchFor(object) {
    const key = await keep(await this.cut(object.box), object.label);
    location.assign(`/?picture=${key}`);
  }
}

export const paintOf = (label, labels) =>
  PAINTS[Math.max(0, labels.indexOf(label)) % PAINTS.length];
