// Sizes in the order of sizes: XS before S, 9 before 10.

const LETTERS = /^(?:(\d)|(x*))(s|m|l)$/i;
const NUMBER = /^\d+(?:[.,]\d+)?$/;

/** Letters come before numbers. @param {string} value @returns {[kind: number, rank: number] | null} */
function rankOf(value) {
  if (NUMBER.test(value)) return [1, Number(value.replace(",", "."))];
  const [, digit, signs = "", letter] = LETTERS.exec(value.replace(/^(\d)x/i, "$1")) ?? [];
  if (!letter) return null;
  const extra = digit ? Number(digit) : signs.length;
  return [0, { s: -1 - extra, m: 0, l: 1 + extra }[letter.toLowerCase()] ?? 0];
}

/**
 * The counts in the order of sizes where every value is one; else as they are.
 * @param {Map<string, number>} counts
 */
export function inOrder(counts) {
  const ranked = [...counts].map((entry) => ({ entry, rank: rankOf(entry[0].trim()) }));
  if (ranked.some(({ rank }) => !rank)) return counts;
  ranked.sort((a, b) => {
    const [[kind, rank], [otherKind, otherRank]] = [a.rank ?? [0, 0], b.rank ?? [0, 0]];
    return kind - otherKind || rank - otherRank;
  });
  return new Map(ranked.map(({ entry }) => entry));
}
