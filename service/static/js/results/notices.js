// What is said instead of products: nothing matches, or something went wrong.

/** @import { Field, FirstPage, State } from "../types.js" */
/** @import { Problem } from "../api/client.js" */

import { icon, make } from "../page/dom.js";
import { explained } from "../page/problem_texts.js";
import { t } from "../page/texts.js";
import { hasQuery, isFiltered } from "../search/state.js";
import { unknownValues, unknownWords } from "./notes.js";

/** @typedef {{clearFilters: () => void, clearAll: () => void, removePicture: () => void}} WaysOut */

/** A way to find something: what to do, and how many products it shows. @typedef {{text: string, total: number, run: () => void}} Remedy */

/**
 * @param {State} state
 * @param {FirstPage} answer
 * @param {Field[]} fields
 * @param {WaysOut} ways
 * @param {Remedy[]} [remedies]
 * @param {HTMLElement[]} [suggestions] list items
 */
export function noMatches(state, answer, fields, ways, remedies = [], suggestions = []) {
  const { clearFilters, clearAll } = ways;
  const actions = remedies.map(({ text, total, run }) =>
    button(t("way.count", { way: text, count: total }), run),
  );
  if (isFiltered(state)) actions.push(button(t("way.clear"), clearFilters));
  if (hasQuery(state)) actions.push(button(t("way.all"), clearAll));
  if (isFiltered(state)) actions[0].classList.add("button--main"); // what leaves most of the search as it is
  return notice({ sign: "lens", ...whyEmpty(state, answer, fields), actions, suggestions });
}

/** @param {State} state @param {FirstPage} answer @param {Field[]} fields */
function whyEmpty(state, { notes, beyond }, fields) {
  const words = unknownWords(notes);
  if (isFiltered(state)) {
    const values = unknownValues(notes, fields);
    const text = t(beyond > 0 ? "empty.within.text" : "empty.filters.text");
    return { title: t("empty.filters"), texts: values.length ? values : [...words, text] };
  }
  if (hasQuery(state)) {
    return { title: t("empty.query"), texts: [...words, t("empty.query.text")] };
  }
  return { title: t("empty.shop"), texts: [t("empty.shop.text")] };
}

/** @param {State} state @param {Problem} problem @param {WaysOut & {retry: () => void}} ways */
export function wentWrong(state, problem, { retry, clearFilters, clearAll, removePicture }) {
  const actions = [];
  if (problem.passing) actions.push(button(t("way.retry"), retry, "button--main"));
  else {
    if (state.picture) actions.push(button(t("way.picture"), removePicture));
    if (isFiltered(state)) actions.push(button(t("way.clear"), clearFilters));
    actions.push(button(t("way.all"), clearAll, "button--main"));
  }
  const { title, text, lang } = explained(problem);
  const { requestId } = problem;
  return notice({ kind: "error", sign: "alert", title, texts: [text], lang, requestId, actions });
}

/** @param {{kind?: string, sign: string, title: string, texts: string[], lang?: string, requestId?: string, actions: HTMLElement[], suggestions?: HTMLElement[]}} parts */
function notice({ kind, sign, title, texts, lang, requestId, actions, suggestions = [] }) {
  return make(
    "div",
    {
      class: kind ? `notice notice--${kind}` : "notice",
      role: kind === "error" ? "alert" : undefined,
    },
    make("span", { class: "notice__sign" }, icon(sign)),
    make("h2", { class: "notice__title" }, title),
    texts.map((text) => make("p", { class: "notice__text", lang }, text)),
    requestId ? make("p", { class: "notice__id" }, t("problem.request", { id: requestId })) : null,
    make("div", { class: "notice__actions" }, actions),
    suggestions.length ? make("p", { class: "notice__or" }, t("empty.or")) : null,
    suggestions.length ? make("ul", { class: "notice__suggestions" }, suggestions) : null,
  );
}

/** @param {string} text @param {() => void} run */
const button = (text, run, kind = "") =>
  make("button", { type: "button", class: `button ${kind}`, onclick: run }, text);
