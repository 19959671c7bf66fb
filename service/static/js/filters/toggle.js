// A yes-or-no field as one switch: on shows only the products for which it holds.

import { make } from "../page/dom.js";
import { count, fieldName, plural } from "../page/format.js";
import { counted } from "./options.js";

export function toggle(field, change) {
  const box = make("input", {
    type: "checkbox",
    role: "switch",
    "data-key": field.name,
    onchange: () => change(box.checked ? { values: ["true"] } : null),
  });
  const number = make("span", { class: "toggle__count", "aria-hidden": "true" });
  const spoken = make("span", { class: "unseen" });
  const element = make(
    "label",
    { class: "toggle switch" },
    make("span", {}, fieldName(field.name), number, spoken),
    make(
      "span",
      { class: "switch" },
      box,
      make("span", { class: "switch__track", "aria-hidden": "true" }),
    ),
  );
  return {
    element,
    bare: true,
    update(facet, filter) {
      const numbers = counted(facet, filter);
      const yes = numbers.get("true") ?? 0;
      box.checked = Boolean(filter?.values.includes("true"));
      number.textContent = count(yes);
      spoken.textContent = `, ${plural(yes, "product")}`;
      return numbers.size > 1 || Boolean(filter);
    },
  };
}
