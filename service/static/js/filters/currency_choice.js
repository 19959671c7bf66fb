// Amounts in several currencies cannot be compared: before a range there is a choice of one of them.

/** @import { FacetValue } from "../types.js" */

import { arrange, make } from "../page/dom.js";
import { t } from "../page/texts.js";

/** @param {(currency: string) => void} choose */
export function currencyChoice(choose) {
  const list = make("div", { class: "currencies__list" });
  const words = make("p", { class: "currencies__text" }, t("range.currencies"));
  return {
    element: make("div", { class: "currencies", hidden: true }, words, list),
    /** @param {FacetValue[]} currencies with the numbers of products that have them */
    show(currencies) {
      arrange(
        list,
        currencies.map(({ value, count }) =>
          make(
            "button",
            {
              type: "button",
              class: "button button--small",
              "data-key": `currency ${value}`,
              onclick: () => choose(String(value)),
            },
            t("way.count", { way: String(value), count }),
          ),
        ),
      );
    },
  };
}
