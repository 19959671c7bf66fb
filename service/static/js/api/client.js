// The service's API. Every failure is a `Problem`, whether the service refused, broke, or could not be reached.

export class Problem extends Error {
  constructor({ status, title, detail, requestId = "", errors = [], jobId = null }) {
    super(detail || title);
    Object.assign(this, { name: "Problem", status, title, detail, requestId, errors, jobId });
  }

  /** Whether the same request may succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The fields of the catalogue, its size, and how many products one search may rank. */
export const catalogue = (signal) => send("GET", "/v1/fields", { signal });
export const product = (id, signal) =>
  send("GET", `/v1/products/${encodeURIComponent(id)}`, { signal });
export const similar = (id, limit, signal) =>
  send("GET", `/v1/products/${encodeURIComponent(id)}/similar?limit=${limit}`, { signal });
export const search = (request, picture, signal) => ask("/v1/search", request, picture, signal);

/** POST a request, with a picture beside it when there is one. */
export function ask(path, request, picture, signal) {
  if (!picture) return send("POST", path, { json: request, signal });
  const form = new FormData();
  form.append("request", JSON.stringify(request));
  form.append("image", picture, "picture");
  return send("POST", path, { body: form, signal });
}

/** Send a request and return the answer's JSON; an aborted one rejects with AbortError. */
export async function send(method, path, { json, body = null, signal, headers = {} } = {}) {
  const options = { method, body, signal, headers: { Accept: "application/json", ...headers } };
  if (json !== undefined) {
    options.body = JSON.stringify(json);
    options.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(path, options).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Problem({
      status: 0,
      title: "The shop cannot be reached",
      detail: "Check the connection, then try again.",
    });
  });
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

async function problemOf(response) {
  const requestId = response.headers.get("X-Request-ID") ?? "";
  const found = await response.json().catch(() => ({}));
  return new Problem({
    status: response.status,
    title: found.title ?? "The shop cannot answer",
    detail: found.detail ?? `It answered with status ${response.status}.`,
    requestId: found.request_id ?? requestId,
    errors: found.errors ?? [],
    jobId: found.job_id ?? null,
  });
}
