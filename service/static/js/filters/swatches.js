// Colors as swatches, always in the same order so that none moves under the finger.

/** @import { Control, ControlActions, Field, Filter } from "../types.js" */

import { arrange, make } from "../page/dom.js";
import { colorName, count } from "../page/format.js";
import { t } from "../page/texts.js";
import { toggleValue } from "../search/state.js";
import { countsByValue } from "./options.js";

/** @type {Record<string, string>} */
const PAINTS = {
  black: "#1b1b1d",
  gray: "#8d9096",
  silver: "linear-gradient(135deg, #f2f3f5, #a9adb3 60%, #dcdfe3)",
  white: "#ffffff",
  beige: "#e2cfae",
  brown: "#744a2d",
  gold: "linear-gradient(135deg, #f3dc93, #b78a2a 60%, #e9cf7d)",
  yellow: "#f5cf2e",
  orange: "#ef8325",
  red: "#cf2b2b",
  pink: "#ee93b3",
  purple: "#7b4aa3",
  blue: "#2f64c1",
  green: "#3b8a4d",
  multicolor: "conic-gradient(#cf2b2b, #ef8325, #f5cf2e, #3b8a4d, #2f64c1, #7b4aa3, #cf2b2b)",
};
const UNKNOWN_PAINT = "repeating-linear-gradient(45deg, #bbb 0 4px, #ddd 4px 8px)";
const ORDER = Object.keys(PAINTS);

/** The CSS background of a family of colors. @param {string} color */
export const paintOf = (color) => PAINTS[color] ?? UNKNOWN_PAINT;

/** @param {string} color */
const rank = (color) => (ORDER.includes(color) ? ORDER.indexOf(color) : ORDER.length);

/** @param {Field} field @param {ControlActions} actions @returns {Control} */
export function swatches(field, { change }) {
  /** @type {Map<string, ReturnType<typeof swatch>>} */
  const known = new Map();
  const element = make("div", { class: "swatches" });
  /** @type {Filter | null} */
  let filter = null;

  /** @param {string} color */
  function swatchOf(color) {
    const made = known.get(color) ?? swatch(field, color, () => change(toggleValue(filter, color)));
    known.set(color, made);
    return made;
  }

  return {
    element,
    update(facet, newFilter) {
      filter = newFilter;
      const counts = countsByValue(facet, filter);
      const colors = [...counts.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
      for (const color of colors) {
        const pressed = Boolean(filter?.values?.includes(color));
        swatchOf(color).update(counts.get(color) ?? 0, pressed);
      }
      arrange(
        element,
        colors.map((color) => swatchOf(color).element),
      );
      return colors.length > 1 || filter !== null;
    },
  };
}

/** @param {Field} field @param {string} color @param {() => void} pick */
function swatch(field, color, pick) {
  const dot = make("span", { class: "swatch__dot", "aria-hidden": "true" });
  dot.style.background = paintOf(color);
  const number = make("span", { class: "swatch__count" });
  const element = make(
    "button",
    {
      type: "button",
      class: "swatch",
      "data-key": `${field.name} ${color}`,
      "data-value": color,
      onclick: pick,
    },
    dot,
    make("span", { class: "swatch__name" }, colorName(color)),
    number,
  );
  return {
    element,
    /** @param {number} products @param {boolean} pressed */
    update(products, pressed) {
      number.textContent = count(products);
      element.title = `${colorName(color)}, ${t("products", { count: products })}`;
      element.setAttribute("aria-pressed", String(pressed));
      element.classList.toggle("swatch--none", products === 0);
    },
  };
}
