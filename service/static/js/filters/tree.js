// Categories as a tree: a branch stands for everything under it.

/** @import { Control, ControlActions, Field } from "../types.js" */

import { arrange, icon, make } from "../page/dom.js";
import { leaf, path as pathText } from "../page/format.js";
import { t } from "../page/texts.js";
import { finder, matching } from "./finder.js";
import { countsByValue, option } from "./options.js";

const TALL = 12;

/** @param {string} path */
const parent = (path) => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
/** @param {string} path @param {string} branch */
const isWithin = (path, branch) => path.startsWith(`${branch}/`);

/** @param {Field} field @param {ControlActions} actions @returns {Control} */
export function tree(field, { change, find }) {
  /** @type {Map<string, ReturnType<typeof treeNode>>} */
  const nodes = new Map();
  /** @type {Map<string, boolean>} */
  const openedByHand = new Map();
  const root = make("div", { class: "tree" });
  const more = make("button", {
    type: "button",
    class: "plain options__more",
    "data-key": `${field.name} more`,
    onclick: expand,
  });
  /** @type {Map<string, ReturnType<typeof option>>} */
  const matches = new Map();
  const search = finder(field, {
    lookUp: (text) => (isCut ? find(text) : matching(counts, text)),
    optionOf: matchOf,
    begin: clear,
    end: show,
  });
  let isCut = false;
  let expanded = false;
  /** @type {string[]} */
  let chosen = [];
  /** @type {Map<string, number>} */
  let counts = new Map();
  /** The paths under each branch; the first ones are under "". @type {Map<string, string[]>} */
  let children = new Map();

  /** Choosing a branch stands for its leaves, choosing a leaf narrows its branch. @param {string} path */
  function pick(path) {
    if (chosen.includes(path)) return change({ values: chosen.filter((value) => value !== path) });
    const apart = chosen.filter((value) => !isWithin(value, path) && !isWithin(path, value));
    return change({ values: [...apart, path] });
  }

  /** @param {string} path @param {number} products */
  function matchOf(path, products) {
    const key = `${field.name} ${path}`;
    const box = matches.get(path) ?? option({ key, text: pathText(path), pick: () => pick(path) });
    matches.set(path, box);
    box.update(products, chosen.includes(path));
    return box.element;
  }

  function clear() {
    arrange(root, []);
    more.hidden = true;
  }

  /** @param {string} path */
  function node(path) {
    const actions = { pick: () => pick(path), flip: () => flip(path) };
    const made = nodes.get(path) ?? treeNode(field, path, actions);
    nodes.set(path, made);
    return made;
  }

  /** @param {string} path */
  function flip(path) {
    openedByHand.set(path, !isOpen(path));
    show();
  }

  function expand() {
    expanded = !expanded;
    show();
  }

  /** @param {string} path */
  const isOpen = (path) =>
    openedByHand.get(path) ??
    (isOnly(path) || chosen.some((value) => value === path || isWithin(value, path)));

  /** Whether a branch has no other beside it, so that its children are what there is to choose from. @param {string} path */
  const isOnly = (path) => children.get(parent(path))?.length === 1;

  function show() {
    children = Map.groupBy(counts.keys(), parent);
    fill(root, "");
    const roots = children.get("") ?? [];
    more.hidden = roots.length <= TALL;
    more.textContent = expanded ? t("filter.fewer") : t("filter.more", { count: roots.length });
  }

  /** @param {Element} holder @param {string} branch */
  function fill(holder, branch) {
    let paths = children.get(branch) ?? [];
    if (branch === "" && !expanded) paths = paths.filter((path, at) => at < TALL || isOpen(path));
    for (const path of paths) {
      const branchNode = node(path);
      const isBranch = children.has(path);
      branchNode.option.update(counts.get(path) ?? 0, chosen.includes(path));
      branchNode.fold(isBranch, isOpen(path));
      if (isBranch && isOpen(path)) fill(branchNode.children, path);
    }
    arrange(
      holder,
      paths.map((path) => node(path).element),
    );
  }

  return {
    element: make("div", {}, ...search.elements, root, more),
    update(facet, filter, context) {
      chosen = filter?.values ?? [];
      counts = withBranches(countsByValue(facet, filter));
      isCut = context.cut;
      search.offer(isCut);
      if (search.isActive()) search.show();
      else show();
      return counts.size > 1 || filter !== null;
    },
  };
}

/** Every value's branches are there too, also when the service lists only the most frequent values. @param {Map<string, number>} counts */
function withBranches(counts) {
  const all = new Map(counts);
  for (const path of counts.keys()) {
    for (let branch = parent(path); branch; branch = parent(branch)) {
      if (!all.has(branch)) all.set(branch, 0);
    }
  }
  return all;
}

/** @param {Field} field @param {string} path @param {{pick: () => void, flip: () => void}} actions */
function treeNode(field, path, { pick, flip }) {
  const name = leaf(path);
  const box = option({ key: `${field.name} ${path}`, text: name, pick });
  const open = make(
    "button",
    {
      type: "button",
      class: "tree__open",
      "data-key": `${field.name} open ${path}`,
      "aria-label": t("filter.branch", { name }),
      onclick: flip,
    },
    icon("chevron"),
  );
  const row = make("div", { class: "tree__row" }, box.element, open);
  const children = make("div", { class: "tree", role: "group", "aria-label": name });
  return {
    option: box,
    children,
    element: make("div", {}, row, children),
    /** @param {boolean} isBranch @param {boolean} isOpen */
    fold(isBranch, isOpen) {
      row.classList.toggle("tree__row--leaf", !isBranch);
      open.hidden = !isBranch;
      open.setAttribute("aria-expanded", String(isOpen));
      children.hidden = !isBranch || !isOpen;
    },
  };
}
