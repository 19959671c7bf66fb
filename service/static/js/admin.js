// The operator's page: everything on it is an endpoint of the admin API.

/** @import { Problem } from "./api/client.js" */

import { listenForCatalogue } from "./admin/catalogue.js";
import { AdminClient, forgetToken, hasToken, useToken } from "./admin/client.js";
import { showFailures } from "./admin/failures.js";
import { isActive, showJobs } from "./admin/jobs.js";
import { listenForSchedule, showSchedules } from "./admin/schedules.js";
import { showVersions } from "./admin/versions.js";
import { problemFrom } from "./api/client.js";
import { block, button, form, input } from "./page/dom.js";
import { sentence, toast } from "./page/messages.js";

const SOON_MS = 1500;
const LATER_MS = 10_000;

const client = new AdminClient();
let timer = 0;

/** Do the work, then say `message`, or what went wrong. @param {() => Promise<unknown>} work @param {string} message */
async function run(work, message) {
  try {
    await work();
    toast(message);
  } catch (error) {
    const problem = problemFrom(error);
    if (!isTurnedAway(problem)) toast(sentence(problem.message));
  }
  refresh();
}

/** @param {string} id */
const cancel = (id) => run(() => client.cancel(id), "Stopping job.");

/** Show how everything stands, and again before long: soon while a job runs. */
async function refresh() {
  clearTimeout(timer);
  let wait = LATER_MS;
  try {
    const [versions, jobs, schedules, failures] = await Promise.all([
      client.versions(),
      client.jobs(),
      client.schedules(),
      client.failures(),
    ]);
    enter();
    showError("admin-error", "");
    showVersions(versions, client, run);
    showJobs(jobs, cancel);
    showSchedules(schedules, client, run);
    showFailures(failures);
    button("retry").hidden = failures.total === 0;
    if (jobs.some(isActive)) wait = SOON_MS;
  } catch (error) {
    const problem = problemFrom(error);
    if (isTurnedAway(problem)) return;
    enter();
    showError("admin-error", `${problem.title}. ${sentence(problem.message)}`);
  }
  timer = setTimeout(refresh, wait);
}

function enter() {
  block("sign-in").hidden = true;
  block("admin").hidden = false;
  block("sign-out").hidden = false;
}

/** Without a good token there is only the form that takes one; tells whether that was the trouble. @param {Problem} problem */
function isTurnedAway(problem) {
  if (problem.status !== 401 && problem.status !== 403) return false;
  forgetToken();
  askToken(problem.status === 401 ? "The token is wrong." : sentence(problem.message));
  return true;
}

function askToken(reason = "") {
  clearTimeout(timer);
  block("sign-in").hidden = false;
  block("admin").hidden = true;
  block("sign-out").hidden = true;
  showError("sign-in-error", reason);
  input("token").focus();
}

/** @param {string} id @param {string} text */
function showError(id, text) {
  block(id).textContent = text;
  block(id).hidden = !text;
}

form("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  useToken(input("token").value);
  input("token").value = "";
  refresh();
});
button("sign-out").addEventListener("click", () => {
  forgetToken();
  askToken();
});
form("reindex").addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(form("reindex"));
  const [source, model] = ["source", "model"].map(
    (name) => String(fields.get(name)).trim() || undefined,
  );
  const [verify, allow_shrink] = [fields.has("verify"), false];
  run(() => client.reindex({ source, model, verify, allow_shrink }), "Reindex started.");
});
button("retry").addEventListener("click", () => run(client.retry, "Retrying all failed products."));
listenForCatalogue(client, run);
listenForSchedule(client, run);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && hasToken()) refresh();
});

if (hasToken()) refresh();
else askToken();
