// The search in the page's address, in the words of GET /v1/search, so that it can be shared, reloaded and gone back to.

/** @import { Bound, Box, Field, Filter, State } from "../types.js" */

import { EMPTY, withFilter } from "./state.js";

const OWN = new Set([
  ...["q", "picture", "box", "like", "unlike", "literal", "cutoff", "balance", "explain"],
  ...["sort", "collapse", "show"],
]);
/** Date.parse() takes much else: 5 as a month. */
const ISO_DATE = /^\d{4}-\d\d-\d\d/;
/** The edges of a part of a picture, in the order in which the address has them. @type {(keyof Box)[]} */
const EDGES = ["xmin", "ymin", "xmax", "ymax"];
export const RANGED = new Set(["number", "money", "datetime"]);
export const FILTERABLE = new Set([
  "keyword",
  "color",
  "path",
  "bool",
  "number",
  "money",
  "datetime",
]);

/** The parameter of a field; one that is called like ours gets a prefix. @param {string} name */
export const parameter = (name) => (OWN.has(name) ? `field.${name}` : name);

/** The query string of a state; empty when there is nothing to say. @param {State} state */
export function write(state) {
  const parameters = new URLSearchParams();
  if (state.text) parameters.set("q", state.text);
  if (state.picture) parameters.set("picture", state.picture);
  if (state.picture && state.box) parameters.set("box", boxText(state.box));
  for (const id of state.like) parameters.append("like", id);
  for (const id of state.unlike) parameters.append("unlike", id);
  for (const text of state.literal) parameters.append("literal", text);
  if (state.far) parameters.set("cutoff", "off");
  if (state.balance) parameters.set("balance", String(state.balance));
  for (const [name, filter] of Object.entries(state.filters)) {
    writeFilter(parameters, parameter(name), filter);
  }
  if (state.sort !== "relevance") parameters.set("sort", state.sort);
  if (state.styles) parameters.set("collapse", "group_id");
  if (state.explain) parameters.set("explain", "true");
  if (state.show) parameters.set("show", state.show);
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

/** @param {URLSearchParams} parameters @param {string} name @param {Filter} filter */
export function writeFilter(parameters, name, filter) {
  for (const value of filter.values ?? []) parameters.append(name, value);
  if (filter.min != null) parameters.set(`${name}_min`, String(filter.min));
  if (filter.max != null) parameters.set(`${name}_max`, String(filter.max));
}

/**
 * The state of a query string; what it cannot hold is left out, as left_out.js tells.
 * @param {string} query
 * @param {Field[]} fields
 */
export function read(query, fields) {
  const parameters = new URLSearchParams(query);
  const balance = Number(parameters.get("balance"));
  const sort = parameters.get("sort") ?? "relevance";
  const grouped = fields.some((field) => field.name === "group_id");
  /** @type {State} */
  let state = {
    ...EMPTY,
    text: (parameters.get("q") ?? "").trim(),
    picture: parameters.get("picture"),
    box: parameters.has("picture") ? readBox(parameters.get("box")) : null,
    like: parameters.getAll("like"),
    unlike: parameters.getAll("unlike"),
    literal: parameters.getAll("literal"),
    far: parameters.get("cutoff") === "off",
    balance: Number.isFinite(balance) ? Math.max(-1, Math.min(1, balance)) : 0,
    sort: sorts(fields).includes(sort) ? sort : "relevance",
    styles: grouped && parameters.get("collapse") === "group_id",
    explain: parameters.get("explain") === "true",
    show: parameters.get("show"),
  };
  for (const field of fields) state = withFilter(state, field.name, readFilter(parameters, field));
  return state;
}

/** What can be had comes first, the closest of it before the others. */
export const IN_STOCK_FIRST = "-in_stock,relevance";

/** The ways to sort a catalogue. @param {Field[]} fields */
export function sorts(fields) {
  const sortable = fields.filter((field) => field.sortable && field.type !== "bool");
  const names = ["relevance", ...sortable.flatMap(({ name }) => [name, `-${name}`])];
  if (fields.some(({ name, type }) => name === "in_stock" && type === "bool")) {
    names.splice(1, 0, IN_STOCK_FIRST);
  }
  return names;
}

/** @param {URLSearchParams} parameters @param {Field} field @returns {Filter | null} */
function readFilter(parameters, { name, type }) {
  const own = parameter(name);
  if (!FILTERABLE.has(type)) return null;
  if (!RANGED.has(type)) {
    const values = [...new Set(parameters.getAll(own))].filter(Boolean); // forms send empty fields
    return { values: values.filter((value) => type !== "bool" || /^(true|false)$/.test(value)) };
  }
  const min = readBound(parameters.get(`${own}_min`), type);
  const max = readBound(parameters.get(`${own}_max`), type);
  return min !== null && max !== null && min > max ? { min: max, max: min } : { min, max };
}

/** @param {Readonly<Box>} box */
const boxText = (box) => EDGES.map((edge) => box[edge]).join();

/** @param {string | null} text @returns {Box | null} */
export function readBox(text) {
  const edges = (text ?? "").split(",").map(Number);
  if (edges.length !== EDGES.length || !edges.every((edge) => edge >= 0)) return null;
  const [xmin, ymin, xmax, ymax] = edges;
  return xmin < xmax && ymin < ymax ? { xmin, ymin, xmax, ymax } : null;
}

/** @param {string | null} text @param {string} type @returns {Bound} */
export function readBound(text, type) {
  if (text === null || text.trim() === "") return null;
  if (type === "datetime")
    return ISO_DATE.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
  return Number.isFinite(Number(text)) ? Number(text) : null;
}
