// A frame within a picture, its edges as shares of the picture's width and height.

/** @typedef {{left: number, top: number, right: number, bottom: number}} Frame */
/** A point, or a way from one to another, in the same shares. @typedef {{x: number, y: number}} Point */

/** @type {Frame} */
export const WHOLE = Object.freeze({ left: 0, top: 0, right: 1, bottom: 1 });
/** The least side: a smaller part shows too little to search for. */
const LEAST = 0.05;
/** How close to the picture's edges a frame counts as the whole picture. */
const NEARLY = 0.005;

/** @param {number} share @param {number} least @param {number} most */
const within = (share, least, most) => Math.min(most, Math.max(least, share));

/** @param {Frame} frame */
export const isWhole = ({ left, top, right, bottom }) =>
  left < NEARLY && top < NEARLY && right > 1 - NEARLY && bottom > 1 - NEARLY;

/** The frame moved as far as the picture goes. @param {Frame} frame @param {Point} by @returns {Frame} */
export function moved({ left, top, right, bottom }, by) {
  const [x, y] = [within(by.x, -left, 1 - right), within(by.y, -top, 1 - bottom)];
  return { left: left + x, top: top + y, right: right + x, bottom: bottom + y };
}

/**
 * The frame with one corner moved: "nw" is the one at the top left. The frame of an object may be smaller than LEAST.
 * @param {Frame} frame
 * @param {string} corner
 * @param {Point} by
 * @returns {Frame}
 */
export function resized(frame, corner, { x, y }) {
  const { left, top, right, bottom } = frame;
  return {
    left: corner.endsWith("w") ? within(left + x, 0, Math.max(0, right - LEAST)) : left,
    right: corner.endsWith("e") ? within(right + x, left + LEAST, 1) : right,
    top: corner.startsWith("n") ? within(top + y, 0, Math.max(0, bottom - LEAST)) : top,
    bottom: corner.startsWith("s") ? within(bottom + y, top + LEAST, 1) : bottom,
  };
}

/** The frame between two points, at least as large as is allowed. @param {Point} from @param {Point} to @returns {Frame} */
export function between(from, to) {
  const [left, right] = span(from.x, to.x);
  const [top, bottom] = span(from.y, to.y);
  return { left, top, right, bottom };
}

/** @param {number} a @param {number} b */
function span(a, b) {
  const start = within(Math.min(a, b), 0, 1 - LEAST);
  return [start, within(Math.max(a, b), start + LEAST, 1)];
}
