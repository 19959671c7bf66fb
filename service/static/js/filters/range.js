// A number or an amount: histogram, two handles, two fields to type into.

import { make } from "../page/dom.js";
import { count, fieldName, money, sign } from "../page/format.js";
import { bars } from "./histogram.js";
import { scale } from "./scale.js";

/** Positions of a handle; the scale says which amount each stands for. */
const TRACK = 100;

export function range(field, change) {
  const name = fieldName(field.name);
  const low = end("lowest", "from");
  const high = end("highest", "to");
  const span = make("span", { class: "range__span" });
  const histogram = bars();
  const wanted = { from: 0, to: 0 };
  let axis = scale({ min: 0, max: 0, buckets: [] });
  let unit = null;

  function end(words, bound) {
    const slider = make("input", {
      type: "range",
      min: 0,
      max: TRACK,
      step: 1,
      "data-key": `${field.name} ${words} handle`,
      oninput: () => drag(bound),
      onchange: send,
    });
    slider.setAttribute("aria-label", `${name}, ${words}`);
    const box = make("input", {
      type: "number",
      class: "field",
      inputMode: "decimal",
      step: "any",
      "data-key": `${field.name} ${words}`,
      onchange: typed,
    });
    box.setAttribute("aria-label", `${name}, ${words}, as a number`);
    const mark = make("span", { class: "range__sign", "aria-hidden": "true" });
    return { slider, box, mark, label: make("label", { class: "range__number" }, mark, box) };
  }

  /** The handles never pass each other. */
  function drag(bound) {
    const value = axis.value(Number((bound === "from" ? low : high).slider.value) / TRACK);
    wanted[bound] = bound === "from" ? Math.min(value, wanted.to) : Math.max(value, wanted.from);
    paint();
  }

  function typed() {
    const given = [low, high].map(({ box }) =>
      box.value.trim() === "" ? null : Number(box.value),
    );
    const [from, to] = [given[0] ?? axis.min, given[1] ?? axis.max];
    Object.assign(wanted, { from: Math.min(from, to), to: Math.max(from, to) });
    send();
  }

  /** A handle at the end of its track is no limit. */
  function send() {
    change({
      min: wanted.from <= axis.min ? null : wanted.from,
      max: wanted.to >= axis.max ? null : wanted.to,
    });
  }

  function paint() {
    const [from, to] = [axis.share(wanted.from), axis.share(wanted.to)];
    place(low.slider, wanted.from, from);
    place(high.slider, wanted.to, to);
    low.slider.setAttribute("aria-valuetext", amount(wanted.from));
    high.slider.setAttribute("aria-valuetext", amount(wanted.to));
    low.slider.classList.toggle("range__over", from > 0.5); // where both meet, the one that can still move lies on top
    low.box.value = wanted.from <= axis.min ? "" : wanted.from;
    high.box.value = wanted.to >= axis.max ? "" : wanted.to;
    // The centre of a native thumb travels from half a thumb to the width less half a thumb.
    span.style.left = `calc(var(--handle) / 2 + ${from} * (100% - var(--handle)))`;
    span.style.width = `calc(${to - from} * (100% - var(--handle)))`;
    histogram.mark(wanted.from, wanted.to);
  }

  /** A handle that already stands for the amount stays where it is: rounding must not pull it back under the arrow keys. */
  function place(slider, value, share) {
    if (axis.value(Number(slider.value) / TRACK) !== value) slider.value = share * TRACK;
  }

  const amount = (value) => (field.type === "money" ? money(value, unit) : count(value));

  function setUnit(currency) {
    unit = currency;
    const symbol = field.type === "money" && currency ? sign(currency) : "";
    for (const { mark, label } of [low, high]) {
      mark.textContent = symbol;
      label.style.setProperty("--sign", symbol.length);
    }
  }

  return {
    element: make(
      "div",
      { class: "range" },
      histogram.element,
      make("div", { class: "range__track" }, span, low.slider, high.slider),
      make(
        "div",
        { class: "range__numbers" },
        low.label,
        make("span", { "aria-hidden": "true" }, "to"),
        high.label,
      ),
    ),
    update(facet, filter, currency) {
      if (!facet || facet.min === null) return Boolean(filter);
      setUnit(currency);
      axis = scale(facet);
      Object.assign(wanted, { from: filter?.min ?? axis.min, to: filter?.max ?? axis.max });
      low.box.placeholder = axis.min;
      high.box.placeholder = axis.max;
      histogram.show(
        facet.buckets,
        axis,
        (bucket) =>
          `${amount(Math.round(bucket.from))} to ${amount(Math.round(bucket.to))}: ${count(bucket.count)}`,
      );
      paint();
      return facet.max > facet.min || Boolean(filter);
    },
  };
}
