// Categories as a tree: a branch stands for everything under it.

import { arrange, icon, make } from "../page/dom.js";
import { count, leaf } from "../page/format.js";
import { counted, option } from "./options.js";

const TALL = 12;

const parent = (path) => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
const within = (path, branch) => path.startsWith(`${branch}/`);

export function tree(field, change) {
  const nodes = new Map();
  const opened = new Map(); // what the shopper opened or closed by hand
  const root = make("div", { class: "tree" });
  const more = make("button", {
    type: "button",
    class: "plain options__more",
    "data-key": `${field.name} more`,
    onclick: () => {
      whole = !whole;
      show();
    },
  });
  let whole = false;
  let filter = null;
  let numbers = new Map();

  /** Choosing a branch stands for its leaves, choosing a leaf narrows its branch. */
  function pick(path) {
    const values = filter?.values ?? [];
    if (values.includes(path)) return change({ values: values.filter((value) => value !== path) });
    return change({
      values: [...values.filter((value) => !within(value, path) && !within(path, value)), path],
    });
  }

  function node(path) {
    if (!nodes.has(path))
      nodes.set(
        path,
        makeNode(
          field,
          path,
          () => pick(path),
          () => flip(path),
        ),
      );
    return nodes.get(path);
  }

  function flip(path) {
    opened.set(path, !isOpen(path));
    show();
  }

  const isOpen = (path) =>
    opened.get(path) ??
    (filter?.values ?? []).some((value) => value === path || within(value, path));

  function show() {
    const children = Map.groupBy(numbers.keys(), parent);
    fill(root, children, "");
    const roots = children.get("") ?? [];
    more.hidden = roots.length <= TALL;
    more.textContent = whole ? "Show fewer" : `Show all ${count(roots.length)}`;
  }

  function fill(holder, children, branch) {
    let paths = children.get(branch) ?? [];
    if (branch === "" && !whole && paths.length > TALL)
      paths = paths.filter((path, at) => at < TALL || isOpen(path));
    for (const path of paths) {
      const one = node(path);
      const inner = children.get(path) ?? [];
      one.option.update(numbers.get(path), Boolean(filter?.values.includes(path)));
      one.fold(inner.length > 0, isOpen(path));
      if (inner.length > 0 && isOpen(path)) fill(one.children, children, path);
    }
    arrange(
      holder,
      paths.map((path) => node(path).element),
    );
  }

  return {
    element: make("div", {}, root, more),
    update(facet, given) {
      filter = given ?? null;
      numbers = withBranches(counted(facet, filter));
      show();
      return numbers.size > 1 || filter !== null;
    },
  };
}

/** Every value's branches are there too, also when the service lists only the most frequent values. */
function withBranches(numbers) {
  const found = new Map(numbers);
  for (const path of numbers.keys()) {
    for (let branch = parent(path); branch; branch = parent(branch))
      if (!found.has(branch)) found.set(branch, 0);
  }
  return found;
}

function makeNode(field, path, pick, flip) {
  const name = leaf(path);
  const box = option({ key: `${field.name} ${path}`, text: name, pick });
  const open = make(
    "button",
    {
      type: "button",
      class: "tree__open",
      "data-key": `${field.name} open ${path}`,
      onclick: flip,
    },
    icon("chevron"),
  );
  open.setAttribute("aria-label", `Categories in ${name}`);
  const row = make("div", { class: "tree__row" }, box.element, open);
  const children = make("div", { class: "tree", role: "group" });
  children.setAttribute("aria-label", name);
  return {
    option: box,
    children,
    element: make("div", {}, row, children),
    fold(branch, isOpen) {
      row.classList.toggle("tree__row--leaf", !branch);
      open.hidden = !branch;
      open.setAttribute("aria-expanded", String(isOpen));
      children.hidden = !branch || !isOpen;
    },
  };
}
