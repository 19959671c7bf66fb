// The bars over a range's track; heights grow with the square root of the count, so that rare prices stay visible.

import { arrange, make } from "../page/dom.js";

export function bars() {
  const element = make("div", { class: "range__bars", "aria-hidden": "true" });
  let drawn = [];

  return {
    element,
    /** Draw the buckets along an axis (see scale.js); `describe(bucket)` is what a bar says under the pointer. */
    show(buckets, axis, describe) {
      const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
      drawn = buckets.map((bucket) => {
        const bar = make("span", { class: "range__bar", title: describe(bucket) });
        const [left, right] = [axis.share(bucket.from), axis.share(bucket.to)];
        bar.style.left = `${left * 100}%`;
        bar.style.width = `max(2px, ${(right - left) * 100}% - 1px)`;
        bar.style.height = `${Math.sqrt(bucket.count / most) * 100}%`;
        return { bar, ...bucket };
      });
      arrange(
        element,
        drawn.map(({ bar }) => bar),
      );
    },
    mark(from, to) {
      for (const one of drawn)
        one.bar.classList.toggle("range__bar--in", one.to > from && one.from <= to);
    },
  };
}
