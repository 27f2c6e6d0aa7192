{% include "theme.js" %}

(() => {
  "use strict";
  const PATIENCE = 10000; // ms until the page is shown as it is
  const reveal = () => { document.documentElement.dataset.lumaOpen = ""; };

  // The page is shown when its widgets are there, not in pieces. To be called when all cells are.
  window.lumaRendered = () => {
    const cells = document.getElementById("rendered_cells");
    const widgets = [...cells.querySelectorAll("[data-widget]")];
    const there = () => widgets.every((each) => each.querySelector(":scope > * > .lm-Widget")?.hasChildNodes());
    const open = () => {
      watching.disconnect();
      clearTimeout(late);
      reveal();
      performance.mark("luma-open");
    };
    const watching = new MutationObserver(() => { if (there()) open(); });
    const late = setTimeout(open, PATIENCE);
    watching.observe(cells, { childList: true, subtree: true });
    if (there()) open();
  };

  // What went wrong after the page had begun.
  window.lumaFailed = (said) => {
    const section = document.createElement("section");
    section.className = "luma-page-error";
    section.setAttribute("role", "alert");
    section.innerHTML =
      "<h2>The studio could not open this page</h2><p class='luma-page-said'></p>" +
      "<p>Reload the page. If it says the same again, end the studio and start it anew.</p>";
    section.querySelector(".luma-page-said").textContent = said;
    document.getElementById("rendered_cells").append(section);
    reveal();
  };

  // Voilà's front end calls these; lumaRendered does their work.
  window.voila_process = window.voila_finish = window.voila_heartbeat = () => {};

  // Voilà ends the kernel at "beforeunload", which also comes when nobody leaves: a mail link, a download, "Stay". At
  // "pagehide" it is certain; but then the next page has been asked for already, so watch() says beforehand that one goes.
  const listen = window.addEventListener;
  window.addEventListener = function (type, listener, options) {
    const farewell = type === "beforeunload" && String(listener).includes("voila/api/shutdown");
    return listen.call(this, farewell ? "pagehide" : type, listener, options);
  };
  // A page that comes back out of the browser's memory has no kernel any more.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // The panels hear how the kernel is: "ok", "lost" while the connection is broken, "dead" when only a reload helps.
  const watch = (kernel) => {
    let last = "ok";
    const tell = (status) => {
      if (status === last || last === "dead") return;
      last = status;
      window.dispatchEvent(new CustomEvent("luma-kernel", { detail: { status } }));
    };
    if (!kernel) {
      tell("dead");
      return;
    }
    kernel.connectionStatusChanged.connect((_, status) => tell(status === "connected" ? "ok" : "lost"));
    kernel.statusChanged.connect((_, status) => { if (/dead|restarting/.test(status)) tell("dead"); });
    addEventListener("beforeunload", () => {
      const form = new FormData();
      form.append("_xsrf", document.cookie.match("\\b_xsrf=([^;]*)\\b")?.[1] ?? "");
      navigator.sendBeacon(`/voila/luma/leave/${kernel.id}`, form);
    });
  };
  Object.defineProperty(window, "jupyterapp", {
    configurable: true,
    set(app) {
      Object.defineProperty(window, "jupyterapp", { value: app, writable: true });
      watch(app.widgetManager?.kernel);
    },
  });
})();
