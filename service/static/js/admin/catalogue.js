// A catalogue's file: dropped, recognized, shown as the products that it becomes, and ingested.

/** @import { Preview, PreviewRow } from "../types.js" */
/** @import { AdminClient } from "./client.js" */
/** @import { Column } from "./table.js" */
/** @import { Run } from "./versions.js" */

import { problemFrom } from "../api/client.js";
import { block, form, input, make } from "../page/dom.js";
import { count, money, path, plural } from "../page/format.js";
import { sentence } from "../page/messages.js";
import { showTable } from "./table.js";

/** @type {Column[]} */
const COLUMNS = [
  ["Row", "place"],
  ["Title"],
  ["Price"],
  ["Category"],
  ["Pictures", "number"],
  ["Problems", "message"],
];

/** Listen for a catalogue. @param {AdminClient} client @param {Run} run */
export function listenForCatalogue(client, run) {
  const chooser = input("catalogue-file");
  const drop = block("catalogue-drop");
  /** @type {File | null} */
  let file = null;
  let previewed = "";

  async function preview() {
    if (!file) return;
    previewed = JSON.stringify(parameters());
    show(make("p", { class: "panel__none" }, `Reading ${file.name}…`));
    try {
      const answer = await client.preview(file, parameters());
      show(...previewParts(file.name, answer, ingest));
    } catch (error) {
      show(...problemParts(problemFrom(error)));
    }
  }

  /** @param {Preview} answer @param {boolean} allow_shrink */
  function ingest({ source, mapping }, allow_shrink) {
    const request = { source, mapping, verify: true, allow_shrink };
    run(() => client.reindex(request), "Ingest started.");
    block("preview").hidden = true;
    file = null;
  }

  chooser.addEventListener("change", () => {
    file = chooser.files?.[0] ?? null;
    chooser.value = ""; // so that the same file can be chosen again
    preview();
  });
  form("catalogue-form").addEventListener("change", (event) => {
    // A field also changes when the focus leaves it for the button, long after it was read.
    if (event.target !== chooser && JSON.stringify(parameters()) !== previewed) preview();
  });
  form("catalogue-form").addEventListener("submit", (event) => event.preventDefault());
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    file = event.dataTransfer?.files[0] ?? null;
    preview();
  });
}

/** What the file does not say itself; what is empty is not said. */
function parameters() {
  /** @type {Record<string, string>} */
  const filled = {};
  for (const name of ["currency", "language", "images"]) {
    const text = input(`catalogue-${name}`).value.trim();
    if (text) filled[name] = text;
  }
  return filled;
}

/** @param {...HTMLElement} parts */
function show(...parts) {
  block("preview").replaceChildren(...parts);
  block("preview").hidden = false;
}

/** @param {string} name @param {Preview} preview @param {(preview: Preview, allowShrink: boolean) => void} ingest */
function previewParts(name, preview, ingest) {
  const { rows, failed, notes, left_out: leftOut } = preview;
  const taken = rows.length - failed;
  const table = make("div", { class: "panel__body" });
  showTable(table, COLUMNS, rows.map(cells), "The file has no rows.");
  const shrink = make("input", { type: "checkbox" });
  const button = make(
    "button",
    {
      type: "button",
      class: "button button--main",
      disabled: taken === 0,
      onclick: () => ingest(preview, shrink.checked),
    },
    `Ingest ${name}`,
  );
  const summary = `${plural(rows.length, "row")} shown, ${count(failed)} would fail.`;
  const others = Object.entries(leftOut).map(
    ([reason, number]) => `${plural(number, "row")} left out: ${reason}.`,
  );
  return [
    ...[...notes.map(sentence), ...others].map((text) => make("p", { class: "panel__note" }, text)),
    table,
    make(
      "div",
      { class: "catalogue__foot" },
      make("p", {}, summary),
      make(
        "label",
        { class: "catalogue__shrink" },
        shrink,
        "Allow removing products missing from the file",
      ),
      button,
    ),
    make(
      "p",
      { class: "panel__note" },
      "The products of the file replace all others: a new version is built beside the live one, verified and published. The first catalogue goes live as it is.",
    ),
  ];
}

/** @param {PreviewRow} row */
function cells({ place, product, pictures, problems }) {
  const price = product && product.price !== null ? money(product.price, product.currency) : "";
  return [
    place,
    product ? make("span", { dir: "auto" }, product.title) : stateOf("would fail"),
    price,
    product ? product.category.map(path).join(", ") : "",
    count(pictures.length),
    problems.map(({ field, message }) =>
      make("p", {}, field ? `${field}: ${message}` : sentence(message)),
    ),
  ];
}

/** @param {string} text */
const stateOf = (text) => make("span", { class: "state state--failed" }, text);

/** @param {ReturnType<typeof problemFrom>} problem */
function problemParts({ title, message, errors }) {
  const texts = errors.length ? errors.map((error) => error.message) : [message];
  return [
    make("p", { class: "error", role: "alert" }, `${title}. ${texts.map(sentence).join(" ")}`),
  ];
}
