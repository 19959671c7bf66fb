// What could be left out of a search that finds nothing, or put in another's place, and what each would show.

/** @import { Field, FirstPage, Go, Note, State } from "../types.js" */
/** @import { Remedy } from "../results/notices.js" */

import { chipsOf, valueText } from "../filters/chips.js";
import { t } from "../page/texts.js";
import { withFilter, withLiteral } from "./state.js";

const MOST = 6;

/** A search made wider: what is done for it, and its state. @typedef {{text: string, state: State}} Wider */

/**
 * The search with the nearest value in the place of one that no product has, without each of its filters, and without
 * each that was understood from its words.
 * @param {State} state
 * @param {FirstPage} answer
 * @param {Field[]} fields
 * @param {string | null} currency
 * @returns {Wider[]}
 */
export function widerSearches(state, { understanding, beyond, notes }, fields, currency) {
  const nearest = notes.flatMap((note) => withNearest(state, note, fields));
  const filters = fields.flatMap((field) =>
    chipsOf(field, state, currency).map(({ text, without }) => ({
      text: t("way.without", { text }),
      state: without,
    })),
  );
  const understood = (understanding?.applied ?? [])
    .filter(({ effect }) => effect === "filter")
    .map(({ text }) => ({
      text: t("way.without.words", { text }),
      state: withLiteral(state, text),
    }));
  const less = { text: t("way.far"), state: { ...state, far: true } };
  return [...[...nearest, ...filters, ...understood].slice(0, MOST), ...(beyond > 0 ? [less] : [])];
}

/** @param {State} state @param {Note} note @param {Field[]} fields @returns {Wider[]} */
function withNearest(state, { field: name, value, nearest }, fields) {
  const field = fields.find((known) => known.name === name);
  const values = field && state.filters[field.name]?.values;
  if (!values || !nearest) return [];
  const others = values.map((other) => (other === value ? nearest : other));
  return [
    { text: valueText(field, nearest), state: withFilter(state, field.name, { values: others }) },
  ];
}

/**
 * The wider searches that show something.
 * @param {Wider[]} choices
 * @param {number[]} totals how many products each shows
 * @param {Go} go searches on
 * @returns {Remedy[]}
 */
export const remediesOf = (choices, totals, go) =>
  choices
    .map(({ text, state }, at) => ({ text, total: totals[at], run: () => go(state) }))
    .filter(({ total }) => total > 0);
