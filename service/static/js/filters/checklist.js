// A list of keywords: brands, patterns, materials. Long lists are cut, and can be searched.

import { arrange, make } from "../page/dom.js";
import { capital, count, fieldName } from "../page/format.js";
import { counted, option, switched } from "./options.js";

const SHORT = 7;
const SEARCHABLE = 12;

export function checklist(field, change) {
  const boxes = new Map();
  let filter = null;
  let numbers = new Map();
  let all = false;

  const needle = make("input", {
    type: "search",
    class: "field options__search",
    placeholder: `Find in ${fieldName(field.name).toLowerCase()}`,
    hidden: true,
    autocomplete: "off",
    "data-key": `${field.name} find`,
    oninput: show,
  });
  needle.setAttribute("aria-label", `Find in ${fieldName(field.name)}`);
  const list = make("div", {});
  const none = make("p", { class: "options__none", hidden: true }, "None is called that.");
  const more = make("button", {
    type: "button",
    class: "plain options__more",
    "data-key": `${field.name} more`,
    onclick: expand,
  });

  function expand() {
    all = !all;
    show();
  }

  function box(value) {
    if (!boxes.has(value))
      boxes.set(
        value,
        option({
          key: `${field.name} ${value}`,
          text: capital(value),
          pick: () => change(switched(filter, value)),
        }),
      );
    return boxes.get(value);
  }

  function show() {
    const wanted = needle.value.trim().toLocaleLowerCase();
    const values = [...numbers.keys()];
    const matching = wanted
      ? values.filter((value) => value.toLocaleLowerCase().includes(wanted))
      : values;
    const cut =
      all || wanted || matching.length <= SHORT + 1
        ? matching
        : matching.filter((value, at) => at < SHORT || filter?.values.includes(value));
    for (const value of cut)
      box(value).update(numbers.get(value), Boolean(filter?.values.includes(value)));
    arrange(
      list,
      cut.map((value) => box(value).element),
    );
    none.hidden = matching.length > 0;
    needle.hidden = values.length < SEARCHABLE;
    more.hidden = Boolean(wanted) || values.length <= SHORT + 1;
    more.textContent = all ? "Show fewer" : `Show all ${count(values.length)}`;
    more.setAttribute("aria-expanded", String(all));
  }

  return {
    element: make("div", {}, needle, list, none, more),
    update(facet, given) {
      filter = given ?? null;
      numbers = counted(facet, filter);
      show();
      return numbers.size > 1 || filter !== null;
    },
  };
}
