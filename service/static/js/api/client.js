// The service's API. Every failure is a `Problem`, whether the service refused, broke, or could not be reached.

/** @import { Box, Catalogue, FacetValue, ProblemBody, SearchAnswer, StoredProduct, Suggestion } from "../types.js" */

import { t } from "../page/texts.js";
import { cut } from "../picture/upload.js";

export class Problem extends Error {
  /** @param {ProblemBody} body */
  constructor({
    status,
    title,
    detail,
    code = "",
    reason = "",
    requestId = "",
    errors = [],
    jobId = null,
    retryAfter = null,
  }) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.code = code;
    this.reason = reason;
    this.requestId = requestId;
    this.errors = errors;
    this.jobId = jobId;
    this.retryAfter = retryAfter;
  }

  /** Whether the service found fault with a field. @param {string} field */
  concerns(field) {
    return this.errors.some((error) => error.field === field);
  }

  /** Whether the same request may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Whether a request was aborted, by a newer one. @param {unknown} error */
export const aborted = (error) => error instanceof Error && error.name === "AbortError";

/**
 * What went wrong, as a `Problem`; an error of the page itself becomes one too.
 * @param {unknown} error
 */
export function problemFrom(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  const detail = error instanceof Error ? error.message : String(error);
  return new Problem({
    status: -1,
    title: t("problem.page"),
    detail: t("problem.page.text", { detail }),
  });
}

/** An address of the service, wherever under its host it lives. @param {string} path without a slash at its front */
export const address = (path) => (document.documentElement.dataset.root ?? "/") + path;

/** The fields of the catalogue, its size, and how many products one search may rank. */
export const loadCatalogue = () =>
  /** @type {Promise<Catalogue>} */ (send("GET", address("v1/fields")));

/** @param {string} id */
const productAddress = (id) => address(`v1/products/${encodeURIComponent(id)}`);

/** @param {string} id @param {AbortSignal} [signal] @returns {Promise<StoredProduct>} */
export const loadProduct = (id, signal) => send("GET", productAddress(id), { signal });

/** @param {string} id @param {number} limit @param {AbortSignal} [signal] @returns {Promise<SearchAnswer>} */
export const loadSimilar = (id, limit, signal) =>
  send("GET", `${productAddress(id)}/similar?limit=${limit}`, { signal });

/** What POST /v1/search takes; of `image` only the part. @typedef {{image?: {box: Box}, [name: string]: unknown}} SearchRequest */
/** A picture that the service keeps; `objects` tells whether it can find the things in it. @typedef {{key: string, objects: boolean}} Photo */
/** The pictures that the service keeps, null of one that it could not keep. @type {WeakMap<Blob, Promise<Photo | null>>} */
const kept = new WeakMap();

/**
 * Search; a picture goes over the line once, however many searches look for it, or for a part of it.
 * @param {SearchRequest} request @param {Blob | null} [picture] @param {AbortSignal} [signal] @returns {Promise<SearchAnswer>}
 */
export async function search(request, picture = null, signal) {
  const photo = picture && (await photoOf(picture));
  if (!photo) return searchByFile(request, picture, signal);
  const image = { ...request.image, key: photo.key };
  try {
    return await post("v1/search", { ...request, image }, null, signal);
  } catch (error) {
    if (!(error instanceof Problem) || !error.concerns("image.key")) throw error;
    kept.delete(picture); // its time was over, or it was another service that kept it
    return searchByFile(request, picture, signal);
  }
}

/** A file is searched for as a whole, so that of a part is cut here. @param {SearchRequest} request @param {Blob | null} picture @param {AbortSignal} [signal] */
async function searchByFile({ image, ...request }, picture, signal) {
  const file = picture && image ? await cut(picture, image.box) : picture;
  return post("v1/search", request, file, signal);
}

/** Where the things in a picture are, in its pixels; none where the service cannot find them. @param {Blob} picture @returns {Promise<Box[]>} */
export async function loadObjects(picture) {
  const photo = await photoOf(picture);
  if (!photo?.objects) return [];
  const { objects } = await post(`v1/pictures/${photo.key}/objects`, {}, null);
  return objects.map((/** @type {{box: Box}} */ { box }) => box);
}

/** @param {Blob} picture @returns {Promise<Photo | null>} */
function photoOf(picture) {
  const photo = kept.get(picture) ?? post("v1/pictures/upload", {}, picture);
  kept.set(picture, photo);
  return photo.catch((error) => {
    kept.delete(picture);
    if (error instanceof Problem && error.status >= 500) return null; // its disk is full: searches take a file as well
    throw error;
  });
}

/** What completes a text. @param {string} text @param {AbortSignal} signal @returns {Promise<Suggestion[]>} */
export async function loadSuggestions(text, signal) {
  const parameters = new URLSearchParams({ q: text });
  return (await send("GET", address(`v1/suggest?${parameters}`), { signal })).suggestions;
}

/**
 * The values of a field that contain a text.
 * @param {string} field
 * @param {URLSearchParams} parameters the text as `q`, and the filters
 * @returns {Promise<{values: FacetValue[], cut: boolean}>}
 */
export const searchFacet = (field, parameters) =>
  send("GET", address(`v1/facets/${encodeURIComponent(field)}?${parameters}`));

/**
 * POST a request, with a picture beside it when there is one.
 * @param {string} path @param {object} request @param {Blob | null} picture @param {AbortSignal} [signal]
 */
export function post(path, request, picture, signal) {
  if (!picture) return send("POST", address(path), { json: request, signal });
  const form = new FormData();
  form.append("request", JSON.stringify(request));
  form.append("image", picture, "picture");
  return send("POST", address(path), { body: form, signal });
}

/**
 * Send a request and return the answer's JSON; an aborted one rejects with AbortError.
 * @param {string} method @param {string} url
 * @param {{json?: object, body?: BodyInit | null, signal?: AbortSignal, headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 */
export async function send(method, url, { json, body = null, signal, headers = {} } = {}) {
  const sent = new Headers({ Accept: "application/json", ...headers });
  if (json !== undefined) sent.set("Content-Type", "application/json");
  const response = await fetch(url, {
    method,
    body: json === undefined ? body : JSON.stringify(json),
    signal,
    headers: sent,
  }).catch((error) => {
    if (aborted(error)) throw error;
    throw new Problem({
      status: 0,
      title: t("problem.unreachable"),
      detail: t("problem.unreachable.text"),
    });
  });
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

/** @param {Response} response */
async function problemOf(response) {
  const body = await response.json().catch(() => ({})); // not every proxy answers with JSON
  return new Problem({
    status: response.status,
    title: body.title ?? t("problem.answer"),
    detail: body.detail ?? t("problem.status", { status: String(response.status) }),
    code: body.type?.split(":").at(-1),
    reason: body.reason,
    requestId: body.request_id ?? response.headers.get("X-Request-ID") ?? "",
    errors: body.errors ?? [],
    jobId: body.job_id ?? null,
    retryAfter: Number(response.headers.get("Retry-After")) || null,
  });
}
