// A dialog to choose a part of a picture: by mouse, by finger, by arrow keys, or an object that was found in it.

/** @import { Box } from "../types.js" */
/** @import { Frame, Point } from "./frame.js" */

import { block, button, dialog, make } from "../page/dom.js";
import { t } from "../page/texts.js";
import { between, isWhole, moved, resized, WHOLE } from "./frame.js";
import { followPointer } from "./pointer.js";

/** @type {["nw", "ne", "sw", "se"]} */
const CORNERS = ["nw", "ne", "sw", "se"];
/** How far an arrow key goes, and with Shift. */
const STEP = 0.02;
const LONG_STEP = 0.1;
/** @type {Record<string, Point>} */
const ARROWS = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/**
 * Let a shopper choose a part of a picture; `choose` gets it, or null for all of it, unless the dialog is left.
 * @param {{image: HTMLImageElement, box: Box | null, objects: Promise<Box[]>, choose: (box: Box | null) => void}} options
 *   `box` and `objects` are in pixels of the picture
 */
export function openCrop({ image, box, objects, choose }) {
  const { naturalWidth: width, naturalHeight: height } = image;
  const view = dialog("crop");
  const stage = cropStage(image);
  if (box) stage.show(frameOf(box, width, height));
  block("crop-stage").replaceChildren(stage.element);
  objects.then((found) => {
    stage.offer(found.map((object) => frameOf(object, width, height)));
  });
  button("crop-search").onclick = () => {
    const frame = stage.frame();
    view.close();
    choose(isWhole(frame) ? null : boxOf(frame, width, height));
  };
  button("crop-whole").onclick = () => stage.show(WHOLE);
  button("crop-cancel").onclick = () => view.close();
  view.onclick = (event) => {
    if (event.target === view) view.close();
  };
  view.showModal();
}

/** The picture with the frame over it. @param {HTMLImageElement} image */
function cropStage(image) {
  const frame = handle("crop__frame", t("crop.frame"));
  const corners = CORNERS.map((corner) => ({
    corner,
    element: handle(`crop__corner crop__corner--${corner}`, t(`crop.${corner}`)),
  }));
  const shade = make("div", { class: "crop__shade" }, make("span", {}));
  const picture = make("img", { class: "crop__image", src: image.src, alt: "", draggable: false });
  const elements = corners.map(({ element }) => element);
  const stage = make("div", { class: "crop__picture" }, picture, shade, frame, elements);
  let shown = WHOLE;

  /** @param {Frame} next */
  function show(next) {
    shown = next;
    /** @type {Record<string, number>} */
    const percents = {};
    for (const [edge, share] of Object.entries(next)) {
      stage.style.setProperty(`--${edge}`, `${share * 100}%`);
      percents[edge] = Math.round(share * 100);
    }
    block("crop-place").textContent = t("crop.place", percents);
  }

  /** What moving a part of the stage by some way makes of a frame. @param {EventTarget | null} part @returns {(start: Frame, by: Point) => Frame} */
  function changeOf(part) {
    const held = corners.find(({ element }) => element === part);
    return held ? (start, by) => resized(start, held.corner, by) : moved;
  }

  stage.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const step = event.shiftKey ? LONG_STEP : STEP;
    show(changeOf(event.target)(shown, { x: arrow.x * step, y: arrow.y * step }));
  });

  followPointer(stage, (target, start) => {
    if (target instanceof Element && target.matches(".crop__object")) return null;
    if (target instanceof HTMLElement) target.focus();
    const before = shown;
    const change = changeOf(target);
    // Where the frame is the whole picture there is nothing to move it to: a new one is drawn.
    const draws = target === picture || (target === frame && isWhole(before));
    return (point) => {
      const by = { x: point.x - start.x, y: point.y - start.y };
      show(draws ? between(start, point) : change(before, by));
    };
  });

  show(WHOLE);
  return {
    element: stage,
    show,
    frame: () => shown,
    /** Offer objects as buttons in their middle. @param {Frame[]} frames */
    offer(frames) {
      stage.append(...frames.map((object, at) => objectButton(object, at, show)));
    },
  };
}

/** @param {string} kind @param {string} name */
const handle = (kind, name) =>
  make("button", {
    type: "button",
    class: kind,
    "aria-label": name,
    "aria-describedby": "crop-help crop-place",
  });

/** @param {Frame} object @param {number} at @param {(frame: Frame) => void} show */
function objectButton(object, at, show) {
  const name = t("crop.object", { number: at + 1 });
  const element = make("button", {
    type: "button",
    class: "crop__object",
    title: name,
    "aria-label": name,
    onclick: () => show(object),
  });
  element.style.left = `${(object.left + object.right) * 50}%`;
  element.style.top = `${(object.top + object.bottom) * 50}%`;
  return element;
}

/** @param {Box} box @param {number} width @param {number} height @returns {Frame} */
const frameOf = ({ xmin, ymin, xmax, ymax }, width, height) => ({
  left: Math.max(0, xmin / width),
  top: Math.max(0, ymin / height),
  right: Math.min(1, xmax / width),
  bottom: Math.min(1, ymax / height),
});

/** The nearest pixels, at least one. @param {Frame} frame @param {number} width @param {number} height @returns {Box} */
function boxOf({ left, top, right, bottom }, width, height) {
  const [xmin, ymin] = [Math.round(left * width), Math.round(top * height)];
  const xmax = Math.max(xmin + 1, Math.round(right * width));
  return { xmin, ymin, xmax, ymax: Math.max(ymin + 1, Math.round(bottom * height)) };
}
