// What could be left out of a search that finds nothing, and what each would show.

/** @import { Field, FirstPage, State } from "../types.js" */

import { chipsOf } from "../filters/chips.js";
import { withLiteral } from "./state.js";

const MOST = 6;

/** One part of a search left out. @typedef {{text: string, state: State}} Without */

/**
 * The search without each of its filters, and without each that was understood from its words.
 * @param {State} state
 * @param {FirstPage} answer
 * @param {Field[]} fields
 * @param {string | null} currency
 * @returns {Without[]}
 */
export function withoutEach(state, { understanding }, fields, currency) {
  const filters = fields.flatMap((field) =>
    chipsOf(field, state, currency).map(({ text, without }) => ({ text, state: without })),
  );
  const understood = (understanding?.applied ?? [])
    .filter(({ effect }) => effect === "filter")
    .map(({ text }) => ({
      text: `“${text}”`,
      state: withLiteral(state, text),
    }));
  return [...filters, ...understood].slice(0, MOST);
}
