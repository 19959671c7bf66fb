// Pictures come in by drop, paste or file; they leave small, for no model looks at more than a few hundred pixels.

/** @import { Box } from "../types.js" */

import { t } from "../page/texts.js";

const SIDE = 768;
/** JPEG qualities, best first: the next one is used where a picture is still too large. */
const QUALITIES = [0.9, 0.8, 0.65, 0.5];
/** Many proxies refuse bodies of more than a megabyte (nginx: client_max_body_size). */
const LARGEST_BYTES = 900_000;

/**
 * Where pictures go: `take(file)` gets the first picture, `refuse(reason)` anything else; `veil` covers the page while a
 * file is dragged over it.
 * @typedef {{take: (file: File) => void, refuse: (reason: string) => void, veil: HTMLElement, input: HTMLInputElement}} Uploads
 */

/** Listen for pictures anywhere on the page. @param {Uploads} uploads */
export function listenForPictures(uploads) {
  const { input } = uploads;
  input.addEventListener("change", () => {
    takeFirst([...(input.files ?? [])], uploads);
    input.value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return; // words are pasted into the field as ever
    event.preventDefault();
    takeFirst(files, uploads);
  });
  listenForDrops(uploads);
}

/** @param {Uploads} uploads */
function listenForDrops(uploads) {
  let depth = 0; // dragenter and dragleave come for every element on the way
  /** @param {boolean} shown */
  const cover = (shown) => {
    depth = shown ? depth : 0;
    uploads.veil.hidden = !shown;
  };
  /** @param {DragEvent} event */
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    cover(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0) cover(false);
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer || !carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer || !carriesFiles(event)) return;
    event.preventDefault();
    cover(false);
    takeFirst([...event.dataTransfer.files], uploads);
  });
}

/** Pictures that some systems know no type for. */
const UNTYPED = /\.(heic|heif|avif|tiff?)$/i;

/** @param {File} file */
const isPicture = ({ type, name }) => type.startsWith("image/") || (!type && UNTYPED.test(name));

/** @param {File[]} files @param {Uploads} uploads */
function takeFirst(files, { take, refuse }) {
  if (!files.length) return;
  const pictures = files.filter(isPicture);
  if (pictures.length) take(pictures[0]);
  if (pictures.length > 1) {
    refuse(t("upload.several", { name: pictures[0].name }));
  } else if (!pictures.length) {
    refuse(t("upload.refused"));
  }
}

/**
 * The picture upright, on white where it is transparent, at most `side` pixels wide and high, as a JPEG.
 * @param {Blob} file
 */
export async function shrink(file, side = SIDE) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return file; // a format that this browser cannot read: the service may, or says why not
  const { width, height } = bitmap;
  return draw(bitmap, { x: 0, y: 0, width, height }, Math.min(1, side / Math.max(width, height)));
}

/** A part of a picture, in its pixels, as a JPEG. @param {Blob} file @param {Box} box */
export async function cut(file, { xmin, ymin, xmax, ymax }) {
  const bitmap = await createImageBitmap(file);
  return draw(bitmap, { x: xmin, y: ymin, width: xmax - xmin, height: ymax - ymin });
}

/**
 * A part of a picture as a JPEG.
 * @param {CanvasImageSource} source
 * @param {{x: number, y: number, width: number, height: number}} part
 * @returns {Promise<Blob>}
 */
export function draw(source, { x, y, width, height }, scale = 1) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser cannot draw on a canvas");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return small(canvas);
}

/** What a canvas shows as a JPEG, as good as fits. @param {HTMLCanvasElement} canvas */
async function small(canvas) {
  let blob = null;
  for (const quality of QUALITIES) {
    blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (!blob) throw new Error("this browser cannot write a JPEG");
    if (blob.size <= LARGEST_BYTES) break;
  }
  return blob;
}
