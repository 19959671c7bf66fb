// What the service made of the words: filters it understood and words it corrected, each of which can be refused, and
// words that no product has.

/** @import { FirstPage, Go, State } from "../types.js" */

import { arrange, block, icon, keepingFocus, make } from "../page/dom.js";
import { around, t } from "../page/texts.js";
import { unknownWords } from "../results/notes.js";
import { withLiteral } from "./state.js";

/**
 * Show what was understood.
 * @param {FirstPage} answer
 * @param {State} state
 * @param {Go} go searches on
 */
export function showUnderstanding({ understanding, notes, hits }, state, go) {
  const { applied = [], corrected = [] } = understanding ?? {};
  const parts = [
    ...applied
      .filter(({ effect }) => effect !== "ignored") // the page's own filter holds instead
      .map(({ text }) => chip(text, () => go(withLiteral(state, text)))),
    ...corrected.map((word) => correction(word, () => go(withLiteral(state, word.from)))),
    ...(hits.length ? unknownWords(notes).map(statement) : []), // without hits the notice says it
    ...state.literal.map((text) => refused(text, () => go(withoutLiteral(state, text)))),
  ];
  const holder = block("understanding");
  keepingFocus(holder, () => arrange(holder, parts));
  holder.hidden = parts.length === 0;
}

/** @param {string} text */
const statement = (text) => make("p", { class: "understanding__correction", dir: "auto" }, text);

/** @param {State} state @param {string} text @returns {State} */
const withoutLiteral = (state, text) => ({
  ...state,
  literal: state.literal.filter((other) => other !== text),
});

/** @param {string} text @param {() => void} refuse */
const chip = (text, refuse) =>
  make(
    "button",
    {
      type: "button",
      class: "chip chip--understood",
      title: t("understood"),
      "aria-label": t("understood.refuse", { text }),
      "data-key": `understood ${text}`,
      onclick: refuse,
    },
    icon("sliders"),
    make("span", { class: "chip__text", dir: "auto" }, text),
    icon("cross"),
  );

/** @param {{from: string, to: string}} word @param {() => void} refuse */
const correction = ({ from, to }, refuse) =>
  make(
    "p",
    { class: "understanding__correction" },
    around("corrected", make("strong", { dir: "auto" }, to)),
    " ",
    plain(t("corrected.undo", { text: from }), `corrected ${from}`, refuse),
  );

/** @param {string} text @param {() => void} understand */
const refused = (text, understand) =>
  make(
    "p",
    { class: "understanding__correction" },
    `${t("literal", { text })} `,
    plain(t("undo"), `literal ${text}`, understand),
  );

/** @param {string} text @param {string} key @param {() => void} run */
const plain = (text, key, run) =>
  make("button", { type: "button", class: "plain", "data-key": key, onclick: run }, text);
