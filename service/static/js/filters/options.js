// One checkbox with its words and count, as checklist and tree use it.

import { make } from "../page/dom.js";
import { count, plural } from "../page/format.js";

/** A checkbox; `pick()` is called when it is switched. */
export function option({ key, text, pick }) {
  const box = make("input", { type: "checkbox", "data-key": key, onchange: pick });
  const number = make("span", { class: "option__count", "aria-hidden": "true" });
  const spoken = make("span", { class: "unseen" });
  const element = make(
    "label",
    { class: "option", title: text },
    box,
    make("span", { class: "option__text" }, text),
    number,
    spoken,
  );
  return {
    element,
    update(found, checked) {
      box.checked = checked;
      number.textContent = count(found);
      spoken.textContent = `, ${plural(found, "product")}`;
      element.classList.toggle("option--none", found === 0);
    },
  };
}

/** Counts by value, the chosen values among them even when no product has them. */
export function counted(facet, filter) {
  const found = new Map((facet ?? []).map(({ value, count: number }) => [String(value), number]));
  for (const value of filter?.values ?? []) if (!found.has(value)) found.set(value, 0);
  return found;
}

/** The filter with one value switched on or off. */
export function switched(filter, value) {
  const values = filter?.values ?? [];
  return {
    values: values.includes(value) ? values.filter((one) => one !== value) : [...values, value],
  };
}
