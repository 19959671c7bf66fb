// Elements from values. Text is always set as text, so nothing that a catalogue holds can become markup.

import { t } from "./texts.js";

/** @typedef {Node | string | null | undefined} Child */

/**
 * An element: properties that start with "on" listen, "class", "data-*", "aria-*" and "role" are attributes, the rest
 * are properties.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} properties
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (/^(class|role|for|data-|aria-)/.test(name)) element.setAttribute(name, value);
    else Object.assign(element, { [name]: value });
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) element.append(child);
  }
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const SIGNS = new URL("../../icons.svg", import.meta.url).pathname;

/** A sign of icons.svg, hidden from screen readers: its button carries the words. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SIGNS}#${name}`);
  svg.append(use);
  return svg;
}

/** The sizes of a picture that browsers choose from, of those that the service makes. */
const SIZES = [160, 320, 480, 640, 960, 1280];
/** A size bounds the longest side; a picture of 3:4 is a quarter narrower than its size. */
const NARROWEST = 0.75;

/**
 * A picture of a catalogue; one that cannot be shown says so in its place.
 * @param {string} url
 * @param {{size: number, sizes: string, alt?: string, lazy?: boolean}} options `size` is the fallback, in pixels, `sizes`
 *   the width on the page as in <img sizes>
 */
export function picture(url, { size, sizes, alt = "", lazy = true }) {
  const image = make("img", {
    loading: lazy ? "lazy" : "eager",
    decoding: "async",
    width: size,
    height: size,
    alt,
    draggable: false, // a product is dragged by its link
  });
  const missing = () => image.replaceWith(noPicture());
  image.addEventListener("error", missing, { once: true });
  image.sizes = sizes;
  image.srcset = SIZES.map((side) => `${sized(url, side)} ${side * NARROWEST}w`).join(", ");
  image.src = sized(url, size);
  return image;
}

/**
 * The address of a picture at most `side` pixels wide and high. Of a whole address only the path is taken: the page's
 * policy lets it show pictures of this service alone, also where it was opened by another name than the public one.
 * @param {string} url
 * @param {number} side
 */
export function sized(url, side) {
  const { pathname, searchParams } = new URL(url, location.href);
  searchParams.set("size", String(side));
  return `${pathname}?${searchParams}`;
}

const noPicture = () => make("span", { class: "no-picture" }, icon("picture"), t("picture.none"));

/**
 * The page's element of an id and a type.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new TypeError(`the page has no ${type.name} #${id}`);
  return element;
}

/** @param {string} id */
export const block = (id) => byId(id, HTMLElement);
/** @param {string} id */
export const button = (id) => byId(id, HTMLButtonElement);
/** @param {string} id */
export const dialog = (id) => byId(id, HTMLDialogElement);
/** @param {string} id */
export const form = (id) => byId(id, HTMLFormElement);
/** @param {string} id */
export const input = (id) => byId(id, HTMLInputElement);

/** The part with the focus, when it is inside an element. @param {Element} element */
function focusedIn(element) {
  const focused = document.activeElement;
  return focused instanceof HTMLElement && element.contains(focused) ? focused : null;
}

/**
 * Change the inside of an element and give the focus back to the part that had it, known by its data-key; when that is
 * gone, to the first part of its group, or to the main part of the page: never to nowhere.
 * @param {HTMLElement} element
 * @param {() => void} change
 */
export function keepingFocus(element, change) {
  const held = focusedIn(element);
  const group = held?.closest("[data-field]") ?? element;
  change();
  if (!held || (focusedIn(element) && !held.closest("[hidden]"))) return;
  const keyed = /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-key]"));
  const parts = [...keyed].filter((part) => !part.closest("[hidden]"));
  const next =
    parts.find((part) => part.dataset.key === held.dataset.key) ??
    parts.find((part) => group.contains(part)) ??
    block("main");
  next.focus({ preventScroll: true });
}

/**
 * Make an element hold just these children, moving as few nodes as possible.
 * @param {Element} element
 * @param {Element[]} children
 */
export function arrange(element, children) {
  const staying = new Set(children);
  for (const child of [...element.children]) if (!staying.has(child)) child.remove();
  children.forEach((child, at) => {
    if (element.children[at] !== child) element.insertBefore(child, element.children[at] ?? null);
  });
}
