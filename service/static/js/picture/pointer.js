// A mouse, a finger or a pen that is dragged over an element.

/** @import { Point } from "./frame.js" */

/**
 * Follow a pointer that goes down on an element. `begin` gets what it is on and where, and gives what its moves do, or
 * null when it is not to be followed. Points are in shares of the element's width and height.
 * @param {HTMLElement} element
 * @param {(target: EventTarget | null, start: Point) => ((point: Point) => void) | null} begin
 */
export function followPointer(element, begin) {
  element.addEventListener("pointerdown", (event) => {
    const move = event.button === 0 ? begin(event.target, pointOf(event, element)) : null;
    if (!move) return;
    event.preventDefault(); // no selection, no scrolling
    /** @param {PointerEvent} moving */
    const follow = (moving) => move(pointOf(moving, element));
    const end = () => element.removeEventListener("pointermove", follow);
    element.setPointerCapture(event.pointerId);
    element.addEventListener("pointermove", follow);
    for (const type of ["pointerup", "pointercancel"]) {
      element.addEventListener(type, end, { once: true });
    }
  });
}

/** @param {PointerEvent} event @param {Element} element @returns {Point} */
function pointOf({ clientX, clientY }, element) {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: (clientX - left) / width, y: (clientY - top) / height };
}
