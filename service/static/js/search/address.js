// The search in the page's address, in the words of GET /v1/search, so that it can be shared, reloaded and gone back to.

import { EMPTY, withFilter } from "./state.js";

const OWN = new Set(["q", "picture", "like", "unlike", "balance", "sort", "collapse", "show"]);
const RANGED = new Set(["number", "money", "datetime"]);
const FILTERABLE = new Set(["keyword", "color", "path", "bool", "number", "money", "datetime"]);

/** The parameter of a field; one that is called like ours gets a prefix. */
const parameter = (name) => (OWN.has(name) ? `field.${name}` : name);

/** The query string of a state; empty when there is nothing to say. */
export function write(state) {
  const found = new URLSearchParams();
  if (state.text) found.set("q", state.text);
  if (state.picture) found.set("picture", state.picture);
  for (const id of state.like) found.append("like", id);
  for (const id of state.unlike) found.append("unlike", id);
  if (state.balance) found.set("balance", String(state.balance));
  for (const [name, filter] of Object.entries(state.filters))
    writeFilter(found, parameter(name), filter);
  if (state.sort !== "relevance") found.set("sort", state.sort);
  if (state.styles) found.set("collapse", "group_id");
  if (state.show) found.set("show", state.show);
  const text = found.toString();
  return text ? `?${text}` : "";
}

function writeFilter(found, name, filter) {
  for (const value of filter.values ?? []) found.append(name, value);
  if (filter.min != null) found.set(`${name}_min`, String(filter.min));
  if (filter.max != null) found.set(`${name}_max`, String(filter.max));
}

/** The state of a query string; what is no parameter of ours and no field of the catalogue is left alone. */
export function read(query, fields) {
  const given = new URLSearchParams(query);
  const balance = Number(given.get("balance"));
  const sort = given.get("sort") ?? "relevance";
  let state = {
    ...EMPTY,
    text: (given.get("q") ?? "").trim(),
    picture: given.get("picture"),
    like: given.getAll("like"),
    unlike: given.getAll("unlike"),
    balance: Number.isFinite(balance) ? Math.max(-1, Math.min(1, balance)) : 0,
    sort: sorts(fields).includes(sort) ? sort : "relevance",
    styles:
      given.get("collapse") === "group_id" && fields.some((field) => field.name === "group_id"),
    show: given.get("show"),
  };
  for (const field of fields) state = withFilter(state, field.name, readFilter(given, field));
  return state;
}

export function sorts(fields) {
  return [
    "relevance",
    ...fields.filter((field) => field.sortable).flatMap(({ name }) => [name, `-${name}`]),
  ];
}

function readFilter(given, { name, type }) {
  const own = parameter(name);
  if (!FILTERABLE.has(type)) return null;
  if (!RANGED.has(type))
    return {
      values: [...new Set(given.getAll(own))].filter(
        (value) => type !== "bool" || /^(true|false)$/.test(value),
      ),
    };
  const [min, max] = [bound(given.get(`${own}_min`), type), bound(given.get(`${own}_max`), type)];
  return min !== null && max !== null && min > max ? { min: max, max: min } : { min, max };
}

function bound(text, type) {
  if (text === null || text.trim() === "") return null;
  if (type === "datetime") return Number.isNaN(Date.parse(text)) ? null : text;
  return Number.isFinite(Number(text)) ? Number(text) : null;
}
