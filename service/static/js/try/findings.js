// The three answers: probabilities, cosines, boxes. Each asks, shows, and returns a sentence for screen readers.

/** @import { DetectedObject } from "../types.js" */
/** @import { Stage } from "./stage.js" */

import { aborted, post, problemFrom } from "../api/client.js";
import { block, input, make } from "../page/dom.js";
import { percent, score } from "../page/format.js";
import { inShort } from "../page/problem_texts.js";
import { t } from "../page/texts.js";
import { paintOf } from "./stage.js";

/** The detector is asked for weak objects too: the page's own slider hides them. */
const LEAST_SCORE = 0.02;
const MOST_BOXES = 40;

/** @typedef {{picture: Blob, labels: string[], template: string, signal: AbortSignal, stage: Stage}} Question */
/** @typedef {(body: Element) => Promise<string>} Answer */

/** @param {Question} question */
export const classify = ({ picture, labels, template, signal }) =>
  finding("classify", async (body) => {
    const answer = await post("v1/classify", { labels, template }, picture, signal);
    /** @type {{label: string, probability: number}[]} */
    const ranked = answer.labels;
    const best = ranked[0].probability;
    showBars(
      body,
      ranked.map(({ label, probability: share }) =>
        bar(label, share, percent(share, 1), share === best),
      ),
    );
    return t("try.best", { label: ranked[0].label });
  });

/** @param {Question} question */
export const similarity = ({ picture, labels, signal }) =>
  finding("similarity", async (body) => {
    const answer = await post("v1/similarity", { texts: labels }, picture, signal);
    /** @type {{text: string, cosine: number}[]} */
    const similarities = answer.similarities;
    const best = Math.max(...similarities.map(({ cosine }) => cosine));
    showBars(
      body,
      similarities.map(({ text, cosine }) =>
        bar(text, Math.max(0, cosine), score(cosine, 4), cosine === best),
      ),
    );
    return " ";
  });

/** @param {Question} question */
export const detect = ({ picture, labels, signal, stage }) =>
  finding("detect", async (body) => {
    stage.mark([], labels);
    const answer = await post("v1/detect", { labels, threshold: LEAST_SCORE }, picture, signal);
    /** @type {DetectedObject[]} */
    const objects = answer.objects.slice(0, MOST_BOXES);
    const crops = await Promise.all(objects.map((object) => stage.crop(object.box)));
    const tiles = objects.map((object, at) => {
      const url = URL.createObjectURL(crops[at]);
      return { object, tile: objectTile(object, url, labels, stage) };
    });
    const slider = input("threshold");
    const show = () => {
      const strong = tiles.filter(({ object }) => object.score >= Number(slider.value));
      block("threshold-value").textContent = score(Number(slider.value));
      stage.mark(
        strong.map(({ object }) => object),
        labels,
      );
      body.replaceChildren(objectList(strong.map(({ tile }) => tile)));
      return strong.length;
    };
    slider.oninput = show;
    return t("try.objects.count", { count: show() });
  });

/**
 * Show one answer under its heading, or its own trouble; the result is empty when it was aborted.
 * @param {string} id
 * @param {Answer} answer
 */
async function finding(id, answer) {
  const section = block(id);
  const body = section.querySelector(".finding__body") ?? section;
  section.hidden = false;
  section.setAttribute("aria-busy", "true");
  try {
    return await answer(body);
  } catch (error) {
    if (aborted(error)) return "";
    const problem = problemFrom(error);
    const { requestId } = problem;
    const reference = requestId ? ` (${t("problem.request", { id: requestId })})` : "";
    const text = `${inShort(problem)}${reference}`;
    body.replaceChildren(make("p", { class: "finding__error", role: "alert" }, text));
    return " ";
  } finally {
    section.removeAttribute("aria-busy");
  }
}

/** @param {Element} body @param {HTMLElement[]} bars */
const showBars = (body, bars) => body.replaceChildren(make("div", { class: "bars" }, bars));

/** One bar: a name, a share of the whole from 0 to 1, and the value in words. @param {string} name @param {number} share @param {string} value @param {boolean} isBest */
function bar(name, share, value, isBest) {
  const fill = make("span", { class: "bar__fill" });
  fill.style.width = `${Math.min(1, share) * 100}%`;
  return make(
    "div",
    { class: isBest ? "bar bar--best" : "bar" },
    make("span", { class: "bar__name", title: name, dir: "auto" }, name),
    make("span", { class: "bar__track", "aria-hidden": "true" }, fill),
    make("span", { class: "bar__value" }, value),
  );
}

/** @param {HTMLElement[]} tiles */
const objectList = (tiles) =>
  tiles.length
    ? make("ul", { class: "objects" }, tiles)
    : make("p", { class: "finding__none" }, t("try.objects.none"));

/** @param {DetectedObject} object @param {string} url @param {string[]} labels @param {Stage} stage */
function objectTile(object, url, labels, stage) {
  const { label } = object;
  const image = make("img", { class: "object__picture", src: url, alt: "" });
  image.style.setProperty("--box", paintOf(label, labels));
  const hold = () => stage.hold(object);
  const release = () => stage.hold(null);
  return make(
    "li",
    {
      class: "object",
      onpointerenter: hold,
      onpointerleave: release,
      onfocusin: hold,
      onfocusout: release,
    },
    image,
    make(
      "span",
      {},
      make("span", { class: "object__name", dir: "auto" }, label),
      make("span", { class: "object__score" }, t("try.score", { score: score(object.score) })),
    ),
    make(
      "button",
      {
        type: "button",
        class: "button button--small",
        "aria-label": t("try.search.of", { label }),
        onclick: () => stage.searchFor(object),
      },
      t("try.search"),
    ),
  );
}
