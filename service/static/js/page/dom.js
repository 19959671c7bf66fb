// Elements from values. Text is always set as text, so nothing that a catalogue holds can become markup.

/** An element: properties that start with "on" listen, "class", "data-*", "aria-*" and "role" are attributes, the rest are properties. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (/^(class|role|for|data-|aria-)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const SIGNS = new URL("../../icons.svg", import.meta.url).pathname;

/** A sign of icons.svg, hidden from screen readers: its button carries the words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SIGNS}#${name}`);
  svg.append(use);
  return svg;
}

/** A picture of a catalogue; one that cannot be shown says so in its place. */
export function picture(url, { size, alt = "", lazy = true }) {
  const image = make("img", {
    loading: lazy ? "lazy" : "eager",
    decoding: "async",
    width: size,
    height: size,
    alt,
  });
  image.addEventListener(
    "error",
    () =>
      image.replaceWith(
        make("span", { class: "no-picture" }, make("span", {}, icon("picture"), "No picture")),
      ),
    { once: true },
  );
  image.src = `${url}?size=${size}`;
  return image;
}

export const byId = (id) => document.getElementById(id);

/**
 * Change the inside of an element and give the focus back to the part that had it, known by its data-key; when that is
 * gone, to the first part of its group, or to the main part of the page: never to nowhere.
 */
export function keepingFocus(element, change) {
  const held = element.contains(document.activeElement) ? document.activeElement : null;
  const group = held?.closest("[data-field]") ?? element;
  change();
  if (!held || (element.contains(document.activeElement) && !held.closest("[hidden]"))) return;
  const parts = [...element.querySelectorAll("[data-key]")].filter(
    (part) => !part.closest("[hidden]"),
  );
  const next =
    parts.find((part) => part.dataset.key === held.dataset.key) ??
    parts.find((part) => group.contains(part)) ??
    byId("main");
  next.focus({ preventScroll: true });
}

/** Make an element hold just these children, moving as few nodes as possible. */
export function arrange(element, children) {
  const wanted = new Set(children);
  for (const child of [...element.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, at) => {
    if (element.children[at] !== child) element.insertBefore(child, element.children[at] ?? null);
  });
}
