// Runs before the first paint, so that a chosen theme never flashes; without a choice the system's one holds.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const KEY = "vitrine.theme";

  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is forbidden: the system's theme it is
    }
  }

  /** @param {string} theme */
  function remember(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // the choice then lasts as long as the page
    }
  }

  /** @param {string | null | undefined} theme */
  function show(theme) {
    if (theme) root.dataset.theme = theme;
    const isDark = theme ? theme === "dark" : dark.matches;
    root.toggleAttribute("data-dark", isDark);
    document.getElementById("theme")?.setAttribute("aria-pressed", String(isDark));
  }

  show(chosen());
  dark.addEventListener("change", () => show(root.dataset.theme));
  document.addEventListener("DOMContentLoaded", () => {
    show(root.dataset.theme);
    document.getElementById("theme")?.addEventListener("click", () => {
      const next = root.hasAttribute("data-dark") ? "light" : "dark";
      remember(next);
      show(next);
    });
  });
})();
