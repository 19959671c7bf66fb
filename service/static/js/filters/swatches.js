// Colours as swatches, always in the same order so that none moves under the finger.

import { arrange, make } from "../page/dom.js";
import { count, plural } from "../page/format.js";
import { counted, switched } from "./options.js";

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
const ORDER = Object.keys(PAINTS);

export const paint = (colour) =>
  PAINTS[colour] ?? "repeating-linear-gradient(45deg, #bbb 0 4px, #ddd 4px 8px)";

export function swatches(field, change) {
  const buttons = new Map();
  const element = make("div", { class: "swatches" });
  let filter = null;

  function button(value) {
    if (!buttons.has(value))
      buttons.set(
        value,
        swatch(field, value, () => change(switched(filter, value))),
      );
    return buttons.get(value);
  }

  return {
    element,
    update(facet, given) {
      filter = given ?? null;
      const numbers = counted(facet, filter);
      const values = [...numbers.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
      for (const value of values)
        button(value).update(numbers.get(value), Boolean(filter?.values.includes(value)));
      arrange(
        element,
        values.map((value) => button(value).element),
      );
      return values.length > 1 || filter !== null;
    },
  };
}

const rank = (value) => (ORDER.includes(value) ? ORDER.indexOf(value) : ORDER.length);

function swatch(field, value, pick) {
  const dot = make("span", { class: "swatch__dot", "aria-hidden": "true" });
  dot.style.background = paint(value);
  const number = make("span", { class: "swatch__count", "aria-hidden": "true" });
  const element = make(
    "button",
    {
      type: "button",
      class: "swatch",
      "data-key": `${field.name} ${value}`,
      "data-value": value,
      onclick: pick,
    },
    dot,
    make("span", { class: "swatch__name" }, value === "multicolor" ? "Multi" : value),
    number,
  );
  return {
    element,
    update(found, pressed) {
      number.textContent = count(found);
      element.setAttribute("aria-pressed", String(pressed));
      element.setAttribute("aria-label", `${value}, ${plural(found, "product")}`);
      element.classList.toggle("swatch--none", found === 0);
    },
  };
}
