// The theme, before anything is painted: what the address asks for, what was chosen earlier, or the system's.
(() => {
  "use strict";
  const root = document.documentElement;
  const known = (theme) => (theme === "light" || theme === "dark" ? theme : null);
  const saved = () => {
    try {
      return known(localStorage.getItem("luma-theme"));
    } catch { // storage is forbidden: nothing was chosen
      return null;
    }
  };
  const asked = known(new URLSearchParams(location.search).get("theme"));
  const system = matchMedia("(prefers-color-scheme: dark)");
  const choose = () => { root.dataset.lumaTheme = asked ?? saved() ?? (system.matches ? "dark" : "light"); };
  choose();
  system.addEventListener("change", choose);
  addEventListener("storage", (event) => { if (event.key === "luma-theme") choose(); });

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
