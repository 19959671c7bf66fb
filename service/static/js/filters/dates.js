// A time as a first and a last day.

/** @import { Control, ControlActions, Field } from "../types.js" */

import { make } from "../page/dom.js";
import { fieldName } from "../page/format.js";

/** @param {Field} field @param {ControlActions} actions @returns {Control} */
export function dates(field, { change }) {
  const [first, last] = [dateBox("min", "from"), dateBox("max", "to")];

  /** @param {string} bound @param {string} text */
  function dateBox(bound, text) {
    return make("input", {
      type: "date",
      class: "field",
      "data-key": `${field.name} ${bound}`,
      "aria-label": `${fieldName(field.name)}, ${text}`,
      onchange: send,
    });
  }

  function send() {
    const max = last.value ? `${last.value}T23:59:59.999Z` : null;
    change({ min: first.value || null, max });
  }

  return {
    element: make(
      "div",
      { class: "dates" },
      make("label", {}, "From", first),
      make("label", {}, "To", last),
    ),
    update(_facet, filter) {
      first.value = String(filter?.min ?? "").slice(0, 10);
      last.value = String(filter?.max ?? "").slice(0, 10);
      return true;
    },
  };
}
