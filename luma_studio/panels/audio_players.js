// The master and the scenes: export them, hear them, see how loud they are and what the audit found, download them.

import { button, clock, count, fill, h, icon, notice, panel, size } from "./kit.js";
import { downloadButton, fillOnce, remoteFile, soundPlayer, stampOf } from "./files.js";
import { askBeforeLeaving, isOff, isRunning, once, setOff } from "./work.js";

const FORMATS = { mp3: "MP3", wav: "WAV", flac: "FLAC", m4a: "M4A" };
const ENDING = /\.(mp3|wav|flac|m4a)$/i;
const SOON = 300; // ms that further edits are waited for, before what was exported is looked at again

export default panel("Audio players", async ({ root, desk, signal }) => {
  let production = null;
  let exporting = null; // the last work of each kind, as Python told it
  let speaking = null;
  const rows = new Map(); // of files, by what tells one state of a file from the next

  // The page

  const form = exportForm();
  const empty = h("div", { class: "luma-empty" }, icon("file"), h("strong", {}, "Nothing to hear yet"), h("p", {}, "Write a script and have it spoken. Its master appears here, with a file for each scene."));
  const unspoken = h("div", { class: "luma-banner luma-players-note", role: "status", hidden: true });
  const unfinished = h("div", { class: "luma-banner luma-players-note", role: "status", hidden: true });
  const older = h("div", { class: "luma-banner luma-players-note", role: "status", hidden: true }, icon("warning"), h("span", {}, "Older than your last edit. Export again to hear it as it is now."));
  const waiting = h("div", { class: "luma-empty", hidden: true }, icon("download"), h("strong", {}, "Not exported yet"), h("p", {}, "Export makes the master, a file for each scene, captions and chapters, and measures every pause in it."));
  const masters = h("ul", { class: "luma-players-list" });
  const scenes = h("ul", { class: "luma-players-list" });
  const limited = h("p", { class: "luma-muted luma-players-limited" }, "As loud as this voice's peaks allow.");
  const scenesBadge = h("span", { class: "luma-badge luma-badge-warning" });
  const scenesPart = h("section", { class: "luma-players-part", "aria-label": "Scenes" }, h("h3", {}, "Scenes ", scenesBadge), scenes);
  const beside = h("div", { class: "luma-row" });
  const audit = h("div", { class: "luma-players-audit" });
  const besidePart = h("section", { class: "luma-players-part", "aria-label": "Captions, chapters and audit" }, h("h3", {}, "Captions, chapters and audit"), audit, beside);
  const main = h("div", { hidden: true }, form.element, unspoken, unfinished, older, waiting, h("div", { class: "luma-players-files" }, h("div", {}, masters, limited), scenesPart, besidePart));
  root.append(h("header", { class: "luma-head" }, h("h2", {}, "Master and scenes")), empty, main);
  signal.addEventListener("abort", () => {
    for (const row of rows.values()) row.close();
  });
  askBeforeLeaving(() => isRunning(speaking) || isRunning(exporting), signal);

  // What Python tells

  let soon = null;
  desk.on("production", desk.guarded(refresh));
  desk.on("files", desk.guarded(refresh));
  desk.on("pauses", () => {
    clearTimeout(soon);
    soon = setTimeout(desk.guarded(refresh), SOON);
  });
  desk.on("work", (work) => {
    take(work);
    if (production) showWork();
  });
  signal.addEventListener("abort", () => clearTimeout(soon));

  let asked = 0;

  async function refresh() {
    asked += 1;
    const mine = asked;
    const state = await desk.tell("state");
    if (!state || mine !== asked || signal.aborted) return; // a later question is on its way
    const another = production?.name !== state.production?.name;
    production = state.production;
    speaking = exporting = null;
    for (const work of state.works) take(work);
    show(another);
  }

  function take(work) {
    if (work.kind === "speak") speaking = work;
    else if (work.kind === "export") exporting = work;
  }

  function show(another) {
    empty.hidden = Boolean(production);
    main.hidden = !production;
    if (production) {
      if (another) form.propose();
      showFiles();
      showWork();
    } else {
      clearRows(new Set());
    }
  }

  function showWork() {
    form.show();
    showUnspoken();
    showUnfinished();
  }

  const unspokenWords = h("span", {});
  const speak = button({ icon: "voice", text: "Speak", onclick: desk.guarded(once(speakAll)) });
  fill(unspoken, icon("voice"), unspokenWords, speak);

  function showUnspoken() {
    const busy = isRunning(speaking);
    const words = production.unspoken === production.clauses ? "Nothing is spoken yet." : `${count(production.unspoken, "clause")} ${production.unspoken === 1 ? "is" : "are"} not spoken yet.`;
    const sentence = busy ? "Being spoken now; then it can be exported." : `${words} Speak first, then export.`;
    if (unspokenWords.textContent !== sentence) unspokenWords.textContent = sentence;
    setOff(speak, busy);
    if (!production.unspoken && document.activeElement === speak) form.focus();
    unspoken.hidden = !production.unspoken;
  }

  /** Have it spoken; until that has ended, asking again does nothing. */
  async function speakAll() {
    if (isOff(speak)) return;
    const before = speaking;
    const begun = { kind: "speak", status: "running" };
    speaking = begun;
    showWork();
    if ((await desk.tell("speak")) === undefined && speaking === begun) speaking = before;
    showWork();
  }

  /** Say of an export that was not finished which files are new, and which are from before. */
  function showUnfinished() {
    const all = [...production.masters, ...production.beside];
    const ended = ["stopped", "failed"].includes(exporting?.status);
    const before = [["captions", "captions"], ["chapters", "chapters"], ["audit", "audit"]].filter(([kind]) => production.beside.some((file) => file.kind === kind && !file.current)).map(([, words]) => words);
    if (production.scenes.length && !production.current) before.unshift("scenes");
    const isMixed = before.length > 0 && production.masters.some((file) => file.current);
    const fresh = ended && production.new ? production.new : all.filter((file) => file.current).map((file) => file.name);
    unfinished.hidden = isRunning(exporting) || !(isMixed || (ended && production.new));
    const isOlder = (all.length || production.scenes.length) && !production.unspoken && !(production.current && all.every((file) => file.current));
    older.hidden = !isOlder || !unfinished.hidden;
    if (unfinished.hidden) return;
    const what = ended ? `The export ${exporting.status === "failed" ? "did not succeed" : "was stopped"}.` : "The last export did not finish.";
    const said = [what, fresh.length ? `New: ${listed(fresh)}.` : "No file is new.", before.length && `From before: ${listed(before)}.`, before.length && "Export again for all of them."].filter(Boolean).join(" ");
    const shown = unfinished.textContent;
    if (shown !== said) fill(unfinished, icon("warning"), h("span", { class: "luma-text" }, said));
  }

  const listed = (names) => new Intl.ListFormat("en").format(names);

  // Export

  function exportForm() {
    let refused = ""; // why the last one was
    const wrongId = `luma-players-wrong-${Math.random().toString(36).slice(2)}`; // a page may have several
    const name = h("input", { class: "luma-input", value: "master", autocomplete: "off", "aria-describedby": wrongId, dir: "auto", oninput: () => { refused = ""; show(); }, onchange: () => takeEnding() });
    name.spellcheck = false;
    const wrong = h("p", { class: "luma-players-wrong", id: wrongId, role: "alert" });
    const boxes = Object.entries(FORMATS).map(([ending, words]) => {
      const box = h("input", { type: "checkbox", value: ending, checked: ending === "mp3", onchange: () => { refused = ""; show(); } });
      return { box, element: h("label", { class: "luma-players-format" }, box, words) };
    });
    const send = button({ icon: "download", text: "Export", kind: "luma-button-primary", type: "submit" });
    const stop = button({ icon: "stop", text: "Stop", label: "Stop exporting", hidden: true, onclick: desk.guarded(once(() => (isOff(stop) ? null : desk.tell("stop")))) });
    const element = h("form", { class: "luma-players-form", onsubmit: (event) => { event.preventDefault(); run(); } },
      h("label", { class: "luma-players-field" }, h("span", {}, "Name"), name),
      h("fieldset", { class: "luma-players-field" }, h("legend", {}, "Formats"), h("div", { class: "luma-row" }, boxes.map((each) => each.element))),
      h("div", { class: "luma-row luma-players-do" }, send, stop), wrong);
    const chosen = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    const run = desk.guarded(async () => {
      takeEnding();
      if (isOff(send)) return;
      const before = exporting;
      const begun = { kind: "export", status: "running", stages: [] };
      exporting = begun; // a second press asks for no second export
      showWork();
      try {
        await desk.ask("export", { masters: chosen().map((ending) => `${name.value.trim()}.${ending}`) });
      } catch (error) {
        if (exporting === begun) exporting = before;
        refused = error.message;
        showWork();
        name.focus();
      }
    });
    /** A format that was typed behind the name is that format chosen: x.mp3 is no x.mp3.mp3. */
    function takeEnding() {
      let typed;
      while ((typed = ENDING.exec(name.value.trim()))) {
        name.value = name.value.trim().slice(0, typed.index);
        boxes.find(({ box }) => box.value === typed[1].toLowerCase()).box.checked = true;
      }
      show();
    }
    function show() {
      const words = chosen().length ? refused || failure() : "Choose at least one format.";
      if (wrong.textContent !== words) wrong.textContent = words;
      const busy = isRunning(exporting);
      const focused = document.activeElement === stop || (busy && document.activeElement === send);
      setOff(send, !production || production.unspoken > 0 || busy || !chosen().length || !name.value.trim());
      const again = production?.masters.length && chosen().every((ending) => production.masters.some((master) => master.name === `${name.value.trim()}.${ending}`));
      send.querySelector("span").textContent = busy ? "Exporting …" : again ? "Export again" : "Export";
      stop.hidden = !busy;
      setOff(stop, exporting?.status === "stopping");
      if (focused) (busy ? stop : send).focus({ preventScroll: true });
    }
    /** The name and the formats that the production was exported with before. */
    function propose() {
      const endings = production.masters.map((master) => master.name.split(/\.(?=[^.]*$)/));
      const stem = endings[0]?.[0] ?? "master";
      name.value = stem;
      for (const { box } of boxes) box.checked = endings.length ? endings.some(([other, ending]) => other === stem && ending === box.value) : box.value === "mp3";
      if (!chosen().length) boxes[0].box.checked = true;
    }
    return { element, show, propose, focus: () => send.focus({ preventScroll: true }) };
  }

  /** Why the last export failed, where no render status in sight says so. */
  function failure() {
    if (exporting?.status !== "failed") return "";
    return [...document.querySelectorAll(".luma-render-status")].some((each) => each.checkVisibility()) ? "" : exporting.error;
  }

  // Files

  function showFiles() {
    const wanted = new Set();
    const rowOf = (file, make) => {
      const stamp = stampOf(file);
      wanted.add(stamp);
      if (!rows.has(stamp)) rows.set(stamp, make(file));
      rows.get(stamp).show(file);
      return rows.get(stamp).element;
    };
    const { masters: all, scenes: parts, beside: others } = production;
    const masterRows = all.map((file) => rowOf(file, (each) => soundRow(each, { title: each.name, main: true })));
    const sceneRows = parts.map((file) => rowOf(file, (each) => soundRow(each, { title: each.title, main: false })));
    const besideButtons = others.map((file) => rowOf(file, besideRow));
    clearRows(wanted);
    fillOnce(masters, masterRows);
    fillOnce(scenes, sceneRows);
    fillOnce(beside, besideButtons);
    const some = all.length + parts.length > 0;
    scenesPart.hidden = !parts.length;
    limited.hidden = !all.some((file) => file.level?.limited);
    scenesBadge.hidden = production.current;
    scenesBadge.textContent = olderThan();
    besidePart.hidden = !others.length && !all.length;
    waiting.hidden = some || production.unspoken > 0;
    showAudit();
  }

  /** What is not as the production is now is older than this. */
  function olderThan() {
    return production.masters.some((file) => file.current) ? "older than the master" : "older than your last edit";
  }

  function clearRows(wanted) {
    for (const [stamp, row] of rows) {
      if (wanted.has(stamp)) continue;
      row.outdated();
      row.close();
      rows.delete(stamp);
    }
  }

  const remote = (file) => remoteFile(file.name, (start, length) => desk.ask("part", { name: file.name, start, size: length }));

  function soundRow(file, { title, main: isMain }) {
    const bytes = remote(file);
    const player = soundPlayer(bytes, { label: title, seconds: file.seconds, desk });
    const about = h("span", { class: "luma-players-about luma-muted luma-number" });
    const badge = isMain && h("span", { class: "luma-badge luma-badge-warning" }, "older than your last edit");
    const element = h("li", { class: isMain ? "luma-players-master" : "luma-players-scene" },
      h("div", { class: "luma-players-head" }, h("strong", { class: "luma-players-title luma-text", dir: "auto" }, title), badge, about),
      h("div", { class: "luma-players-row" }, player.element, downloadButton(bytes, { desk, kind: "luma-button-quiet" })));
    function show(now) {
      if (badge) badge.hidden = now.current;
      about.textContent = [now.level && levelOf(now.level, isMain), size(now.bytes)].filter(Boolean).join(" · ");
    }
    return { element, show, outdated: bytes.outdated, close: () => { player.close(); bytes.cancel(); } };
  }

  function levelOf({ loudness, peak }, withPeak) {
    if (loudness === null) return "silent";
    const lufs = `${signed(loudness)} LUFS`;
    return withPeak && peak !== null ? `${lufs} · peak ${signed(peak)} dBTP` : lufs;
  }

  const signed = (value) => value.toFixed(1).replace("-", "−");

  function besideRow(file) {
    const bytes = remote(file);
    const badge = h("span", { class: "luma-badge luma-badge-warning" });
    const element = h("span", { class: "luma-players-beside" }, downloadButton(bytes, { text: file.name, desk }), badge);
    function show(now) {
      badge.hidden = now.current;
      badge.textContent = olderThan();
    }
    return { element, show, outdated: bytes.outdated, close: bytes.cancel };
  }

  let auditShown = "";

  function showAudit() {
    const found = production.audit;
    const some = production.masters.length > 0;
    const key = JSON.stringify([found, some]);
    if (key === auditShown) return undefined;
    auditShown = key;
    if (!found) return fill(audit, some && h("p", { class: "luma-muted" }, "Not measured yet: an export measures every pause in its master."));
    const off = found.findings.length + found.more;
    return fill(audit,
      h("p", { class: "luma-players-verdict", "data-off": String(off > 0) }, icon(off ? "warning" : "check"), h("span", { class: "luma-text" }, `${found.file}: ${found.summary}`), !found.current && h("span", { class: "luma-badge luma-badge-warning" }, "older than your last edit")),
      off > 0 && h("ul", { tabindex: "0", "aria-label": "Pauses that are off" }, found.findings.map((pause) => h("li", {}, h("span", { class: "luma-text", dir: "auto" }, pause.text), h("span", { class: "luma-number luma-muted" }, `at ${clock(pause.at)}: asked ${pause.asked.toFixed(2)} s, found ${pause.found.toFixed(2)} s`)))),
      found.more > 0 && h("p", { class: "luma-muted" }, `and ${count(found.more, "other pause")}; all of them are in audit.json`));
  }

  await refresh();
});
