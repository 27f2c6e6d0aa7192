// The theme, before anything is painted: what the address asks for, what was chosen earlier, or the system's.
(() => {
  "use strict";
  const KEY = "luma-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const known = (theme) => (theme === "light" || theme === "dark" ? theme : "");
  const saved = () => {
    try {
      return known(localStorage.getItem(KEY));
    } catch { // storage is forbidden: nothing was chosen
      return "";
    }
  };
  const save = (theme) => {
    try {
      if (theme) localStorage.setItem(KEY, theme);
      else localStorage.removeItem(KEY);
    } catch (error) { // it holds for as long as the page lives
      console.warn("This browser does not keep the theme:", error.message);
    }
  };

  let asked = known(new URLSearchParams(location.search).get("theme"));
  let chosen = asked || saved();
  const show = () => { root.dataset.lumaTheme = chosen || (system.matches ? "dark" : "light"); };
  show();
  system.addEventListener("change", show);
  addEventListener("storage", (event) => { // another window's choice
    if (asked || (event.key !== KEY && event.key !== null)) return;
    chosen = saved();
    show();
    dispatchEvent(new CustomEvent("luma-theme-chosen"));
  });

  /** Choose "light", "dark", or "" for the system's. */
  window.lumaChoose = (theme) => {
    asked = "";
    chosen = known(theme);
    save(chosen);
    show();
    dispatchEvent(new CustomEvent("luma-theme-chosen"));
  };
  /** What is chosen: "light", "dark", or "" for the system's. */
  window.lumaChosen = () => chosen;

  // JupyterLab's widgets look at the body. To be called as soon as there is one.
  window.lumaTheme = () => {
    const tell = () => {
      const light = root.dataset.lumaTheme !== "dark";
      document.body.dataset.jpThemeLight = String(light);
      document.body.dataset.jpThemeName = light ? "JupyterLab Light" : "JupyterLab Dark";
    };
    tell();
    new MutationObserver(tell).observe(root, { attributeFilter: ["data-luma-theme"] });
  };
})();
