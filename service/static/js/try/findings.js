// The three answers: probabilities, cosines, boxes. Each asks, shows, and returns a sentence for screen readers.

import { ask } from "../api/client.js";
import { byId, make } from "../page/dom.js";
import { plural, score } from "../page/format.js";
import { sentence } from "../results/notices.js";
import { bar } from "./bar.js";
import { paintOf } from "./stage.js";

/** The detector is asked for weak finds too: the page's own slider hides them. */
const LEAST_SCORE = 0.02;
const MOST_BOXES = 40;

export const classify = (question) =>
  finding("classify", question, async ({ picture, labels, template, signal }, body) => {
    const found = (await ask("/v1/classify", { labels, template }, picture, signal)).labels;
    body.replaceChildren(
      make(
        "div",
        { class: "bars" },
        found.map(({ label, probability }) =>
          bar(
            label,
            probability,
            `${(probability * 100).toFixed(1)} %`,
            probability === found[0].probability,
          ),
        ),
      ),
    );
    return `It fits ${found[0].label} best.`;
  });

export const similarity = (question) =>
  finding("similarity", question, async ({ picture, labels, signal }, body) => {
    const found = (await ask("/v1/similarity", { texts: labels }, picture, signal)).similarities;
    const best = Math.max(...found.map(({ cosine }) => cosine));
    body.replaceChildren(
      make(
        "div",
        { class: "bars" },
        found.map(({ text, cosine }) =>
          bar(text, Math.max(0, cosine), cosine.toFixed(4), cosine === best),
        ),
      ),
    );
    return "";
  });

export const detect = (question) =>
  finding("detect", question, async ({ picture, labels, signal, stage }, body) => {
    stage.mark([], labels, () => {});
    const { objects } = await ask(
      "/v1/detect",
      { labels, threshold: LEAST_SCORE },
      picture,
      signal,
    );
    const pictures = await Promise.all(
      objects
        .slice(0, MOST_BOXES)
        .map(async (object) => URL.createObjectURL(await stage.cut(object.box))),
    );
    const slider = byId("threshold");
    const show = () =>
      showObjects(objects.slice(0, MOST_BOXES), pictures, { slider, body, labels, stage });
    slider.oninput = show;
    return `${plural(show(), "object")} found.`;
  });

async function finding(id, question, answer) {
  const section = byId(id);
  const body = section.querySelector(".finding__body");
  section.hidden = false;
  section.setAttribute("aria-busy", "true");
  try {
    return (await answer(question, body)) || " ";
  } catch (problem) {
    if (problem.name === "AbortError") return "";
    const id = problem.requestId ? ` (request ${problem.requestId})` : "";
    body.replaceChildren(
      make(
        "p",
        { class: "finding__wrong", role: "alert" },
        `${problem.title ?? "The page failed"}. ${sentence(problem.message)}${id}`,
      ),
    );
    return " ";
  } finally {
    section.removeAttribute("aria-busy");
  }
}

function showObjects(objects, pictures, { slider, body, labels, stage }) {
  const least = Number(slider.value);
  byId("threshold-shown").textContent = least.toFixed(2);
  const strong = objects.filter((object) => object.score >= least);
  stage.mark(strong, labels, (object) => stage.searchFor(object));
  const rows = strong.map((object) =>
    thing(object, pictures[objects.indexOf(object)], labels, stage),
  );
  body.replaceChildren(
    rows.length
      ? make("ul", { class: "things" }, rows)
      : make("p", { class: "finding__none" }, "None of the labels was found with this score."),
  );
  return strong.length;
}

function thing(object, url, labels, stage) {
  const image = make("img", { class: "thing__picture", src: url, alt: "" });
  image.style.setProperty("--box", paintOf(object.label, labels));
  const name = make(
    "span",
    {},
    make("span", { class: "thing__name" }, object.label),
    make("span", { class: "thing__score" }, `score ${score(object.score)}`),
  );
  const go = make(
    "button",
    {
      type: "button",
      class: "button button--small",
      "aria-label": `Search for this ${object.label}`,
      onclick: () => stage.searchFor(object),
    },
    "Search for this",
  );
  return make(
    "li",
    {
      class: "thing",
      onpointerenter: () => stage.hold(object),
      onpointerleave: () => stage.hold(null),
      onfocusin: () => stage.hold(object),
      onfocusout: () => stage.hold(null),
    },
    image,
    name,
    go,
  );
}
