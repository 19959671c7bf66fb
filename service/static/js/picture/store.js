// Uploaded pictures, kept by a short key for as long as the tab is open: the address holds the key, the tab the picture.

import { Problem } from "../api/client.js";
import { t } from "../page/texts.js";

const PREFIX = "vitrine.picture.";
const MOST = 6;

/** @typedef {{blob: Blob, name: string, url: string}} Upload `url` is an address for <img> */
/** @type {Map<string, Upload>} */
const uploads = new Map();

export const pictureStore = { add, find };

/** Keep a picture and return its key. @param {Blob} blob @param {string} [name] */
async function add(blob, name = "") {
  const random = [...crypto.getRandomValues(new Uint8Array(6))];
  const key = random.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  uploads.set(key, { blob, name, url: URL.createObjectURL(blob) });
  store(key, JSON.stringify({ name, data: await dataUrl(blob), at: Date.now() }));
  return key;
}

/** The picture of a key; null when this tab does not have it. @param {string} key @returns {Promise<Upload | null>} */
async function find(key) {
  return uploads.get(key) ?? restore(key);
}

/** The picture of a key as a Blob, null without a key; a `Problem` says when this tab does not have it. @param {string | null} key */
export async function storedPicture(key) {
  if (!key) return null;
  const upload = await find(key);
  if (upload) return upload.blob;
  throw new Problem({
    status: 410,
    title: t("picture.gone"),
    detail: t("picture.gone.text"),
  });
}

/** @param {string} key */
function restore(key) {
  const text = sessionStorage.getItem(PREFIX + key);
  if (!text) return null;
  const { name, data } = JSON.parse(text);
  const blob = blobOf(data);
  const upload = { blob, name, url: URL.createObjectURL(blob) };
  uploads.set(key, upload);
  return upload;
}

/** @param {string} key @param {string} text */
function store(key, text) {
  const stored = Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX));
  stored.sort((a, b) => JSON.parse(sessionStorage[a]).at - JSON.parse(sessionStorage[b]).at);
  const surplus = Math.max(0, stored.length - MOST + 1);
  for (const name of stored.slice(0, surplus)) sessionStorage.removeItem(name);
  try {
    sessionStorage.setItem(PREFIX + key, text);
  } catch (error) {
    // No room: the picture serves until the page is reloaded, which then says that it is gone.
    console.info("the picture is not kept for a reload:", error);
  }
}

/** @param {Blob} blob @returns {Promise<string>} */
function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// Not by fetch(): the page's content security policy lets it connect to this service alone.
/** @param {string} url */
function blobOf(url) {
  const [head, packed] = url.split(",");
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5).split(";")[0] });
}
