// Values as people read them, in the browser's own language.

const whole = new Intl.NumberFormat();
const numbers = new Intl.NumberFormat(undefined, { useGrouping: "min2", maximumFractionDigits: 6 });
/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} number */
export const count = (number) => whole.format(number);

/** From 10,000 on with groups of digits: 2024 may be a year. @param {number} value */
export const number = (value) => numbers.format(value);

/** @param {number} number @param {string} noun @param {string} [many] */
export const plural = (number, noun, many = `${noun}s`) =>
  `${count(number)} ${number === 1 ? noun : many}`;

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
  if (!currency) return new Intl.NumberFormat(undefined, plain);
  try {
    return new Intl.NumberFormat(undefined, {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      trailingZeroDisplay: zeros,
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new Intl.NumberFormat(undefined, plain); // the catalogue's currency is no ISO 4217 code
  }
}

/** @param {number} cosine */
export const score = (cosine) => cosine.toFixed(2);

/** The name of a field for people: in_stock becomes In stock. @param {string} name */
export const fieldName = (name) => capital(name.replace(/[_-]+/g, " ").trim());

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

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
/** @param {string} iso */
export const moment = (iso) => moments.format(new Date(iso));

const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
/** @param {string | number} iso */
export const day = (iso) => days.format(new Date(iso));
