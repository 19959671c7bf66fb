// A field that finds values of a filter: in the page where it has them all, else by the service.

/** @import { Field } from "../types.js" */

import { aborted, problemFrom } from "../api/client.js";
import { arrange, make } from "../page/dom.js";
import { fieldName } from "../page/format.js";
import { inShort } from "../page/problem_texts.js";
import { t } from "../page/texts.js";
import { fold } from "./options.js";

const PAUSE_MS = 200;

/** Counts by value. @typedef {Map<string, number>} Counts */

/**
 * `lookUp(text)` gives the matching values, `optionOf(value, count)` what stands for one, and `begin()` and `end()` are
 * called when something is typed and when nothing is typed any more.
 * @param {Field} field
 * @param {{lookUp: (text: string) => Counts | Promise<Counts>, optionOf: (value: string, count: number) => HTMLElement,
 *   begin: () => void, end: () => void}} actions
 */
export function finder(field, { lookUp, optionOf, begin, end }) {
  const name = t("filter.find", { field: fieldName(field) });
  const needle = make("input", {
    type: "search",
    class: "field options__search",
    placeholder: name,
    "aria-label": name,
    hidden: true,
    autocomplete: "off",
    dir: "auto",
    "data-key": `${field.name} find`,
    oninput: typed,
  });
  const results = make("div");
  const message = make("p", { class: "options__none", role: "status", hidden: true });
  let timer = 0;
  let latest = 0;

  function typed() {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE_MS);
  }

  async function show() {
    const text = needle.value.trim();
    const request = ++latest;
    if (!text) {
      arrange(results, []);
      say("");
      return end();
    }
    begin();
    try {
      const counts = await lookUp(text);
      if (request !== latest) return;
      arrange(
        results,
        [...counts].map(([value, count]) => optionOf(value, count)),
      );
      say(counts.size ? "" : t("filter.find.none"));
    } catch (error) {
      if (aborted(error) || request !== latest) return;
      arrange(results, []);
      say(inShort(problemFrom(error)));
    }
  }

  /** @param {string} text */
  function say(text) {
    message.textContent = text;
    message.hidden = !text;
  }

  return {
    elements: [needle, results, message],
    isActive: () => needle.value.trim() !== "",
    show,
    /** Offer the field where a list is long. @param {boolean} worthwhile */
    offer(worthwhile) {
      needle.hidden = !worthwhile && needle.value === "";
    },
  };
}

/** The values that contain a text; neither case nor accents count. @param {Counts} counts @param {string} text @returns {Counts} */
export function matching(counts, text) {
  const part = fold(text);
  return new Map([...counts].filter(([value]) => fold(value).includes(part)));
}
