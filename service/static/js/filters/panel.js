// The filters, one group for each field that the catalogue can count, made by the field's type.

/** @import { Control, ControlActions, Facets, Field, FirstPage, State } from "../types.js" */

import { arrange, form, keepingFocus, make } from "../page/dom.js";
import { fieldName } from "../page/format.js";
import { t } from "../page/texts.js";
import { checklist } from "./checklist.js";
import { dates } from "./dates.js";
import { spelledAsListed } from "./options.js";
import { range } from "./range.js";
import { swatches } from "./swatches.js";
import { toggle } from "./toggle.js";
import { tree } from "./tree.js";

/** Field types in the order of their groups. @type {Record<string, (field: Field, actions: ControlActions) => Control>} */
const CONTROLS = {
  path: tree,
  money: range,
  color: swatches,
  bool: toggle,
  number: range,
  keyword: checklist,
  datetime: dates,
};
const ORDER = Object.keys(CONTROLS);

/**
 * Build the panel.
 * @param {Field[]} fields
 * @param {(field: Field) => ControlActions} actionsOf what a field's control can do
 */
export function filterPanel(fields, actionsOf) {
  const filters = form("filters");
  filters.addEventListener("submit", (event) => event.preventDefault());
  const groups = fields
    .filter((field) => CONTROLS[field.type] && (field.facet || field.type === "datetime"))
    .sort((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type))
    .map((field) => filterGroup(field, actionsOf(field)));

  return {
    /** @param {FirstPage} answer @param {State} state @param {string | null} currency */
    update({ facets, facets_cut: cut }, state, currency) {
      keepingFocus(filters, () => {
        const shown = groups.filter(({ name, update }) => {
          const filter = spelledAsListed(state.filters[name] ?? null, facets[name]);
          const currencies = currenciesOf(facets);
          return update(facets[name], filter, { currency, currencies, cut: cut.includes(name) });
        });
        arrange(
          filters,
          shown.map(({ element }) => element),
        );
      });
    },
  };
}

/** @param {Field} field @param {ControlActions} actions */
function filterGroup(field, actions) {
  const control = CONTROLS[field.type](field, actions);
  const clear = make(
    "button",
    {
      type: "button",
      class: "plain",
      hidden: true,
      "aria-label": t("filter.clear.field", { field: fieldName(field) }),
      "data-key": `${field.name} clear`,
      onclick: () => actions.change(null),
    },
    t("filter.clear"),
  );
  return {
    name: field.name,
    element: control.bare ? bareGroup(field, control) : namedGroup(field, control, clear),
    /** @type {Control["update"]} */
    update(facet, filter, context) {
      clear.hidden = !filter;
      return control.update(facet, filter, context);
    },
  };
}

/** @param {Field} field @param {Control} control */
const bareGroup = (field, control) =>
  make("div", { class: "filters__group", "data-field": field.name }, control.element);

/** @param {Field} field @param {Control} control @param {HTMLElement} clear */
function namedGroup(field, control, clear) {
  const name = fieldName(field);
  return make(
    "fieldset",
    { class: "filters__group", "data-field": field.name },
    make("legend", { class: "unseen" }, name),
    make(
      "div",
      { class: "filters__head" },
      make("span", { class: "filters__name", "aria-hidden": "true" }, name),
      clear,
    ),
    control.element,
  );
}

/** @param {Facets} facets */
const currenciesOf = ({ currency }) => (Array.isArray(currency) ? currency : []);

/**
 * The currency of the price filter: null where products have several, whose amounts cannot be compared.
 * @param {FirstPage} answer
 * @param {State} state
 * @param {string | null} before where the answer has no product with a price
 */
export function commonCurrency({ facets, hits, others }, { filters }, before) {
  const chosen = filters.currency?.values ?? [];
  if (chosen.length === 1) return chosen[0];
  const currencies = currenciesOf(facets);
  if (currencies.length > 1) return null;
  if (currencies.length === 1) return String(currencies[0].value);
  const priced = [...hits, ...others].find((hit) => hit.product.currency);
  return priced?.product.currency ?? before;
}
