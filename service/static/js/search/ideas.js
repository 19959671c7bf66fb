// A few searches to begin with, made of what the catalogue holds: its frequent colours and categories.

import { make } from "../page/dom.js";
import { leaf } from "../page/format.js";

const MOST = 6;

export function showIdeas(list, facets, fields, go) {
  const texts = ideas(facets, fields);
  list.replaceChildren(
    ...texts.map((text) =>
      make(
        "li",
        {},
        make("button", { type: "button", class: "idea", onclick: () => go(text) }, text),
      ),
    ),
  );
}

function ideas(facets, fields) {
  const colours = valuesOf(facets, fields, "color").filter((colour) => colour !== "multicolor");
  const kinds = valuesOf(facets, fields, "path");
  const leaves = kinds
    .filter((one) => !kinds.some((other) => other.startsWith(`${one}/`)))
    .map(leaf);
  if (!leaves.length) return colours.slice(0, MOST);
  const spread = leaves
    .filter((_, at) => at % Math.max(1, Math.floor(leaves.length / MOST)) === 0)
    .slice(0, MOST);
  return spread.map((kind, at) =>
    [colours[at % (colours.length || 1)], kind.toLowerCase()].filter(Boolean).join(" "),
  );
}

function valuesOf(facets, fields, type) {
  const field = fields.find((one) => one.type === type && Array.isArray(facets[one.name]));
  return field ? facets[field.name].map(({ value }) => String(value)) : [];
}
