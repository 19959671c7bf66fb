// The jobs and how far they are.

import { make } from "../page/dom.js";
import { count, duration, moment } from "../page/format.js";
import { act, showTable, state } from "./table.js";

const COLUMNS = [["Job"], ["State"], ["Progress"], ["Version"], ["Begun"], ["", "acts"]];

export const working = ({ state: now }) => ["queued", "running", "verifying"].includes(now);

export function showJobs(holder, jobs, desk) {
  const rows = jobs.map((job) => [
    make("span", { title: job.id }, job.kind),
    state(job.state),
    progress(job),
    job.version ? make("code", {}, job.version) : "",
    moment(job.created),
    working(job)
      ? act("Cancel", `cancel ${job.id}`, () =>
          desk.act(() => desk.cancel(job.id), "The job is asked to stop."),
        )
      : "",
  ]);
  showTable(holder, COLUMNS, rows, "No job has run yet.");
}

function progress(job) {
  const bar = make("progress", {
    class: "progress__bar",
    max: job.total || 1,
    "aria-label": `Progress of ${job.kind}`,
  });
  if (job.total !== null || !working(job)) bar.value = job.total ? job.done : working(job) ? 0 : 1;
  return make(
    "div",
    { class: "progress" },
    working(job) ? bar : null,
    make("span", { class: "progress__words" }, words(job)),
    job.error ? make("span", { class: "progress__error" }, job.error) : null,
  );
}

function words({ done, total, failed_items: failed, rate, eta_s: left, state: now }) {
  const parts = [total === null ? count(done) : `${count(done)} of ${count(total)}`];
  if (failed) parts.push(`${count(failed)} failed`);
  if (now === "running" && rate !== null) parts.push(`${rate.toFixed(rate < 10 ? 1 : 0)} a second`);
  if (now === "running" && left !== null) parts.push(`${duration(left)} left`);
  return parts.join(" · ");
}
