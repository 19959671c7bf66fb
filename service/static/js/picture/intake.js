// Pictures come in by drop, paste or file; they leave small, for no model looks at more than a few hundred pixels.

const SIDE = 768;
const QUALITY = 0.9;

/** Listen for pictures anywhere on the page. `take(file)` gets the first picture, `refuse(reason)` anything else. */
export function listenForPictures({ take, refuse, veil, input }) {
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file) first([file], take, refuse);
    input.value = ""; // so that the same file can be chosen again
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return; // words are pasted into the field as ever
    event.preventDefault();
    first(files, take, refuse);
  });
  listenForDrops({ take, refuse, veil });
}

function listenForDrops({ take, refuse, veil }) {
  let depth = 0; // dragenter and dragleave come for every element on the way
  const cover = (shown) => {
    depth = shown ? depth : 0;
    veil.hidden = !shown;
  };
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
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    cover(false);
    first([...event.dataTransfer.files], take, refuse);
  });
}

function first(files, take, refuse) {
  const found = files.find((file) => file.type.startsWith("image/"));
  if (found) take(found);
  else refuse("That is no picture. Drop, paste or choose a picture such as a JPEG, PNG or WebP.");
}

/** The picture upright, on white where it is transparent, at most `side` pixels wide and high, as a JPEG. */
export async function shrink(file, side = SIDE) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return file; // a format that this browser cannot read: the service may, or says why not
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  return draw(bitmap, { x: 0, y: 0, width: bitmap.width, height: bitmap.height }, scale);
}

/** A part of a picture as a JPEG. */
export function draw(source, { x, y, width, height }, scale = 1) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}
