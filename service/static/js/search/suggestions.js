// A few searches to begin with, made of what the catalogue holds: kinds of things, in colors that they come in.

/** @import { Hit } from "../types.js" */

import { block, make } from "../page/dom.js";
import { leaf } from "../page/format.js";

const MOST = 6;
/** Longer names of categories are headings of a shop, not words that people search for. */
const LONGEST_WORDS = 2;

/** @param {Hit[]} hits @param {(text: string) => void} search */
export function showSuggestions(hits, search) {
  const items = suggestions(hits).map((text) =>
    make(
      "li",
      {},
      make(
        "button",
        { type: "button", class: "suggestion", dir: "auto", onclick: () => search(text) },
        text,
      ),
    ),
  );
  block("suggestions").replaceChildren(...items);
}

/** A category of each product, with the product's color where it has one alone. @param {Hit[]} hits */
function suggestions(hits) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const { product } of hits) {
    const name = product.category
      .map(leaf)
      .find((words) => words.split(" ").length <= LONGEST_WORDS);
    if (!name || texts.has(name)) continue;
    const color = product.colors.length === 1 ? product.colors[0] : "";
    const plain = color === "multicolor" ? "" : color;
    texts.set(name, `${plain} ${name.toLowerCase()}`.trim());
  }
  return [...texts.values()].slice(0, MOST);
}

/** The last steps of the paths that lead nowhere further, in lower case. @param {string[]} paths */
export function leavesOf(paths) {
  const ends = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
  return ends.map((path) => leaf(path).toLowerCase());
}
