// What all panels share: elements, icons, questions to Python, notices, the theme, and a watch over the kernel.

const VOILA = document.body?.dataset.voila === "voila";

// Panels are modules of their own, so what is one for the whole page hangs here.
const shared = (globalThis[Symbol.for("luma-studio")] ??= { asked: 0, lines: new Map(), playing: null });

// Elements

/** An element: `h("button", { class: "luma-button", onclick: … }, "Play")`. Children that are strings are text, never HTML. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (value === false && !(name in element)) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-") && name !== "list" && name !== "role") element[name === "class" ? "className" : name] = value;
    else element.setAttribute(name === "class" ? "class" : name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 5h4v14H7zM13 5h4v14h-4z",
  stop: "M6 6h12v12H6z",
  undo: "M9 7 4.5 11.5 9 16M5 11.5h9a5 5 0 0 1 0 10h-3",
  redo: "m15 7 4.5 4.5L15 16M19 11.5h-9a5 5 0 0 0 0 10h3",
  lock: "M6.5 11h11v9h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  unlock: "M6.5 11h11v9h-11zM8.5 11V8a3.5 3.5 0 0 1 6.8-1.2",
  loop: "M5 11a6 6 0 0 1 6-5h7m-3-3 3 3-3 3M19 13a6 6 0 0 1-6 5H6m3 3-3-3 3-3",
  around: "M4 8v8M20 8v8M8 12h8m-5-3-3 3 3 3m2-6 3 3-3 3",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  whole: "M4 9V5h4M20 9V5h-4M4 15v4h4M20 15v4h-4",
  help: "M9.2 9.2a2.9 2.9 0 1 1 4.2 2.6c-.9.5-1.4 1-1.4 2.2M12 17.4v.2",
  download: "M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 19.5h14",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v6M13.5 10.5v6",
  refresh: "M19 12a7 7 0 1 1-2-5l2 2m0-5v5h-5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  warning: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.2",
  voice: "M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3zM6 11.5a6 6 0 0 0 12 0M12 17.5V21",
  next: "m9 5 7 7-7 7",
  folder: "M3.5 6.5h6l2 2.5h9v10.5h-17z",
  save: "M5 4.5h11l3.5 3.5v11.5H5zM8.5 4.5V9h6V4.5M8.5 19.5V14h7v5.5",
  close: "m6 6 12 12M18 6 6 18",
  film: "M3.5 5.5h17v13h-17zM8 5.5v13M16 5.5v13M3.5 9.8H8M3.5 14.2H8M16 9.8h4.5M16 14.2h4.5",
  compare: "M4 5.5h6.5v13H4zM13.5 5.5H20v13h-6.5z",
  photo: "M4 5.5h16v13H4zM4 15.5l4.5-4.5 4 4 2.5-2.5 5 5M15.2 9.2h.1",
  file: "M6.5 3.5h7.5l4 4v13H6.5zM14 3.5V8h4",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 7a2 2 0 1 0 4 0 2 2 0 0 0-4 0zM6 17a2 2 0 1 0 4 0 2 2 0 0 0-4 0z",
  stretch: "M4 5v14M20 5v14M8 12h8m-6-2.5L7.5 12l2.5 2.5m4-5 2.5 2.5-2.5 2.5",
  ear: "M7 9.5a5 5 0 0 1 10 0c0 3.5-3.5 4-3.5 7.5a2.8 2.8 0 0 1-5.2 1.4M10 9.5a2 2 0 0 1 4 0c0 1.6-2 1.8-2 3.5",
};

const FILLED = new Set(["play", "pause", "stop"]);

/** An icon, decoration only: what it means stands beside it or in the button's label. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", FILLED.has(name) ? "luma-icon luma-icon-filled" : "luma-icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon, words, or both; `label` is what a screen reader says where there are no words. */
export function button({ icon: name, text, label, key, kind = "", ...props }) {
  const title = [label ?? (name && !text ? text : ""), key && `(${key})`].filter(Boolean).join(" ");
  return h(
    "button",
    { type: "button", class: `luma-button ${kind} ${text ? "" : "luma-button-icon"}`, title, "aria-label": label, ...props },
    name && icon(name),
    text && h("span", {}, text),
  );
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

// Words

/** Seconds as people read them: 0:07, 12:03, 1:02:03; `digits` behind the point. */
export function clock(seconds, digits = 0) {
  const unit = 10 ** digits;
  const whole = Math.max(0, Math.round(seconds * unit)) / unit;
  const s = (whole % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  const m = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** A number of bytes as people read it. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const steps = ["kB", "MB", "GB"];
  let value = bytes;
  let step = -1;
  while (value >= 1000 && step < steps.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${steps[step]}`;
}

/** "1 clause", "2 clauses". */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

// A panel

/** The front end of a panel: `export default panel("Health", ({ root, desk, signal }) => …)`.
 *
 * `root` is an empty section; `desk` asks Python and hears what changes; `signal` is aborted when the panel goes.
 * Whatever goes wrong is shown in the panel, not swallowed. */
export function panel(title, build) {
  return {
    async render({ model, el }) {
      const ends = new AbortController();
      const root = h("section", { class: `luma luma-${title.toLowerCase().replaceAll(" ", "-")}`, "aria-label": title });
      root.addEventListener("keydown", keepKey);
      el.classList.add("luma-host");
      el.append(root);
      followTheme(root, ends.signal);
      const desk = deskOf(model, ends.signal);
      desk.on("notice", ({ text, level }) => notice(text, level));
      watchKernel(desk, model, ends.signal);
      try {
        await build({ root, desk, signal: ends.signal });
      } catch (error) {
        showError(root, desk, error);
      }
      return () => ends.abort();
    },
  };
}

/** Keys in a panel are the panel's: JupyterLab would delete, change and run cells with them. Saving stays JupyterLab's. */
function keepKey(event) {
  const saves = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
  if (!saves) event.stopPropagation();
}

function showError(root, desk, error) {
  root.append(
    h("div", { class: "luma-error", role: "alert" }, icon("warning"),
      h("div", {}, h("strong", {}, "This panel could not be shown."), h("p", {}, String(error.message ?? error)),
        h("p", {}, "Nothing was lost. Reload the page; if it comes again, send us this sentence."))),
  );
  desk.report(error);
}

/** Questions to Python, each answered once, and what Python tells by itself. */
function deskOf(model, signal) {
  const waiting = new Map();
  const ears = new Map();
  const failed = new Map(); // by verb: the sentence that it failed with last
  let open; // the production that is open, as far as this panel knows
  const heard = (message, buffers) => {
    if (message.re !== undefined) {
      const question = waiting.get(message.re);
      waiting.delete(message.re);
      if (!question) return;
      if (message.error !== undefined) {
        failed.set(question.verb, message.error);
        question.reject(Object.assign(new Error(message.error), { kind: message.kind }));
      } else {
        settleNotices(failed.get(question.verb));
        failed.delete(question.verb);
        question.resolve({ value: message.value, buffers });
      }
    } else if (message.topic) {
      if (message.topic === "production") desk.opened(message.value);
      for (const ear of ears.get(message.topic) ?? []) guarded(() => ear(message.value));
    }
  };
  model.on("msg:custom", heard);
  signal.addEventListener("abort", () => model.off("msg:custom", heard));
  const post = (message, buffers) => {
    try {
      model.send(message, undefined, buffers);
    } catch (error) { // the kernel is gone: what is asked stays unanswered, as on a broken line, and is no refusal
      console.warn("Nobody hears the page:", error.message);
      if (!signal.aborted) lose(lineOf(model), true);
    }
  };
  const desk = {
    /** Ask Python; the answer is `{ value, buffers }`. Bytes may go with it, far fewer than 10 MB: more would vanish. */
    ask(verb, given = {}, bytes = undefined) {
      shared.asked += 1;
      const id = `${model.model_id ?? ""}:${shared.asked}`;
      return new Promise((resolve, reject) => {
        waiting.set(id, { verb, resolve, reject });
        post({ ask: id, verb, with: given }, bytes && [bytes]);
      });
    },
    /** Ask Python; what goes wrong is shown as a notice, and the answer is then undefined. */
    async tell(verb, given = {}) {
      try {
        return (await desk.ask(verb, given)).value ?? null;
      } catch (error) {
        notice(error.message, "error");
        return undefined;
      }
    },
    /** Which production is open now: what is told about one goes when another is opened. */
    opened(name) {
      if (open !== undefined && open !== name) clearNotices();
      open = name;
    },
    /** Hear of a topic. */
    on(topic, ear) {
      ears.set(topic, [...(ears.get(topic) ?? []), ear]);
    },
    /** Show an error of the page itself, and keep it in the kernel's log. */
    report(error) {
      const text = String(error?.stack ?? error);
      console.error(error);
      post({ ask: null, verb: "report", with: { message: text } });
    },
  };
  const guarded = (run) => {
    try {
      run();
    } catch (error) {
      if (error.kind) { // Python's sentence is whole
        notice(error.message, "error");
        return;
      }
      notice(`Something went wrong in the page: ${error.message.replace(/\.$/, "")}. Reload it; nothing was lost.`, "error");
      desk.report(error);
    }
  };
  /** A handler of events whose errors are shown in the page. */
  desk.guarded = (run) => (...args) => {
    try {
      const result = run(...args);
      if (result?.catch) result.catch((error) => guarded(() => { throw error; }));
      return result;
    } catch (error) {
      return guarded(() => { throw error; });
    }
  };
  return desk;
}

// Notices

const NOTICE_STAYS = { note: 6000, offer: 12000, warning: 30000, error: 30000 }; // ms without the pointer or the focus on it
const NOTICE_EDGE = 16; // px from a notice to the window's edge
const NOTICE_WIDE = 700; // px of a window that has more than one place for notices

/** Show a sentence where it covers no control, if there is such a place. `action` is `{ text, run }`.
 *
 * It goes by itself, an error as soon as what failed has succeeded, and all go when another production is opened. */
export function notice(text, level = "note", action = null) {
  const region = document.getElementById("luma-notices") ?? newRegion();
  for (const other of [...region.children]) if (other.dataset.text === text) other.remove();
  const close = () => item.remove();
  const item = h(
    "div",
    { class: `luma-notice luma-notice-${level}`, role: level === "error" ? "alert" : "status" },
    h("p", { dir: "auto" }, text),
    action && button({ text: action.text, kind: "luma-button-quiet", onclick: () => { close(); action.run(); } }),
    button({ icon: "close", label: "Close", kind: "luma-button-quiet", onclick: close }),
  );
  Object.assign(item.dataset, { text, level, offers: action ? "yes" : "" });
  region.append(item);
  while (region.children.length > 4) region.firstChild.remove();
  goLater(item, NOTICE_STAYS[level === "note" && action ? "offer" : level]);
  placeNotices(region);
}

/** Let a notice go once nobody has pointed at it or had the focus in it for so long. */
function goLater(item, stays) {
  let timer = setTimeout(() => item.remove(), stays);
  const wait = () => clearTimeout(timer);
  const again = () => {
    wait();
    if (!item.matches(":hover, :focus-within")) timer = setTimeout(() => item.remove(), stays);
  };
  for (const event of ["pointerenter", "focusin"]) item.addEventListener(event, wait);
  for (const event of ["pointerleave", "focusout"]) item.addEventListener(event, () => setTimeout(again));
}

/** What failed has succeeded: its error goes. One that offers something stays until that is done. */
function settleNotices(text) {
  if (text === undefined) return;
  for (const each of document.querySelectorAll("#luma-notices > [data-level='error'][data-offers='']")) if (each.dataset.text === text) each.remove();
}

function clearNotices() {
  document.getElementById("luma-notices")?.replaceChildren();
}

function newRegion() {
  const region = h("div", { id: "luma-notices", class: "luma luma-notices" });
  followTheme(region, new AbortController().signal);
  document.body.append(region);
  const again = () => { if (region.children.length) placeNotices(region); };
  addEventListener("resize", again);
  addEventListener("scrollend", again, { capture: true });
  return region;
}

/** Put the notices where they cover the fewest controls: where the style sheet has them, if another place is no better. */
function placeNotices(region) {
  region.style.inset = "";
  if (innerWidth < NOTICE_WIDE) return;
  const { left: usualLeft, top: usualTop, width, height } = region.getBoundingClientRect();
  const across = [usualLeft, NOTICE_EDGE, (innerWidth - width) / 2];
  const down = [usualTop, NOTICE_EDGE, ...[0.8, 0.65, 0.5, 0.35, 0.2].map((part) => part * usualTop)];
  const places = down.flatMap((top) => across.map((left) => ({ left, top })));
  const boxes = [...document.querySelectorAll(CONTROLS)].map((each) => each.getBoundingClientRect()).filter((box) => box.width && box.bottom > 0 && box.top < innerHeight);
  const covered = ({ left, top }) => boxes.filter((box) => box.left < left + width && box.right > left && box.top < top + height && box.bottom > top).length;
  const counts = places.map(covered);
  const best = places[counts.indexOf(Math.min(...counts))];
  Object.assign(region.style, { inset: `${Math.max(0, best.top)}px auto auto ${Math.max(0, best.left)}px` });
}

const CONTROLS = ["button", "input", "select", "textarea", "a[href]", "summary", "canvas", "h2", "[role='slider']"].map((each) => `section.luma ${each}`).join() + ", [role='tab']"; // and what names a panel

// The theme

/** Follow the page's theme: the studio's own choice, JupyterLab's, or the system's. */
function followTheme(root, signal) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = document.documentElement.dataset.lumaTheme;
    const lab = document.body.dataset.jpThemeLight;
    root.dataset.theme = chosen ?? (lab ? (lab === "false" ? "dark" : "light") : system.matches ? "dark" : "light");
    root.dispatchEvent(new CustomEvent("luma-theme"));
  };
  apply();
  const observer = new MutationObserver(apply);
  observer.observe(document.documentElement, { attributeFilter: ["data-luma-theme"] });
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", apply, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}

// The kernel

const BEAT = 4000; // ms between two questions whether the kernel is there
const PATIENCE = 8000; // ms until it is taken for lost

/** The panels of one notebook share a line to its kernel, and one heartbeat. */
function lineOf(model) {
  const key = model.widget_manager;
  if (!shared.lines.has(key)) shared.lines.set(key, { key, desks: new Set(), lost: false, late: null, timer: null });
  return shared.lines.get(key);
}

function watchKernel(desk, model, signal) {
  const line = lineOf(model);
  line.desks.add(desk);
  line.timer ??= setInterval(() => beat(line), BEAT);
  model.on("comm_live_update", () => beat(line)); // JupyterLab restarts the kernel
  addEventListener("luma-kernel", (event) => lose(line, event.detail.status !== "ok"), { signal });
  signal.addEventListener("abort", () => {
    line.desks.delete(desk);
    answered(line);
    if (line.desks.size) return;
    clearInterval(line.timer);
    shared.lines.delete(line.key);
    lose(line, false);
  });
}

/** Ask whether the kernel is there, by the newest panel: after a restart the older ones are not heard any more. */
function beat(line) {
  const desk = [...line.desks].at(-1);
  if (!desk) return;
  line.late ??= setTimeout(() => lose(line, true), PATIENCE);
  desk.ask("ping").then(() => {
    answered(line);
    lose(line, false);
  });
}

function answered(line) {
  clearTimeout(line.late);
  line.late = null;
}

/** Show that a kernel is gone, or take that away when none is. */
function lose(line, isGone) {
  line.lost = isGone;
  const banner = document.getElementById("luma-lost");
  if (!isLost()) banner?.remove();
  if (!isLost() || banner) return;
  const on = VOILA
    ? button({ text: "Go on", kind: "luma-button-primary", onclick: () => location.reload() })
    : button({ icon: "close", label: "Close", kind: "luma-button-quiet", onclick: () => { made.hidden = true; } });
  const how = VOILA ? "" : " Run the notebook's cells again, once its kernel runs.";
  const made = h("div", { id: "luma-lost", class: `luma luma-lost ${VOILA ? "" : "luma-lost-below"}`, role: "alert" }, icon("warning"),
    h("p", {}, h("strong", {}, "The studio has lost its kernel. "), "All that was saved is safe, and your last edits are kept in this page.", how), on);
  followTheme(made, new AbortController().signal);
  document.body.append(made);
}

/** Whether a kernel is believed to be gone. */
export function isLost() {
  return [...shared.lines.values()].some((line) => line.lost);
}

// Sound

/** Let one sound at a time be heard in the page: `stop` is called when another begins. */
export function takeTheFloor(stop) {
  if (shared.playing && shared.playing !== stop) shared.playing();
  shared.playing = stop;
}

// Storage

/** What outlives a reload of this tab; where the browser keeps nothing, what lives as long as the page. */
export const storage = tabStorage();

function tabStorage() {
  try {
    sessionStorage.getItem("luma");
    return sessionStorage;
  } catch (error) {
    console.warn("This browser keeps nothing for the page:", error.message);
    const kept = new Map();
    return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  }
}

// Files

/** Let the browser keep bytes as a file. */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}
