// Names what the page cannot use of an address, and why, so that nothing is left out in silence.

/** @import { Field } from "../types.js" */
/** @import { TextKey } from "../page/texts.js" */

import { arrange, block, make } from "../page/dom.js";
import { t } from "../page/texts.js";
import { FILTERABLE, parameter, RANGED, readBound, readBox, sorts } from "./address.js";

/** What is wrong with a value, if anything is. @typedef {(value: string) => TextKey | null} Check */

/** Parameters of the API that the page's address does not have. */
const OF_THE_API = new Set([
  ...["limit", "cursor", "facets", "candidates", "min_score", "ranking", "understand"],
]);
/** What newsletters and advertisements add to every address. */
const TRACKING = /^utm_|clid$/;

/** @type {Check} */
const anything = () => null;
/** @param {...string} values @returns {Check} */
const oneOf =
  (...values) =>
  (value) =>
    values.includes(value) ? null : "address.value";

/** @param {Field[]} fields @returns {Map<string, Check>} */
function checks(fields) {
  const grouped = fields.some(({ name }) => name === "group_id");
  /** @type {[string, Check][]} */
  const own = [
    ...["q", "picture", "like", "unlike", "literal", "show"].map(
      /** @returns {[string, Check]} */ (name) => [name, anything],
    ),
    ["box", (value) => (readBox(value) ? null : "address.value")],
    ["cutoff", oneOf("off", "auto")],
    ["explain", oneOf("true", "false")],
    ["balance", (value) => (Number.isFinite(Number(value)) ? null : "address.number")],
    ["sort", (value) => (sorts(fields).includes(value) ? null : "address.sort")],
    ["collapse", grouped ? oneOf("group_id") : oneOf()],
  ];
  return new Map([...fields.flatMap(fieldChecks), ...own]);
}

/** @param {Field} field @returns {[string, Check][]} */
function fieldChecks({ name, type }) {
  const own = parameter(name);
  if (!FILTERABLE.has(type)) return [[own, () => "address.page"]];
  if (type === "bool") {
    return [[own, (value) => (/^(true|false)$/.test(value) ? null : "address.bool")]];
  }
  if (!RANGED.has(type)) return [[own, anything]];
  const wrong = type === "datetime" ? "address.date" : "address.number";
  /** @type {Check} */
  const bound = (value) => (readBound(value, type) === null ? wrong : null);
  return [
    [own, () => "address.page"],
    [`${own}_min`, bound],
    [`${own}_max`, bound],
  ];
}

/** A sentence for each parameter that is left out. @param {string} query @param {Field[]} fields */
function leftOut(query, fields) {
  const known = checks(fields);
  return [...new URLSearchParams(query)].flatMap(([name, value]) => {
    if (!value || TRACKING.test(name)) return [];
    const missing = OF_THE_API.has(name) ? "address.page" : "address.unknown";
    const check = known.get(name);
    const fault = check ? check(value) : missing;
    return fault ? [t(fault, { name, value })] : [];
  });
}

/** Show what is left out of an address, and why. @param {string} query @param {Field[]} fields */
export function showLeftOut(query, fields) {
  const faults = leftOut(query, fields);
  const items = faults.map((fault) => make("li", { dir: "auto" }, fault));
  arrange(
    block("left-out"),
    items.length ? [make("p", {}, t("address.left")), make("ul", {}, items)] : [],
  );
  block("left-out").hidden = items.length === 0;
}
