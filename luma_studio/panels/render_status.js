// How far speaking, agents and exporting are: a line when all is quiet, every scene and clause when something is on its way.

import { button, count, fill, h, icon, panel, storage } from "./kit.js";
import { dollars, price, thinkingOf } from "./words.js";
import { askBeforeLeaving, exportStages, isOff, isRunning, once, progressBar, setOff, timeLeft } from "./work.js";

const MOST_CELLS = 5000; // clauses that have a cell each; a longer script has its scenes counted
const MOST_FAILED = 50; // that are listed
const SAY_EVERY = 10000; // ms between two sentences for screen readers, but each quarter is said

const STATES = { waiting: "waiting", speaking: "being spoken", here: "was here already", spoken: "spoken", failed: "failed" };
const OUTCOMES = { began: "speaking", done: "spoken", cached: "here", failed: "failed" };

export default panel("Render status", async ({ root, desk, signal }) => {
  let production = null;
  let speaking = null; // the last work of each kind, as Python told it
  let exporting = null;
  let thinking = null;
  let states = []; // of each clause
  let scenes = []; // rows: what they show and how many clauses of each state they have
  let opened = null; // whether the user wants to see the scenes; null: as it seems fit

  // The page

  const sentence = h("h2", {});
  const detail = h("p", { class: "luma-muted luma-status-detail" });
  const act = h("div", { class: "luma-status-act" });
  const more = button({ icon: "next", text: "Clauses", label: "Clauses and scenes", kind: "luma-button-quiet luma-status-more", "aria-expanded": "false", onclick: desk.guarded(toggle) });
  const sign = h("span", { class: "luma-status-sign" });
  const bar = progressBar("Speaking");
  const now = h("p", { class: "luma-status-now luma-muted luma-text", dir: "auto" });
  const list = h("ul", { class: "luma-status-scenes", tabindex: "0", "aria-label": "Scenes" });
  const legend = h("ul", { class: "luma-status-legend", "aria-label": "What the marks mean" },
    Object.entries(STATES).map(([state, words]) => h("li", {}, h("i", { class: "luma-status-cell", "data-state": state }), words)));
  const whole = h("div", { class: "luma-status-whole", hidden: true }, list, legend);
  const failures = h("section", { class: "luma-status-failures", "aria-label": "What could not be spoken", hidden: true });
  const line = h("div", { class: "luma-status-line" }, sign, h("div", { class: "luma-status-words" }, sentence, detail), more, act);
  const thought = h("section", { class: "luma-status-export", "aria-label": "Agents at work", hidden: true });
  const exported = h("section", { class: "luma-status-export", "aria-label": "Exporting", hidden: true });
  const said = h("p", { class: "luma-hidden-text", role: "status", "aria-live": "polite" });
  root.append(h("div", { class: "luma-status" }, line, bar.element, now, whole, failures, thought, exported), said);

  // What Python tells

  askBeforeLeaving(() => [speaking, thinking, exporting].some(isRunning), signal);
  desk.on("production", desk.guarded(refresh));
  desk.on("work", (work) => {
    take(work);
    show();
  });

  let asked = 0;

  async function refresh() {
    asked += 1;
    const mine = asked;
    const state = await desk.tell("state");
    if (!state || mine !== asked || signal.aborted) return; // a later question is on its way
    const same = production && state.production && production.name === state.production.name;
    if (!same) opened = null;
    production = state.production;
    speaking = thinking = exporting = null;
    for (const work of state.works) take(work);
    if (production) build();
    show();
    if (mine > owedAt) sayEnd();
  }

  function take(work) {
    if (work.kind === "speak") speaking = work;
    else if (work.kind === "think") thinking = work;
    else if (work.kind === "export") exporting = work; // filming has a panel of its own
    if (production && isRunning(speaking)) production.spent = null; // nobody knows before the end
    if (production && work.kind === "speak") remember(isRunning(work));
  }

  /** Remember beyond a reload that speaking is on its way: it ends with the page, and that page cannot tell. */
  function remember(isBusy) {
    if (isBusy) storage.setItem(`luma-speaking:${production.name}`, "yes");
    else storage.removeItem(`luma-speaking:${production.name}`);
  }

  const wasInterrupted = () => !speaking && storage.getItem(`luma-speaking:${production.name}`) !== null;

  // The whole

  function show() {
    if (production) follow();
    const told = summary();
    sign.dataset.state = told.sign;
    fill(sign, icon({ good: "check", bad: "warning", busy: "voice", idle: "voice" }[told.sign]));
    sentence.textContent = told.sentence;
    detail.textContent = told.detail;
    showAct(told.act);
    const busy = isRunning(speaking);
    bar.element.hidden = !busy;
    if (busy) bar.show(told.share, told.detail);
    now.hidden = !busy || !told.now;
    now.textContent = told.now;
    more.hidden = !production;
    const isOpen = Boolean(production) && (opened ?? (busy && speaking.stages[0]?.total > 1)); // one clause again: no reason to move the page
    whole.hidden = !isOpen;
    more.setAttribute("aria-expanded", String(isOpen));
    showFailures();
    showThinking();
    showExport();
    say(told);
  }

  function toggle() {
    opened = whole.hidden;
    show();
  }

  /** What the line says, and what can be done now. */
  function summary() {
    if (!production) return { sign: "idle", sentence: "Nothing to speak yet", detail: "Write a script and press Speak: you see here how far it is.", act: null };
    const clauses = production.texts.length;
    const missing = states.filter((state) => state === "waiting" || state === "failed").length;
    const failed = isRunning(speaking) ? 0 : failedOnes().length;
    if (isRunning(speaking)) return running();
    if (failed) return { sign: "bad", sentence: `${count(failed, "clause")} could not be spoken`, detail: missing ? "The others are kept. Trying again asks only for what is missing." : "The take that was there is kept.", act: missing ? "Try again" : null };
    if (speaking?.status === "failed") return { sign: "bad", sentence: "Speaking stopped", detail: speaking.error, act: missing ? "Try again" : null };
    if (missing && wasInterrupted()) return { sign: "bad", sentence: "Speaking was interrupted", detail: `${notSpoken(missing, clauses)}. Going on asks only for the rest.`, act: "Go on" };
    if (missing) return { sign: "idle", sentence: notSpoken(missing, clauses), detail: toBuy(production), act: "Speak" };
    if (speaking?.status === "done") return { sign: "good", sentence: allSpoken(clauses), detail: bought(), act: null };
    return { sign: "good", sentence: allSpoken(clauses), detail: "", act: null };
  }

  function running() {
    const { done, total, subject } = speaking.stages[0] ?? { done: 0, total: 0, subject: "" };
    const words = `${done.toLocaleString("en")} of ${count(total, "clause")}`;
    const left = speaking.status === "stopping" ? "what was asked for still arrives" : timeLeft(speaking.left);
    return { sign: "busy", sentence: speaking.status === "stopping" ? "Stopping …" : "Speaking", detail: [words, left].filter(Boolean).join(" · "), act: "Stop", share: total ? done / total : 0, now: subject };
  }

  function notSpoken(missing, clauses) {
    if (missing === clauses) return clauses === 1 ? "The clause is not spoken yet" : `None of the ${count(clauses, "clause")} is spoken yet`;
    return `${missing.toLocaleString("en")} of ${count(clauses, "clause")} ${missing === 1 ? "is" : "are"} not spoken yet`;
  }

  const allSpoken = (clauses) => (clauses === 1 ? "The clause is spoken" : `All ${count(clauses, "clause")} are spoken`);

  /** "34 spoken, 3 were here already; 0.25 US dollars spent on this production in all". */
  function bought() {
    const outcomes = speaking.clauses.map(([, outcome]) => outcome);
    const spoken = outcomes.filter((outcome) => outcome === "done").length;
    const here = outcomes.filter((outcome) => outcome === "cached").length;
    const parts = [spoken && `${spoken.toLocaleString("en")} spoken`, here && `${here.toLocaleString("en")} ${here === 1 ? "was" : "were"} here already`].filter(Boolean).join(", ");
    if (!spoken) return parts && `${parts}: nothing was bought`;
    return [parts, production.spent !== null && spent()].filter(Boolean).join("; ");
  }

  function spent() {
    return Number(production.spent) ? `${dollars(production.spent)} spent on this production in all` : "nothing was paid";
  }

  function toBuy({ to_speak: toSpeak, cost, unknown }) {
    if (!toSpeak) return "All of it was spoken before: nothing to buy";
    const words = price(cost, unknown);
    return words[0].toUpperCase() + words.slice(1);
  }

  // One button for all of it: so the focus stays, and the second half of a double click on Speak is no Stop.
  const ICONS = { Stop: "stop", Speak: "voice" };
  const doing = button({ text: " ", hidden: true, onclick: desk.guarded(once(() => (isRunning(speaking) ? stopSpeaking() : speak()))) });
  act.append(doing);
  let actShown = null;

  function showAct(wanted) {
    const focused = document.activeElement === doing;
    setOff(doing, wanted === "Stop" && speaking.status === "stopping");
    if (wanted === actShown) return;
    actShown = wanted;
    doing.hidden = !wanted;
    if (!wanted && focused) more.focus({ preventScroll: true });
    if (!wanted) return;
    const words = wanted === "Stop" ? "Stop speaking" : wanted;
    doing.classList.toggle("luma-button-primary", wanted !== "Stop");
    doing.title = words === wanted ? "" : words;
    doing.setAttribute("aria-label", words);
    fill(doing, icon(ICONS[wanted] ?? "refresh"), h("span", {}, wanted));
  }

  function stopSpeaking() {
    return isOff(doing) ? undefined : desk.tell("stop", { kind: "speak" });
  }

  /** Have it spoken; until that has ended, asking again does nothing. */
  async function speak() {
    const before = speaking;
    const begun = { kind: "speak", status: "running", stages: [], clauses: [], left: null };
    speaking = begun;
    show();
    if ((await desk.tell("speak")) === undefined && speaking === begun) speaking = before;
    show();
  }

  // Scenes and clauses

  function build() {
    const withCells = production.texts.length <= MOST_CELLS;
    states = production.spoken.map((spoken) => (spoken ? "spoken" : "waiting"));
    scenes = production.scenes.map((scene) => {
      const numbers = h("span", { class: "luma-number luma-muted" });
      const cells = withCells ? states.slice(scene.first, scene.last).map((state, at) => h("i", { class: "luma-status-cell", "data-state": state, "data-index": String(scene.first + at) })) : [];
      const row = h("li", {},
        h("span", { class: "luma-status-title luma-text", dir: "auto" }, scene.title || "Scene"), numbers,
        withCells && h("div", { class: "luma-status-cells", "aria-hidden": "true" }, cells));
      return { ...scene, row, numbers, cells, changed: true };
    });
    fill(list, scenes.map((scene) => scene.row));
    legend.hidden = !withCells;
  }

  list.addEventListener("pointerover", (event) => {
    const index = event.target.dataset?.index;
    if (index !== undefined) event.target.title = `${production.texts[index].slice(0, 200)} (${STATES[states[index]]})`;
  });

  /** Bring every clause that changed up to date, and the counts of their scenes. */
  function follow() {
    const busy = isRunning(speaking);
    const wanted = production.spoken.map((spoken) => (spoken ? "spoken" : "waiting"));
    for (const [index, outcome] of speaking?.clauses ?? []) {
      if (index < wanted.length) wanted[index] = stateOf(outcome, wanted[index], busy);
    }
    for (const scene of scenes) {
      for (let index = scene.first; index < scene.last; index += 1) {
        if (states[index] === wanted[index]) continue;
        states[index] = wanted[index];
        scene.changed = true;
        if (scene.cells.length) scene.cells[index - scene.first].dataset.state = wanted[index];
      }
      if (scene.changed) showScene(scene);
    }
    if (busy) keepInSight(scenes.find((scene) => scene.row.dataset.done === "false"));
  }

  let inSight = null;

  /** Go along with the scene that is being spoken, unless somebody looks about in the list. */
  function keepInSight(scene) {
    if (!scene || scene === inSight || whole.hidden || list.matches(":hover, :focus")) return;
    inSight = scene;
    list.scrollTop = scene.row.offsetTop - 40;
  }

  /** A clause's state; once the work is over, what is spoken by another take stays so. */
  function stateOf(outcome, before, busy) {
    if (!busy && (outcome === "began" || (outcome === "failed" && before === "spoken"))) return before;
    return OUTCOMES[outcome];
  }

  function showScene(scene) {
    const among = states.slice(scene.first, scene.last);
    const spoken = among.filter((state) => state === "spoken" || state === "here").length;
    const failed = among.filter((state) => state === "failed").length;
    scene.changed = false;
    scene.row.dataset.done = String(spoken === among.length);
    scene.numbers.textContent = `${spoken} of ${among.length} spoken${failed ? `, ${failed} failed` : ""}`;
  }

  // What failed

  function failedOnes() {
    return (speaking?.clauses ?? []).filter(([index, outcome]) => outcome === "failed" && index < production.texts.length);
  }

  let failuresShown = "";

  function showFailures() {
    const failed = production ? failedOnes() : [];
    const key = failed.map(([index]) => index).join();
    failures.hidden = !failed.length;
    if (key === failuresShown) return;
    failuresShown = key;
    fill(failures,
      h("h3", {}, "What could not be spoken"),
      h("ul", { tabindex: "0", "aria-label": "Clauses that could not be spoken" }, failed.slice(0, MOST_FAILED).map(([index, , reason]) => h("li", {},
        h("p", { class: "luma-text luma-status-text", dir: "auto" }, production.texts[index]),
        h("p", { class: "luma-text luma-status-reason" }, icon("warning"), h("span", {}, `Line ${production.lines[index]}: ${reason}`))))),
      failed.length > MOST_FAILED && h("p", { class: "luma-muted" }, `and ${count(failed.length - MOST_FAILED, "other clause")}`));
  }

  // Agents

  let thinkBar = null;

  function showThinking() {
    const busy = isRunning(thinking);
    const focused = thought.contains(document.activeElement);
    thought.hidden = !busy;
    if (focused && !busy) more.focus({ preventScroll: true });
    thinkBar = busy ? thinkBar ?? makeThinking() : null;
    thinkBar?.();
  }

  /** What shows how far an agent is; how it ended is told where it was begun. */
  function makeThinking() {
    const title = h("h3", {});
    const words = h("p", { class: "luma-muted luma-number" });
    const progress = progressBar("Agent");
    const stop = stopButton("Stop the agent", "think");
    fill(thought, h("div", { class: "luma-status-line" }, h("div", { class: "luma-status-words" }, title, words), stop), progress.element);
    return () => {
      const told = thinkingOf(thinking);
      title.textContent = told.doing;
      words.textContent = thinking.status === "stopping" ? "Stopping …" : [told.words, timeLeft(thinking.left)].filter(Boolean).join(" · ");
      setOff(stop, thinking.status === "stopping");
      progress.show(told.share, told.words);
    };
  }

  function stopButton(label, kind) {
    const stop = button({ icon: "stop", text: "Stop", label, onclick: desk.guarded(once(() => (isOff(stop) ? undefined : desk.tell("stop", { kind })))) });
    return stop;
  }

  // Exporting

  let exportBar = null;

  function showExport() {
    const status = exporting?.status;
    const focused = exported.contains(document.activeElement);
    exported.hidden = !exporting || status === "done" || status === "stopped";
    if (focused && !["running", "stopping"].includes(status)) more.focus({ preventScroll: true });
    if (exported.hidden) {
      exportBar = null;
      return;
    }
    if (status === "failed") {
      exportBar = null;
      fill(exported, h("div", { class: "luma-error", role: "alert" }, icon("warning"), h("div", {}, h("strong", {}, "The export did not succeed."), h("p", { class: "luma-text" }, exporting.error))));
      return;
    }
    exportBar ??= makeExport();
    exportBar.show();
  }

  function makeExport() {
    const words = h("p", { class: "luma-muted luma-text" });
    const steps = h("ol", { class: "luma-status-steps" });
    const progress = progressBar("Exporting");
    const stop = stopButton("Stop exporting", "export");
    fill(exported, h("div", { class: "luma-status-line" }, h("div", { class: "luma-status-words" }, h("h3", {}, "Exporting"), words), stop), progress.element, steps);
    return {
      show() {
        const stages = exportStages(exporting);
        const current = stages.find((stage) => stage.now) ?? stages[0];
        const stopping = exporting.status === "stopping";
        words.textContent = stopping ? "Stopping …" : [current.subject, timeLeft(exporting.left)].filter(Boolean).join(" · ");
        setOff(stop, stopping);
        progress.show(current.share, `${current.name} ${Math.round(current.share * 100)} %`);
        fill(steps, stages.map((stage) => h("li", { "data-state": stage.now ? "now" : stage.began && stage.share === 1 ? "done" : "waiting", "aria-current": stage.now ? "step" : null },
          stage.began && stage.share === 1 && icon("check"), stage.name, stage.now && h("span", { class: "luma-number" }, ` ${Math.floor(stage.share * 100)} %`))));
      },
    };
  }

  // For screen readers: beginning, now and then, end

  let saidWork = "";
  let saidAt = 0;
  let saidQuarter = 0;
  let owed = ""; // the work whose end is to be said, once the production is here as it is then
  let owedAt = 0; // what had been asked by that end: an answer to it may be older

  function say(told) {
    const work = isRunning(speaking) ? "speaking" : isRunning(thinking) ? "thinking" : isRunning(exporting) ? "exporting" : "";
    const share = work === "speaking" ? told.share : work === "thinking" ? thinkingOf(thinking).share : work ? exportStages(exporting).find((stage) => stage.now)?.share ?? 0 : 0;
    const quarter = Math.floor(share * 4);
    const late = performance.now() - saidAt > SAY_EVERY;
    if (work === saidWork && !(work && (quarter !== saidQuarter || late))) return;
    const ended = saidWork && !work;
    if (work === "speaking") said.textContent = `${told.sentence}: ${told.detail}.`;
    else if (work === "thinking") said.textContent = [thinkingOf(thinking).doing, thinkingOf(thinking).words].filter(Boolean).join(": ");
    else if (work === "exporting") said.textContent = `Exporting: ${exportStages(exporting).find((stage) => stage.now)?.name.toLowerCase()}, ${Math.round(share * 100)} %.`;
    if (work) owed = "";
    if (ended) [owed, owedAt] = [saidWork, asked];
    saidWork = work;
    saidAt = performance.now();
    saidQuarter = quarter;
  }

  function sayEnd() {
    if (!owed) return;
    const told = summary();
    said.textContent = owed === "exporting" ? exportEnd() : owed === "thinking" ? thinkEnd() : [told.sentence, told.detail].filter(Boolean).join(". ");
    owed = "";
  }

  function thinkEnd() {
    return { done: "The agent is done.", stopped: "The agent was stopped.", failed: "The agent did not succeed." }[thinking?.status] ?? "";
  }

  function exportEnd() {
    return { done: "The export is done.", stopped: "The export was stopped.", failed: "The export did not succeed." }[exporting?.status] ?? "";
  }

  await refresh();
});
