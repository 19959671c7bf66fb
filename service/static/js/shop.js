// The search page: the address is the state, every change of it is one search.

import { showChips } from "./filters/chips.js";
import { panel } from "./filters/panel.js";
import { byId, keepingFocus } from "./page/dom.js";
import { plural } from "./page/format.js";
import { filterSheet } from "./page/sheet.js";
import { listenForPictures, shrink } from "./picture/intake.js";
import { keep } from "./picture/kept.js";
import { Detail } from "./results/detail.js";
import { Grid } from "./results/grid.js";
import { headline, sortOptions, tally } from "./results/heading.js";
import { nothingFound, sentence, wentWrong } from "./results/notices.js";
import { read, write } from "./search/address.js";
import { showAsked } from "./search/asked.js";
import { searchBox } from "./search/box.js";
import { showIdeas } from "./search/ideas.js";
import { Session } from "./search/session.js";
import { EMPTY, asks, filtered, sameSearch, withFilter } from "./search/state.js";
import { toast } from "./page/toast.js";

const session = new Session();
const grid = new Grid({
  next: (cursor) => session.next(state, catalogue, cursor),
  failed: (problem) => toast(`More products did not come: ${sentence(problem.detail)}`),
});
const sheet = filterSheet({ clear: () => go({ ...state, filters: {} }) });
const box = searchBox({
  ask: (text, typing) => go({ ...state, text }, { typing }),
  ready: () => ready,
});
const detail = new Detail(byId("detail"), {
  open,
  alike,
  unlike: () => (asks(state) ? unlike : null),
  closed,
});
let catalogue = null;
let fields = [];
let filters = null;
let state = EMPTY;
let currency = null;
let opener = null; // what had the focus when a product was opened, and has it again when it is closed

/**
 * Move to a state and put it into the address; while words are typed the address's last entry is replaced. `depth` is how
 * many entries ago no product was open.
 */
function go(next, { typing = false, depth } = {}) {
  const before = state;
  state = next;
  const address = location.pathname + write(state);
  if (typing && history.state?.typing) history.replaceState({ typing: true }, "", address);
  else if (address !== location.pathname + location.search)
    history.pushState({ typing, depth }, "", address);
  render(before, { keepWords: typing });
}

function render(before, { keepWords = false } = {}) {
  if (!keepWords) box.show(state.text);
  if (state.show !== before?.show) detail.show(state.show);
  if (before?.show && !state.show) opener?.focus({ preventScroll: true });
  if (!before || !sameSearch(state, before)) {
    if (before) toTop();
    return find();
  }
  return null;
}

/** After a change the products begin at the top again. */
function toTop() {
  const top = byId("main").getBoundingClientRect().top;
  if (top < 0) window.scrollBy({ top: top - 96, behavior: "instant" });
}

async function find() {
  grid.wait();
  byId("filters").classList.add("filters--waiting");
  const asked = state;
  try {
    await prepare(); // done already, unless the catalogue's fields could not be had at first
    const [answer, place] = await Promise.all([
      session.run(asked, catalogue),
      showAsked(byId("asked"), asked, go),
    ]);
    place();
    show(asked, answer);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    fail(asked, problem);
  }
  byId("filters").classList.remove("filters--waiting");
}

/** What depends on the catalogue alone. */
async function prepare() {
  if (filters) return;
  catalogue = await session.catalogue();
  ({ fields } = catalogue);
  filters ??= panel(byId("filters"), fields, (name, filter) => go(withFilter(state, name, filter)));
  byId("styles-label").hidden = !fields.some((field) => field.name === "group_id");
}

function show(asked, answer) {
  currency = commonCurrency(answer);
  filters.update(answer.facets, asked, currency);
  showHead(asked);
  byId("count").textContent = tally(asked, answer);
  sheet.say(`Show ${plural(answer.total, "product")}`);
  if (!asks(asked) && !filtered(asked))
    showIdeas(byId("ideas"), answer.facets, fields, (text) => go({ ...EMPTY, text }));
  const acts = { open, alike, unlike: asks(asked) ? unlike : null };
  if (answer.hits.length) {
    say();
    grid.show(answer, acts);
  } else {
    grid.clear();
    say(nothingFound(asked, ways));
  }
}

function fail(asked, problem, retry = find) {
  grid.clear();
  showHead(asked);
  byId("count").textContent = "";
  say(
    wentWrong(problem, {
      ...ways,
      retry,
      clearAll: () => (sameSearch(state, EMPTY) ? find() : go(EMPTY)),
    }),
  );
  if (asked.picture) showAsked(byId("asked"), asked, go).then((place) => place());
}

/** Put a notice in the place of products, or take it away. */
function say(...notices) {
  keepingFocus(byId("notice"), () => byId("notice").replaceChildren(...notices));
}

function showHead(asked) {
  byId("welcome").hidden = asks(asked) || filtered(asked);
  byId("title").textContent = headline(asked);
  document.title = asks(asked) ? `${headline(asked)} – Vitrine` : "Vitrine";
  sortOptions(byId("sort"), asked, fields);
  byId("styles").checked = asked.styles;
  const active = showChips(byId("chips"), asked, fields, currency, go);
  byId("filters-badge").textContent = String(active);
  byId("filters-badge").hidden = active === 0;
}

const ways = { clearFilters: () => go({ ...state, filters: {} }), clearAll: () => go(EMPTY) };

/** The currency of the amounts on the page: the most frequent one. */
function commonCurrency({ facets, hits, others }) {
  return (
    facets.currency?.[0]?.value ??
    [...hits, ...others].find((hit) => hit.product.currency)?.product.currency ??
    currency
  );
}

function open(id) {
  if (!state.show) opener = document.activeElement;
  const depth = state.show ? history.state?.depth : 0;
  go({ ...state, show: id }, { depth: depth === undefined ? depth : depth + 1 });
}

/** Closing goes back to where the products were; who came by the address of a product has no such place. */
function closed() {
  if (!state.show) return;
  if (history.state?.depth) history.go(-history.state.depth);
  else go({ ...state, show: null });
}

function alike(id) {
  go({ ...EMPTY, like: [id], filters: state.filters, styles: state.styles });
}

function unlike(id) {
  go({
    ...state,
    like: state.like.filter((one) => one !== id),
    unlike: [...state.unlike, id],
    show: null,
  });
}

async function takePicture(file) {
  const [key] = await Promise.all([shrink(file).then((small) => keep(small, file.name)), ready]);
  go({ ...state, picture: key, like: [], unlike: [], sort: "relevance", show: null });
}

byId("sort").addEventListener("change", (event) => go({ ...state, sort: event.target.value }));
byId("styles").addEventListener("change", (event) =>
  go({ ...state, styles: event.target.checked }),
);
listenForPictures({ take: takePicture, refuse: toast, veil: byId("drop"), input: byId("file") });

/** Move to the state that the address holds; to read it the catalogue's fields must be known. */
async function fromAddress() {
  const before = filters ? state : null;
  if (!before) grid.wait();
  try {
    await prepare();
  } catch (problem) {
    return fail(state, problem, fromAddress);
  }
  state = read(location.search, fields);
  return render(before);
}

addEventListener("popstate", fromAddress);
const ready = fromAddress();
