// The jobs and how far they are.

/** @import { Job } from "../types.js" */
/** @import { Column } from "./table.js" */

import { block, make } from "../page/dom.js";
import { count, duration, moment } from "../page/format.js";
import { actionButton, showTable, stateBadge } from "./table.js";

/** @type {Column[]} */
const COLUMNS = [
  ["Job"],
  ["State"],
  ["Progress", "wide"],
  ["Version", "version"],
  ["Started"],
  ["Duration"],
  ["", "actions"],
];

/** A worker takes a job within a second; after so long there is none, or it has other work. */
const PATIENCE_MS = 20_000;
const NO_WORKER =
  "No worker has picked it up yet. Start one with “vitrine worker”, or together with the service with “vitrine up”.";

/** @param {Job} job */
const isStuck = ({ state, updated }) =>
  state === "queued" && Date.now() - Date.parse(updated) > PATIENCE_MS;

/** @param {Job} job */
export const isActive = ({ state }) => ["queued", "running", "verifying"].includes(state);

/** @param {Job[]} jobs @param {(id: string) => void} cancel */
export function showJobs(jobs, cancel) {
  const rows = jobs.map((job) => [
    make("span", { title: job.source ? `${job.id}: ${job.source}` : job.id }, job.kind),
    stateBadge(job.state),
    progress(job),
    job.version ? make("code", {}, job.version) : "",
    moment(job.created),
    make("span", { title: isActive(job) ? "" : `Ended ${moment(job.updated)}` }, jobDuration(job)),
    isActive(job) ? actionButton("Cancel", `cancel ${job.id}`, () => cancel(job.id)) : "",
  ]);
  showTable(block("jobs"), COLUMNS, rows, "No jobs yet.");
}

/** How long a job has run, or ran. @param {Job} job */
function jobDuration(job) {
  const end = isActive(job) ? Date.now() : Date.parse(job.updated);
  return duration(Math.max(0, end - Date.parse(job.created)) / 1000);
}

/** @param {Job} job */
function progress(job) {
  return make(
    "div",
    { class: "progress" },
    isActive(job) ? progressBar(job) : null,
    make("span", { class: "progress__words" }, progressText(job)),
    isStuck(job) ? make("span", { class: "progress__words" }, NO_WORKER) : null,
    job.error ? make("span", { class: "progress__error" }, job.error) : null,
  );
}

/** A bar without a value moves: how much there is to do is not known yet. @param {Job} job */
function progressBar({ kind, done, total, report }) {
  const bar = make("progress", {
    class: "progress__bar",
    max: total || 1,
    "aria-label": `Progress of ${kind}`,
  });
  if (total !== null) bar.value = total ? done : 0;
  else if (report !== null && report.share !== null) bar.value = report.share;
  return bar;
}

/** @param {Job} job */
function progressText({ done, total, failed_items: failed, rate, eta_s: left, state, report }) {
  const parts = [total === null ? count(done) : `${count(done)} of ${count(total)}`];
  if (report?.unchanged) parts.push(`${count(report.unchanged)} unchanged`);
  if (report?.left_out) parts.push(`${count(report.left_out)} left out`);
  if (report?.removed) parts.push(`${count(report.removed)} removed`);
  if (failed) parts.push(`${count(failed)} failed`);
  if (state === "running" && rate !== null) {
    parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} per second`);
  }
  for (const [node, pictures] of Object.entries(report?.nodes ?? {})) {
    if (state === "running") parts.push(`${node}: ${pictures.toFixed(1)} pictures per second`);
  }
  if (state === "running" && left !== null) parts.push(`${duration(left)} left`);
  return parts.join(" · ");
}
