// Hot takes: who answers, what is answered, the steps live, the words to be edited, heard and seen; and those of before.

import { button, clock, fill, h, icon, panel, takeTheFloor } from "./kit.js";
import { downloadButton, fillOnce, remoteFile, soundPlayer, stampOf } from "./files.js";
import { makeHearing, piecesOf } from "./hearing.js";
import { takeDrops } from "./photos.js";
import { makeRecorder, sendRecording } from "./recording.js";
import { remotePicture, videoPlayer } from "./videos.js";
import { dollars, engineName, showAgo } from "./words.js";
import { askBeforeLeaving, isOff, isRunning, once, progressBar, setOff } from "./work.js";

const REST = 350; // ms after the last key until Python is asked what it costs
const KINDS = { hot_take: "Hot take", quick_roast: "Quick roast", pitch: "Pitch" };
const STEPS = { transcribe: "Transcript", write: "Words", speak: "Voice", film: "Film" };
const FILMS = { preview: "Preview: here, free", heygen: "HeyGen" };
const SIGNS = { done: "check", failed: "warning", stopped: "stop", skipped: "minus", running: "refresh", processing: "refresh", waiting: "next" };
const STANDS = { waiting: "waits", running: "being made", processing: "being made there", done: "there", skipped: "not needed", stopped: "stopped", failed: "failed" };

export default panel("Persona studio", async ({ root, desk, signal }) => {
  const act = desk.guarded;
  const brief = { persona: "", kind: "hot_take", seconds: 30, context: "", tags: false, version: 1, film: "preview", heygen_voice: false };
  let way = "pitch"; // pitch, recording or text: what is given
  let state = { personas: [], takes: [], work: null, no_mind: "", no_transcriber: "" };
  let work = null;
  let take = null; // the hot take that is shown
  let quote = null; // what it would buy: steps, { error }, or null while nobody knows
  let recording = ""; // its name at Python

  // The page: who answers

  const faces = h("div", { class: "luma-takes-faces", role: "radiogroup", "aria-label": "Who answers" });
  const bio = h("p", { class: "luma-muted luma-text luma-takes-bio", dir: "auto" });
  const pictures = new Map();

  // What is answered

  const ways = radios("What is given", { pitch: "A pitch", recording: "A recording", text: "Its very words" }, () => way, (value) => { way = value; changed(); });
  const pitch = area("An idea, a plan, a product: what it should answer", 5, "Pitch");
  const own = area("What it says, word for word. No model writes then.", 5, "Its words");
  const context = input({ placeholder: "Such as: Series A pitch, to friends" }, (value) => { brief.context = value; });
  const kind = select(KINDS, (value) => { brief.kind = value; });
  const seconds = input({ type: "number", min: "3", max: "300", step: "1", value: "30", inputMode: "numeric" }, () => { brief.seconds = seconds.valueAsNumber || 30; });
  const film = select(FILMS, (value) => { brief.film = value; });
  const tags = check("Delivery tags, for voices that hear them", (on) => { brief.tags = on; });
  const heygenVoice = check("HeyGen’s own voice", (on) => { brief.heygen_voice = on; if (on) brief.film = film.value = "heygen"; });
  const budget = input({ type: "number", min: "0", step: "0.5", placeholder: "none", inputMode: "decimal" }, (value) => { brief.budget = value || null; });
  const recordingPart = makeRecordingPart();
  const contextField = field("Context", context);
  const lengthField = h("div", { class: "luma-takes-pair" }, field("Kind", kind), field("Seconds", seconds));
  const problem = h("p", { class: "luma-text luma-takes-cost", role: "status" });
  const go = button({ icon: "voice", text: "Write it", kind: "luma-button-primary", onclick: act(once(() => begin(way === "text" ? "speak" : "write"))) });
  const all = button({ icon: "film", text: "All of it", label: "All of it: write, speak and film", onclick: act(once(() => begin("film"))) });
  const form = h("div", { class: "luma-takes-form" },
    h("h3", {}, "Who answers"), faces, bio,
    ways.element, field("", pitch), recordingPart.element, field("", own), contextField, lengthField,
    h("details", { class: "luma-takes-more" }, h("summary", {}, "More"), h("div", { class: "luma-takes-more-fields" }, h("div", { class: "luma-takes-pair" }, field("Filmed with", film), field("Budget in US dollars", budget)), heygenVoice.element, tags.element)),
    h("div", { class: "luma-takes-go" }, problem, h("div", { class: "luma-row" }, all, go)));

  // What comes of it

  const stepItems = new Map(Object.entries(STEPS).map(([step, name]) => [step, makeStep(name)]));
  const steps = h("ol", { class: "luma-takes-steps", "aria-label": "Steps" }, [...stepItems.values()].map((each) => each.element));
  const bar = progressBar("Making the hot take");
  const stop = button({ icon: "stop", text: "Stop", onclick: act(once(() => desk.tell("stop"))) });
  const title = h("h3", { class: "luma-takes-title" });
  const words = h("textarea", { class: "luma-input luma-takes-words", rows: 6, dir: "auto", "aria-label": "Its words", oninput: () => showActs() });
  const by = h("p", { class: "luma-muted luma-text luma-takes-by" });
  const speak = button({ icon: "voice", text: "Speak", kind: "luma-button-primary", onclick: act(once(() => goOn("speak"))) });
  const filmIt = button({ icon: "film", text: "Film", onclick: act(once(() => goOn("film"))) });
  const anew = button({ icon: "refresh", text: "Write another", kind: "luma-button-quiet", onclick: act(once(another)) });
  const sound = h("div", { class: "luma-takes-sound", hidden: true });
  const stage = h("div", { class: "luma-takes-stage", hidden: true });
  const result = h("div", { class: "luma-takes-result", hidden: true }, h("div", { class: "luma-takes-line" }, title, stop), steps, bar.element, words, by, h("div", { class: "luma-row" }, speak, filmIt, anew), sound, stage);
  const empty = h("div", { class: "luma-empty luma-takes-empty" }, icon("voice"), h("strong", {}, "Nothing said yet"), h("p", {}, "Choose who answers, give a pitch, and read the answer before it is spoken."));
  const list = h("ul", { class: "luma-takes-list", "aria-label": "Hot takes" });
  const history = h("section", { class: "luma-takes-part", "aria-label": "History", hidden: true }, h("h3", {}, "Before"), list);
  const said = h("p", { class: "luma-hidden-text", role: "status" });
  root.append(h("header", { class: "luma-head" }, h("h2", {}, "Hot takes")), h("div", { class: "luma-takes-main" }, form, h("div", { class: "luma-takes-side" }, empty, result)), history, said);

  // Fields

  function field(text, element) {
    if (!text) return element;
    element.id = unique();
    return h("div", { class: "luma-takes-field" }, h("label", { htmlFor: element.id }, text), element);
  }

  function area(placeholder, rows, label) {
    return h("textarea", { class: "luma-input luma-takes-area", rows, placeholder, dir: "auto", "aria-label": label, oninput: () => changed() });
  }

  function input(props, take_) {
    return h("input", { class: "luma-input", autocomplete: "off", dir: props.type ? undefined : "auto", ...props, oninput: (event) => { take_(event.target.value); changed(); } });
  }

  function select(options, take_) {
    return h("select", { class: "luma-input", onchange: (event) => { take_(event.target.value); changed(); } }, Object.entries(options).map(([value, text]) => h("option", { value }, text)));
  }

  function check(text, take_) {
    const box = h("input", { type: "checkbox", onchange: () => { take_(box.checked); changed(); } });
    return { box, element: h("label", { class: "luma-takes-check" }, box, text) };
  }

  function radios(text, options, read, write) {
    const group = unique();
    const inputs = Object.entries(options).map(([value, label]) => {
      const box = h("input", { type: "radio", name: group, value, onchange: () => write(value) });
      return { box, element: h("label", { class: "luma-takes-radio" }, box, label) };
    });
    const element = h("fieldset", { class: "luma-takes-ways" }, h("legend", { class: "luma-hidden-text" }, text), inputs.map((each) => each.element));
    return { element, show() { for (const { box } of inputs) box.checked = box.value === read(); } };
  }

  function makeRecordingPart() {
    const wrong = h("p", { class: "luma-text luma-takes-wrong", role: "alert" });
    const now = h("span", { class: "luma-text luma-takes-recorded", role: "status" });
    const picker = h("input", { type: "file", accept: "audio/*,video/*", hidden: true, tabIndex: -1, "aria-label": "Recording", onchange: act(() => { const [file] = picker.files; picker.value = ""; return file && send(file); }) });
    const choose = button({ icon: "folder", text: "Choose a file", onclick: () => picker.click() });
    const record = button({ icon: "voice", text: "Record", onclick: act(once(toggle)) });
    const element = h("div", { class: "luma-takes-drop" }, h("div", { class: "luma-row" }, choose, record), picker, now, wrong);
    const recorder = makeRecorder((length) => { now.textContent = `Recording … ${clock(length)}`; });
    takeDrops(element, act(send));
    signal.addEventListener("abort", recorder.close);

    async function toggle() {
      wrong.textContent = "";
      try {
        if (recorder.isRecording) await send(await recorder.stop());
        else await recorder.start();
      } catch (error) {
        wrong.textContent = error.message;
      }
      fill(record, icon(recorder.isRecording ? "stop" : "voice"), h("span", {}, recorder.isRecording ? "Stop recording" : "Record"));
    }

    async function send(file) {
      wrong.textContent = "";
      recording = "";
      try {
        recording = await sendRecording(file, desk, (share) => { now.textContent = `${file.name}: ${Math.floor(share * 100)} %`; }, signal);
        now.textContent = recording;
      } catch (error) {
        if (signal.aborted) return;
        now.textContent = "";
        wrong.textContent = error.message;
      }
      changed();
    }

    return { element };
  }

  function makeStep(name) {
    const sign = h("span", { class: "luma-takes-sign" });
    const told = h("span", { class: "luma-muted luma-takes-told" });
    const why = h("p", { class: "luma-text luma-takes-why" });
    const element = h("li", { class: "luma-takes-step" }, sign, h("strong", {}, name), told, why);
    return { element, show({ state: standing, message, took }) {
      if (element.dataset.state !== standing) fill(sign, icon(SIGNS[standing]));
      element.dataset.state = standing;
      told.textContent = [STANDS[standing], took ? `${took.toFixed(1)} s` : ""].filter(Boolean).join(" · ");
      why.textContent = ["failed", "processing"].includes(standing) ? message : "";
    } };
  }

  // What Python tells

  let timer = null;
  let questions = 0;
  askBeforeLeaving(() => isRunning(work), signal);
  desk.on("taking", (told) => {
    const ended = isRunning(work) && !isRunning(told);
    work = told;
    showResult();
    if (ended) act(sayEnd)();
  });
  desk.on("hot_take", (told) => {
    if (take === null || take.name === told.name) show(told);
  });
  signal.addEventListener("abort", () => { clearTimeout(timer); letGo(); closeContext(); });

  async function sayEnd() {
    await refresh();
    const now = take && state.takes.find((each) => each.name === take.name);
    if (now) show(now);
    said.textContent = work.status === "done" ? "The hot take is there." : work.status === "stopped" ? "Stopped." : (work.error ?? "");
  }

  async function refresh() {
    const told = await desk.tell("state");
    if (!told || signal.aborted) return;
    state = told;
    work = told.work;
    brief.persona ||= state.personas[0]?.id ?? "";
    showFaces();
    showHistory();
    changed();
    showResult();
  }

  // The form

  function showFaces() {
    const there = new Set(state.personas.map((each) => each.id));
    for (const [id, each] of pictures) if (!there.has(id)) { each.close(); pictures.delete(id); }
    for (const each of state.personas) if (!pictures.has(each.id)) pictures.set(each.id, makeFace(each));
    fillOnce(faces, state.personas.map((each) => pictures.get(each.id).element));
    for (const [id, each] of pictures) each.box.checked = id === brief.persona;
  }

  const group = unique();

  function makeFace(persona) {
    const picture = persona.pictured ? remotePicture(async () => (await desk.ask("picture", { persona: persona.id })).buffers[0], { desk, signal }) : null;
    const box = h("input", { type: "radio", name: group, value: persona.id, class: "luma-takes-face-box", onchange: () => { brief.persona = persona.id; changed(); } });
    const element = h("label", { class: "luma-takes-face", style: persona.colours[0] ? `--face: ${persona.colours[0]}` : "" }, box, h("span", { class: "luma-takes-frame" }, picture ? picture.element : icon("voice")), h("span", { class: "luma-text", dir: "auto" }, persona.name));
    return { element, box, close() { picture?.close(); } };
  }

  /** What Python is asked to make. */
  function asked() {
    const given = { pitch: { pitch: pitch.value.trim() }, recording: { recording }, text: { text: own.value.trim() } }[way];
    return { ...brief, ...given };
  }

  const isGiven = () => Boolean(way === "recording" ? recording : (way === "text" ? own : pitch).value.trim());

  /** Why nothing can be begun, before Python is asked. */
  function missing() {
    if (!brief.persona) return "There is no persona. luma-studio personas add makes one.";
    if (way === "recording" && state.no_transcriber) return state.no_transcriber;
    if (way !== "text" && state.no_mind) return `${state.no_mind} Or type its very words: everything but writing works without a mind.`;
    return "";
  }

  function changed() {
    quote = null;
    questions += 1;
    showForm();
    clearTimeout(timer);
    if (!missing() && isGiven()) timer = setTimeout(act(ask), REST);
  }

  async function ask() {
    const mine = questions;
    let answer;
    try {
      answer = (await desk.ask("quote", { until: "film", brief: asked() })).value;
    } catch (error) {
      if (!error.kind) throw error;
      answer = { error: error.message };
    }
    if (mine !== questions || signal.aborted) return;
    quote = answer;
    showForm();
  }

  function showForm() {
    ways.show();
    pitch.hidden = way !== "pitch";
    own.hidden = way !== "text";
    recordingPart.element.hidden = way !== "recording";
    contextField.hidden = lengthField.hidden = tags.element.hidden = way === "text";
    const persona = state.personas.find((each) => each.id === brief.persona);
    bio.textContent = persona?.bio ?? "";
    go.querySelector("span").textContent = way === "text" ? "Speak it" : "Write it";
    const bad = missing() || quote?.error || "";
    problem.dataset.kind = bad ? "bad" : "";
    problem.textContent = bad || (quote ? priceWords(quote) : isGiven() ? "" : "What would you have answered?");
    const off = isRunning(work) || Boolean(missing()) || !isGiven();
    setOff(go, off || (Boolean(quote?.error) && way === "text"));
    setOff(all, off || Boolean(quote?.error));
  }

  function priceWords(found) {
    const paid = found.filter((each) => Number(each.cost));
    const unknown = found.filter((each) => each.cost === null).map((each) => each.by);
    if (!paid.length && !unknown.length) return "All of it is free.";
    const parts = paid.map((each) => `${STEPS[each.step]}: ${Number(each.cost) < 0.01 ? "" : "about "}${dollars(each.cost)}.`);
    return [...parts, unknown.length && `The price of ${unknown.join(", ")} is not known.`].filter(Boolean).join(" ");
  }

  function begin(until) {
    if (isOff(until === "film" ? all : go)) return undefined;
    return make({ until, brief: asked() });
  }

  // Making

  async function make(given) {
    const context_ = heard();
    const before = work;
    work = { kind: "hot take", status: "running", stages: [], scenes: {}, left: null };
    showResult();
    const answer = await desk.tell("make", given);
    if (answer === undefined) {
      work = before;
      showResult();
      return;
    }
    const known = state.takes.find((each) => each.name === answer.name);
    if (take?.name !== answer.name) show(known ?? null, answer.name);
    if (given.until === "write" || take?.steps.speak.state === "done") return;
    hearing?.stop();
    hearing = makeHearing(() => context_.out, showResult);
    takeTheFloor(hearing.stop);
    hearing.play(piecesOf(desk, answer.key)).catch(() => {}); // the work tells what went wrong
  }

  async function goOn(until) {
    if (isOff(until === "film" ? filmIt : speak) || !take) return;
    if (words.value.trim() !== take.text) {
      const edited = await desk.tell("edit", { name: take.name, text: words.value });
      if (!edited) return;
      show(edited);
    }
    await make({ until, name: take.name });
  }

  function another() {
    if (isOff(anew)) return undefined;
    brief.version += 1;
    return begin("write");
  }

  let hearing = null;
  let audio = null;

  function heard() {
    if (!audio) {
      const context_ = new AudioContext();
      const out = new GainNode(context_);
      out.connect(context_.destination);
      audio = { context: context_, out };
    }
    audio.context.resume();
    return audio;
  }

  function closeContext() {
    hearing?.stop();
    audio?.context.close();
    audio = null;
  }

  // What came of it

  let soundShown = "";
  let filmShown = "";
  let player = null;
  let video = null;
  const bytes = [];

  function show(told, name = "") {
    const isAnother = told?.name !== take?.name;
    const wasText = take?.text ?? "";
    take = told ?? { name, text: "", steps: Object.fromEntries(Object.keys(STEPS).map((step) => [step, { state: "waiting", message: "", took: null }])), files: {}, mind: "", persona: brief.persona, kind: brief.kind, cost: "0" };
    if (isAnother || wasText !== take.text) words.value = take.text;
    const at = state.takes.findIndex((each) => each.name === take.name);
    if (told && at >= 0) state.takes[at] = told;
    showResult();
    showFiles();
  }

  function showResult() {
    const busy = isRunning(work);
    result.hidden = !take;
    empty.hidden = Boolean(take);
    stop.hidden = !busy;
    setOff(stop, work?.status === "stopping");
    bar.element.hidden = !busy;
    if (busy) {
      const now = work.stages.at(-1);
      bar.show(now?.share ?? 0, now?.stage ?? "Beginning");
    }
    if (take) {
      const persona = state.personas.find((each) => each.id === take.persona);
      title.textContent = [persona?.name ?? take.persona, KINDS[take.kind]].join(" · ");
      for (const [step, item] of stepItems) item.show(take.steps[step]);
    }
    showActs();
    showForm();
  }

  function showActs() {
    if (!take) return;
    const busy = isRunning(work);
    const isEdited = words.value.trim() !== take.text;
    words.readOnly = busy;
    words.hidden = !take.text && !isEdited;
    by.textContent = take.text ? byWords(isEdited) : "";
    const spoken = take.steps.speak.state === "done" && !isEdited;
    speak.hidden = take.heygen_voice || !take.text;
    filmIt.hidden = !take.text;
    anew.hidden = !take.mind;
    speak.querySelector("span").textContent = spoken ? "Spoken" : "Speak";
    filmIt.querySelector("span").textContent = take.steps.film.state === "done" && !isEdited ? "Filmed" : take.steps.film.state === "processing" ? "Look again" : "Film";
    filmIt.classList.toggle("luma-button-primary", spoken);
    speak.classList.toggle("luma-button-primary", !spoken);
    setOff(speak, busy || spoken || !words.value.trim());
    setOff(filmIt, busy || (take.steps.film.state === "done" && !isEdited) || !words.value.trim());
    setOff(anew, busy || way === "text" || !isGiven());
  }

  function byWords(isEdited) {
    const facts = take.mind
      ? [`Written by ${take.model || take.mind}`, take.asked && `${(take.asked + take.answered).toLocaleString("en")} tokens`, take.latency && `${take.latency.toFixed(1)} s`]
      : ["Typed: no model’s words"];
    return [...facts, take.mind && (take.by_hand || isEdited) && "changed by hand", Number(take.cost) && dollars(take.cost)].filter(Boolean).join(" · ");
  }

  function showFiles() {
    const { speak: heardFile, film: seenFile } = take.files;
    const soundStamp = heardFile ? stampOf(heardFile) : "";
    if (soundStamp !== soundShown) {
      soundShown = soundStamp;
      player?.close();
      sound.hidden = !heardFile;
      if (heardFile) {
        const file = fileOf(heardFile);
        player = soundPlayer(file, { label: "the hot take", seconds: heardFile.seconds, desk });
        fill(sound, player.element, downloadButton(file, { desk, kind: "luma-button-quiet" }));
      }
    }
    const filmStamp = seenFile ? stampOf(seenFile) : "";
    if (filmStamp === filmShown) return;
    filmShown = filmStamp;
    video?.close();
    stage.hidden = !seenFile;
    if (!seenFile) return;
    const file = fileOf(seenFile);
    const picture = remotePicture(async () => (await desk.ask("picture", { persona: take.persona })).buffers[0], { desk, signal });
    video = videoPlayer(file, { label: "the film", picture, desk, signal });
    fill(stage, h("div", { class: "luma-takes-video" }, video.element), h("div", { class: "luma-row" }, h("span", { class: "luma-muted" }, `Filmed with ${engineName(take.film)}`), downloadButton(file, { desk, kind: "luma-button-quiet" })));
  }

  function fileOf({ production, name }) {
    const file = remoteFile(name, (start, length) => desk.ask("part", { take: production, name, start, size: length }));
    bytes.push(file);
    return file;
  }

  function letGo() {
    player?.close();
    video?.close();
    for (const file of bytes.splice(0)) file.cancel();
    for (const each of pictures.values()) each.close();
  }

  // Those of before

  function showHistory() {
    history.hidden = !state.takes.length;
    fill(list, state.takes.map((each) => {
      const persona = state.personas.find((one) => one.id === each.persona);
      const when = h("time", { class: "luma-muted" });
      showAgo(when, each.begun);
      const badge = each.steps.film.state === "done" ? "filmed" : each.steps.speak.state === "done" ? "spoken" : each.text ? "written" : "begun";
      return h("li", {}, h("button", { type: "button", class: "luma-takes-before", "aria-current": each.name === take?.name ? "true" : undefined, onclick: act(() => { show(each); result.scrollIntoView({ block: "nearest" }); }) },
        h("span", { class: "luma-takes-line" }, h("strong", {}, persona?.name ?? each.persona), h("span", { class: "luma-badge" }, badge), when),
        h("span", { class: "luma-text luma-takes-excerpt", dir: "auto" }, each.text || each.pitch || each.recording)));
    }));
  }

  await refresh();
});

let ids = 0;

/** A name for an element that no other one in the page has. */
function unique() {
  ids += 1;
  return `luma-takes-${Math.random().toString(36).slice(2, 8)}-${ids}`;
}
