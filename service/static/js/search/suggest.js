// What may complete the words: from the last searches of this browser, and from the shop's own words and names.

/** @import { Suggestion } from "../types.js" */
/** @import { Completion } from "./completions.js" */

import { aborted, loadSuggestions } from "../api/client.js";
import { path } from "../page/format.js";
import { t } from "../page/texts.js";
import { forgetSearches, recentSearches } from "./recent.js";

const MOST_RECENT = 5;
const PAUSE_MS = 120;

/** @typedef {{text: (words: string) => void, filter: (field: "category" | "brand", value: string) => void}} Choices */

/**
 * The completions of what was typed.
 * @param {string} typed
 * @param {AbortSignal} signal
 * @param {Choices} choices what a choice does
 * @returns {Promise<Completion[]>}
 */
export async function completionsOf(typed, signal, choices) {
  const recents = recentCompletions(typed, choices);
  if (!typed) return recents;
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  if (signal.aborted) return [];
  const suggestions = await suggestionsFor(typed, signal);
  const known = new Set(recents.map(({ text }) => text));
  const fresh = suggestions.filter(({ text }) => text !== typed && !known.has(text));
  const isAlone = !/\s/.test(typed);
  return [...recents, ...fresh.map((suggestion) => completion(suggestion, isAlone, choices))];
}

/** Suggestions are a help: where they fail, the search itself says what is wrong. @param {string} typed @param {AbortSignal} signal */
async function suggestionsFor(typed, signal) {
  try {
    return await loadSuggestions(typed, signal);
  } catch (error) {
    if (!aborted(error)) console.info("no suggestions:", error);
    return [];
  }
}

/**
 * A category or a brand becomes a filter where it is all that was typed; beside other words it stays a word.
 * @param {Suggestion} suggestion
 * @param {boolean} isAlone
 * @param {Choices} choices
 * @returns {Completion}
 */
function completion({ text, kind, value, count }, isAlone, choices) {
  if (value && isAlone && (kind === "category" || kind === "brand")) {
    const note =
      kind === "category" ? t("completions.in", { category: path(value) }) : t("completions.brand");
    return { text, sign: "sliders", note, choose: () => choices.filter(kind, value) };
  }
  return {
    text,
    sign: "lens",
    note: kind === "title" ? "" : t("products", { count }),
    choose: () => choices.text(text),
  };
}

/** @param {string} typed @param {Choices} choices @returns {Completion[]} */
function recentCompletions(typed, choices) {
  const start = typed.toLocaleLowerCase();
  const texts = recentSearches().filter(
    (text) => text !== typed && text.toLocaleLowerCase().startsWith(start),
  );
  const entries = texts
    .slice(0, MOST_RECENT)
    .map((text) => ({ text, sign: "clock", choose: () => choices.text(text) }));
  if (typed || !entries.length) return entries;
  return [...entries, { text: t("completions.forget"), sign: "cross", choose: forgetSearches }];
}
