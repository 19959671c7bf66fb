// The admin API with the operator's token, which lives in this tab alone.

/** @import { Failures, Job, Preview, Schedule, Version } from "../types.js" */

import { address, send } from "../api/client.js";

const KEY = "vitrine.admin";

export const hasToken = () => sessionStorage.getItem(KEY) !== null;
/** @param {string} token */
export const useToken = (token) => sessionStorage.setItem(KEY, token);
export const forgetToken = () => sessionStorage.removeItem(KEY);

const bearer = () => ({ Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` });

/** @param {string} method @param {string} path @param {object} [json] */
const call = (method, path, json) =>
  send(method, address(`v1/admin/${path}`), { json, headers: bearer() });

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
  /**
   * Send a catalogue's file; nothing goes into the index yet.
   * @param {File} file
   * @param {Record<string, string>} parameters
   * @returns {Promise<Preview>}
   */
  preview = (file, parameters) => {
    const query = new URLSearchParams({ ...parameters, name: file.name });
    const headers = { ...bearer(), "Content-Type": "application/octet-stream" };
    return send("POST", address(`v1/admin/catalogues?${query}`), { body: file, headers });
  };
  /** @param {{source?: string, model?: string, verify: boolean, allow_shrink: boolean, mapping?: object}} request */
  reindex = (request) => call("POST", "reindex", request);
  /** @returns {Promise<Schedule[]>} */
  schedules = async () => (await call("GET", "schedules")).schedules;
  /** @param {{name: string, source: string, mode: string, currency?: string, times: string[], zone: string}} request */
  addSchedule = (request) => call("POST", "schedules", request);
  /** @param {string} name */
  removeSchedule = (name) => call("DELETE", `schedules/${encodeURIComponent(name)}`);
  /** @param {string} name */
  runSchedule = (name) => call("POST", `schedules/${encodeURIComponent(name)}/run`);
  /** @returns {Promise<Failures>} */
  failures = () => call("GET", "failures?limit=1000");
  retry = () => call("POST", "failures/retry");
}
