// The axis of a range: which amount lies where on the track.

/** @import { Bucket } from "../types.js" */

/** The flattest curve: below it the dear end would become too coarse to choose from. */
const FLATTEST = 0.4;
/** From this width on the ends are whole numbers. */
const WIDE = 10;

/** @typedef {{min: number, max: number, share: (value: number) => number, value: (share: number) => number}} Axis */

/**
 * The axis over a range facet. Most shops have many cheap things and a few dear ones; a power curve spreads the cheap
 * end so that half of the products lie in each half of the track. `share(value)` is from 0 to 1, `value(share)` an
 * amount as people write it.
 * @param {{min: number, max: number, buckets: Bucket[]}} facet
 * @returns {Axis}
 */
export function scale({ min: least, max: most, buckets }) {
  const wide = most - least >= WIDE;
  const [min, max] = wide ? [Math.floor(least), Math.ceil(most)] : [least, most];
  const width = max - min || 1;
  const balanced = Math.log(0.5) / Math.log(middle(buckets, min, width));
  const curve = Math.min(1, Math.max(FLATTEST, balanced));
  return {
    min,
    max,
    share: (value) => Math.max(0, Math.min(1, (value - min) / width)) ** curve,
    value(share) {
      if (share <= 0) return min;
      if (share >= 1) return max;
      return Math.max(min, Math.min(max, tidy(min + share ** (1 / curve) * width, width)));
    },
  };
}

/** Where the median lies, as a share of the width, by the counts of the buckets. @param {Bucket[]} buckets @param {number} min @param {number} width */
function middle(buckets, min, width) {
  const half = buckets.reduce((sum, bucket) => sum + bucket.count, 0) / 2;
  let before = 0;
  for (const { from, to, count } of buckets) {
    if (before + count >= half && count > 0) {
      const median = from + ((half - before) / count) * (to - from);
      return Math.max(0.01, Math.min(0.99, (median - min) / width));
    }
    before += count;
  }
  return 0.5;
}

/** Two digits that count, but never finer than the width can show. @param {number} value @param {number} width */
function tidy(value, width) {
  const step = 10 ** Math.floor(Math.log10(Math.max(Math.abs(value) / 10, width / 1000)));
  return Number((Math.round(value / step) * step).toPrecision(12));
}
