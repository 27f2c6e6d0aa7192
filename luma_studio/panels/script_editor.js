// The script editor: the text, coloured as Python reads it; its scenes, its name, its voices.

import { button, clock, count, download, fill, h, icon, notice, panel, storage, takeTheFloor } from "./kit.js";
import { makeHearing, piecesOf } from "./hearing.js";
import { price, showAgo } from "./words.js";

const COLOURED = 300000; // characters up to which a text is coloured,
const COLOURED_LINES = 10000; // lines,
const COLOURED_LINE = 20000; // and characters of its longest line
const BLOCK = 64; // lines that a browser lays out and paints together
const MOST_BYTES = 4 * 2 ** 20; // larger messages to the kernel may vanish
const KEEP = 350; // ms from the first key to the draft being kept
const QUOTE = 250; // ms of rest before a quote is asked for
const LOST_AFTER = 20000; // ms after which a question counts as lost
const LISTED = 200; // scenes, and diagnostics, that are listed
const KEPT_HERE = 2 ** 20; // characters of a draft that are kept in the page, too
const LOOK = 1500; // ms between two looks whether another window typed into the script
const GLANCE = 70; // characters of another window's text that are shown
const USUAL = { rate: 150, pitch: 50 };
const WHOLE_LINES = new Set(["header", "direction", "setting"]); // kinds that go on when one types at their end
const LANGUAGES = "en hi bn ta te mr gu pa kn ml ur ne si ar fa he tr es pt fr de it nl sv nb da fi pl cs hu ro el ru uk ja zh ko vi th id sw".split(" ");
const LEVELS = { error: "Error", warning: "Warning", note: "Note" };
const PLACEHOLDER = "Arriving\nClose your eyes, and breathe in slowly. (5 sec)\nLet the breath go again.";
const TOO_LONG = "This text is over 4 MB, more than one production takes. Divide it into several scripts.";

export default panel("Script", async ({ root, desk, signal }) => {
  const act = desk.guarded;
  let shown = { name: null, text: "", choices: {}, opened: false }; // what is open, as Python has it
  let changes = {}; // of its choices
  let reading = null; // what Python last made of the text, and of which text
  let quote = null;
  let problem = null; // why the text cannot be spoken, in a sentence
  let work = null; // speaking that is on its way

  const sheet = makeSheet({ typed, moved: showCurrentScene, act, signal });
  const side = makeSide({ jump: (scene) => sheet.jump(placer()(scene.offset)), example: openExample, takeBack, act });
  const findings = makeFindings({ jump: ({ start, end }) => sheet.jump(placer()(start), placer()(end)), act });
  const voices = makeVoices({ changed: choose, hear, preview, offered: async () => (await desk.ask("offers")).value, written: (voice) => desk.tell("written", { voice }), act });
  const draft = makeDraft({ desk, name: () => shown.name, text: () => sheet.text, isKept: () => shown.opened, show: showTyped, offer: showOffer, act, signal });
  const ui = makePage();
  root.append(...ui.parts);

  function makePage() {
    const numbers = h("p", { class: "luma-script-numbers luma-muted luma-number" });
    const unspoken = h("div", { class: "luma-row luma-script-unspoken", hidden: true },
      h("span", { class: "luma-badge luma-badge-warning" }, "Not yet spoken"),
      button({ icon: "undo", text: "Back to the spoken script", kind: "luma-button-quiet", onclick: act(backToSpoken) }));
    const picker = h("input", { type: "file", accept: ".txt,.md,.markdown,text/plain,text/markdown", hidden: true, tabIndex: -1, "aria-label": "Script file", onchange: act(picked) });
    const open = button({ icon: "file", text: "Open", title: "Open a script file", kind: "luma-button-quiet", onclick: () => picker.click() });
    const save = button({ icon: "save", text: "Save", title: "Save the script as a file", kind: "luma-button-quiet", onclick: act(saveFile) });
    const head = h("header", { class: "luma-head luma-script-head" }, h("h2", {}, "Script"), numbers, unspoken, h("div", { class: "luma-row" }, picker, open, save));
    const note = h("p", { class: "luma-script-remark luma-muted", role: "status" });
    const glance = h("span", { class: "luma-script-glance luma-text", dir: "auto" });
    const offer = h("div", { class: "luma-banner luma-script-offer", role: "alert", hidden: true }, icon("warning"),
      h("p", {}, h("strong", {}, "Another window typed into this script, too. "), "Both texts are kept. There it says: ", glance),
      h("div", { class: "luma-row" },
        button({ text: "Show theirs", onclick: act(showTheirs) }),
        button({ text: "Keep mine", onclick: act(() => draft.keepMine(shown.text)) })));
    const body = h("div", { class: "luma-body luma-script-body" },
      h("div", { class: "luma-script-columns" }, h("div", { class: "luma-script-main" }, sheet.element, note, findings.element), side.element),
      voices.element);
    const hint = h("p", { class: "luma-script-hint luma-muted", id: unique("hint"), role: "status" });
    const name = h("input", { class: "luma-input luma-script-name", id: unique("name"), autocomplete: "off", spellcheck: false, dir: "auto", maxLength: 120, "aria-describedby": hint.id, oninput: act(renamed) });
    const told = h("p", { class: "luma-script-told" });
    const stop = button({ icon: "stop", text: "Stop", hidden: true, onclick: act(() => desk.tell("stop")) });
    const speak = button({ icon: "voice", text: "Speak", key: "Ctrl Enter", kind: "luma-button-primary luma-script-speak", onclick: act(speakIt) });
    const alert = h("p", { class: "luma-script-alert", role: "alert" });
    const foot = h("footer", { class: "luma-script-foot" },
      h("div", { class: "luma-script-named" }, h("label", { htmlFor: name.id }, "Name"), name, hint),
      h("div", { class: "luma-script-do" }, told, stop, speak), alert);
    const veil = h("div", { class: "luma-script-veil", hidden: true, "aria-hidden": "true" }, icon("file"), h("strong", {}, "Drop the script here"));
    return { parts: [head, offer, body, foot, veil], offer, glance, numbers, unspoken, open, picker, note, name, hint, told, stop, speak, alert, veil };
  }

  // What is open

  desk.on("production", follow);
  desk.on("wanted", act((verb) => (ui.speak.disabled ? notice(ui.told.textContent || "Write or paste a script first.", "warning") : takeIn(verb))));
  desk.on("work", (state) => { if (state.kind === "speak") showWork(state); });

  let following = Promise.resolve();
  let visit = 0; // a number for what is open: what a notice offers is about one of them

  /** Show what is open now. What was typed for it and is not spoken yet stays; what is still being done for another ends. */
  function follow(name) {
    if (name !== shown.name) visit += 1;
    const step = act(async () => {
      await draft.flush();
      const state = (await desk.ask("state")).value;
      const same = shown.opened && (state.name === shown.name || draft.held);
      const left = shown.opened && !same && shown.name === null && sheet.text.trim();
      desk.opened(state.name);
      shown = { ...state, opened: true };
      sheet.area.readOnly = false; // until now it was not known what stands there
      if (same) {
        draft.follow(state);
      } else {
        visit += 1;
        changes = {};
        draft.open(state);
        sheet.top();
      }
      if (!same || !own || draft.held) showName(state.name ?? "");
      if (left) notice("The text you were typing is kept. “New script” takes you back to it.");
      showVoices();
      showWork(state.works.find((each) => each.kind === "speak") ?? null);
      read();
    });
    following = following.then(step, step);
    return following;
  }

  function isUnspoken() {
    return shown.name !== null && sheet.text !== shown.text;
  }

  async function backToSpoken() {
    if (!(await exchange(shown.text, "Your text"))) return;
    changes = {};
    showVoices();
    showName(shown.name);
  }

  // One text for another: what makes room is kept among the texts that were left

  /** A handler for a notice, of no effect once something else is open. */
  function here(run) {
    const then = visit;
    return act(() => (then === visit ? run() : undefined));
  }

  /** Keep what stands in the sheet, unless it is there anyway; answers its key, or undefined where it could not be kept. */
  async function leaveText() {
    let key = null;
    for (let text = null; text !== sheet.text; ) {
      text = sheet.text;
      key = text.trim() && text !== shown.text ? await desk.tell("leave", { text }) : null;
    }
    return key;
  }

  /** Put another text in; answers whether it is. */
  async function exchange(text, what) {
    const then = visit;
    const key = await leaveText();
    if (key === undefined || then !== visit) return false;
    const before = sheet.text;
    if (before === text) return true;
    sheet.replace(text);
    if (before.trim()) {
      notice(key ? `${what} made room, and is kept among the texts you left.` : `${what} made room.`, "note",
        { text: "Bring it back", run: here(() => exchange(before, "The other text")) });
    }
    return true;
  }

  async function takeBack({ key }) {
    const then = visit;
    if ((await leaveText()) === undefined || then !== visit) return;
    const given = await draft.takeBack(key);
    if (given === null || then !== visit) return;
    sheet.replace(given);
    sheet.area.focus();
  }

  // What another window typed

  /** Show what stands there by now. */
  function showTyped(text) {
    if (text === sheet.text) return;
    sheet.set(text);
    quote = null;
    read();
  }

  /** Offer what another window typed; null: there is nothing to choose any more. */
  function showOffer(theirs) {
    ui.offer.hidden = theirs === null;
    if (theirs !== null) say(ui.glance, glanceAt(theirs, sheet.text));
    showState();
  }

  async function showTheirs() {
    const mine = sheet.text;
    if (await draft.showTheirs(shown.text)) {
      notice("Your own text is kept among the texts you left.", "note", { text: "Bring it back", run: here(() => exchange(mine, "The other text")) });
    }
  }

  // Typing

  function typed() {
    if (!sheet.text.trim() && shown.name === null) showName("");
    quote = null;
    showAlert("");
    draft.changed();
    read();
  }

  let asked = 0; // when the question that is on its way was asked; 0: none is
  let stale = false; // whether the text or the choices were changed since

  /** Have the text read: one question at a time, and the newest text next. */
  const read = act(async () => {
    stale = true;
    showState();
    if (asked && performance.now() - asked < LOST_AFTER) return;
    const mine = performance.now();
    try {
      for (asked = mine; stale && asked === mine && !signal.aborted; ) {
        stale = false;
        await readOnce(sheet.text);
        if (stale) await rest(sheet.text.length / 1000); // a kernel has other things to do
      }
    } finally {
      if (asked === mine) asked = 0;
    }
    askForQuote();
  });

  async function readOnce(text) {
    problem = isTooLong(text) ? TOO_LONG : null;
    if (!text.trim()) desk.ask("left").then(({ value }) => side.offerLeft(value)).catch((error) => notice(sentenceOf(error), "error"));
    if (problem || !text.trim()) return showReading(null);
    try {
      const { value } = await desk.ask("read", { text, changes });
      return showReading({ ...value, text });
    } catch (error) {
      problem = sentenceOf(error);
      return showReading(null);
    }
  }

  function showReading(value) {
    reading = value;
    if (value) {
      const marks = value.marks.map(([start, end, kind]) => ({ start, end, kind }));
      const found = value.diagnostics.map(({ start, end, level }) => ({ start, end, kind: level }));
      sheet.mark([...marks, ...found].sort((a, b) => a.start - b.start), value.text, value.language);
    } else {
      sheet.mark([], sheet.text);
    }
    findings.show(value?.diagnostics ?? []);
    side.show(sheet.text.trim() ? value?.scenes ?? [] : null);
    showVoices();
    if (value && value.text === sheet.text && !own && shown.name === null) showName(value.name);
    showCurrentScene();
    showState();
  }

  /** What tells where an offset of the text that was read is now. */
  function placer() {
    const change = reading && changeBetween(reading.text, sheet.text);
    return (offset) => (change && offset >= change.end ? offset + change.grown : offset);
  }

  function showCurrentScene() {
    const place = placer();
    const { caret } = sheet;
    side.mark((reading?.scenes ?? []).findLastIndex((scene) => place(scene.offset) <= caret));
  }

  function showVoices() {
    voices.show({ ...shown.choices, ...changes }, reading?.speakers ?? []);
  }

  function choose(change) {
    changes = { ...changes, ...change };
    quote = null;
    showVoices();
    read();
  }

  // Name, quote, and what can be done

  let own = false; // whether the name was typed, or is a file's
  let quoteTimer = null;

  function showName(text, isOwn = false) {
    own = isOwn;
    if (ui.name.value !== text) ui.name.value = text;
  }

  function renamed() {
    own = nameOf() !== "";
    quote = null;
    showAlert("");
    askForQuote();
  }

  function nameOf() {
    return ui.name.value.trim();
  }

  function askForQuote() {
    clearTimeout(quoteTimer);
    quoteTimer = setTimeout(act(async () => {
      const given = { name: nameOf(), text: sheet.text, changes };
      const isCurrent = () => given.name === nameOf() && given.text === sheet.text && given.changes === changes;
      if (reading?.text !== given.text || !given.name || work) return showState();
      try {
        const { value } = await desk.ask("quote", given);
        if (isCurrent()) quote = value;
      } catch (error) {
        if (isCurrent()) quote = { problem: sentenceOf(error), ofName: error.kind === "UnsafeNameError" };
      }
      return showState();
    }), QUOTE);
  }

  function showState() {
    const empty = !sheet.text.trim();
    const trouble = problem ?? quote?.problem ?? (quote?.another ? anotherScript() : undefined);
    say(ui.numbers, empty || !reading ? "" : figures(reading));
    ui.unspoken.hidden = !isUnspoken();
    say(ui.note, sheet.plain && problem !== TOO_LONG ? "A text as long as this is shown without colours. It is read and spoken like any other." : "");
    say(ui.hint, hint());
    say(ui.told, work ? progressOf(work) : toldOf(trouble, empty));
    ui.hint.classList.toggle("luma-script-problem", Boolean(quote?.ofName || quote?.another));
    ui.told.classList.toggle("luma-script-problem", Boolean(trouble) && !work);
    ui.stop.hidden = !work;
    ui.speak.hidden = Boolean(work);
    ui.speak.disabled = empty || Boolean(trouble) || draft.held || Boolean(quote?.spoken) || !ui.offer.hidden;
  }

  function toldOf(trouble, empty) {
    if (quote?.ofName || quote?.another || (!trouble && (empty || !quote))) return "";
    return trouble ?? quoteWords(quote);
  }

  function hint() {
    if (quote?.ofName) return quote.problem;
    if (quote?.another) return anotherScript();
    if (!quote || quote.problem || nameOf() === shown.name) return "";
    if (quote.exists) return quote.same ? "Opens the production you have" : "Opens the production you have, and this becomes its script";
    return shown.name === null ? "" : "Begins another production; this one stays as it is";
  }

  function anotherScript() {
    const name = `\u2068${nameOf()}\u2069`; // whichever way it is written
    if (nameOf() === shown.name) return `This is another script than ${name} holds. Choose another name to begin a production of its own.`;
    return `${name} holds another script. Choose another name, or open that production.`;
  }

  function showWork(state) {
    const before = work;
    work = state && ["running", "stopping"].includes(state.status) ? state : null;
    if (before && state?.error) showAlert(state.error);
    if (before && !work) askForQuote();
    showState();
  }

  function showAlert(text) {
    say(ui.alert, text);
  }

  // Speaking

  function speakIt() {
    return takeIn("speak");
  }

  /** Have Python take the text in, to "begin" a production with it or to "speak" it, too. */
  async function takeIn(verb) {
    if (ui.speak.disabled || ui.speak.hidden) return;
    const given = { name: nameOf() || reading?.name || "", text: sheet.text, changes };
    showAlert("");
    const release = draft.hold();
    showState();
    try {
      await desk.ask(verb, { ...given, seen: release.seen });
      await following;
      changes = {};
      release(true);
      if (sheet.text !== given.text) draft.changed();
    } catch (error) {
      release(false);
      draft.changed();
      if (error.kind === "ChangedError") await draft.look();
      showAlert(ui.offer.hidden ? sentenceOf(error) : "");
    }
    showVoices();
    showState();
  }

  root.addEventListener("keydown", act((event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return undefined;
    event.preventDefault();
    return speakIt();
  }));

  // Files

  function saveFile() {
    download(`${nameOf() || "script"}.txt`, new Blob([sheet.text], { type: "text/plain;charset=utf-8" }));
  }

  async function picked() {
    const [file] = ui.picker.files;
    if (file) await openFile(file);
    ui.picker.value = "";
  }

  async function openFile(file) {
    if (file.size > MOST_BYTES) {
      notice(TOO_LONG, "error");
      return;
    }
    const data = base64(new Uint8Array(await file.arrayBuffer()));
    await putIn(await desk.tell("decode", { file: file.name, data }));
  }

  async function openExample(name) {
    await putIn(await desk.tell("example", { name }));
  }

  async function putIn(opened) {
    if (!opened) return; // what went wrong has been told
    if (await exchange(opened.text, "Your text")) showName(opened.name, true);
  }

  const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  root.addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    ui.veil.hidden = false;
  });
  root.addEventListener("dragleave", (event) => {
    if (!root.contains(event.relatedTarget)) ui.veil.hidden = true;
  });
  root.addEventListener("drop", act(async (event) => {
    ui.veil.hidden = true;
    if (!carriesFile(event)) return;
    event.preventDefault();
    await openFile(event.dataTransfer.files[0]);
  }));

  // A new script: the page's head says so

  addEventListener("luma-new-script", act(async ({ detail }) => {
    await following;
    if (shown.name !== null) return; // another notebook's head said so
    const empty = () => exchange("", "Your text");
    if (detail?.left && sheet.text.trim()) {
      notice("Here is the text you were typing; it has no production yet.", "note", { text: "Put it aside", run: here(empty) });
    } else {
      await empty();
    }
    sheet.area.focus();
  }), { signal });

  // Hearing a voice

  let context = null;
  let heard = null;
  const hush = () => heard?.stop();
  signal.addEventListener("abort", () => {
    hush();
    context?.close();
  });

  /** Where a sound of this rate is played: at its own, pieces follow one another to the sample. */
  function outOf(rate) {
    if (context.sampleRate !== rate) {
      context.close();
      context = new AudioContext({ sampleRate: rate });
      context.resume();
    }
    return context.destination;
  }

  function hear({ sample, language, voice }) {
    return play("hear", { text: sample, language, voice });
  }

  function preview(voice) {
    return play("preview", { voice });
  }

  async function play(verb, given) {
    context ??= new AudioContext();
    context.resume();
    takeTheFloor(hush);
    hush();
    const mine = makeHearing(outOf);
    heard = mine;
    try {
      const { value: key } = await desk.ask(verb, given);
      if (!signal.aborted) await mine.play(piecesOf(desk, key));
    } catch (error) {
      notice(sentenceOf(error), "error");
    }
  }

  desk.ask("about").then(({ value }) => {
    side.offer(value.examples);
    voices.offer(value.variants);
  }).catch((error) => notice(sentenceOf(error), "error"));
  await follow();
});

let made = 0;

/** An id that no other panel in the page has. */
function unique(what) {
  made += 1;
  return `luma-script-${what}-${made}-${Math.random().toString(36).slice(2, 7)}`;
}

// Words

/** Put words into an element unless they are there: what a screen reader has read it need not read again. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function figures({ words, clauses, scenes, seconds }) {
  return [count(words, "word"), count(clauses, "clause"), count(scenes.length, "scene"), `about ${clock(seconds)}`].join(" · ");
}

function quoteWords({ to_speak: toSpeak, here, cost, unknown, spoken }) {
  if (spoken) return "All spoken";
  if (!toSpeak) return "Nothing to buy: every clause is here";
  return `${count(toSpeak, "new clause")}, ${price(cost, unknown)}${here ? `; ${here.toLocaleString("en")} here already` : ""}`;
}

function progressOf({ status, stages }) {
  const stage = stages.find((each) => each.stage === "speak");
  if (status === "stopping") return "Stopping…";
  return stage ? `Speaking ${stage.done.toLocaleString("en")} of ${stage.total.toLocaleString("en")}…` : "Speaking…";
}

/** What Python said went wrong; a mistake of the page's own is no sentence of Python's and goes on. */
function sentenceOf(error) {
  if (!error.kind) throw error;
  return error.message;
}

function languageName(code) {
  return new Intl.DisplayNames(["en"], { type: "language", fallback: "code" }).of(code);
}

/** The words of another text that are not in this one. */
function glanceAt(theirs, mine) {
  const { start, end, grown } = changeBetween(mine, theirs);
  const words = theirs.slice(start, end + grown).trim().replace(/\s+/g, " ");
  if (!words) return "less than here.";
  return `“${words.length > GLANCE ? `${words.slice(0, GLANCE)}…` : words}”`;
}

function isTooLong(text) {
  return text.length > MOST_BYTES / 3 && new Blob([text]).size > MOST_BYTES;
}

function rest(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// Bytes

function base64(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += 32768) parts.push(String.fromCharCode(...bytes.subarray(at, at + 32768)));
  return btoa(parts.join(""));
}

// Text: what changed in it, and the spans of it that have a colour

/** What one edit did: characters `start` to `end` of the old text were replaced, and it has `grown`. Null: nothing. */
export function changeBetween(before, after) {
  if (before === after) return null;
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  let same = 0;
  while (same < most - start && before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same)) same += 1;
  return { start, end: before.length - same, grown: after.length - before.length };
}

/** Spans after an edit: those behind it are moved, those around it grow, what was replaced has none. */
export function spansAfter(spans, { start, end, grown }) {
  return spans.map((span) => {
    const goesOn = span.end === start && WHOLE_LINES.has(span.kind);
    const before = span.end < start || (span.end === start && !goesOn);
    return {
      kind: span.kind,
      start: span.start < start ? span.start : Math.max(span.start, end) + grown,
      end: before ? span.end : span.end >= end ? span.end + grown : start,
    };
  }).filter((span) => span.end > span.start);
}

/** The lines of a text, each with its part of the spans, counted from where it begins. Spans are sorted. */
export function linesOf(text, spans) {
  let start = 0;
  let at = 0;
  return text.split("\n").map((line) => {
    const end = start + line.length;
    while (at < spans.length && spans[at].end <= start) at += 1;
    const own = [];
    for (let i = at; i < spans.length && spans[i].start < end; i += 1) {
      if (spans[i].end > start) own.push({ kind: spans[i].kind, start: Math.max(0, spans[i].start - start), end: Math.min(line.length, spans[i].end - start) });
    }
    start = end + 1;
    return { text: line, spans: own };
  });
}

const sameSpans = (a, b) => a.length === b.length && a.every((span, i) => span.start === b[i].start && span.end === b[i].end && span.kind === b[i].kind);

/** Put a line into its element: text nodes, and elements for what has a colour. */
function paintLine(element, { text, spans }) {
  const edges = spans.flatMap((span) => [[span.start, span.kind, 1], [span.end, span.kind, -1]]).sort((a, b) => a[0] - b[0]);
  const on = new Map();
  const parts = [];
  let at = 0;
  const put = (until) => {
    if (until === at) return;
    const kinds = [...on].filter(([, times]) => times > 0).map(([kind]) => `luma-script-${kind}`);
    const part = text.slice(at, until);
    parts.push(kinds.length ? h("span", { class: kinds.join(" ") }, part) : part);
    at = until;
  };
  for (const [edge, kind, by] of edges) {
    put(edge);
    on.set(kind, (on.get(kind) ?? 0) + by);
  }
  put(text.length);
  element.replaceChildren(...parts, "\n");
  const worst = Object.keys(LEVELS).find((level) => spans.some((span) => span.kind === level));
  element.className = worst ? `luma-script-line luma-script-flag luma-script-flag-${worst}` : "luma-script-line";
}

/** Whether a text is too much to be coloured at each key. */
function isPlain(text) {
  const lines = text.length > COLOURED ? [] : text.split("\n", COLOURED_LINES + 1);
  return !lines.length || lines.length > COLOURED_LINES || lines.some((line) => line.length > COLOURED_LINE);
}

function blocksOf(elements) {
  return Array.from({ length: Math.ceil(elements.length / BLOCK) }, (_, i) => h("div", { class: "luma-script-block" }, elements.slice(i * BLOCK, (i + 1) * BLOCK)));
}

// The sheet: a textarea, and behind it the same text in colours, an element a line, in blocks

function makeSheet({ typed, moved, act, signal }) {
  const area = h("textarea", { class: "luma-script-area", spellcheck: true, dir: "auto", "aria-label": "Script", placeholder: PLACEHOLDER, readOnly: true, oninput: act(() => { if (take()) typed(); }) });
  const backdrop = h("pre", { class: "luma-script-backdrop", "aria-hidden": "true", dir: "auto" });
  const sheet = h("div", { class: "luma-script-sheet" }, backdrop, area);
  const element = h("div", { class: "luma-script-paper" }, sheet);
  let text = "";
  let lines = [];
  let plain = false;
  restart();
  document.addEventListener("selectionchange", act(() => { if (document.activeElement === area) moved(); }), { signal });

  function painted(line) {
    const block = h("div");
    paintLine(block, line);
    return { ...line, element: block };
  }

  function restart() {
    lines = plain ? [] : linesOf(text, []).map(painted);
    backdrop.replaceChildren(...blocksOf(lines.map((each) => each.element)));
    element.classList.toggle("luma-script-plain", plain);
  }

  /** Take over what stands in the textarea; only the lines that were edited are painted anew. */
  function take() {
    const change = changeBetween(text, area.value);
    if (!change) return false;
    text = area.value;
    const wasPlain = plain;
    if (plain || change.grown > 1) plain = isPlain(text);
    if (plain !== wasPlain) restart();
    else if (!plain) repaint(change);
    return true;
  }

  function repaint(change) {
    let first = 0;
    let start = 0;
    while (start + lines[first].text.length < change.start) {
      start += lines[first].text.length + 1;
      first += 1;
    }
    let last = first;
    let end = start + lines[first].text.length;
    const spans = lines[first].spans.slice();
    while (end < change.end) {
      last += 1;
      spans.push(...lines[last].spans.map((span) => ({ ...span, start: span.start + end + 1 - start, end: span.end + end + 1 - start })));
      end += lines[last].text.length + 1;
    }
    const within = { start: change.start - start, end: change.end - start, grown: change.grown };
    const fresh = linesOf(text.slice(start, end + change.grown), spansAfter(spans, within));
    if (first === last && fresh.length === 1) {
      lines[first] = { ...fresh[0], element: lines[first].element };
      paintLine(lines[first].element, fresh[0]);
      return;
    }
    const old = lines.slice(first, last + 1).map((each) => each.element);
    const blocks = new Set(old.map((each) => each.parentNode));
    const anew = fresh.map(painted);
    old[0].before(...anew.map((each) => each.element));
    for (const each of old) each.remove();
    for (const each of blocks) divide(each);
    lines = [...lines.slice(0, first), ...anew, ...lines.slice(last + 1)];
  }

  /** Let a block that has become too long go on in others, and an empty one go. */
  function divide(block) {
    const over = [...block.children].slice(BLOCK);
    if (!block.children.length) block.remove();
    else if (over.length > BLOCK) block.after(...blocksOf(over));
  }

  function elementAt(offset) {
    let start = 0;
    for (const each of lines) {
      start += each.text.length + 1;
      if (start > offset) return each.element;
    }
    return null;
  }

  return {
    element,
    area,
    get text() {
      return text;
    },
    get plain() {
      return plain;
    },
    get caret() {
      return area.selectionDirection === "backward" ? area.selectionStart : area.selectionEnd;
    },
    /** Show another text; there is no way back to the one before. */
    set(value) {
      if (value === text) return;
      const change = changeBetween(text, value);
      const caret = area.selectionEnd;
      area.value = value;
      take();
      const there = caret <= change.start ? caret : Math.max(caret, change.end) + change.grown;
      if (document.activeElement === area) area.setSelectionRange(there, there);
    },
    /** Put another text in, as if it had been typed: the browser's undo brings the old one back. */
    replace(value) {
      area.focus({ preventScroll: true });
      area.select();
      const asTyped = Math.max(value.length, text.length) <= COLOURED && document.execCommand(value ? "insertText" : "delete", false, value);
      if (!asTyped) {
        area.value = value;
        area.dispatchEvent(new Event("input"));
      }
      this.top();
    },
    top() {
      area.setSelectionRange(0, 0);
      element.scrollTop = area.scrollTop = 0;
    },
    /** Colour spans that were found in a text, which may have been edited since; `language` is its own. */
    mark(spans, of, language = "") {
      sheet.lang = language;
      if (plain) return;
      const change = changeBetween(of, text);
      linesOf(text, change ? spansAfter(spans, change) : spans).forEach((each, i) => {
        if (sameSpans(each.spans, lines[i].spans)) return;
        lines[i].spans = each.spans;
        paintLine(lines[i].element, each);
      });
    },
    /** Select from an offset to the end of its line, or to `end`, and bring it into sight. */
    jump(offset, end = text.indexOf("\n", offset)) {
      area.focus({ preventScroll: true });
      area.setSelectionRange(offset, end < 0 ? text.length : end);
      element.scrollIntoView({ block: "nearest" });
      if (plain) { // a browser shows the selection when the focus comes
        area.blur();
        area.focus();
      } else {
        element.scrollTop = elementAt(offset).getBoundingClientRect().top - sheet.getBoundingClientRect().top - element.clientHeight / 5;
      }
    },
  };
}

// Beside it: the scenes, or examples where there is no text yet

function makeSide({ jump, example, takeBack, act }) {
  const title = h("h3", {});
  const list = h("ol", { class: "luma-script-scenes" });
  const leftList = h("ul", { class: "luma-script-scenes", "aria-label": "Texts you left" });
  const leftPart = h("div", { class: "luma-script-left", hidden: true }, h("h3", {}, "Texts you left"), leftList);
  const element = h("nav", { class: "luma-script-side" }, title, list, leftPart);
  let left = [];
  let examples = [];
  let isBegin = true;
  let drawn = ""; // what is listed, as JSON

  const item = (run, words, figure) => h("li", {}, h("button", { type: "button", class: "luma-script-scene", onclick: act(run) },
    h("span", { class: "luma-script-title luma-text", dir: "auto" }, words),
    h("span", { class: "luma-muted luma-number" }, figure)));
  const scene = (each) => item(() => jump(each), each.title || "No words yet", `${count(each.clauses, "clause")} · ${clock(each.seconds)}`);
  const begin = (each) => item(() => example(each.name), each.title, `${languageName(each.language)} · about ${clock(each.seconds)}`);

  const leftItem = (each) => {
    const when = h("time");
    showAgo(when, each.when);
    return item(() => takeBack(each), each.words, ["Take back · ", when]);
  };

  function draw(scenes) {
    const key = JSON.stringify(scenes ?? [examples, left]);
    if (key === drawn) return;
    drawn = key;
    const heading = scenes ? "Scenes" : "Begin with an example";
    element.setAttribute("aria-label", heading);
    element.hidden = !(scenes ?? [...examples, ...left]).length;
    say(title, heading);
    fill(list, scenes ? listed(scenes, scene) : listed(examples, begin));
    leftPart.hidden = Boolean(scenes) || !left.length;
    fill(leftList, leftPart.hidden ? [] : left.map(leftItem));
  }

  return {
    element,
    /** List the scenes; null lists the examples. */
    show(scenes) {
      isBegin = !scenes;
      draw(scenes);
    },
    offer(offered) {
      examples = offered;
      if (isBegin) draw(null);
    },
    /** List the texts that made room for others, beside the examples. */
    offerLeft(texts) {
      left = texts;
      if (isBegin) draw(null);
    },
    /** Mark the scene that the caret is in. */
    mark(index) {
      [...list.querySelectorAll("button")].forEach((each, at) => {
        if (at === index && !isBegin) each.setAttribute("aria-current", "true");
        else each.removeAttribute("aria-current");
      });
    },
  };
}

/** Items for a list, and how many more there are. */
function listed(all, item) {
  const more = all.length - LISTED;
  return [...all.slice(0, LISTED).map(item), more > 0 && h("li", { class: "luma-muted luma-script-more" }, `and ${more.toLocaleString("en")} more`)];
}

// Under it: what the reader noticed

function makeFindings({ jump, act }) {
  const list = h("ul", {});
  const found = h("section", { class: "luma-script-findings", "aria-label": "What to look at", hidden: true }, list);
  const told = h("p", { class: "luma-hidden-text", role: "status" });
  let drawn = "[]";
  let timer = null;

  const item = (each) => h("li", {}, h("button", { type: "button", class: `luma-script-finding luma-script-finding-${each.level}`, onclick: act(() => jump(each)) },
    icon(each.level === "note" ? "help" : "warning"),
    h("span", {}, h("span", { class: "luma-hidden-text" }, `${LEVELS[each.level]}, `), h("strong", { class: "luma-number" }, `Line ${each.line}`), ": ",
      h("span", { class: "luma-text", dir: "auto" }, each.message))));

  /** Have it read out once one has stopped typing. */
  function tell(diagnostics) {
    clearTimeout(timer);
    const [first] = diagnostics;
    timer = setTimeout(() => say(told, first ? `${count(diagnostics.length, "thing")} to look at. Line ${first.line}: ${first.message}` : ""), 1500);
  }

  return {
    element: h("div", {}, found, told),
    show(diagnostics) {
      const key = JSON.stringify(diagnostics);
      if (key === drawn) return;
      drawn = key;
      found.hidden = !diagnostics.length;
      fill(list, listed(diagnostics, item));
      tell(diagnostics);
    },
  };
}

// Voices and how a script is read

/** A voice's parts: `espeak:hi+f3,rate=130,pitch=45`. */
export function voiceParts(text) {
  const [head, ...pairs] = text.split(",").map((part) => part.trim());
  const colon = head.indexOf(":");
  const voice = colon < 0 ? "" : head.slice(colon + 1);
  const [language, variant = ""] = voice.split("+");
  const settings = Object.fromEntries(pairs.map((pair) => pair.split("=").map((part) => part.trim())));
  return { engine: colon < 0 ? head : head.slice(0, colon), language, variant, rate: Number(settings.rate ?? USUAL.rate), pitch: Number(settings.pitch ?? USUAL.pitch) };
}

/** And back. */
export function voiceText({ engine, language, variant, rate, pitch }) {
  const name = language + (variant && `+${variant}`);
  const settings = [rate !== USUAL.rate && `rate=${rate}`, pitch !== USUAL.pitch && `pitch=${pitch}`];
  return [name ? `${engine}:${name}` : engine, ...settings].filter(Boolean).join(",");
}

function variantName(variant) {
  const [, letter, number] = /^([fm])(\d)$/.exec(variant) ?? [];
  if (letter) return `${letter === "f" ? "Woman" : "Man"} ${number}`;
  return variant.charAt(0).toUpperCase() + variant.slice(1);
}

/** A vendor's voice in its parts: `elevenlabs:ID,model=…` → the voice as it is offered, and the model. */
function vendorParts(text) {
  const [voice, ...settings] = text.split(",");
  return { voice, model: settings.find((each) => each.startsWith("model="))?.slice(6) ?? "" };
}

/** A vendor's voice as it is written; the settings of another one but its model are kept where both are one vendor's. */
function vendorText(voice, model, before = "") {
  const kept = before.split(":")[0] === voice.split(":")[0] ? before.split(",").slice(1).filter((each) => !each.startsWith("model=")) : [];
  return [voice, ...(model ? [`model=${model}`] : []), ...kept].join(",");
}

function makeVoices({ changed, hear, preview, offered, written, act }) {
  const summary = h("span", { class: "luma-muted" });
  const form = h("div", { class: "luma-script-voices" });
  const element = h("details", { class: "luma-script-details" }, h("summary", {}, icon("settings"), h("span", {}, "Voice & reading"), summary), form);
  let variants = [];
  let offers = null; // of vendors, once they were asked for
  let now = {}; // choices with their changes
  let speakers = [];
  let drawn = "";

  const field = (text, control, ...more) => {
    control.id = unique("field");
    return h("div", { class: "luma-script-field" }, h("label", { htmlFor: control.id }, text), h("div", { class: "luma-row" }, control, more));
  };
  const option = (value, text, chosen) => h("option", { value, selected: value === chosen }, text);
  const select = (options, change, props = {}) => h("select", { class: "luma-input", onchange: act((event) => change(event.target.value)), ...props }, options);

  const variantOptions = (chosen) => {
    const numbered = (letter) => variants.filter((each) => each.length === 2 && each[0] === letter && each[1] >= "0" && each[1] <= "9");
    const rest = variants.filter((each) => !/^[fm]\d$/.test(each));
    return [["Women", numbered("f")], ["Men", numbered("m")], ["Others", rest]].map(([label, among]) => h("optgroup", { label }, among.map((each) => option(each, variantName(each), chosen))));
  };

  /** A vendor's sample is bought, and says so; the next time it is here. */
  function hearButton(whose, of) {
    const isBought = voiceParts(of().voice).engine !== "espeak";
    return button({ icon: "play", text: isBought ? "Buy a sample" : "Hear it", label: isBought ? `Buy a sample of ${whose}, a few words, and hear it` : `Hear ${whose}`, onclick: act(() => hear(of())) });
  }

  /** A vendor's ready-made sample, where it has one of a voice: what is free stands before what is bought. */
  function previewButton(whose, text) {
    return known(text)?.preview && button({ icon: "play", text: "Listen", label: `Listen to a ready-made sample of ${whose}, free`, onclick: act(() => preview(vendorParts(text).voice)) });
  }

  /** What a vendor told of a voice, with the vendor; undefined where it was not asked. */
  function known(text) {
    const { voice } = vendorParts(text);
    return (offers ?? []).flatMap((each) => (each.voices ?? []).map((one) => ({ ...one, vendor: each.vendor }))).find((each) => each.voice === voice);
  }

  function slider(text, name, [min, max], unit, parts) {
    const told = h("output", { class: "luma-number luma-script-output" }, String(parts[name]));
    const control = h("input", { type: "range", min: String(min), max: String(max), step: "1", value: String(parts[name]), class: "luma-script-slider", "aria-valuetext": `${parts[name]}${unit}`,
      oninput: act((event) => { fill(told, event.target.value); event.target.setAttribute("aria-valuetext", `${event.target.value}${unit}`); }),
      onchange: act((event) => changeVoice({ [name]: Number(event.target.value) })) });
    return field(text, control, told, unit && h("span", { class: "luma-muted" }, unit));
  }

  function changeVoice(change) {
    changed({ voice: voiceText({ ...voiceParts(now.voice), ...change }) });
  }

  const narrator = () => speakers.find((each) => each.name === null) ?? speakers[0] ?? { sample: "Welcome. Take a slow, deep breath.", language: "en" };

  /** The voices of vendors, as options whose value is the voice as it is written. */
  const vendorOptions = (chosen) => vendorsOffers().filter((each) => each.voices).map((each) =>
    h("optgroup", { label: each.vendor }, each.voices.map((voice) => option(voice.voice, [voice.name, voice.about].filter(Boolean).join(" · "), chosen))));

  const vendorsOffers = () => (offers ?? []).filter((each) => each.engine !== "persona");
  const isPersona = (value) => value.startsWith("persona:");

  /** The personas, as options; what is kept of a choice is the persona's voice. */
  const personaOptions = () => (offers ?? []).filter((each) => each.engine === "persona" && each.voices.length).map((each) =>
    h("optgroup", { label: each.vendor }, each.voices.map((persona) => option(persona.voice, persona.name))));

  /** A persona was chosen: Python gives the voice that it speaks with. Where there is none, all is as it was. */
  async function takePersona(value, use) {
    const before = JSON.stringify([now.voice, now.speakers]);
    try {
      const voice = await written(value);
      if (voice && JSON.stringify([now.voice, now.speakers]) === before) use(voice);
    } finally {
      drawn = "";
      draw();
    }
  }

  function engineField() {
    const engine = voiceParts(now.voice).engine;
    const ready = vendorsOffers().filter((each) => each.voices?.length);
    const engines = [["espeak", "Embedded voice, free"], ...ready.map((each) => [each.engine, each.vendor])];
    if (!engines.some(([name]) => name === engine)) engines.push([engine, engine]);
    const said = (text) => h("p", { class: "luma-muted luma-text" }, text);
    const keys = vendorsOffers().filter((each) => each.lacks_key).map((each) => each.vendor);
    const problems = (offers ?? []).filter((each) => each.problem && !each.lacks_key).map((each) => said(each.problem));
    return [
      field("Spoken by", select([...engines.map(([name, text]) => option(name, text, engine)), personaOptions()], async (name) => {
        if (isPersona(name)) return takePersona(name, (voice) => changed({ voice }));
        const offer = ready.find((each) => each.engine === name);
        changed({ voice: offer ? vendorText(offer.voices[0].voice, offer.models[0]) : "espeak" });
      })),
      keys.length > 0 && said(`With a key, ${keys.join(" or ")} can speak, too: Health says how.`), problems,
    ];
  }

  function vendorFields() {
    const { voice, model } = vendorParts(now.voice);
    const offer = (offers ?? []).find((each) => each.engine === voiceParts(now.voice).engine && each.voices);
    const among = (list, chosen) => (list.some((each) => each[0] === chosen) ? list : [[chosen, chosen || "its own choice"], ...list]).map(([value, text]) => option(value, text, chosen));
    const typed = h("input", { class: "luma-input", value: now.voice, spellcheck: false, autocomplete: "off", onchange: act((event) => take(event.target)) });
    return [
      offer && field("Voice", select(among(offer.voices.map((each) => [each.voice, [each.name, each.about].filter(Boolean).join(" · ")]), voice), (chosen) => changed({ voice: vendorText(chosen, model, now.voice) })),
        previewButton("this voice", now.voice), hearButton("this voice", () => ({ ...narrator(), voice: now.voice }))),
      offer && field("Model", select(among(offer.models.map((each) => [each, each]), model), (chosen) => changed({ voice: vendorText(voice, chosen, now.voice) }))),
      field("As written", typed),
    ];
  }

  /** A voice as it was typed, perhaps by its name: Python gives it as it is kept. What cannot be leaves all as it was. */
  async function take(typed) {
    const before = now.voice;
    const voice = typed.value.trim() && (await written(typed.value.trim()));
    if (now.voice !== before) return; // another was chosen meanwhile
    if (voice) changed({ voice });
    else typed.value = now.voice;
  }

  function narratorFields() {
    const parts = voiceParts(now.voice);
    if (parts.engine !== "espeak") return [engineField(), vendorFields()];
    return [
      engineField(),
      field("Voice", select([option("", "Standard", parts.variant), ...variantOptions(parts.variant)], (variant) => changeVoice({ variant })), hearButton("this voice", () => ({ ...narrator(), voice: now.voice }))),
      slider("Pace", "rate", [80, 450], " words a minute", parts),
      slider("Pitch", "pitch", [0, 99], "", parts),
    ];
  }

  function speakerField(speaker) {
    const own = ownVoice(speaker.name);
    const embedded = own && voiceParts(own).engine === "espeak";
    const chosen = embedded ? voiceParts(own).variant : own && vendorParts(own).voice;
    const choose = (voice) => {
      const others = Object.fromEntries(Object.entries(now.speakers).filter(([name]) => name.toLowerCase() !== speaker.name.toLowerCase()));
      changed({ speakers: voice ? { ...others, [speaker.name]: voice } : others });
    };
    const control = select([option("", "Chosen by name", chosen ?? ""), ...variantOptions(chosen), ...vendorOptions(chosen), ...personaOptions()],
      (value) => (isPersona(value) ? takePersona(value, choose) : choose(value && voiceOf(value))));
    return field(speaker.name, control, previewButton(speaker.name, speaker.voice), hearButton(speaker.name, () => speaker));
  }

  /** A speaker's voice: a vendor's as it is offered, or a variant of the embedded one with the narrator's pace and pitch. */
  function voiceOf(value) {
    const offer = (offers ?? []).find((each) => each.voices?.some((voice) => voice.voice === value));
    if (offer) return vendorText(value, offer.models[0]);
    const parts = voiceParts(now.voice);
    return voiceText({ ...(parts.engine === "espeak" ? parts : voiceParts("espeak")), variant: value });
  }

  function ownVoice(name) {
    return Object.entries(now.speakers).find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1];
  }

  function readingFields() {
    const codes = LANGUAGES.includes(now.language ?? "en") ? LANGUAGES : [now.language, ...LANGUAGES];
    const pause = (text, name) => field(text, h("input", { class: "luma-input luma-number luma-script-seconds", type: "number", min: "0", max: "600", step: "0.1", inputMode: "decimal", value: String(now[name]),
      onchange: act((event) => { if (event.target.checkValidity() && event.target.value !== "") changed({ [name]: event.target.valueAsNumber }); else event.target.value = String(now[name]); }) }), h("span", { class: "luma-muted" }, "s"));
    return [
      field("Language", select([option("", "By its writing", now.language ?? ""), ...codes.map((code) => option(code, languageName(code), now.language))], (code) => changed({ language: code || null }))),
      field("A clause ends", select([option("sentence", "at sentences", now.granularity), option("clause", "at commas, too", now.granularity)], (granularity) => changed({ granularity }))),
      pause("Pause after a sentence", "sentence_pause"),
      now.granularity === "clause" && pause("Pause after a comma", "comma_pause"),
    ];
  }

  function draw() {
    if (!element.open) return;
    const key = JSON.stringify([now, speakers, variants.length, offers]);
    if (key === drawn) return;
    drawn = key;
    const at = [...form.querySelectorAll("select, input, button")].indexOf(document.activeElement);
    const named = speakers.filter((each) => each.name !== null);
    fill(form,
      h("fieldset", {}, h("legend", {}, "Voice"), narratorFields()),
      named.length > 0 && h("fieldset", {}, h("legend", {}, "Speakers"), named.map(speakerField)),
      h("fieldset", {}, h("legend", {}, "Reading"), readingFields(), h("p", { class: "luma-muted" }, "Pauses that the script writes stay as they are written.")));
    if (at >= 0) form.querySelectorAll("select, input, button")[at]?.focus({ preventScroll: true });
  }

  element.addEventListener("toggle", act(() => {
    draw();
    if (element.open) askOffers();
  }));

  /** Ask vendors what they have, when one looks for voices: it takes a moment, and needs a network. */
  async function askOffers() {
    if (offers && !offers.some((each) => each.problem && !each.lacks_key)) return; // what was away may be back
    offers = await offered();
    summarize();
    draw();
  }

  function summarize() {
    const parts = voiceParts(now.voice);
    const told = known(now.voice);
    const embedded = () => [parts.variant ? variantName(parts.variant) : "Standard voice", `${parts.rate} words a minute`];
    fill(summary, parts.engine === "espeak" ? embedded().join(" · ") : told ? [told.name, told.vendor, vendorParts(now.voice).model].filter(Boolean).join(" · ") : now.voice);
  }

  return {
    element,
    offer(offered) {
      variants = offered;
      draw();
    },
    /** Show choices, and who speaks in the script. */
    show(choices, heard) {
      now = choices;
      speakers = heard;
      if (!now.voice) return;
      summarize();
      draw();
    },
  };
}

// The draft: what was typed is kept in the production's folder, and in the page until Python says that it is.
// Another window may type into the same script: nothing is overwritten that this page has not seen

function makeDraft({ desk, name, text, isKept, show, offer, act, signal }) {
  let timer = null;
  let held = false;
  let mark = ""; // of the draft that was looked at last
  let known = [""]; // what may stand there and be no news: what was seen there, and then what this page sent, in turn
  let theirs = null; // what another window typed while this one typed, until one chooses
  let aside = null; // the key under which this window's text is kept meanwhile
  let sending = 0; // texts that are on their way
  let looking = 0; // when the question that is on its way was asked; 0: none is
  const slot = (whose) => `luma-typed:${whose ?? ""}`;
  const forget = () => {
    clearTimeout(timer);
    timer = null;
  };

  async function keep() {
    forget();
    if (isTooLong(text())) return;
    await (theirs === null ? keepDraft() : keepAside());
  }

  async function keepDraft() {
    const [whose, typed, mine] = [name(), text(), known];
    const seen = mine.at(-1);
    const before = mine.slice();
    mine.push(typed);
    const coming = desk.ask("keep_draft", { name: whose, text: typed, seen }); // first: whatever becomes of the page's own
    const here = keepHere(slot(whose), typed, before);
    try {
      await sent(coming);
      mine.splice(0, mine.indexOf(typed));
      if (storage.getItem(slot(whose)) === here) storage.removeItem(slot(whose));
    } catch (error) {
      if (error.kind === "ChangedError") await refused(mine, typed);
      else notice(sentenceOf(error), "error");
    }
  }

  async function sent(coming) {
    sending += 1;
    try {
      return await coming;
    } finally {
      sending -= 1;
    }
  }

  /** Another text stands there than this page has seen: look at it. */
  async function refused(mine, typed) {
    if (mine !== known) { // another production is open by now
      await desk.tell("leave", { text: typed });
      notice("Another window typed into the script that was open here. Your text is kept among the texts you left.", "warning");
      return;
    }
    if (mine.includes(typed)) mine.splice(Math.max(1, mine.indexOf(typed)));
    mark = null;
    await look();
    if (theirs !== null) await keepAside();
    else if (text() !== known.at(-1)) api.changed();
  }

  /** Keep it in the page, too, if there is room; the answer is what the page has now, perhaps an older draft. */
  function keepHere(where, typed, seen) {
    try {
      if (typed.length <= KEPT_HERE) storage.setItem(where, JSON.stringify({ text: typed, seen: [seen[0], ...seen.slice(1).slice(-2)] }));
    } catch (error) { // no room: Python is asked to keep it all the same
      console.warn("The page cannot keep this draft:", error.message);
    }
    return storage.getItem(where);
  }

  /** Keep this window's text beside the other's; answers whether it is. */
  async function keepAside() {
    const mine = known;
    const key = await desk.tell("leave", { text: text(), key: aside });
    if (mine === known && key) aside = key;
    return key !== undefined;
  }

  /** Look whether another window typed. */
  async function look() {
    if (!isKept() || held || (looking && performance.now() - looking < LOST_AFTER)) return;
    const [mine, since] = [known, performance.now()];
    looking = since;
    try {
      const { value } = await desk.ask("look", { name: name(), mark });
      if (value && mine === known && !held && !sending) settle(value.text, value.mark);
    } finally {
      if (looking === since) looking = 0;
    }
  }

  /** Take note of what stands there: it is shown where nothing else was typed here, and otherwise offered. */
  function settle(standing, itsMark) {
    mark = itsMark;
    const isOurs = standing === text();
    const isNews = !isOurs && !known.includes(standing);
    const idle = timer === null && !sending && text() === known.at(-1) && theirs === null;
    if (isOurs || (isNews && idle)) {
      known.splice(0, known.length, standing);
      setTheirs(null);
      storage.removeItem(slot(name()));
      if (!isOurs) show(standing);
    } else if (isNews) {
      setTheirs(standing);
    } else if (!held && !sending) {
      known.splice(0, known.length, standing);
      if (theirs === null) return;
      aside = null; // it was taken back there; what was kept beside it stays
      setTheirs(null);
      api.changed();
    }
  }

  function setTheirs(given) {
    theirs = given;
    if (given === null && aside !== null) desk.tell("forget", { key: aside });
    if (given === null) aside = null;
    offer(given);
  }

  const flush = () => (timer === null ? Promise.resolve() : keep());
  signal.addEventListener("abort", act(flush));
  addEventListener("pagehide", act(flush), { signal });
  document.addEventListener("visibilitychange", act(() => (document.visibilityState === "hidden" ? flush() : look())), { signal });
  const watch = setInterval(act(() => (document.hidden ? undefined : look())), LOOK);
  signal.addEventListener("abort", () => clearInterval(watch));

  const api = {
    flush,
    look,
    changed() {
      if (!held) timer ??= setTimeout(act(keep), KEEP);
    },
    get held() {
      return held;
    },
    /** Show the draft of what was opened, or what was typed for it in this page and never reached Python. */
    open({ name: whose, standing, mark: its }) {
      if (theirs !== null) notice("Another window typed into the script that was open here. Your text is kept among the texts you left.", "warning");
      [known, mark, theirs, aside] = [[standing], its, null, null];
      offer(null);
      const lost = JSON.parse(storage.getItem(slot(whose)));
      if (lost === null || lost.text === standing) {
        storage.removeItem(slot(whose));
        show(standing);
        return;
      }
      known = lost.seen.includes(standing) ? [standing] : lost.seen;
      show(lost.text);
      api.changed();
      settle(standing, its);
    },
    /** The same script, of which something changed. */
    follow({ standing, mark: its }) {
      settle(standing, its);
    },
    /** Keep nothing while the text is being taken into the script; call the answer when it was, or was not. */
    hold() {
      forget();
      held = true;
      const whose = name();
      const seen = known.at(-1);
      known.push(text());
      return Object.assign((taken) => {
        held = false;
        if (taken) storage.removeItem(slot(whose));
      }, { seen });
    },
    /** What was left is the draft again; null where that could not be. */
    async takeBack(key) {
      await flush();
      const mine = known;
      const answer = await sent(desk.tell("take_back", { key, name: name(), seen: mine.at(-1) }));
      if (!answer) return null;
      mine.push(answer.text);
      return answer.text;
    },
    /** Let this window's text stand; the other is left. What the script says is there anyway. */
    async keepMine(script) {
      const given = theirs;
      if (given !== script && given.trim() && (await desk.tell("leave", { text: given })) === undefined) return;
      if (theirs === null) return;
      known.splice(0, known.length, given);
      const key = aside;
      aside = null;
      setTheirs(null);
      await keep();
      if (theirs === null && key !== null) await desk.tell("forget", { key });
    },
    /** Let the other's text stand; this window's is left. Answers whether it is. */
    async showTheirs(script) {
      forget();
      if (text() !== script && !(await keepAside())) return false;
      if (theirs === null) return false;
      const given = theirs;
      known.splice(0, known.length, given);
      aside = null; // and stays
      setTheirs(null);
      storage.removeItem(slot(name()));
      show(given);
      return true;
    },
  };
  return api;
}
