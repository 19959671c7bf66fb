// A few searches to begin with, made of what the catalogue holds: its frequent colors and categories.

/** @import { Facets, Field } from "../types.js" */

import { block, make } from "../page/dom.js";
import { leaf } from "../page/format.js";

const MOST = 6;

/** @param {Facets} facets @param {Field[]} fields @param {(text: string) => void} search */
export function showSuggestions(facets, fields, search) {
  const items = suggestions(facets, fields).map((text) =>
    make(
      "li",
      {},
      make("button", { type: "button", class: "suggestion", onclick: () => search(text) }, text),
    ),
  );
  block("suggestions").replaceChildren(...items);
}

/** @param {Facets} facets @param {Field[]} fields */
function suggestions(facets, fields) {
  const colors = valuesOf(facets, fields, "color").filter((color) => color !== "multicolor");
  const paths = valuesOf(facets, fields, "path");
  const leaves = leavesOf(paths);
  if (!leaves.length) return colors.slice(0, MOST);
  const step = Math.max(1, Math.floor(leaves.length / MOST));
  return leaves
    .filter((_leaf, at) => at % step === 0)
    .slice(0, MOST)
    .map((name, at) => [colors[at % (colors.length || 1)], name].filter(Boolean).join(" "));
}

/** The last steps of the paths that lead nowhere further, in lower case. @param {string[]} paths */
export function leavesOf(paths) {
  const ends = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
  return ends.map((path) => leaf(path).toLowerCase());
}

/** @param {Facets} facets @param {Field[]} fields @param {string} type */
function valuesOf(facets, fields, type) {
  const field = fields.find((candidate) => candidate.type === type && facets[candidate.name]);
  const facet = field ? facets[field.name] : [];
  return Array.isArray(facet) ? facet.map(({ value }) => String(value)) : [];
}
