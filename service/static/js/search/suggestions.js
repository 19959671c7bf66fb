// A few searches to begin with, made of what the catalogue holds: kinds of things, in colors that they come in.

/** @import { Hit, Product } from "../types.js" */

import { make } from "../page/dom.js";
import { leaf } from "../page/format.js";
import { locale, t } from "../page/texts.js";

const MOST = 6;
/** Longer names of categories are headings of a shop, not words that people search for. */
const LONGEST_WORDS = 2;

/** The items of a list of suggestions. @param {Hit[]} hits @param {(text: string) => void} search */
export const suggestionItems = (hits, search) =>
  suggestions(hits).map((text) =>
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

/** A category of each product, with the product's color where it has one alone. @param {Hit[]} hits */
function suggestions(hits) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const { product } of hits) {
    const name = product.category
      .map(leaf)
      .find((words) => words.split(" ").length <= LONGEST_WORDS);
    if (!name || texts.has(name)) continue;
    const thing = written(name);
    const color = plainColor(product);
    texts.set(name, color ? t("welcome.suggestion", { color, thing }) : thing);
  }
  return [...texts.values()].slice(0, MOST);
}

/** The only color of a product in the shop's own word; without a single word for it, none. @param {Product} product */
function plainColor({ color, colors }) {
  const plain = color.length === 1 && colors.length === 1 && colors[0] !== "multicolor";
  return plain && /^\p{L}+$/u.test(color[0]) ? written(color[0]) : "";
}

/** A word of the catalogue as a query has it; German writes its nouns with a capital. @param {string} word */
const written = (word) => (locale.startsWith("de") ? word : word.toLowerCase());

/** The last steps of the paths that lead nowhere further, in lower case. @param {string[]} paths */
export function leavesOf(paths) {
  const ends = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
  return ends.map((path) => leaf(path).toLowerCase());
}
