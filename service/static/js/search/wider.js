// What could be left out of a search that finds nothing, or put in another's place, and what each would show.

/** @import { Catalogue, Field, FirstPage, Note, State } from "../types.js" */
/** @import { Session } from "./session.js" */

import { chipsOf, valueText } from "../filters/chips.js";
import { fold } from "../filters/options.js";
import { t } from "../page/texts.js";
import { hasQuery, isFiltered, withFilter, withLiteral } from "./state.js";

const MOST = 6;
/** A longer text is not tried without each of its words. */
const MOST_WORDS = 4;

/** A search made wider: what is done for it, and its state. @typedef {{text: string, state: State}} Wider */

/**
 * The search with fewer words, with the nearest value in the place of one that no product has, without each of its
 * filters, and without each that was understood from its words.
 * @param {State} state
 * @param {FirstPage} answer
 * @param {Field[]} fields
 * @param {string | null} currency
 * @returns {Wider[]}
 */
function widerSearches(state, answer, fields, currency) {
  const { understanding, beyond, notes } = answer;
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
  const others = [...withFewerWords(state, answer), ...nearest, ...filters, ...understood].slice(
    0,
    MOST,
  );
  return beyond > 0 ? [...others, less] : others;
}

/**
 * The search without the words that no product has; where all are known, without each of them.
 * @param {State} state
 * @param {FirstPage} answer
 * @returns {Wider[]}
 */
function withFewerWords(state, { notes, understanding }) {
  /** @param {string[]} words @returns {Wider[]} */
  const wider = (words) => {
    const text = words.join(" ");
    return text ? [{ text: t("title.text", { text }), state: { ...state, text } }] : [];
  };
  const unknown = notes.flatMap(({ code, value }) => (code === "unknown_word" ? [value] : []));
  const words = state.text.split(/\s+/);
  const known = words.filter((word) => !unknown.includes(fold(word)));
  if (known.length < words.length) return wider(known);
  const isPlain = words.length <= MOST_WORDS && !understanding?.applied.length;
  return isPlain ? words.flatMap((_word, at) => wider(words.toSpliced(at, 1))) : [];
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
 * The wider searches that show something, with the number of products; and for words or a picture alone, some products of
 * the catalogue.
 * @param {Session} session
 * @param {State} state
 * @param {FirstPage} answer
 * @param {Catalogue} catalogue
 * @param {string | null} currency
 */
export async function findWider(session, state, answer, catalogue, currency) {
  const choices = widerSearches(state, answer, catalogue.fields, currency);
  const [totals, samples] = await Promise.all([
    session.countEach(
      choices.map((choice) => choice.state),
      catalogue,
    ),
    hasQuery(state) && !isFiltered(state) ? session.samples() : [],
  ]);
  const counted = choices.map((choice, at) => ({ ...choice, total: totals[at] }));
  return { wider: counted.filter(({ total }) => total > 0), samples };
}
