// The last searches of this browser, which alone keeps them.

const KEY = "vitrine.searches";
const MOST = 8;

/** The last searches, the latest first. @returns {string[]} */
export function recentSearches() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((text) => typeof text === "string") : [];
  } catch {
    return []; // storage is forbidden, or holds something else: there are none
  }
}

/** @param {string} text */
export function rememberSearch(text) {
  if (!text) return;
  const others = recentSearches().filter((other) => other !== text);
  write([text, ...others].slice(0, MOST));
}

export const forgetSearches = () => write([]);

/** @param {string[]} texts */
function write(texts) {
  try {
    localStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // storage is forbidden: nothing is remembered
  }
}
