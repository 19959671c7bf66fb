// The operator's page: everything on it is an endpoint of the admin API.

import { byId } from "./page/dom.js";
import { toast } from "./page/toast.js";
import { sentence } from "./results/notices.js";
import { Desk, forgetToken, hasToken, useToken } from "./admin/desk.js";
import { showFailures } from "./admin/failures.js";
import { showJobs, working } from "./admin/jobs.js";
import { showVersions } from "./admin/versions.js";

const SOON_MS = 1500;
const LATER_MS = 10_000;

let next = null;

const desk = new Desk({
  act: async (work, said) => {
    try {
      await work();
      toast(said);
    } catch (problem) {
      if (!turnedAway(problem)) toast(sentence(problem.message));
    }
    refresh();
  },
});

/** Show how everything stands, and again before long: soon while a job runs. */
async function refresh() {
  clearTimeout(next);
  let wait = LATER_MS;
  try {
    const [versions, jobs, failures] = await Promise.all([
      desk.versions(),
      desk.jobs(),
      desk.failures(),
    ]);
    enter();
    wrong("desk-wrong", "");
    showVersions(byId("versions"), versions, desk);
    showJobs(byId("jobs"), jobs, desk);
    showFailures(byId("failures"), failures);
    byId("retry").hidden = failures.total === 0;
    if (jobs.some(working)) wait = SOON_MS;
  } catch (problem) {
    if (turnedAway(problem)) return;
    enter();
    wrong("desk-wrong", `${problem.title ?? "The page failed"}. ${sentence(problem.message)}`);
  }
  next = setTimeout(refresh, wait);
}

function enter() {
  byId("gate").hidden = true;
  byId("desk").hidden = false;
  byId("leave").hidden = false;
}

/** Without a good token there is only the gate; says whether that was the trouble. */
function turnedAway(problem) {
  if (problem.status !== 401 && problem.status !== 403) return false;
  forgetToken();
  askToken(problem.status === 401 ? "That is not the token." : sentence(problem.message));
  return true;
}

function askToken(reason = "") {
  clearTimeout(next);
  byId("gate").hidden = false;
  byId("desk").hidden = true;
  byId("leave").hidden = true;
  wrong("gate-wrong", reason);
  byId("token").focus();
}

function wrong(id, text) {
  byId(id).textContent = text;
  byId(id).hidden = !text;
}

byId("gate").addEventListener("submit", (event) => {
  event.preventDefault();
  useToken(byId("token").value);
  byId("token").value = "";
  refresh();
});
byId("leave").addEventListener("click", () => {
  forgetToken();
  askToken();
});
byId("reindex").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const [source, model] = ["source", "model"].map((name) => form.get(name).trim() || undefined);
  desk.act(
    () => desk.reindex({ source, model, verify: form.has("verify") }),
    "The reindex has begun.",
  );
});
byId("retry").addEventListener("click", () =>
  desk.act(() => desk.retry(), "All failed products are tried again."),
);
document.addEventListener("visibilitychange", () => !document.hidden && hasToken() && refresh());

if (hasToken()) refresh();
else askToken();
