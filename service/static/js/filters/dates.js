// A time as a first and a last day.

import { make } from "../page/dom.js";
import { fieldName } from "../page/format.js";

export function dates(field, change) {
  const first = input("min", "From");
  const last = input("max", "To");

  function input(bound, text) {
    const box = make("input", {
      type: "date",
      class: "field",
      "data-key": `${field.name} ${bound}`,
      onchange: send,
    });
    box.setAttribute("aria-label", `${fieldName(field.name)}, ${text.toLowerCase()}`);
    return { box, element: make("label", {}, text, box) };
  }

  function send() {
    const [min, max] = [
      first.box.value || null,
      last.box.value ? `${last.box.value}T23:59:59.999Z` : null,
    ];
    change({ min, max });
  }

  return {
    element: make("div", { class: "dates" }, first.element, last.element),
    update(_facet, filter) {
      first.box.value = filter?.min?.slice(0, 10) ?? "";
      last.box.value = filter?.max?.slice(0, 10) ?? "";
      return true;
    },
  };
}
