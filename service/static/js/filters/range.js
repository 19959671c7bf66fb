// A number or an amount: histogram, two handles, two fields to type into.

/** @import { Bucket, Control, ControlActions, Field } from "../types.js" */

import { make } from "../page/dom.js";
import { currencyChoice } from "./currency_choice.js";
import { count, fieldName, moneyLimit, sign } from "../page/format.js";
import { t } from "../page/texts.js";
import { histogram } from "./histogram.js";
import { scale } from "./scale.js";

/** Positions of a handle; the scale says which amount each stands for. */
const TRACK = 100;

/** @param {Field} field @param {ControlActions} actions @returns {Control} */
export function range(field, { change, chooseCurrency }) {
  const choice = currencyChoice(chooseCurrency);
  const low = rangeEnd(field, "range.lowest", { drag: () => drag("from"), typed, send });
  const high = rangeEnd(field, "range.highest", { drag: () => drag("to"), typed, send });
  const span = make("span", { class: "range__span" });
  const bars = histogram();
  const limits = { from: 0, to: 0 };
  let axis = scale({ min: 0, max: 0, buckets: [] });
  /** @type {string | null} */
  let currency = null;

  /** The handles never pass each other. @param {"from" | "to"} bound */
  function drag(bound) {
    const handle = (bound === "from" ? low : high).slider;
    const value = axis.value(Number(handle.value) / TRACK);
    limits[bound] = bound === "from" ? Math.min(value, limits.to) : Math.max(value, limits.from);
    paint();
  }

  function typed() {
    const [from, to] = [low.number(axis.min), high.number(axis.max)];
    Object.assign(limits, { from: Math.min(from, to), to: Math.max(from, to) });
    send();
  }

  /** A handle at the end of its track is no limit. */
  function send() {
    change({
      min: limits.from <= axis.min ? null : limits.from,
      max: limits.to >= axis.max ? null : limits.to,
    });
  }

  function paint() {
    const [from, to] = [axis.share(limits.from), axis.share(limits.to)];
    place(low.slider, limits.from, from);
    place(high.slider, limits.to, to);
    low.slider.classList.toggle("range__over", from > 0.5); // where both meet, the one that can still move lies on top
    low.box.value = limits.from <= axis.min ? "" : String(limits.from);
    high.box.value = limits.to >= axis.max ? "" : String(limits.to);
    // The center of a native thumb travels from half a thumb to the width less half a thumb.
    span.style.left = `calc(var(--handle) / 2 + ${from} * (100% - var(--handle)))`;
    span.style.width = `calc(${to - from} * (100% - var(--handle)))`;
    bars.mark(limits.from, limits.to);
  }

  /**
   * A handle that already stands for the amount stays where it is: rounding must not pull it back under the arrow keys.
   * @param {HTMLInputElement} slider
   * @param {number} value
   * @param {number} share
   */
  function place(slider, value, share) {
    if (axis.value(Number(slider.value) / TRACK) !== value) slider.value = String(share * TRACK);
    slider.setAttribute("aria-valuetext", amount(value));
  }

  /** @param {number} value */
  const amount = (value) => (field.type === "money" ? moneyLimit(value, currency) : count(value));

  /** @param {Bucket} bucket */
  const describe = ({ from, to, count: products }) =>
    t("range.bar", {
      from: amount(Math.round(from)),
      to: amount(Math.round(to)),
      count: products,
    });

  const slider = make(
    "div",
    { class: "range" },
    bars.element,
    make("div", { class: "range__track" }, span, low.slider, high.slider),
    make(
      "div",
      { class: "range__numbers" },
      low.label,
      make("span", { "aria-hidden": "true" }, t("range.to")),
      high.label,
    ),
  );

  return {
    element: make("div", {}, choice.element, slider),
    update(facet, filter, context) {
      const isMixed = field.type === "money" && !context.currency && context.currencies.length > 1;
      choice.element.hidden = !isMixed;
      choice.show(isMixed ? context.currencies : []);
      slider.hidden = isMixed;
      if (isMixed) return true;
      if (!facet || Array.isArray(facet) || facet.min === null || facet.max === null) {
        slider.hidden = true; // nothing to choose from: the filter can only be taken away
        return Boolean(filter);
      }
      const { min, max, buckets } = facet;
      currency = context.currency;
      axis = scale({ min, max, buckets });
      limits.from = Number(filter?.min ?? axis.min);
      limits.to = Number(filter?.max ?? axis.max);
      for (const end of [low, high]) end.setSign(field.type === "money" ? currency : null);
      low.box.placeholder = count(axis.min);
      high.box.placeholder = count(axis.max);
      bars.show(buckets, axis, describe);
      paint();
      return max > min || Boolean(filter);
    },
  };
}

/**
 * One end of a range: a handle and a field to type into.
 * @param {Field} field
 * @param {"range.lowest" | "range.highest"} words
 * @param {{drag: () => void, typed: () => void, send: () => void}} actions
 */
function rangeEnd(field, words, { drag, typed, send }) {
  const name = t(words, { field: fieldName(field) });
  const slider = make("input", {
    type: "range",
    min: 0,
    max: TRACK,
    step: 1,
    "data-key": `${field.name} ${words} handle`,
    "aria-label": name,
    oninput: drag,
    onchange: send,
  });
  const box = make("input", {
    type: "number",
    class: "field",
    inputMode: "decimal",
    step: "any",
    "data-key": `${field.name} ${words}`,
    "aria-label": t("range.number", { end: name }),
    onchange: typed,
  });
  const mark = make("span", { class: "range__sign", "aria-hidden": "true" });
  const label = make("label", { class: "range__number" }, mark, box);
  return {
    slider,
    box,
    label,
    /** What was typed. @param {number} otherwise */
    number: (otherwise) => (box.value.trim() === "" ? otherwise : Number(box.value)),
    /** @param {string | null} currency */
    setSign(currency) {
      const symbol = currency ? sign(currency) : "";
      mark.textContent = symbol;
      label.style.setProperty("--sign", String(symbol.length));
    },
  };
}
