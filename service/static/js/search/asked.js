// The parts of the query that are no words: the picture, the products as examples, and how much each counts.

import { product } from "../api/client.js";
import { arrange, icon, keepingFocus, make, picture } from "../page/dom.js";
import { shown } from "../picture/kept.js";
import { asks, mixes } from "./state.js";

const names = new Map();

/** Show the parts of a state in `holder`; `go(state)` searches on. */
export async function showAsked(holder, state, go) {
  const parts = [];
  if (state.picture) parts.push(await uploaded(state, go));
  for (const id of state.like)
    parts.push(await example(id, "Looks like", () => go(without(state, "like", id))));
  for (const id of state.unlike)
    parts.push(await example(id, "Not like", () => go(without(state, "unlike", id))));
  if (mixes(state)) parts.push(balance(state, go));
  return () => {
    keepingFocus(holder, () => arrange(holder, parts));
    holder.hidden = parts.length === 0;
  };
}

function without(state, kind, id) {
  const next = { ...state, [kind]: state[kind].filter((one) => one !== id) };
  return asks(next) ? next : { ...next, sort: next.sort };
}

async function uploaded(state, go) {
  const found = await shown(state.picture);
  const image = found
    ? make("img", { class: "asked__picture", src: found.url, alt: "Your picture" })
    : make("span", { class: "asked__picture no-picture" }, icon("picture"));
  return part(image, "Your picture", found ? found.name || "Picture" : "Not in this tab", () =>
    go({ ...state, picture: null, balance: 0 }),
  );
}

async function example(id, kind, remove) {
  if (!names.has(id)) {
    const found = await product(id).catch((problem) => ({
      image_url: null,
      product: { title: problem.status === 404 ? "No longer in the shop" : id },
    }));
    names.set(id, found);
  }
  const { image_url: url, product: thing } = names.get(id);
  const image = make(
    "span",
    { class: "asked__picture card__picture" },
    url ? picture(url, { size: 320, lazy: false }) : icon("picture"),
  );
  return part(image, kind, thing.title, remove);
}

function part(image, kind, name, remove) {
  const button = make(
    "button",
    { type: "button", class: "round", "data-key": `asked ${name}`, onclick: remove },
    icon("cross"),
  );
  button.setAttribute("aria-label", `Remove: ${kind.toLowerCase()} ${name}`);
  return make(
    "div",
    { class: "asked__part" },
    image,
    make(
      "span",
      {},
      make("span", { class: "asked__kind" }, kind),
      make("span", { class: "asked__name", title: name }, name),
    ),
    button,
  );
}

function balance(state, go) {
  const slider = make("input", {
    type: "range",
    min: -1,
    max: 1,
    step: 0.25,
    "data-key": "balance",
    onchange: () => go({ ...state, balance: Number(slider.value) }),
  });
  slider.value = state.balance;
  slider.setAttribute("aria-label", "How much the words count beside the picture");
  return make("label", { class: "balance" }, "Picture", slider, "Words");
}
