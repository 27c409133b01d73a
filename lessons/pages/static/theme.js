// Before anything is drawn: light or dark, as the system has it or as the reader has chosen.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "";
  try {
    chosen = localStorage.getItem("theme") ?? "";
  } catch {
    // A browser that keeps nothing follows the system.
  }
  const isDark = () => (chosen ? chosen === "dark" : system.matches);

  function apply() {
    root.dataset.theme = isDark() ? "dark" : "light";
    if (document.body) document.body.dataset.theme = root.dataset.theme; // the views watch it
  }

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    const button = document.getElementById("theme");
    const name = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
    name();
    button.hidden = false;
    button.addEventListener("click", () => {
      chosen = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("theme", chosen);
      } catch {
        // It holds for this page only.
      }
      apply();
      name();
    });
    system.addEventListener("change", name);
  });
})();
