// The pause timeline: see every take and every pause, drag a pause, hear it at once.

import { button, clock, count, fill, h, icon, isLost, notice, panel, storage, takeTheFloor } from "./kit.js";
import { arrange, clauseAt, silenceAfter } from "./timeline.js";
import { int16Of, piecesOf } from "./hearing.js";
import { makePlayer } from "./player.js";
import { makeView } from "./view.js";
import { percentOf, readLength } from "./lengths.js";
import { isOff, isRunning, once, setOff } from "./work.js";
import { BAND, HEIGHT, RULER, WAVES, draw, drawLevels, drawWhole, palette, seconds, waveform, wholeLevels } from "./drawing.js";

const WHOLE = 44; // height of the strip that shows all, in pixels
const GRAB = 9; // pixels to each side of a pause's edge at which it is taken; fingers need more
const GRAB_TOUCH = 20;
const PACE = 12; // pixels a second from which on every pause's edge is taken, not only the selected one's
const NARROW = 2; // pixels: a pause that is narrower is not drawn, and has a grip instead
const SNAP = 0.05; // seconds
const LONGEST = 3600; // seconds a pause may have
const LOCKED = "It is locked. Press L to free it.";
const SLIDERS = 120; // pauses that are in the page for screen readers and the tab key
const BATCH = 48; // waveforms that are asked for at once

const KEYS = [
  ["Space", "Play or stop"],
  ["P", "Play from the selected pause"],
  ["A", "Play around it: a second before to a second after"],
  ["R", "The same, again and again"],
  ["J   K", "Next pause, previous pause (also ] and [)"],
  ["← →  ↓ ↑", "Shorter, longer by 0.1 s; with Shift by 1 s, with Alt by 0.01 s"],
  ["Enter", "Type its length"],
  ["L", "Lock or free it"],
  ["S", "Speak this clause again"],
  ["T", "Take the earlier take back"],
  ["1 … 9", "Listen to one of its takes"],
  ["F", "Fit to a total, or scale pauses"],
  ["Ctrl Z", "Undo"],
  ["Ctrl Shift Z", "Redo (also Ctrl Y)"],
  ["Z   X", "Zoom in, zoom out"],
  ["C", "Zoom to the selected pause"],
  ["W", "Show the whole"],
  ["G", "Go to a time"],
  ["Home  End", "First pause, last pause"],
  ["D", "Listen on drop: on or off"],
  ["?", "This sheet"],
];

export default panel("Pause timeline", async ({ root, desk, signal }) => {
  let production = null; // as Python described it; its pauses are columns here
  let timeline = null;
  let colours = null;
  let selected = 0;
  let hovered = -1;
  let drag = null;
  let dirty = true;
  let levels = null; // of the strip; null: to be computed
  let onDrop = true; // listen to each drop
  let elsewhere = false;
  let refused = null; // what was last asked of the selected pause and refused: { index, sentence, typed }
  let speaking = null; // the last work of its kind
  const view = makeView(44100);
  const waves = new Map(); // by fingerprint
  const askedWaves = new Set();
  const inFlight = new Map(); // edits on their way to Python: clause → { by, value } of the last one
  const waiting = new Map(); // lengths that are to be sent when that has been answered: clause → seconds

  const player = makePlayer({
    fetchTakes: async (fingerprints) => {
      const { buffers } = await desk.ask("samples", ofThis({ fingerprints }));
      return buffers.map(int16Of);
    },
    changed: () => showPlaying(),
    failed: (error) => notice(error.message, "error"),
  });
  signal.addEventListener("abort", () => {
    player.close();
    clearTimeout(dropTimer);
    clearTimeout(takesTimer);
  });
  const stopPlaying = () => player.stop();

  // The page

  const ui = makePage();
  root.append(ui.head, ui.banner, ui.empty, ui.main);
  ui.help = helpSheet();
  ui.fit = fitSheet();
  ui.goTo = goToSheet();
  root.append(ui.help, ui.fit, ui.goTo);

  function makePage() {
    const position = h("span", { class: "luma-number luma-position" });
    const play = button({ icon: "play", label: "Play", key: "Space", kind: "luma-button-primary", onclick: act(togglePlay) });
    const undo = button({ icon: "undo", label: "Undo", key: "Ctrl Z", onclick: act(() => (isOff(undo) ? undefined : afterEdits("undo"))) });
    const redo = button({ icon: "redo", label: "Redo", key: "Ctrl Shift Z", onclick: act(() => (isOff(redo) ? undefined : afterEdits("redo"))) });
    const hear = button({ icon: "ear", text: "Listen on drop", key: "D", "aria-pressed": "true", kind: "luma-hear", onclick: act(toggleHear) });
    const head = h("header", { class: "luma-head" },
      h("h2", {}, "Pauses"),
      h("div", { class: "luma-row" }, play, position),
      h("div", { class: "luma-row" }, undo, redo,
        button({ icon: "stretch", text: "Fit or scale…", key: "F", onclick: act(() => openFit()) })),
      h("div", { class: "luma-row" },
        button({ icon: "minus", label: "Zoom out", key: "X", onclick: act(() => zoom(1 / 1.6)) }),
        button({ icon: "plus", label: "Zoom in", key: "Z", onclick: act(() => zoom(1.6)) }),
        button({ icon: "whole", label: "Show the whole", key: "W", onclick: act(showWhole) }),
        hear,
        button({ icon: "help", label: "Keys", key: "?", kind: "luma-button-quiet", onclick: act(() => ui.help.showModal()) })));
    const whole = h("canvas", { class: "luma-whole", "aria-hidden": "true" });
    const canvas = h("canvas", { class: "luma-canvas", "aria-hidden": "true" });
    const playhead = h("div", { class: "luma-playhead", hidden: true });
    const tip = h("div", { class: "luma-tip luma-number", hidden: true });
    const sliders = h("div", { class: "luma-sliders", role: "group", "aria-label": "Pauses" });
    const stage = h("div", { class: "luma-stage", tabindex: "-1" }, canvas, sliders, playhead, tip);
    const caption = h("p", { class: "luma-caption luma-text", dir: "auto", "aria-live": "off" });
    const inspector = h("div", { class: "luma-inspector" });
    const refusal = h("p", { class: "luma-refusal luma-text", id: `luma-refusal-${Math.random().toString(36).slice(2)}`, role: "alert", hidden: true });
    const legend = h("ul", { class: "luma-legend", "aria-label": "Where a pause's length came from" },
      ["written", "default", "agent", "tuned", "fitted"].map((source) => h("li", {}, h("i", { class: `luma-swatch luma-${source}` }), source)));
    const main = h("div", { class: "luma-timeline-main" }, whole, stage, caption, inspector, legend);
    const empty = h("div", { class: "luma-empty", hidden: true }, icon("stretch"), h("strong", {}, "No pauses yet"), h("p", {}, "Write or paste a script and have it spoken; its pauses appear here."),
      !document.body.dataset.voila && h("p", {}, "In a notebook, session.open(\"name\") opens a production, and PauseTimeline(calm) shows one."));
    const banner = h("div", { class: "luma-banner", role: "status", hidden: true }, icon("warning"), "This production is open in another window, too. What is edited or typed there appears here; if both type at once, both texts are kept until you choose one.");
    return { head, play, undo, redo, hear, position, whole, canvas, playhead, tip, sliders, stage, caption, inspector, refusal, main, empty, banner };
  }

  /** A handler whose errors are shown; it keeps the focus in the panel. */
  function act(run) {
    return desk.guarded(run);
  }

  // What Python tells

  desk.on("state", (state) => follow(state));
  desk.on("elsewhere", (value) => showElsewhere(value));
  desk.on("pauses", (change) => {
    if (!production) return;
    for (const [key, pause] of Object.entries(change.pauses)) {
      const index = Number(key);
      if (refused?.index === index && refused.typed === null) refused = null;
      const ours = inFlight.get(index);
      if ((ours && ours.by !== change.by) || waiting.has(index)) continue; // a later edit of ours is on its way
      keepPause(index, pause);
    }
    production.history = change.history;
    production.gain = change.gain;
    rearrange();
    showInspector();
  });

  /** A question about the production that is shown: Python may have another one open before this page hears of it. */
  function ofThis(given = {}) {
    return { ...given, production: production.name };
  }

  function showElsewhere(value) {
    elsewhere = value;
    ui.banner.hidden = !elsewhere;
  }

  function follow(state) {
    const same = production && state && production.name === state.name;
    const focused = same ? production.clauses.text[selected] : null;
    const before = production;
    const unmoved = same && String(before.clauses.text) === String(state.clauses.text);
    if (!same) {
      player.stop();
      resting = 0;
      measured = null;
      speaking = null;
      refused = null;
      forgetTakes();
    }
    if (!unmoved) giveUpDrag();
    production = state && { ...state, columns: columnsOf(state) };
    ui.main.hidden = ui.head.hidden = !production;
    ui.empty.hidden = Boolean(production);
    if (!unmoved) {
      inFlight.clear();
      waiting.clear();
    }
    if (!production) {
      timeline = null;
      return;
    }
    for (const [index, { value }] of inFlight) keepOurs(index, waiting.get(index) ?? value);
    if (same && before.clauses.text.length !== state.clauses.text.length) player.stop();
    if (!same) {
      selected = 0;
      view.start = 0;
      view.scale = 0;
    } else if (production.clauses.text[selected] !== focused) {
      selected = Math.max(0, production.clauses.text.indexOf(focused));
    }
    view.rate = state.rate;
    rearrange();
    if (!same) firstView();
    showInspector();
    if (!same) {
      desk.tell("measured", ofThis()).then(keepMeasured);
      remakeUnsaved();
    }
    if (production.clauses.text.length) prepare(timeline.speechEnd[selected] ?? 0);
  }

  function columnsOf(state) {
    const pauses = Object.values(state.pauses);
    const column = (at) => pauses.map((pause) => pause[at]);
    return { seconds: column(0), source: column(1), least: column(2), most: column(3), locked: column(4) };
  }

  function keepPause(index, [length, source, least, most, locked]) {
    const { columns } = production;
    columns.seconds[index] = length;
    columns.source[index] = source;
    columns.least[index] = least;
    columns.most[index] = most;
    columns.locked[index] = locked;
  }

  /** Lay everything out again, and have the player follow: what comes is scheduled anew before this returns. */
  function rearrange() {
    timeline = arrange({ ...production, seconds: production.columns.seconds });
    player.set({ timeline, fingerprints: production.takes.fingerprint, fade: production.fade, gain: production.gain });
    view.resize(ui.stage.clientWidth, timeline.length);
    levels = null;
    dirty = true;
    showPosition();
    setOff(ui.undo, !production.history[0]);
    setOff(ui.redo, !production.history[1]);
  }

  function firstView() {
    const pace = Math.max(40, view.width / 24);
    const edge = timeline.count ? timeline.speechEnd[0] + silenceAfter(timeline, 0) : 0; // the first that a hand can take
    view.scale = Math.min(pace / view.rate, (view.width * 0.92) / Math.max(1, edge));
    view.start = 0;
    view.settle();
  }

  // Edits

  /** Set a pause: at once here and in what is heard, then in Python; false for one that is locked. `since` is when the hand let go. */
  function tune(index, length, since = performance.now()) {
    if (production.columns.locked[index]) {
      refuse(index, LOCKED);
      return false;
    }
    refused = null;
    const value = Math.min(LONGEST, Math.max(0, Math.round(length * 1000) / 1000));
    if (value === production.columns.seconds[index] && production.columns.source[index] === "tuned") return true;
    keepOurs(index, value);
    rearrange();
    root.dispatchEvent(new CustomEvent("luma-rescheduled", { detail: performance.now() - since }));
    showInspector();
    if (inFlight.has(index)) waiting.set(index, value);
    else send(index, value);
    return true;
  }

  /** Leave a pause as it is, and say why beside its length; what was `typed` stays there to be mended. */
  function refuse(index, sentence, typed = null) {
    refused = { index, sentence, typed };
    showInspector();
  }

  function keepOurs(index, value) {
    production.columns.seconds[index] = value;
    production.columns.source[index] = "tuned";
  }

  /** Send an edit; while one of a clause is on its way, only the newest after it waits. */
  async function send(index, value) {
    const { name, clauses } = production;
    const by = `${Date.now()}.${Math.random()}`;
    const text = clauses.text[index];
    const here = () => production?.name === name && production.clauses.text[index] === text;
    inFlight.set(index, { by, value });
    unsaved.keep(name, { by, index, value, text });
    try {
      await desk.ask("tune", ofThis({ seconds: { [index]: value }, by }));
    } catch (error) {
      waiting.delete(index);
      const again = error.kind === "ChangedError" && here() && { text: "Make it again", run: () => tune(index, value) };
      notice(error.message, "error", again || null);
      inFlight.delete(index);
      follow((await desk.ask("state")).value.production);
    } finally {
      unsaved.forget(name, by);
    }
    if (inFlight.get(index)?.by === by) inFlight.delete(index);
    const next = waiting.get(index);
    waiting.delete(index);
    if (next !== undefined && here()) await send(index, next);
    if (!inFlight.size) settled.splice(0).forEach((resolve) => resolve());
  }

  const settled = []; // who waits until no edit is on its way

  /** Ask for an edit that follows all those before it. */
  async function afterEdits(verb, given) {
    const asked = ofThis(given);
    if (inFlight.size) await new Promise((resolve) => settled.push(resolve));
    return desk.tell(verb, asked);
  }

  // Edits that Python has not answered yet outlive the page, so that a dead kernel loses none.
  const unsaved = {
    all(name) {
      return JSON.parse(storage.getItem(`luma-unsaved:${name}`) ?? "[]");
    },
    put(name, edits) {
      if (edits.length) storage.setItem(`luma-unsaved:${name}`, JSON.stringify(edits));
      else storage.removeItem(`luma-unsaved:${name}`);
    },
    keep(name, edit) {
      unsaved.put(name, [...unsaved.all(name).filter((other) => other.index !== edit.index), edit]);
    },
    forget(name, by) {
      unsaved.put(name, unsaved.all(name).filter((edit) => edit.by !== by));
    },
  };

  /** When a production is opened: make again what a page before this one could not have saved. */
  function remakeUnsaved() {
    const edits = unsaved.all(production.name).filter((edit) => production.clauses.text[edit.index] === edit.text);
    unsaved.put(production.name, []);
    for (const edit of edits) tune(edit.index, edit.value);
    if (edits.length) notice(`${count(edits.length, "edit")} had not been saved when the page lost its kernel; made again.`);
  }

  function step(by) {
    if (tune(selected, production.columns.seconds[selected] + by) && onDrop) hearDrop();
  }

  /** Take the length that was typed. */
  function takeTyped(index, typed) {
    ui.typing = null;
    const { length, error } = readLength(typed, LONGEST);
    if (error) return refuse(index, error, typed);
    if (tune(index, length) && onDrop) hearDrop();
    return showInspector();
  }

  function toggleLock() {
    return afterEdits("lock", { clauses: [selected], locked: !production.columns.locked[selected] });
  }

  // Playing

  function togglePlay() {
    if (player.playing || player.hearing) return player.stop();
    const from = resting >= timeline.length - 1 ? 0 : resting;
    return playFrom(() => ({ from, until: timeline.length }));
  }

  let resting = 0; // where play begins: where it stopped, or was put

  function playFrom(bounds, options) {
    if (!production.takes.fingerprint.some(Boolean)) {
      notice("Nothing is spoken yet. Have the script spoken first.", "warning");
      return undefined;
    }
    takeTheFloor(stopPlaying);
    const playing = player.play(bounds, options); // which ends what played before
    looping = player.playing && Boolean(options?.loop);
    showPlaying();
    return playing;
  }

  function prepare(position) {
    player.prepare(position).catch((error) => desk.report(error));
  }

  function playHere() {
    return playFrom((t) => ({ from: Math.max(0, t.clipStart[selected]), until: t.length }));
  }

  const around = (index) => (t) => ({
    from: Math.max(0, t.speechEnd[index] - t.rate),
    until: Math.min(t.length, t.speechEnd[index] + silenceAfter(t, index) + t.rate),
  });

  function playAround(loop = false) {
    if (loop && player.playing && looping) return player.stop();
    return playFrom(around(selected), { loop });
  }

  let looping = false;
  let dropTimer = null;

  /** After a drop: hear around the pause; several quick steps are heard once. */
  function hearDrop() {
    if (player.playing) return;
    clearTimeout(dropTimer);
    dropTimer = setTimeout(act(() => playAround(false)), 180);
  }

  function toggleHear() {
    onDrop = !onDrop;
    ui.hear.setAttribute("aria-pressed", String(onDrop));
  }

  function showPlaying() {
    const playing = player.playing || player.hearing;
    fill(ui.play, icon(playing ? "pause" : "play"));
    ui.play.setAttribute("aria-label", playing ? "Stop" : "Play");
    ui.play.title = `${playing ? "Stop" : "Play"} (Space)`;
    if (!playing) looping = false;
    showPosition();
    ui.inspector.querySelector(".luma-loop")?.setAttribute("aria-pressed", String(playing && looping));
  }

  // Selecting and moving about

  function select(index, { focus = false, reveal = true } = {}) {
    selected = Math.max(0, Math.min(timeline.count - 1, index));
    if (refused?.index !== selected) refused = null;
    if (reveal) view.reveal(timeline.clipStart[selected], timeline.speechEnd[selected] + silenceAfter(timeline, selected));
    if (!player.playing) resting = Math.max(0, timeline.clipStart[selected]);
    dirty = true;
    showInspector();
    showPosition();
    prepare(timeline.speechEnd[selected]);
    if (focus) {
      placeSliders();
      ui.sliders.querySelector(`[data-index="${selected}"]`)?.focus({ preventScroll: true });
    }
  }

  function zoom(factor, x) {
    const anchor = view.x(timeline.speechEnd[selected]);
    view.zoom(factor, x ?? (anchor > 0 && anchor < view.width ? anchor : undefined));
    dirty = true;
  }

  function showWhole() {
    view.scale = view.least;
    view.start = 0;
    dirty = true;
  }

  function zoomToPause() {
    const from = timeline.speechEnd[selected];
    view.show(from - view.rate, from + silenceAfter(timeline, selected) + view.rate);
    dirty = true;
  }

  function goTo(sample) {
    const target = Math.max(0, Math.min(timeline.length, sample));
    if (player.playing) playFrom((t) => ({ from: Math.min(target, t.length), until: t.length }));
    resting = target;
    view.reveal(target, target);
    dirty = true;
    showPosition();
  }

  // The inspector: the selected pause

  let takesTimer = null;
  let measured = null; // what the last audit found, by clause

  function showInspector() {
    const typing = ui.inspector.contains(document.activeElement) ? document.activeElement.dataset.field : null;
    const index = selected;
    if (ui.typing === index) return undefined; // what is being typed is not taken from under the hand
    const { clauses, columns } = production;
    if (!timeline.count) return fill(ui.inspector);
    const there = silenceAfter(timeline, index) / timeline.rate;
    const told = refused?.index === index ? refused : { sentence: "", typed: null };
    const { typed } = told;
    if (ui.refusal.textContent !== told.sentence) ui.refusal.textContent = told.sentence;
    ui.refusal.hidden = !told.sentence;
    const value = h("input", {
      class: "luma-input luma-number luma-seconds", type: "text", inputMode: "decimal", autocomplete: "off",
      value: typed ?? seconds(columns.seconds[index]), "aria-label": "Length of the pause in seconds", "data-field": "seconds",
      "aria-invalid": typed === null ? null : "true", "aria-describedby": ui.refusal.id,
      oninput: () => { ui.typing = index; },
      onblur: () => { ui.typing = null; },
      onchange: act((event) => takeTyped(index, event.target.value)),
      onkeydown: (event) => {
        event.stopPropagation();
        const by = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
        if (by && ui.typing !== index) {
          event.preventDefault();
          step(by);
        }
        if (event.key === "Enter") event.target.blur(); // which takes what was typed
        if (event.key === "Escape") {
          ui.typing = null;
          refused = null;
          showInspector();
        }
        if (event.key === "Enter" && refused?.index === index && refused.typed !== null) typeLength();
        else if (event.key === "Enter" || event.key === "Escape") select(index, { focus: true });
      },
    });
    const locked = columns.locked[index];
    const next = index + 1 < timeline.count ? clauses.text[index + 1] : null;
    const asked = columns.seconds[index];
    const exact = Math.abs(there - asked) < 0.0005;
    fill(ui.inspector,
      h("div", { class: "luma-around" },
        h("p", { class: "luma-clause luma-text", dir: "auto", lang: clauses.language[index] }, clauses.speaker[index] && h("span", { class: "luma-badge" }, clauses.speaker[index]), clauses.speaker[index] && " ", clauses.text[index]),
        h("div", { class: "luma-edit" },
          h("div", { class: "luma-row" },
            button({ icon: "minus", label: "Shorter by 0.1 s", key: "←", "data-field": "less", onclick: act(() => step(-0.1)) }),
            value, h("span", {}, "s"),
            button({ icon: "plus", label: "Longer by 0.1 s", key: "→", "data-field": "more", onclick: act(() => step(0.1)) }),
            button({ icon: locked ? "lock" : "unlock", label: locked ? "Free this pause" : "Lock this pause", key: "L", "aria-pressed": String(locked), "data-field": "lock", onclick: act(toggleLock) })),
          ui.refusal,
          h("p", { class: "luma-told" },
            h("span", { class: `luma-badge luma-source luma-${columns.source[index]}` }, columns.source[index]),
            locked && h("span", { class: "luma-badge" }, "locked"),
            boundsOf(index) && h("span", { class: "luma-muted" }, boundsOf(index)),
            h("span", { class: "luma-muted luma-number" }, `asked ${seconds(asked)} s`),
            h("span", { class: `luma-number ${exact ? "luma-muted" : ""}` }, exact ? "there exactly" : `there ${there.toFixed(2)} s${sceneLead(index)}`),
            measuredOf(index)),
          h("div", { class: "luma-row" },
            button({ icon: "around", text: "Around", key: "A", "data-field": "around", onclick: act(() => playAround(false)) }),
            button({ icon: "loop", text: "Loop", key: "R", kind: "luma-loop", "aria-pressed": String(player.playing && looping), "data-field": "loop", onclick: act(() => playAround(true)) }),
            button({ icon: "play", text: "From here", key: "P", "data-field": "here", onclick: act(playHere) }))),
        h("p", { class: "luma-clause luma-next luma-text luma-muted", dir: "auto", lang: next === null ? null : clauses.language[index + 1] }, next ?? "End of the script")),
      ui.takes ??= h("div", { class: "luma-takes luma-row" }));
    const again = typing && ui.inspector.querySelector(`[data-field="${typing}"]`);
    again?.focus({ preventScroll: true });
    if (typing === "seconds" && typed !== null) return undefined;
    if (typing === "seconds") again?.select(); // as it was when one went there: what is typed takes its place
    clearTimeout(takesTimer);
    takesTimer = setTimeout(act(showTakes), 120);
    return undefined;
  }

  function typeLength() {
    const field = ui.inspector.querySelector(".luma-seconds");
    field.focus();
    field.select();
  }

  function boundsOf(index) {
    const { least, most } = production.columns;
    if (least[index] === null && most[index] === null) return null;
    return `written as ${seconds(least[index] ?? 0)}–${most[index] === null ? "…" : seconds(most[index])} s`;
  }

  function sceneLead(index) {
    const scene = production.scenes.find((each) => each.first === index + 1 && each.lead > 0);
    return scene ? ` with the ${seconds(scene.lead / timeline.rate)} s before the next scene` : "";
  }

  function measuredOf(index) {
    const found = measured?.get(index);
    if (!found || Math.abs(found.asked - silenceAfter(timeline, index) / timeline.rate) > 0.001) return null;
    return h("span", { class: `luma-number ${found.finding ? "luma-badge luma-badge-warning" : "luma-muted"}`, title: `As the audit measured it in ${measured.file}` }, `measured ${found.found.toFixed(2)} s`);
  }

  /** What is shown are another production's takes. */
  function forgetTakes() {
    if (!ui.takes) return;
    ui.takes.shown = null;
    fill(ui.takes);
  }

  /** The takes of the selected clause: listen, compare, take one back. */
  async function showTakes() {
    if (!production) return;
    const asked = ofThis({ clause: selected });
    const takes = await desk.tell("takes", asked);
    if (asked.clause !== selected || asked.production !== production?.name || !takes) return;
    ui.takes.shown = takes;
    const focused = ui.takes.contains(document.activeElement) ? document.activeElement.dataset.field : null;
    fill(ui.takes,
      h("h3", {}, takes.length > 1 ? "Takes of this clause" : "This clause"),
      takes.map((each, at) =>
        h("span", { class: "luma-take", "data-used": String(each.used) },
          button({ icon: "play", text: `Take ${at + 1}`, key: at < 9 ? String(at + 1) : undefined, label: `Listen to take ${at + 1}, ${each.voice}`, kind: "luma-button-quiet", "data-field": `take-${at}`, onclick: act(() => listen(at)) }),
          each.used
            ? h("span", { class: "luma-badge luma-badge-good" }, "in use")
            : button({ text: "Use", label: `Use take ${at + 1}`, "data-field": `use-${at}`, onclick: act(once(() => desk.tell("take_back", { ...asked, fingerprint: each.fingerprint }))) }))),
      ui.again = button({ icon: "voice", text: takes.length ? "Speak again" : "Speak", key: "S", "data-field": "again", onclick: act(speakAgain) }));
    setOff(ui.again, isRunning(speaking));
    if (!focused) return;
    const same = ui.takes.querySelector(`[data-field="${focused}"]`);
    (same ?? ui.sliders.querySelector(`[data-index="${selected}"]`))?.focus({ preventScroll: true });
  }

  function listen(at) {
    const take = ui.takes.shown?.[at];
    if (!take) return undefined;
    takeTheFloor(stopPlaying);
    return player.playTake(take.fingerprint);
  }

  /** Have the clause spoken, and heard while it comes if that takes its time; until that has ended, asking again does nothing. */
  async function speakAgain() {
    if (isRunning(speaking)) return;
    const before = speaking;
    const begun = { kind: "speak", status: "running" };
    followSpeaking(begun);
    const key = await desk.tell("hear", ofThis({ clause: selected }));
    if (key === undefined && speaking === begun) followSpeaking(before);
    if (!key || signal.aborted) return;
    takeTheFloor(stopPlaying);
    await player.playComing(piecesOf(desk, key));
  }

  function followSpeaking(work) {
    speaking = work;
    if (ui.again) setOff(ui.again, isRunning(speaking));
  }

  async function takeBack() {
    await desk.tell("take_back", ofThis({ clause: selected }));
  }

  // Fit and scale

  function fitSheet() {
    const total = h("input", { class: "luma-input luma-number", placeholder: "10:00" });
    const now = h("p", { class: "luma-muted" });
    const answer = h("p", { role: "status" });
    const scaled = h("p", { role: "status" });
    const percent = h("input", { class: "luma-input luma-number", type: "text", inputMode: "decimal", autocomplete: "off", value: "120" });
    const choose = (name, options) => h("select", { class: "luma-input", "aria-label": name }, options.map(([value, text]) => h("option", { value }, text)));
    const source = choose("Pauses", [["", "all pauses"], ["written", "written pauses"], ["default", "default pauses"], ["agent", "agent's pauses"], ["tuned", "tuned pauses"], ["fitted", "fitted pauses"]]);
    const after = choose("After", [["", "after anything"], ["sentence", "after sentences"], ["comma", "after commas"], ["fragment", "after fragments"]]);
    const scene = choose("Scene", [["", "in every scene"]]);
    /** Ask Python; what it refuses is said in the sheet: what lies behind it can neither be read nor closed. */
    const asked = async (verb, given, said) => {
      try {
        return (await desk.ask(verb, ofThis(given))).value ?? null;
      } catch (error) {
        fill(said, error.message);
        return undefined;
      }
    };
    const fitTo = act(once(async () => {
      const result = await asked("fit", { total: total.value }, answer);
      if (result === undefined) return;
      if (result === null) return dialog.close();
      const reach = [result.least, result.most].filter((each) => each !== null);
      fill(answer, result.error, " ", reach.map((each) => button({ text: `Fit to ${clock(each / production.rate, 2)}`, onclick: act(async () => { if ((await asked("fit", { total: `${each} samples` }, answer)) === null) dialog.close(); }) })));
    }));
    const scaleBy = act(once(async () => {
      const wanted = percentOf(percent.value);
      if (wanted === null || wanted < 1 || wanted > 10000) {
        fill(scaled, "Write a number of percent from 1 to 10,000, such as 80 or 120,5.");
        percent.focus();
        return;
      }
      const given = { factor: wanted / 100 };
      if (source.value) given.source = source.value;
      if (after.value) given.after = after.value;
      if (scene.value) given.scene = scene.value;
      const changed = await asked("scale", given, scaled);
      if (changed === 0) fill(scaled, "Nothing changed: locked pauses and those of 0 s keep their length, and 100 % is what they have.");
      else if (changed !== undefined) dialog.close();
    }));
    const dialog = h("dialog", { class: "luma-dialog", "aria-label": "Fit or scale pauses" },
      h("header", { class: "luma-head" }, h("h2", {}, "Fit or scale pauses"), button({ icon: "close", label: "Close", kind: "luma-button-quiet", onclick: () => dialog.close() })),
      h("form", { class: "luma-body luma-form", onsubmit: (event) => { event.preventDefault(); fitTo(); } },
        h("h3", {}, "Fit to a total"), h("p", {}, "Stretches every free pause by the same factor, each within its bounds, so that the whole lasts exactly this long."),
        h("div", { class: "luma-row" }, h("label", { class: "luma-row" }, "Total", total), button({ text: "Fit", kind: "luma-button-primary", type: "submit" })), now, answer),
      h("form", { class: "luma-body luma-form", onsubmit: (event) => { event.preventDefault(); scaleBy(); } },
        h("h3", {}, "Scale"), h("p", {}, "Locked pauses keep their length."),
        h("div", { class: "luma-row" }, h("label", { class: "luma-row" }, "To", percent), h("span", {}, "% of"), source, after, scene, button({ text: "Scale", kind: "luma-button-primary", type: "submit" })), scaled));
    dialog.prepared = () => {
      total.value = clock(timeline.length / timeline.rate, timeline.length % timeline.rate ? 2 : 0);
      fill(now, `Now it lasts ${clock(timeline.length / timeline.rate, 2)}.`);
      fill(answer);
      fill(scaled);
      fill(scene, h("option", { value: "" }, "in every scene"), timeline.scenes.map((each) => h("option", { value: each.id }, `in ${each.title || each.id}`)));
    };
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    return dialog;
  }

  function openFit() {
    ui.fit.prepared();
    ui.fit.showModal();
  }

  function helpSheet() {
    const dialog = h("dialog", { class: "luma-dialog", "aria-label": "Keys" },
      h("header", { class: "luma-head" }, h("h2", {}, "Keys"), button({ icon: "close", label: "Close", kind: "luma-button-quiet", onclick: () => dialog.close() })),
      h("div", { class: "luma-body" },
        h("dl", { class: "luma-keys" }, KEYS.map(([keys, what]) => [h("dt", {}, keys.split(/\s{2,}/).map((key) => h("kbd", {}, key))), h("dd", {}, what)])),
        h("p", { class: "luma-muted" }, "Keys work while the pause timeline has the focus: click it, or go there with Tab. Drag a pause's right edge, or the selected pause itself; hold Alt to drag without steps. Ctrl and the wheel zoom, two fingers do too.")));
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    return dialog;
  }

  // Sliders: each pause in sight, for screen readers and the tab key

  const pool = [];

  function placeSliders() {
    const [first, last] = slidersRange();
    const focused = ui.sliders.contains(document.activeElement);
    const isTakenAnywhere = view.pace > PACE;
    while (pool.length < last - first) {
      const slider = h("div", { role: "slider", class: "luma-slider", "aria-valuemin": "0", "aria-valuemax": String(LONGEST), onfocus: act((event) => { const at = Number(event.target.dataset.index); if (at !== selected) select(at); }) });
      pool.push(slider);
      ui.sliders.append(slider);
    }
    pool.forEach((slider, at) => {
      const index = first + at;
      slider.hidden = index >= last;
      if (slider.hidden) {
        slider.tabIndex = -1;
        slider.dataset.key = "";
        return;
      }
      const x = view.x(timeline.speechEnd[index]);
      const width = Math.max(6, silenceAfter(timeline, index) * view.scale);
      slider.style.transform = `translateX(${x}px)`;
      slider.style.width = `${width}px`;
      slider.classList.toggle("luma-slider-empty", isTakenAnywhere && silenceAfter(timeline, index) * view.scale < NARROW);
      const key = `${index}|${production.columns.seconds[index]}|${production.columns.source[index]}|${production.columns.locked[index]}|${index === selected}`;
      if (slider.dataset.key === key) return;
      slider.dataset.key = key;
      slider.dataset.index = String(index);
      slider.tabIndex = index === selected ? 0 : -1;
      slider.style.setProperty("--luma-grip", `var(--luma-${production.columns.source[index]})`);
      const length = production.columns.seconds[index];
      slider.setAttribute("aria-label", `Pause after: ${production.clauses.text[index].slice(0, 200)}`);
      slider.setAttribute("aria-valuenow", String(length));
      slider.setAttribute("aria-valuetext", `${seconds(length)} seconds, ${production.columns.source[index]}${production.columns.locked[index] ? ", locked" : ""}`);
    });
    if (focused) pool[selected - first].focus({ preventScroll: true }); // each may stand for another pause now
  }

  /** The pauses in sight, or those around the selected one where there are too many. */
  function slidersRange() {
    const low = Math.max(0, clauseAt(timeline, view.start));
    const high = Math.min(timeline.count, clauseAt(timeline, view.end) + 1);
    if (high - low <= SLIDERS && selected >= low && selected < high) return [low, high];
    const first = Math.max(0, Math.min(selected - SLIDERS / 4, timeline.count - SLIDERS / 2));
    return [first, Math.min(timeline.count, first + SLIDERS / 2)];
  }

  // Drawing, once a frame and only when something changed

  const context = ui.canvas.getContext("2d", { alpha: false });
  const wholeContext = ui.whole.getContext("2d");
  const drawn = h("canvas", {}); // the strip without the part that is seen

  function frame() {
    if (signal.aborted) return;
    requestAnimationFrame(frame);
    if (!timeline?.count || !ui.stage.clientWidth) return;
    followPlayhead();
    if (!dirty) return;
    dirty = false;
    if (drag?.moved) layOutDrag();
    colours ??= palette(root); // the style sheet counts once the panel is in the page
    const ratio = devicePixelRatio || 1;
    const { width } = view;
    sized(ui.canvas, width, HEIGHT, ratio);
    sized(ui.whole, width, WHOLE, ratio);
    const shown = {
      view, timeline, colours, selected, hovered, dragged: drag?.index ?? -1, pauses: production.columns, texts: production.clauses.text,
      spoken: production.takes.fingerprint, waves: (i) => waves.get(production.takes.fingerprint[i]), samples: (i) => player.take(production.takes.fingerprint[i]),
    };
    draw(context, ratio, shown);
    if (!levels) {
      levels = wholeLevels(timeline, shown.waves, width);
      sized(drawn, width, WHOLE, ratio);
      drawLevels(drawn.getContext("2d"), ratio, { timeline, levels, width, height: WHOLE, colours });
    }
    drawWhole(wholeContext, ratio, { view, timeline, drawn, width, height: WHOLE, colours });
    if (!drag) placeSliders();
    askForWaves();
  }

  function sized(canvas, width, height, ratio) {
    const [w, hh] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width === w && canvas.height === hh) return;
    canvas.width = w;
    canvas.height = hh;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }

  /** Ask for waveforms, those in sight first, a batch at a time. */
  function askForWaves() {
    if (askedWaves.size || isLost()) return;
    const missing = new Set();
    const from = Math.max(0, clauseAt(timeline, view.start));
    const order = (i) => (from + i) % timeline.count;
    for (let i = 0; i < timeline.count && missing.size < BATCH; i += 1) {
      const fingerprint = production.takes.fingerprint[order(i)];
      if (fingerprint && !waves.has(fingerprint)) missing.add(fingerprint);
    }
    if (!missing.size) return;
    for (const each of missing) askedWaves.add(each);
    desk.ask("peaks", ofThis({ fingerprints: [...missing] })).then(({ value, buffers }) => {
      if (value) [...missing].forEach((each, at) => waves.set(each, waveform(bytes(buffers[at]), value.grain)));
    }).catch((error) => {
      for (const each of missing) waves.set(each, waveform(new Uint8Array(1), 1e9));
      desk.report(error);
    }).finally(() => {
      askedWaves.clear();
      levels = null;
      dirty = true;
    });
  }

  let captioned = -2;

  function followPlayhead() {
    const position = player.position;
    if (position !== null) resting = position;
    const x = view.x(resting);
    ui.playhead.hidden = x < 0 || x > view.width;
    ui.playhead.style.transform = `translateX(${x}px)`;
    if (position === null) return;
    showPosition();
    if ((x < 0 || x > view.width * 0.94) && !drag) {
      view.start = position - (view.width * 0.08) / view.scale;
      view.settle();
      dirty = true;
    }
  }

  function showPosition() {
    const text = `${clock(resting / timeline.rate, 1)} / ${clock(timeline.length / timeline.rate, 1)}`;
    if (ui.position.textContent !== text) ui.position.textContent = text;
    showCaption(player.playing ? Math.max(0, clauseAt(timeline, resting)) : -1);
  }

  /** The clause that is heard; while nothing plays, how to begin. */
  function showCaption(index) {
    if (index === captioned) return;
    captioned = index;
    ui.caption.classList.toggle("luma-hint", index < 0);
    fill(ui.caption, index < 0 ? "Drag a pause's edge and hear it at once. Press ? for the keys." : production.clauses.text[index]);
  }

  // The hand

  const pointers = new Map();

  ui.stage.addEventListener("pointerdown", act((event) => {
    if (event.button !== 0 || !timeline?.count) return;
    const x = stageX(event);
    pointers.set(event.pointerId, x);
    ui.stage.setPointerCapture(event.pointerId);
    if (pointers.size === 2) {
      endDrag(null);
      gesture = { kind: "pinch", apart: apart(), view: view.scale };
      return;
    }
    const index = pauseAt(x, event);
    if (index >= 0) {
      select(index, { focus: true, reveal: false });
      drag = { index, x, from: production.columns.seconds[index], seconds: production.columns.seconds[index], moved: false, locked: production.columns.locked[index] };
      showTip();
    } else {
      gesture = { kind: "pan", x, start: view.start, moved: false };
    }
    event.preventDefault();
  }));

  let gesture = null;

  ui.stage.addEventListener("pointermove", act((event) => {
    if (!timeline?.count) return;
    const x = stageX(event);
    if (pointers.has(event.pointerId)) pointers.set(event.pointerId, x);
    if (gesture?.kind === "pinch" && pointers.size === 2) {
      view.zoom((gesture.view * (apart() / gesture.apart)) / view.scale, [...pointers.values()].reduce((a, b) => a + b) / 2);
      dirty = true;
    } else if (drag) {
      dragTo(x, event.altKey);
    } else if (gesture?.kind === "pan") {
      if (Math.abs(x - gesture.x) > 4) gesture.moved = true;
      if (gesture.moved) {
        view.start = gesture.start - (x - gesture.x) / view.scale;
        view.settle();
        dirty = true;
      }
    } else {
      const over = pauseAt(x, event);
      ui.stage.style.cursor = over < 0 ? "" : production.columns.locked[over] ? "not-allowed" : "ew-resize";
      if (over !== hovered) {
        hovered = over;
        dirty = true;
      }
    }
  }));

  ui.stage.addEventListener("pointerup", act((event) => {
    const x = stageX(event);
    pointers.delete(event.pointerId);
    if (drag) endDrag(event);
    else if (gesture?.kind === "pan" && !gesture.moved) clicked(x, event);
    if (!pointers.size) gesture = null;
  }));

  ui.stage.addEventListener("pointercancel", (event) => {
    pointers.delete(event.pointerId);
    gesture = null;
    if (drag) endDrag(null);
  });

  ui.stage.addEventListener("pointerleave", () => {
    hovered = -1;
    dirty = true;
  });

  const stageX = (event) => event.clientX - ui.stage.getBoundingClientRect().left;
  const stageY = (event) => event.clientY - ui.stage.getBoundingClientRect().top;
  const apart = () => Math.max(20, Math.abs([...pointers.values()][0] - [...pointers.values()][1]));

  /** The pause whose edge, or, if it is selected, whose body is under the hand; -1 if none. */
  function pauseAt(x, event) {
    const y = stageY(event);
    if (y < RULER + BAND || y > RULER + BAND + WAVES) return -1;
    const grab = event.pointerType === "touch" ? GRAB_TOUCH : GRAB;
    const near = clauseAt(timeline, view.sample(x));
    let best = -1;
    let closest = grab;
    for (const index of [near - 1, near, near + 1]) {
      if (index < 0 || index >= timeline.count) continue;
      const begin = view.x(timeline.speechEnd[index]);
      const edge = begin + silenceAfter(timeline, index) * view.scale;
      const off = Math.abs(edge - x);
      if (off <= closest && (view.pace > PACE || index === selected)) {
        best = index;
        closest = off;
      }
      if (best < 0 && index === selected && x > begin && x < edge) best = index;
    }
    return best;
  }

  function dragTo(x, free) {
    const by = (x - drag.x) / view.pace;
    if (Math.abs(x - drag.x) > 2) drag.moved = true;
    if (!drag.moved) return;
    dirty = true;
    if (drag.locked) return;
    const wanted = Math.max(0, drag.from + by);
    drag.seconds = Math.min(LONGEST, free ? wanted : Math.round(wanted / SNAP) * SNAP);
  }

  /** What is dragged is laid out once a frame, however often the hand reports. */
  function layOutDrag() {
    production.columns.seconds[drag.index] = drag.seconds;
    timeline = arrange({ ...production, seconds: production.columns.seconds });
    view.length = timeline.length;
    showTip();
  }

  /** The hand lets go: the pause stays as it is, or as it was where the drag was given up. */
  function endDrag(event) {
    if (!drag) return;
    const { index, from, seconds: length, moved, locked } = drag;
    giveUpDrag();
    if (moved) production.columns.seconds[index] = from;
    if (event && moved && Math.abs(length - from) > 0.0005) {
      tune(index, length, event.timeStamp);
      if (onDrop) hearDrop();
    } else if (moved) {
      rearrange();
    }
    if (event && moved && locked) refuse(index, LOCKED);
    dirty = true;
  }

  function giveUpDrag() {
    drag = null;
    ui.tip.hidden = true;
  }

  function showTip() {
    const by = drag.seconds - drag.from;
    const x = view.x(timeline.speechEnd[drag.index] + silenceAfter(timeline, drag.index));
    ui.tip.hidden = !drag.moved;
    ui.tip.textContent = drag.locked ? LOCKED : `${drag.seconds.toFixed(2)} s  (${by < 0 ? "−" : "+"}${Math.abs(by).toFixed(2)})`;
    const half = ui.tip.offsetWidth / 2 + 4;
    ui.tip.style.transform = `translateX(${Math.max(half, Math.min(view.width - half, x))}px) translateX(-50%)`;
  }

  function clicked(x, event) {
    const sample = view.sample(x);
    if (stageY(event) < RULER + BAND) return goTo(sample);
    const index = clauseAt(timeline, sample);
    select(index, { focus: true, reveal: false });
    if (sample < timeline.clipEnd[Math.max(0, index)]) goTo(sample);
    return undefined;
  }

  ui.stage.addEventListener("wheel", act((event) => {
    if (!timeline?.count) return;
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
    if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY * 0.0025), stageX(event));
    else if (sideways) view.pan(sideways);
    else return;
    dirty = true;
    event.preventDefault();
  }), { passive: false });

  ui.stage.addEventListener("dblclick", act(() => zoomToPause()));

  let wholeDown = false;
  const seek = (event) => {
    const box = ui.whole.getBoundingClientRect();
    const sample = ((event.clientX - box.left) / box.width) * timeline.length;
    view.start = sample - view.width / 2 / view.scale;
    view.settle();
    dirty = true;
    return sample;
  };
  ui.whole.addEventListener("pointerdown", act((event) => {
    wholeDown = true;
    ui.whole.setPointerCapture(event.pointerId);
    const sample = seek(event);
    if (!player.playing) {
      resting = sample;
      showPosition();
    }
  }));
  ui.whole.addEventListener("pointermove", act((event) => wholeDown && seek(event)));
  for (const ending of ["pointerup", "pointercancel"]) ui.whole.addEventListener(ending, () => { wholeDown = false; });

  // Keys

  const nextPause = () => select(selected + 1, { focus: true });
  const previousPause = () => select(selected - 1, { focus: true });

  const acts = {
    " ": togglePlay,
    p: playHere,
    a: () => playAround(false),
    r: () => playAround(true),
    j: nextPause,
    "]": nextPause,
    k: previousPause,
    "[": previousPause,
    Home: () => select(0, { focus: true }),
    End: () => select(timeline.count - 1, { focus: true }),
    Enter: typeLength,
    l: toggleLock,
    s: speakAgain,
    t: takeBack,
    f: openFit,
    z: () => zoom(1.6),
    x: () => zoom(1 / 1.6),
    c: zoomToPause,
    w: showWhole,
    g: openGoTo,
    d: toggleHear,
    "?": () => ui.help.showModal(),
  };

  function goToSheet() {
    const time = h("input", { class: "luma-input luma-number", placeholder: "3:25" });
    const answer = h("p", { role: "status" });
    const go = () => {
      const { length, error } = readLength(time.value);
      if (error) {
        fill(answer, error);
        return;
      }
      dialog.close();
      goTo(length * timeline.rate);
    };
    const dialog = h("dialog", { class: "luma-dialog", "aria-label": "Go to a time" },
      h("form", { class: "luma-body luma-form", onsubmit: act((event) => { event.preventDefault(); go(); }) },
        h("div", { class: "luma-row" }, h("label", { class: "luma-row" }, "Go to", time), button({ text: "Go", kind: "luma-button-primary", type: "submit" }), button({ icon: "close", label: "Close", kind: "luma-button-quiet", onclick: () => dialog.close() })),
        answer));
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    dialog.prepared = () => {
      time.value = clock(resting / timeline.rate);
      fill(answer);
    };
    return dialog;
  }

  function openGoTo() {
    ui.goTo.prepared();
    ui.goTo.showModal();
    ui.goTo.querySelector("input").select();
  }

  root.addEventListener("keydown", act((event) => {
    if (!timeline?.count || event.defaultPrevented || event.target.closest("input, select, textarea, dialog")) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey) {
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      handled(event);
      afterEdits(key === "y" || event.shiftKey ? "redo" : "undo");
      return;
    }
    if (event.key === " " && event.target.closest("button")) return;
    if (event.key === "Enter" && event.target.closest("button")) return;
    const arrows = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    if (event.key in arrows) {
      handled(event);
      step(arrows[event.key] * (event.altKey ? 0.01 : event.shiftKey ? 1 : 0.1));
    } else if (event.key === "PageUp" || event.key === "PageDown") {
      handled(event);
      step(event.key === "PageUp" ? 1 : -1);
    } else if (/^[1-9]$/.test(event.key)) {
      handled(event);
      listen(Number(event.key) - 1);
    } else if (!event.altKey) {
      const run = acts[event.key] ?? acts[event.key.toLowerCase()];
      if (!run) return;
      handled(event);
      if (!event.repeat || run === nextPause || run === previousPause) return run();
    }
  }));

  function handled(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  // Begin

  new ResizeObserver(() => {
    if (!timeline) return;
    view.resize(ui.stage.clientWidth, timeline.length);
    levels = null;
    dirty = true;
  }).observe(ui.stage);
  root.addEventListener("luma-theme", () => {
    colours = null;
    levels = null;
    dirty = true;
  });
  desk.on("files", () => production && desk.tell("measured", ofThis()).then(keepMeasured));
  desk.on("work", (work) => { if (work.kind === "speak") followSpeaking(work); });

  function keepMeasured(report) {
    measured = report && new Map(report.pauses.map((each) => [each.clause, each]));
    if (measured) measured.file = report.file;
    if (production) showInspector();
  }

  const { value } = await desk.ask("state");
  showElsewhere(value.elsewhere);
  follow(value.production);
  followSpeaking(value.works.find((work) => work.kind === "speak") ?? null);
  requestAnimationFrame(frame);
});

function bytes(view) {
  return new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}
