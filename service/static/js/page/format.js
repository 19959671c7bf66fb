// Values as people read them, in the browser's own language.

const whole = new Intl.NumberFormat();
const formats = new Map();

export const count = (number) => whole.format(number);
export const plural = (number, one, many = `${one}s`) =>
  `${count(number)} ${number === 1 ? one : many}`;

/** An amount with its currency; cents only where there are some. */
export function money(amount, currency) {
  const digits = Number.isInteger(amount) ? 0 : 2;
  return format(currency, digits).format(amount);
}

/** The sign of a currency alone, such as ₹. */
export function sign(currency) {
  return (
    format(currency, 0)
      .formatToParts(0)
      .find((part) => part.type === "currency")?.value ?? ""
  );
}

function format(currency, digits) {
  const key = `${currency} ${digits}`;
  if (!formats.has(key)) formats.set(key, formatOf(currency, digits));
  return formats.get(key);
}

function formatOf(currency, digits) {
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  try {
    return new Intl.NumberFormat(
      undefined,
      currency
        ? { style: "currency", currency, currencyDisplay: "narrowSymbol", ...fraction }
        : fraction,
    );
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new Intl.NumberFormat(undefined, fraction); // the catalogue's currency is no ISO 4217 code
  }
}

export const score = (cosine) => cosine.toFixed(2);

/** The name of a field for people: in_stock becomes In stock. */
export function label(name) {
  const words = name.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const FIELD_NAMES = { color: "Colour", in_stock: "In stock" };
export const fieldName = (name) => FIELD_NAMES[name] ?? label(name);

/** The last step of a category path. */
export const leaf = (path) => path.slice(path.lastIndexOf("/") + 1);

export const path = (category) => category.split("/").join(" / ");

export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
export const moment = (iso) => moments.format(new Date(iso));

const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
export const day = (iso) => days.format(new Date(iso));
