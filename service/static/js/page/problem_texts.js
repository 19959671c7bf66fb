// What went wrong, in the shopper's words. The service explains its problems in English, to people who call it.

/** @import { TextKey } from "./texts.js" */
/** @import { Problem } from "../api/client.js" */

import { sentence } from "./messages.js";
import { t } from "./texts.js";

/** @typedef {"large" | "picture" | "gone" | "busy" | "down"} Kind */

/** @type {Record<Kind, [TextKey, TextKey]>} */
const TEXTS = {
  large: ["problem.large", "problem.large.text"],
  picture: ["problem.picture", "problem.picture.text"],
  gone: ["problem.gone", "problem.gone.text"],
  busy: ["problem.busy", "problem.later"],
  down: ["problem.answer", "problem.later"],
};
/** Reasons for which a picture is refused that a smaller one does not have. */
const TOO_LARGE = new Set(["too_many_bytes", "too_many_pixels", "too_complex"]);
/** A full queue has no problem type of its own. */
const BUSY = new Set(["model-busy", "decoder-busy", "blank"]);

/** @param {Problem} problem @returns {Kind | null} null of a problem that only the service's own words explain */
function kindOf({ status, code, reason, errors }) {
  if (status === 413 || TOO_LARGE.has(reason)) return "large";
  if (code === "invalid-image") return "picture";
  const isExample = errors.length > 0 && errors.every(({ field }) => /^(un)?like\b/.test(field));
  if (status === 404 || isExample) return "gone";
  if (status === 429 || (status === 503 && BUSY.has(code))) return "busy";
  return status === 408 || status >= 500 ? "down" : null;
}

/**
 * A problem as title and text; `lang` is the text's language where that is not the page's.
 * @param {Problem} problem
 * @returns {{title: string, text: string, lang?: string}}
 */
export function explained(problem) {
  const kind = kindOf(problem);
  if (kind) {
    const [title, text] = TEXTS[kind];
    return { title: t(title), text: t(text) };
  }
  const { code, title, detail } = problem;
  if (!code) return { title, text: sentence(detail) };
  return { title: t("problem.refused"), text: sentence(detail), lang: "en" };
}

/** A problem as one text. @param {Problem} problem */
export function inShort(problem) {
  const { title, text } = explained(problem);
  return `${sentence(title)} ${text}`;
}
