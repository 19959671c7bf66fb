// One bar: a name, a share of the whole from 0 to 1, and the value in words.

import { make } from "../page/dom.js";

export function bar(name, share, value, best = false) {
  const fill = make("span", { class: "bar__fill" });
  fill.style.width = `${Math.min(1, share) * 100}%`;
  return make(
    "div",
    { class: best ? "bar bar--best" : "bar" },
    make("span", { class: "bar__name", title: name }, name),
    make("span", { class: "bar__track", "aria-hidden": "true" }, fill),
    make("span", { class: "bar__value" }, value),
  );
}
