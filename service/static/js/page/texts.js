// The page's texts in its language; the page brings their table, see service/page_texts.py.

/** @typedef {keyof typeof import("../../../texts/en.json")} TextKey */
/** @typedef {Record<string, string | number>} Values */

const { lang } = document.documentElement;
/** @type {Record<string, string | Record<string, string>>} */
const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");

/** The page's language as the visitor's region writes it, where the browser knows: de-CH for a German page. */
export const locale = navigator.languages.find((tag) => tag.split("-")[0] === lang) ?? lang;

const plurals = new Intl.PluralRules(locale);
const numbers = new Intl.NumberFormat(locale);

/** A number with groups of digits. @param {number} number */
export const count = (number) => numbers.format(number);

/**
 * The text of a key, its placeholders filled; numbers are written as the language does, and
 * `count` chooses the plural form.
 * @param {TextKey} key
 * @param {Values} [values]
 */
export function t(key, values = {}) {
  return textOf(key, values).replace(/\{(\w+)\}/g, (_placeholder, name) => {
    const value = values[name];
    return typeof value === "number" ? count(value) : value;
  });
}

/** The text of a key with an element in the place of {word}. @param {TextKey} key @param {Element} word */
export function around(key, word) {
  const [before, after] = textOf(key, {}).split("{word}");
  return [before, word, after];
}

const choices = new Intl.ListFormat(locale, { type: "disjunction" });

/** Some texts with "or" before the last. @param {string[]} parts */
export const anyOf = (parts) => choices.format(parts);

/** The text of a key that may not be in the table. @param {string} key */
export function known(key) {
  const text = texts[key];
  return typeof text === "string" ? text : null;
}

/** @param {TextKey} key @param {Values} values */
function textOf(key, values) {
  const text = texts[key];
  if (typeof text === "string") return text;
  return text[plurals.select(Number(values.count))] ?? text.other;
}
