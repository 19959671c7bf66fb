// Catalogues that are ingested at fixed times, and what came of it.

/** @import { Schedule, ScheduledRun } from "../types.js" */
/** @import { AdminClient } from "./client.js" */
/** @import { Column } from "./table.js" */
/** @import { Run } from "./versions.js" */

import { block, form, make } from "../page/dom.js";
import { count, duration, moment } from "../page/format.js";
import { actionButton, showTable } from "./table.js";

/** @type {Column[]} */
const COLUMNS = [
  ["Name"],
  ["Source"],
  ["Times"],
  ["Next"],
  ["Latest runs", "wide"],
  ["", "actions"],
];
/** Results that are shown of each. */
const MOST = 5;

/** What the exit statuses of `vitrine ingest` mean, and the state whose color they take. @type {Record<number, [words: string, state: string]>} */
const MEANING = {
  0: ["succeeded", "done"],
  1: ["some failed", "failed"],
  2: ["could not run", "failed"],
  3: ["nothing changed", "failed"],
  130: ["cancelled", "cancelled"],
};
const MODES = { update: "", sync: "removes missing products", replace: "builds anew" };

/** @param {Schedule[]} schedules @param {AdminClient} client @param {Run} run */
export function showSchedules(schedules, client, run) {
  const rows = schedules.map((schedule) => [
    schedule.name,
    [
      make("span", { class: "schedule__source" }, schedule.source),
      ...(MODES[schedule.mode] ? [make("p", { class: "panel__note" }, MODES[schedule.mode])] : []),
    ],
    `${schedule.times.join(", ")} ${schedule.zone}`,
    moment(schedule.due),
    schedule.runs.length
      ? schedule.runs.slice(0, MOST).map(result)
      : make("span", { class: "panel__none" }, "None yet"),
    actions(schedule, client, run),
  ]);
  showTable(block("schedules"), COLUMNS, rows, "No schedules yet.");
}

/** @param {ScheduledRun} result */
function result({ began, seconds, exit_status: status, message, ...counts }) {
  const [words, state] = MEANING[status] ?? [`exit status ${status}`, "failed"];
  const told = [
    [counts.done, "taken"],
    [counts.unchanged, "unchanged"],
    [counts.left_out, "left out"],
    [counts.failed, "failed"],
    [counts.removed, "removed"],
  ].flatMap(([number, what]) => (number ? [`${count(Number(number))} ${what}`] : []));
  return make(
    "div",
    { class: "schedule__run" },
    make("span", { class: `state state--${state}` }, words),
    make("span", {}, [moment(began), duration(seconds), ...told].join(" · ")),
    message ? make("span", { class: "progress__error" }, message) : null,
  );
}

/** @param {Schedule} schedule @param {AdminClient} client @param {Run} run */
const actions = ({ name }, client, run) => [
  actionButton("Run now", `run ${name}`, () =>
    run(() => client.runSchedule(name), `${name} is queued.`),
  ),
  actionButton(
    "Remove",
    `remove ${name}`,
    () => run(() => client.removeSchedule(name), `Schedule ${name} removed.`),
    "button--danger",
  ),
];

/** Listen for a new schedule. @param {AdminClient} client @param {Run} run */
export function listenForSchedule(client, run) {
  const schedule = form("schedule-form");
  const zone = schedule.elements.namedItem("zone");
  if (zone instanceof HTMLInputElement) {
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  schedule.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = new FormData(schedule);
    /** @param {string} name */
    const text = (name) => String(fields.get(name) ?? "").trim();
    const currency = text("currency") || undefined;
    const [name, source, mode] = [text("name"), text("source"), text("mode")];
    const request = { name, source, mode, currency, times: [text("at")], zone: text("zone") };
    run(() => client.addSchedule(request), `Schedule ${name} saved.`);
  });
}
