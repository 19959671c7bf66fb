// The search page: the address is the state, every change of it is one search.

/** @import { Catalogue, FirstPage, State } from "./types.js" */
/** @import { Problem } from "./api/client.js" */
/** @import { Place } from "./search/place.js" */

import { aborted, problemFrom } from "./api/client.js";
import { showChips } from "./filters/chips.js";
import { commonCurrency, filterPanel } from "./filters/panel.js";
import { block, byId, form, input, keepingFocus } from "./page/dom.js";
import { filterDrawer } from "./page/drawer.js";
import { toast } from "./page/messages.js";
import { inShort } from "./page/problem_texts.js";
import { t } from "./page/texts.js";
import { pictureStore } from "./picture/store.js";
import { listenForPictures, shrink } from "./picture/upload.js";
import { listenForProducts } from "./results/card.js";
import { Detail } from "./results/detail.js";
import { Grid } from "./results/grid.js";
import { headline, resultCount, showCloseness, showSorts } from "./results/heading.js";
import { noMatches, wentWrong } from "./results/notices.js";
import { read, write } from "./search/address.js";
import { searchBox } from "./search/box.js";
import { showLeftOut } from "./search/left_out.js";
import { savedPlace, watchPlace } from "./search/place.js";
import { loadQueryParts } from "./search/query_parts.js";
import { Session } from "./search/session.js";
import { EMPTY, hasQuery, isFiltered, sameSearch, withFilter } from "./search/state.js";
import { suggestionItems } from "./search/suggestions.js";
import { showUnderstanding } from "./search/understanding.js";
import { findWider } from "./search/wider.js";

/** What is known once the catalogue's fields are. @typedef {{catalogue: Catalogue, filters: ReturnType<typeof filterPanel>}} Shop */

const session = new Session();
const grid = new Grid({
  next: async (position) => session.next(state, (await prepare()).catalogue, position),
  failed: (problem) => toast(t("grid.failed", { reason: inShort(problem) })),
});
const drawer = filterDrawer({ clear: () => go({ ...state, filters: {} }) });
const box = searchBox({
  search: (text, typing) => go({ ...state, text, literal: [], far: false }, { typing }),
  filter: (field, value) => go(withFilter(anew(), field, { values: [value] })),
  ready: () => ready,
});
const detail = new Detail({
  open,
  moreLike,
  lessLike: () => (hasQuery(state) ? lessLike : null),
  closed,
  fields: () => shop?.catalogue.fields ?? [],
  matched: (id) => grid.matched(id),
});
const savePlace = watchPlace(() => grid.size);
const waysOut = {
  clearFilters: () => go({ ...state, filters: {} }),
  clearAll,
  removePicture: () => go({ ...state, picture: null, box: null, balance: 0 }),
};

/** @type {Shop | null} */
let shop = null;
let state = EMPTY;
let retryTimer = 0;
/** @type {string | null} */
let currency = null;
/** What had the focus when a product was opened, and has it again when it is closed. @type {Element | null} */
let opener = null;

/**
 * Move to a state and put it into the address; while words are typed the address's last entry is replaced. `depth` is how
 * many entries ago no product was open.
 * @param {State} next
 * @param {{typing?: boolean, depth?: number}} [options]
 */
function go(next, { typing = false, depth } = {}) {
  const before = state;
  state = next;
  showLeftOut("", []);
  savePlace();
  const address = location.pathname + write(state);
  if (typing && history.state?.typing) history.replaceState({ typing: true }, "", address);
  else if (address !== location.pathname + location.search) {
    history.pushState({ typing, depth }, "", address);
  }
  render(before, { keepWords: typing || next.text === before.text });
}

/** @param {State | null} before @param {{keepWords?: boolean, place?: Place | null}} [options] */
async function render(before, { keepWords = false, place = null } = {}) {
  if (!keepWords) box.show(state.text);
  if (state.show !== (before?.show ?? null)) detail.show(state.show);
  if (before?.show && !state.show && opener instanceof HTMLElement) {
    opener.focus({ preventScroll: true });
  }
  if (before && sameSearch(state, before)) return;
  if (before && !place) scrollToTop();
  await runSearch(place);
}

/** After a change the products begin at the top again. */
function scrollToTop() {
  const { top } = block("main").getBoundingClientRect();
  if (top < 0) window.scrollBy({ top: top - 96, behavior: "instant" });
}

/** @param {Place | null} [place] where the shopper was among the products */
async function runSearch(place = null) {
  grid.wait();
  block("filters").classList.add("filters--waiting");
  const searched = state;
  try {
    const { catalogue } = await prepare();
    const [answer, showParts] = await Promise.all([
      session.run(searched, catalogue, place?.products ?? 0),
      loadQueryParts(searched, go),
    ]);
    showParts();
    showAnswer(searched, answer);
    if (place) await returnTo(place);
  } catch (error) {
    if (aborted(error)) return;
    fail(searched, problemFrom(error));
  }
  block("filters").classList.remove("filters--waiting");
}

/** @param {Place} place */
async function returnTo({ products, top }) {
  await grid.growTo(products);
  window.scrollTo({ top, behavior: "instant" });
}

/** What depends on the catalogue alone. @returns {Promise<Shop>} */
async function prepare() {
  if (shop) return shop;
  const catalogue = await session.catalogue();
  const { fields } = catalogue;
  shop ??= {
    catalogue,
    filters: filterPanel(fields, ({ name }) => ({
      change: (filter) => go(withFilter(state, name, filter)),
      chooseCurrency: (code) => go(withFilter(state, "currency", { values: [code] })),
      find: (text) => session.findValues(state, catalogue, name, text),
    })),
  };
  block("styles-label").hidden = !fields.some((field) => field.name === "group_id");
  return shop;
}

/** @param {State} searched @param {FirstPage} answer */
function showAnswer(searched, answer) {
  block("heading").classList.toggle("heading--empty", answer.hits.length === 0);
  const fields = shop?.catalogue.fields ?? [];
  currency = commonCurrency(answer, searched, currency);
  shop?.filters.update(answer, searched, currency);
  showHead(searched);
  block("count").textContent = resultCount(searched, answer);
  showCloseness(searched, answer, go);
  showUnderstanding(answer, searched, go);
  drawer.label(t("filters.show", { count: answer.total }));
  if (shop && !hasQuery(searched) && !isFiltered(searched)) {
    block("suggestions").replaceChildren(...suggestionItems(answer.hits, searchFor));
  }
  if (answer.hits.length) {
    say();
    grid.show(answer, { open, moreLike, lessLike: hasQuery(searched) ? lessLike : null });
  } else {
    grid.clear();
    say(noMatches(searched, answer, fields, waysOut));
    offerRemedies(searched, answer);
  }
}

/** Where nothing matches: what could be left out, with what it would show. @param {State} searched @param {FirstPage} answer */
async function offerRemedies(searched, answer) {
  if (!shop) return;
  const { catalogue } = shop;
  try {
    const { wider, samples } = await findWider(session, searched, answer, catalogue, currency);
    const remedies = wider.map((search) => ({ ...search, run: () => go(search.state) }));
    const others = suggestionItems(samples, searchFor);
    say(noMatches(searched, answer, catalogue.fields, waysOut, remedies, others));
  } catch (error) {
    if (!aborted(error)) toast(inShort(problemFrom(error)));
  }
}

/** @param {State} searched @param {Problem} problem */
function fail(searched, problem, retry = () => runSearch()) {
  grid.clear();
  for (const shape of document.querySelectorAll(".filters__shape")) shape.remove();
  block("heading").classList.add("heading--empty");
  showHead(searched);
  block("count").textContent = "";
  block("closeness").hidden = true;
  block("understanding").hidden = true;
  say(wentWrong(searched, problem, { ...waysOut, retry }));
  loadQueryParts(searched, go).then((showParts) => showParts());
  retryLater(searched, problem, retry);
}

/** A service that is starting says when it will answer. @param {State} searched @param {Problem} problem @param {() => void} retry */
function retryLater(searched, { status, retryAfter }, retry) {
  clearTimeout(retryTimer);
  if (status !== 503 || !retryAfter) return;
  retryTimer = setTimeout(() => {
    if (state === searched && block("notice").childElementCount) retry();
  }, retryAfter * 1000);
}

/** Put a notice in the place of products, or take it away. @param {...HTMLElement} notices */
function say(...notices) {
  keepingFocus(block("notice"), () => block("notice").replaceChildren(...notices));
}

/** @param {State} searched */
function showHead(searched) {
  const fields = shop?.catalogue.fields ?? [];
  block("welcome").hidden = hasQuery(searched) || isFiltered(searched);
  block("title").textContent = headline(searched);
  block("title").title = headline(searched);
  document.title = hasQuery(searched) ? `${headline(searched)} – Vitrine` : "Vitrine";
  showSorts(searched, fields);
  input("styles").checked = searched.styles;
  const active = showChips(searched, fields, currency, go);
  block("filters-badge").textContent = String(active);
  block("filters-badge").hidden = active === 0;
}

/** A search for something else, shown as this one is. @returns {State} */
const anew = () => ({ ...EMPTY, styles: state.styles, explain: state.explain });

/** @param {string} text */
const searchFor = (text) => go({ ...anew(), text });

function clearAll() {
  if (sameSearch(state, EMPTY)) runSearch();
  else go(EMPTY);
}

/** @param {string} id */
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

/** @param {string} id */
function moreLike(id) {
  go({ ...anew(), like: [id], filters: state.filters });
}

/** @param {string} id */
function lessLike(id) {
  const like = state.like.filter((other) => other !== id);
  go({ ...state, like, unlike: [...state.unlike, id], show: null });
}

/** @param {File} file */
async function takePicture(file) {
  const stored = shrink(file).then((small) => pictureStore.add(small, file.name));
  const [picture] = await Promise.all([stored, ready]);
  go({ ...state, picture, box: null, like: [], unlike: [], sort: "relevance", show: null });
}

const sorting = byId("sort", HTMLSelectElement);
sorting.addEventListener("change", () => go({ ...state, sort: sorting.value }));
const styles = input("styles");
styles.addEventListener("change", () => go({ ...state, styles: styles.checked }));
listenForProducts(form("search"), (id) => {
  go({ ...state, like: [...new Set([...state.like, id])], sort: "relevance" });
});
listenForPictures({
  take: takePicture,
  refuse: toast,
  veil: block("drop"),
  input: input("file"),
});

/** Move to the state that the address holds; to read it the catalogue's fields must be known. */
async function fromAddress() {
  const before = shop ? state : null;
  try {
    const { catalogue } = await prepare();
    state = read(location.search, catalogue.fields);
    showLeftOut(location.search, catalogue.fields);
    if (!before) showHead(state); // so that nothing moves the products once they are there
  } catch (error) {
    fail(state, problemFrom(error), fromAddress);
    return;
  }
  await render(before, { place: savedPlace() });
}

addEventListener("popstate", fromAddress);
const ready = fromAddress();
