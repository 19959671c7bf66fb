// The admin API with the operator's token, which lives in this tab alone.

/** @import { Failures, Job, Version } from "../types.js" */

import { address, send } from "../api/client.js";

const KEY = "vitrine.admin";

export const hasToken = () => sessionStorage.getItem(KEY) !== null;
/** @param {string} token */
export const useToken = (token) => sessionStorage.setItem(KEY, token);
export const forgetToken = () => sessionStorage.removeItem(KEY);

/** @param {string} method @param {string} path @param {object} [json] */
function call(method, path, json) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` };
  return send(method, address(`v1/admin/${path}`), { json, headers });
}

/** @param {string} name */
const version = (name) => `versions/${encodeURIComponent(name)}`;

export class AdminClient {
  /** @returns {Promise<Version[]>} */
  versions = async () => (await call("GET", "versions")).versions;
  /** @param {string} name */
  publish = (name) => call("POST", `${version(name)}/publish`);
  /** @param {string} name */
  discard = (name) => call("DELETE", version(name));
  /** @returns {Promise<Job[]>} */
  jobs = async () => (await call("GET", "jobs?limit=30")).jobs;
  /** @param {string} id */
  cancel = (id) => call("POST", `jobs/${encodeURIComponent(id)}/cancel`);
  /** @param {{source?: string, model?: string, verify: boolean}} request */
  reindex = (request) => call("POST", "reindex", request);
  /** @returns {Promise<Failures>} */
  failures = () => call("GET", "failures?limit=1000");
  retry = () => call("POST", "failures/retry");
}
