// The productions: the page's head, and its home while none is open.

import { button, fill, h, icon, notice, panel } from "./kit.js";
import { showAgo } from "./words.js";

const SHOWN = 4; // productions beside the newest; the others appear when they are asked for
const THEMES = [
  ["light", "Light", "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.8v1.7M12 19.5v1.7M2.8 12h1.7M19.5 12h1.7M5.5 5.5l1.2 1.2M17.3 17.3l1.2 1.2M5.5 18.5l1.2-1.2M17.3 6.7l1.2-1.2"],
  ["dark", "Dark", "M19.5 14.3A8 8 0 0 1 9.7 4.5a8 8 0 1 0 9.8 9.8z"],
  ["", "As the system", "M3.5 5h17v11h-17zM9 19.5h6M12 16v3.5"],
];
const MARK = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9 9v6M12 7.5v9M15 10v4";

export default panel("Productions", async ({ root, desk, signal }) => {
  const act = desk.guarded;
  const page = document.body.dataset.voila === "voila";
  let state = { name: null, recent: [] };
  let showsAll = false;
  const ui = makePage();
  root.append(...ui.parts);

  function makePage() {
    const named = h("bdi", { dir: "auto" }); // a name written from the right stays beside the others
    const name = h("strong", { class: "luma-productions-name luma-text", hidden: true }, named);
    const items = h("ul", { class: "luma-productions-items" });
    const sheet = h("div", { class: "luma-productions-sheet", popover: "auto", role: "group", "aria-label": "Productions" }, items);
    const menu = button({ icon: "folder", text: "Productions", kind: "luma-productions-menu", popoverTargetElement: sheet });
    placeUnder(sheet, menu, signal);
    const begin = button({ icon: "plus", text: "New script", onclick: act(leave) });
    const bar = h("header", { class: "luma-productions-bar" },
      h("span", { class: "luma-productions-wordmark" }, glyph(MARK), h("span", {}, "Luma Studio")),
      name, h("div", { class: "luma-row luma-productions-do" }, menu, sheet, begin), page && window.lumaChoose && themeChoice(signal));
    const missing = h("p", { class: "luma-banner", role: "alert", hidden: true });
    const home = h("div", { class: "luma-productions-home" });
    const told = h("p", { class: "luma-hidden-text", role: "status" });
    return { parts: [bar, missing, home, told], name, named, items, menu, sheet, begin, missing, home, told };
  }

  // What is open

  desk.on("production", (name) => show({ ...state, name }));
  desk.on("files", () => refresh());

  const refresh = act(async () => show((await desk.ask("state")).value));

  function show(now) {
    const moved = now.name !== state.name;
    state = now;
    root.classList.toggle("luma-productions-open", state.name !== null);
    desk.opened(state.name);
    ui.named.textContent = state.name ?? "";
    ui.name.hidden = state.name === null;
    ui.menu.hidden = !state.recent.length || state.name === null;
    fill(ui.items, state.recent.map((each) => h("li", {}, entry(each))));
    ui.home.hidden = state.name !== null;
    showHome();
    if (moved) {
      ui.missing.hidden = true;
      fill(ui.told, ...(state.name === null ? ["No production is open."] : [h("bdi", {}, state.name), " is open."]));
      if (page) putInAddress(state.name);
    }
  }

  function entry({ name, changed }) {
    const when = h("time", { class: "luma-muted" });
    showAgo(when, changed);
    return h("button", { type: "button", class: "luma-productions-entry", "aria-current": name === state.name ? "true" : null, onclick: act(() => open(name)) },
      h("span", { class: "luma-productions-title luma-text" }, h("bdi", { dir: "auto" }, name)), when);
  }

  function showHome() {
    const [first, ...others] = state.recent;
    if (!first) {
      fill(ui.home, h("p", { class: "luma-productions-lead" }, "Write or paste a script, or begin with an example. It is spoken clause by clause, and every pause is yours to tune."));
      return;
    }
    const visible = showsAll ? others : others.slice(0, SHOWN);
    const newest = entry(first);
    newest.classList.add("luma-productions-newest");
    newest.prepend(h("span", { class: "luma-productions-continue" }, "Continue"));
    newest.append(icon("next"));
    fill(ui.home, newest,
      h("ul", { class: "luma-productions-cards" }, visible.map((each) => h("li", {}, entry(each)))),
      visible.length < others.length && button({ text: `Show all ${state.recent.length.toLocaleString("en")} productions`, kind: "luma-button-quiet", onclick: act(() => { showsAll = true; showHome(); ui.home.querySelectorAll("li button")[SHOWN]?.focus(); }) }));
  }

  let turn = Promise.resolve(); // opening takes its time: what was asked for last is to be open in the end
  const inTurn = (step) => (turn = turn.then(step, step));
  const open = (name) => inTurn(() => showOne(name));

  async function showOne(name) {
    ui.sheet.hidePopover();
    const found = await desk.tell("open", { name });
    ui.missing.hidden = found !== false;
    if (found === false) {
      fill(ui.missing, icon("warning"), h("span", { class: "luma-text" }, "There is no production “", h("bdi", {}, name), "” here any more. Open another one, or begin a new script."));
      await refresh();
    }
    if (!found && page) putInAddress(state.name);
  }

  async function leave() {
    const left = state.name !== null;
    if (left && (await inTurn(() => desk.tell("leave"))) === undefined) return;
    dispatchEvent(new CustomEvent("luma-new-script", { detail: { left } }));
  }

  // The address names what is open

  if (page) {
    addEventListener("hashchange", act(() => {
      const name = nameInAddress();
      if (name === state.name) return undefined;
      return name === null ? inTurn(() => desk.tell("leave")) : open(name);
    }), { signal });
  }

  await refresh();
  const named = page ? nameInAddress() : null;
  if (named !== null && named !== state.name) await open(named);
  else if (page) putInAddress(state.name);
});

function nameInAddress() {
  const [, name] = /^#production=(.+)$/s.exec(location.hash) ?? [];
  if (name === undefined) return null;
  try {
    return decodeURIComponent(name);
  } catch { // not ours: no production has such a name, and the page will say so
    return name;
  }
}

function putInAddress(name) {
  if (nameInAddress() === name) return;
  history.pushState(null, "", name === null ? location.pathname + location.search : `#production=${encodeURIComponent(name)}`);
}

function glyph(path) {
  const svg = icon("play");
  svg.setAttribute("class", "luma-icon");
  svg.firstChild.setAttribute("d", path);
  return svg;
}

/** Have a popover, which no panel's edge cuts off, open under its button. */
function placeUnder(sheet, opener, signal) {
  sheet.addEventListener("beforetoggle", () => {
    const { bottom, right } = opener.getBoundingClientRect();
    sheet.style.top = `${bottom + 6}px`;
    sheet.style.right = `${Math.max(12, document.documentElement.clientWidth - right)}px`;
  });
  addEventListener("scroll", (event) => {
    if (!sheet.contains(event.target)) sheet.hidePopover();
  }, { capture: true, signal });
}

// The theme: one's own choice or the system's. The page's theme.js keeps it

function themeChoice(signal) {
  const buttons = THEMES.map(([theme, label, path]) => {
    const made = button({ label, kind: "luma-button-quiet luma-productions-theme", onclick: () => lumaChoose(theme) });
    made.append(glyph(path));
    return made;
  });
  const show = () => buttons.forEach((each, i) => each.setAttribute("aria-pressed", String(lumaChosen() === THEMES[i][0])));
  addEventListener("luma-theme-chosen", show, { signal });
  show();
  return h("div", { class: "luma-productions-themes", role: "group", "aria-label": "Theme" }, buttons);
}
