// Uploaded pictures, kept by a short key for as long as the tab is open: the address holds the key, the tab the picture.

import { Problem } from "../api/client.js";

const PREFIX = "vitrine.picture.";
const MOST = 6;
const here = new Map();

/** Keep a picture and return its key. */
export async function keep(blob, name = "") {
  const key = [...crypto.getRandomValues(new Uint8Array(6))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  here.set(key, { blob, name, url: URL.createObjectURL(blob) });
  store(key, JSON.stringify({ name, data: await dataUrl(blob), at: Date.now() }));
  return key;
}

/** The picture of a key as a Blob, null without a key; a `Problem` says when this tab does not have it. */
export async function kept(key) {
  if (!key) return null;
  const found = here.get(key) ?? (await restore(key));
  if (found) return found.blob;
  throw new Problem({
    status: 410,
    title: "This picture stayed in another tab",
    detail:
      "A picture that was dropped into the page is not part of its address. Drop it here again, or go on without it.",
  });
}

/** Its name and an address for <img>; null when this tab does not have it. */
export async function shown(key) {
  return here.get(key) ?? (await restore(key));
}

async function restore(key) {
  const text = sessionStorage.getItem(PREFIX + key);
  if (!text) return null;
  const { name, data } = JSON.parse(text);
  const blob = blobOf(data);
  const found = { blob, name, url: URL.createObjectURL(blob) };
  here.set(key, found);
  return found;
}

function store(key, text) {
  const old = Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX));
  old.sort((a, b) => JSON.parse(sessionStorage[a]).at - JSON.parse(sessionStorage[b]).at);
  for (const name of old.slice(0, Math.max(0, old.length - MOST + 1)))
    sessionStorage.removeItem(name);
  try {
    sessionStorage.setItem(PREFIX + key, text);
  } catch (error) {
    // No room: the picture serves until the page is reloaded, which then says that it is gone.
    console.info("the picture is not kept for a reload:", error.name);
  }
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// Not by fetch(): the page's content security policy lets it connect to this service alone.
function blobOf(url) {
  const [head, packed] = url.split(",");
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5).split(";")[0] });
}
