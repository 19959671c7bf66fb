// The bars over a range's track. A bar's height stands for products per width, as the widths differ; it grows with the
// square root, so that rare prices stay visible.

/** @import { Bucket } from "../types.js" */
/** @import { Axis } from "./scale.js" */

import { arrange, make } from "../page/dom.js";

/** The least width of a bar, as a share of the track. */
const NARROWEST = 0.02;

export function histogram() {
  const element = make("div", { class: "range__bars", "aria-hidden": "true" });
  /** @type {{bar: HTMLElement, bucket: Bucket}[]} */
  let bars = [];

  return {
    element,
    /**
     * Draw the buckets along an axis.
     * @param {Bucket[]} buckets
     * @param {Axis} axis
     * @param {(bucket: Bucket) => string} describe what a bar says under the pointer
     */
    show(buckets, axis, describe) {
      const places = buckets.map((bucket) => {
        const [left, right] = [axis.share(bucket.from), axis.share(bucket.to)];
        const width = Math.max(NARROWEST, right - left);
        return { bucket, left, width, density: bucket.count / width };
      });
      const most = Math.max(1, ...places.map(({ density }) => density));
      bars = places.map(({ bucket, left, width, density }) => {
        const bar = make("span", { class: "range__bar", title: describe(bucket) });
        bar.style.left = `${left * 100}%`;
        bar.style.width = `calc(${width * 100}% - 1px)`;
        bar.style.height = `${Math.sqrt(density / most) * 100}%`;
        return { bar, bucket };
      });
      arrange(
        element,
        bars.map(({ bar }) => bar),
      );
    },
    /** Bring out the bars of a span. @param {number} from @param {number} to */
    mark(from, to) {
      for (const { bar, bucket } of bars) {
        bar.classList.toggle("range__bar--in", bucket.to > from && bucket.from <= to);
      }
    },
  };
}
