// The page on which a picture is put before the models.

import { loadCatalogue, problemFrom, search } from "./api/client.js";
import { block, byId, button, form, input } from "./page/dom.js";
import { toast } from "./page/messages.js";
import { inShort } from "./page/problem_texts.js";
import { t } from "./page/texts.js";
import { listenForPictures, shrink } from "./picture/upload.js";
import { leavesOf } from "./search/suggestions.js";
import { classify, detect, similarity } from "./try/findings.js";
import { Stage } from "./try/stage.js";

const SIDE = 1280; // small things in a large picture must stay findable
const MOST_LABELS = 8;

const stage = new Stage();
const labelsBox = byId("labels", HTMLTextAreaElement);
let running = new AbortController();

/** @param {Blob} file */
async function take(file) {
  try {
    await stage.show(await shrink(file, SIDE));
  } catch {
    toast(t("try.unreadable"));
    return;
  }
  block("empty").hidden = true;
  block("picture").hidden = false;
  button("another").hidden = false;
  await analyze();
}

/** The labels as they were written, each once. */
function readLabels() {
  const lines = labelsBox.value.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter(Boolean))];
}

/** Ask all three at once; each shows its own answer or its own trouble. */
async function analyze() {
  running.abort();
  running = new AbortController();
  const labels = readLabels();
  if (!stage.blob) return toast(t("try.first"));
  if (!labels.length) {
    labelsBox.focus();
    return toast(t("try.none"));
  }
  const template = input("template").value;
  const question = { picture: stage.blob, labels, template, signal: running.signal, stage };
  block("status").textContent = t("try.analyzing");
  const sentences = await Promise.all([classify(question), similarity(question), detect(question)]);
  if (sentences.every(Boolean)) block("status").textContent = sentences.join(" ");
}

/** Labels to begin with: the shop's own categories. */
async function suggestLabels() {
  const { fields } = await loadCatalogue();
  const categories = fields.find((field) => field.type === "path" && field.facet);
  if (!categories || labelsBox.value) return;
  const { facets } = await search({ facets: [categories.name], limit: 1 });
  const facet = facets[categories.name];
  const leaves = leavesOf(Array.isArray(facet) ? facet.map(({ value }) => String(value)) : []);
  const step = Math.ceil(leaves.length / MOST_LABELS);
  labelsBox.value = leaves.filter((_leaf, at) => at % step === 0).join("\n");
}

/** A photo of the shop, another one each time. */
async function useShopPhoto() {
  try {
    const { hits } = await search({ limit: 100 });
    if (!hits.length) return toast(t("empty.shop"));
    const hit = hits[Math.floor(Math.random() * hits.length)];
    const response = await fetch(hit.image_url);
    if (!response.ok) return toast(t("try.sample.none"));
    await take(await response.blob());
  } catch (error) {
    toast(inShort(problemFrom(error)));
  }
}

form("labels-form").addEventListener("submit", (event) => {
  event.preventDefault();
  analyze();
});
button("another").addEventListener("click", () => input("file").click());
button("sample").addEventListener("click", useShopPhoto);
listenForPictures({ take, refuse: toast, veil: block("drop"), input: input("file") });
suggestLabels().catch((error) => toast(inShort(problemFrom(error))));
