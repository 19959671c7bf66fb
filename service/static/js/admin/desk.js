// The admin API with the operator's token, which lives in this tab alone.

import { send } from "../api/client.js";

const KEY = "vitrine.admin";

export const hasToken = () => sessionStorage.getItem(KEY) !== null;
export const useToken = (token) => sessionStorage.setItem(KEY, token);
export const forgetToken = () => sessionStorage.removeItem(KEY);

const call = (method, path, json) =>
  send(method, `/v1/admin/${path}`, {
    json,
    headers: { Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ""}` },
  });
const part = encodeURIComponent;

export class Desk {
  /** `act(work, said)` does the work and then says so, or says what went wrong. */
  constructor({ act }) {
    this.act = act;
  }

  versions = async () => (await call("GET", "versions")).versions;
  publish = (version) => call("POST", `versions/${part(version)}/publish`);
  discard = (version) => call("DELETE", `versions/${part(version)}`);
  jobs = async () => (await call("GET", "jobs?limit=30")).jobs;
  cancel = (job) => call("POST", `jobs/${part(job)}/cancel`);
  reindex = (request) => call("POST", "reindex", request);
  failures = () => call("GET", "failures?limit=100");
  retry = () => call("POST", "failures/retry");
}
