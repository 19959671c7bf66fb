// A yes-or-no field as one switch: on shows only the products for which it holds.

/** @import { Control, ControlActions, Field } from "../types.js" */

import { make } from "../page/dom.js";
import { count, fieldName } from "../page/format.js";
import { t } from "../page/texts.js";
import { countsByValue } from "./options.js";

/** @param {Field} field @param {ControlActions} actions @returns {Control} */
export function toggle(field, { change }) {
  const box = make("input", {
    type: "checkbox",
    role: "switch",
    "data-key": field.name,
    onchange: () => change(box.checked ? { values: ["true"] } : null),
  });
  const number = make("span", { class: "toggle__count", "aria-hidden": "true" });
  const spoken = make("span", { class: "unseen" });
  const track = make("span", { class: "switch__track", "aria-hidden": "true" });
  return {
    element: make(
      "label",
      { class: "toggle switch" },
      make("span", {}, fieldName(field), number, spoken),
      make("span", { class: "switch" }, box, track),
    ),
    bare: true,
    update(facet, filter) {
      const counts = countsByValue(facet, filter);
      const products = counts.get("true") ?? 0;
      box.checked = Boolean(filter?.values?.includes("true"));
      number.textContent = count(products);
      spoken.textContent = `, ${t("products", { count: products })}`;
      return counts.size > 1 || Boolean(filter);
    },
  };
}
