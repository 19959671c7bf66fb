// What is said instead of products: nothing found, or something went wrong.

import { icon, make } from "../page/dom.js";
import { asks, filtered } from "../search/state.js";

export function nothingFound(state, { clearFilters, clearAll }) {
  const actions = [];
  if (filtered(state)) actions.push(button("Clear the filters", clearFilters, "button--main"));
  if (asks(state)) actions.push(button("Show all products", clearAll));
  const text = filtered(state)
    ? "No product passes all of these filters together. Take one away, or clear them."
    : "The catalogue is empty. Products appear here as soon as they are ingested.";
  return notice({ sign: "lens", title: "Nothing found", text, actions });
}

export function wentWrong(problem, { retry, clearFilters, clearAll }) {
  const actions = problem.passing
    ? [button("Try again", retry, "button--main")]
    : [button("Show all products", clearAll, "button--main")];
  if (problem.status === 422) actions.unshift(button("Clear the filters", clearFilters));
  return notice({
    kind: "error",
    sign: "unlike",
    title: problem.title,
    text: sentence(problem.detail),
    requestId: problem.requestId,
    actions,
  });
}

export function notice({ kind, sign, title, text, requestId, actions }) {
  return make(
    "div",
    {
      class: kind ? `notice notice--${kind}` : "notice",
      role: kind === "error" ? "alert" : undefined,
    },
    make("span", { class: "notice__sign" }, icon(sign)),
    make("h2", { class: "notice__title" }, title),
    make("p", { class: "notice__text" }, text),
    requestId ? make("p", { class: "notice__id" }, "Request ", make("code", {}, requestId)) : null,
    make("div", { class: "notice__actions" }, actions),
  );
}

function button(text, act, kind = "") {
  return make("button", { type: "button", class: `button ${kind}`, onclick: act }, text);
}

export function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
