// The service's notes on an answer, in the page's language. Those on the version's words are for operators.

/** @import { Field, Note } from "../types.js" */

import { valueText } from "../filters/chips.js";
import { fieldName } from "../page/format.js";
import { anyOf, t } from "../page/texts.js";

/** A sentence on the words that no product has, none where all are known. @param {Note[]} notes */
export function unknownWords(notes) {
  const words = notes.flatMap(({ code, value }) =>
    code === "unknown_word" && value ? [t("title.text", { text: value })] : [],
  );
  return words.length ? [t("note.words", { words: anyOf(words) })] : [];
}

/** A sentence on each value of a filter that no product has. @param {Note[]} notes @param {Field[]} fields */
export const unknownValues = (notes, fields) =>
  notes.flatMap(({ code, field: name, value, nearest }) => {
    const field = fields.find((known) => known.name === name);
    if (code !== "unknown_value" || !field || !value) return [];
    const about = { field: fieldName(field), value: valueText(field, value) };
    if (!nearest) return [t("note.value", about)];
    return [t("note.value.nearest", { ...about, nearest: valueText(field, nearest) })];
  });
