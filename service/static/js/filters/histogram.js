// The bars over a range's track; heights grow with the square root of the count, so that rare prices stay visible.

/** @import { Bucket } from "../types.js" */
/** @import { Axis } from "./scale.js" */

import { arrange, make } from "../page/dom.js";

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
      const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
      bars = buckets.map((bucket) => {
        const bar = make("span", { class: "range__bar", title: describe(bucket) });
        const [left, right] = [axis.share(bucket.from), axis.share(bucket.to)];
        bar.style.left = `${left * 100}%`;
        bar.style.width = `max(2px, ${(right - left) * 100}% - 1px)`;
        bar.style.height = `${Math.sqrt(bucket.count / most) * 100}%`;
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
