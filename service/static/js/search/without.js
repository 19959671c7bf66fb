// What could be left out of a search that finds nothing, and what each would show.

/** @import { Field, FirstPage, Go, State } from "../types.js" */
/** @import { Remedy } from "../results/notices.js" */

import { chipsOf } from "../filters/chips.js";
import { t } from "../page/texts.js";
import { withLiteral } from "./state.js";

const MOST = 6;

/** A search made wider: what is done for it, and its state. @typedef {{text: string, state: State}} Without */

/**
 * The search without each of its filters, and without each that was understood from its words.
 * @param {State} state
 * @param {FirstPage} answer
 * @param {Field[]} fields
 * @param {string | null} currency
 * @returns {Without[]}
 */
export function withoutEach(state, { understanding, beyond }, fields, currency) {
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
  return [...[...filters, ...understood].slice(0, MOST), ...(beyond > 0 ? [less] : [])];
}

/**
 * The wider searches that show something.
 * @param {Without[]} choices
 * @param {number[]} totals how many products each shows
 * @param {Go} go searches on
 * @returns {Remedy[]}
 */
export const remediesOf = (choices, totals, go) =>
  choices
    .map(({ text, state }, at) => ({ text, total: totals[at], run: () => go(state) }))
    .filter(({ total }) => total > 0);
