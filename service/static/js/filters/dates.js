// A time as a first and a last day.

/** @import { Control, ControlActions, Field } from "../types.js" */

import { make } from "../page/dom.js";
import { fieldName } from "../page/format.js";
import { t } from "../page/texts.js";

/** @param {Field} field @param {ControlActions} actions @returns {Control} */
export function dates(field, { change }) {
  const [first, last] = [dateBox("min", "date.first"), dateBox("max", "date.last")];

  /** @param {string} bound @param {"date.first" | "date.last"} text */
  function dateBox(bound, text) {
    return make("input", {
      type: "date",
      class: "field",
      "data-key": `${field.name} ${bound}`,
      "aria-label": t(text, { field: fieldName(field) }),
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
      make("label", {}, t("date.from"), first),
      make("label", {}, t("date.to"), last),
    ),
    update(_facet, filter) {
      first.value = String(filter?.min ?? "").slice(0, 10);
      last.value = String(filter?.max ?? "").slice(0, 10);
      return true;
    },
  };
}
