// Values as people read them, in the page's language.

import { count, known, locale } from "./texts.js";

export { count } from "./texts.js";

const numbers = new Intl.NumberFormat(locale, { useGrouping: "min2", maximumFractionDigits: 6 });
/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** From 10,000 on with groups of digits: 2024 may be a year. @param {number} value */
export const number = (value) => numbers.format(value);

/** A number of things, on the pages that are in English. @param {number} number @param {string} noun */
export const plural = (number, noun) => `${count(number)} ${number === 1 ? noun : `${noun}s`}`;

/** A price with as many digits as its currency has. @param {number} amount @param {string | null} currency */
export const money = (amount, currency) => format(currency, "auto").format(amount);

/** A limit of prices: cents only where there are some. @param {number} amount @param {string | null} currency */
export const moneyLimit = (amount, currency) => format(currency, "stripIfInteger").format(amount);

/** The sign of a currency alone, such as ₹. @param {string} currency */
export function sign(currency) {
  const parts = format(currency, "auto").formatToParts(0);
  return parts.find((part) => part.type === "currency")?.value ?? "";
}

/** @param {string | null} currency @param {"auto" | "stripIfInteger"} zeros */
function format(currency, zeros) {
  const key = `${currency} ${zeros}`;
  const known = formats.get(key) ?? formatOf(currency, zeros);
  formats.set(key, known);
  return known;
}

/** @param {string | null} currency @param {"auto" | "stripIfInteger"} zeros */
function formatOf(currency, zeros) {
  const plain = { minimumFractionDigits: 2, maximumFractionDigits: 2, trailingZeroDisplay: zeros };
  if (!currency) return new Intl.NumberFormat(locale, plain);
  try {
    return new Intl.NumberFormat(locale, {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      trailingZeroDisplay: zeros,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new Intl.NumberFormat(locale, plain); // the catalogue's currency is no ISO 4217 code
  }
}

/** @param {number} digits @returns {Intl.NumberFormatOptions} */
const fixed = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });

/** @param {number} share */
export const percent = (share, digits = 0) =>
  share.toLocaleString(locale, { style: "percent", ...fixed(digits) });

/** @param {number} cosine */
export const score = (cosine, digits = 2) => cosine.toLocaleString(locale, fixed(digits));

/** What people call a field: as the mapping says, else the language's word, else its name: sale_price becomes Sale price. @param {{name: string, label?: string | null}} field */
export const fieldName = ({ name, label }) =>
  label ?? known(`field.${name}`) ?? capital(name.replace(/[_-]+/g, " ").trim());

/** The language's word for a family of colors. @param {string} family */
export const colorName = (family) => known(`color.${family}`) ?? family;

/** The last step of a category path. @param {string} path */
export const leaf = (path) => path.slice(path.lastIndexOf("/") + 1);

/** @param {string} category */
export const path = (category) => category.split("/").join(" / ");

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
/** @param {string} iso */
export const moment = (iso) => moments.format(new Date(iso));

const days = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" });
/** @param {string | number} iso */
export const day = (iso) => days.format(new Date(iso));
