// The page on which a picture is put before the models.

import { catalogue, search } from "./api/client.js";
import { byId } from "./page/dom.js";
import { leaf } from "./page/format.js";
import { toast } from "./page/toast.js";
import { listenForPictures, shrink } from "./picture/intake.js";
import { sentence } from "./results/notices.js";
import { classify, detect, similarity } from "./try/findings.js";
import { Stage } from "./try/stage.js";

const SIDE = 1280; // small things in a large picture must stay findable
const MOST_LABELS = 8;

const stage = new Stage(byId("picture"));
let asking = new AbortController();

async function take(file) {
  try {
    await stage.show(await shrink(file, SIDE));
  } catch {
    toast("This browser cannot read that picture. Take a JPEG, PNG or WebP.");
    return;
  }
  byId("empty").hidden = true;
  byId("picture").hidden = false;
  byId("another").hidden = false;
  look();
}

function labels() {
  return [
    ...new Set(
      byId("labels")
        .value.split("\n")
        .map((line) => line.trim())
        .filter(Boolean),
    ),
  ];
}

/** Ask all three at once; each shows its own answer or its own trouble. */
async function look() {
  asking.abort();
  asking = new AbortController();
  const wanted = labels();
  if (!stage.blob) return toast("Give a picture first.");
  if (!wanted.length) {
    byId("labels").focus();
    return toast("Write at least one label.");
  }
  const question = {
    picture: stage.blob,
    labels: wanted,
    template: byId("template").value,
    signal: asking.signal,
    stage,
  };
  byId("status").textContent = "Looking…";
  const finished = await Promise.all([classify(question), similarity(question), detect(question)]);
  if (finished.every(Boolean)) byId("status").textContent = finished.join(" ");
  return null;
}

/** Labels to begin with: the shop's own categories. */
async function suggest() {
  const categories = (await catalogue()).fields.find(
    (field) => field.type === "path" && field.facet,
  );
  if (!categories || byId("labels").value) return;
  const { facets } = await search({ facets: [categories.name], limit: 1 });
  const paths = facets[categories.name].map(({ value }) => value);
  const leaves = paths
    .filter((path) => !paths.some((other) => other.startsWith(`${path}/`)))
    .map((path) => leaf(path).toLowerCase());
  const spread = leaves.filter((_, at) => at % Math.ceil(leaves.length / MOST_LABELS) === 0);
  byId("labels").value = spread.join("\n");
}

/** A picture of the shop, another one each time. */
async function sample() {
  try {
    const { total } = await search({ limit: 1 });
    const { hits } = await search({ limit: Math.min(total, 100) });
    if (!hits.length) return toast("The shop has no products yet.");
    const hit = hits[Math.floor(Math.random() * hits.length)];
    const response = await fetch(hit.image_url);
    if (!response.ok) return toast("That product has no picture. Try again.");
    return await take(await response.blob());
  } catch (problem) {
    return toast(sentence(problem.message));
  }
}

byId("asking").addEventListener("submit", (event) => {
  event.preventDefault();
  look();
});
byId("another").addEventListener("click", () => byId("file").click());
byId("sample").addEventListener("click", sample);
listenForPictures({ take, refuse: toast, veil: byId("drop"), input: byId("file") });
suggest().catch((problem) => toast(sentence(problem.message)));
