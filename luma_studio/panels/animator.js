// Stills that move: a photo, how it is to move, what that costs; what came of it, and what was made before.

import { button, clock, count, fill, h, icon, panel } from "./kit.js";
import { downloadButton, fillOnce, remoteFile } from "./files.js";
import { photoChooser, photoPicture, takeDrops } from "./photos.js";
import { remotePicture, videoPlayer, wholeOf } from "./videos.js";
import { dollars, engineName } from "./words.js";
import { askBeforeLeaving, isOff, isRunning, once, progressBar, setOff } from "./work.js";

const REST = 300; // ms after the last key until Python is asked
const AGAIN = 30000; // ms between two looks at what a vendor still makes

const ENGINES = { preview: "Preview: here, free", freepik: "Freepik, Kling 2.1" };
const ABOUT = {
  preview: "The preview moves the camera over the still. It follows no words: they are for a vendor.",
  freepik: "Freepik has what is in the still move, as the prompt says.",
};

export default panel("Animator", async ({ root, desk, signal }) => {
  const act = desk.guarded;
  const bundle = { photo: "", prompt: "", negative_prompt: "", seconds: 5, guidance: 0.5, orientation: "portrait", engine: "preview" };
  let state = { animations: [], work: null, waiting: null };
  let work = null;
  let quote = null; // what it would buy: { here, cost }, { error }, or null while nobody knows
  let asked = null; // the bundle that is being made, or was last
  const cards = new Map(); // of what was made before, by the file's name

  // The page

  const frame = h("span", { class: "luma-animator-frame" });
  const photoName = h("span", { class: "luma-text", dir: "auto" });
  const photo = h("button", { type: "button", class: "luma-animator-photo", onclick: act(() => chooser.open(bundle.photo)) }, frame, photoName);
  const chooser = photoChooser({ desk, signal, root, chosen: takePhoto });
  takeDrops(photo, act((file) => chooser.take(file)));

  const wish = h("input", { class: "luma-input", id: unique(), autocomplete: "off", dir: "auto", placeholder: "What is seen, and how it should move" });
  const write = button({ text: "Write it for me", onclick: act(once(writeIt)) });
  const written = h("p", { class: "luma-muted luma-text luma-animator-note", role: "status" });
  const prompt = area("prompt", "How it moves, in a few sentences", 4);
  const negative = area("negative_prompt", "What must not be seen", 2);
  const guidance = h("input", { type: "range", id: unique(), min: "0", max: "1", step: "0.05", class: "luma-animator-range", oninput: () => { bundle.guidance = guidance.valueAsNumber; changed(); } });
  const guided = h("output", { class: "luma-number luma-muted" });
  const seconds = radios("Length", "seconds", { 5: "5 seconds", 10: "10 seconds" }, Number);
  const orientation = radios("Frame", "orientation", { portrait: "Portrait", landscape: "Landscape" });
  const engine = h("select", { class: "luma-input", id: unique(), onchange: () => { bundle.engine = engine.value; changed(); } }, Object.entries(ENGINES).map(([value, text]) => h("option", { value }, text)));
  const about = h("p", { class: "luma-muted luma-animator-note" });
  const cost = h("p", { class: "luma-text luma-animator-cost", role: "status" });
  const go = button({ icon: "film", text: "Animate", kind: "luma-button-primary", onclick: act(once(pressed)) });
  const bar = progressBar("Animating");
  const now = h("p", { class: "luma-muted luma-text luma-animator-note", role: "status" });
  const form = h("div", { class: "luma-animator-form" }, photo,
    h("div", { class: "luma-animator-fields" },
      field("What you want", wish, h("div", { class: "luma-row luma-animator-write" }, wish, write), written),
      field("Prompt", prompt), field("Not to be seen", negative),
      h("div", { class: "luma-animator-pair" }, seconds.element, orientation.element),
      field("How closely the prompt is followed", guidance, h("div", { class: "luma-row luma-animator-guidance" }, guidance, guided)),
      field("Animated with", engine, engine, about),
      h("div", { class: "luma-animator-go" }, cost, go), bar.element, now));
  const list = h("ul", { class: "luma-animator-cards", "aria-label": "Clips" });
  const listed = h("h3", {}, "Clips");
  const earlier = h("section", { class: "luma-animator-part", "aria-label": "Clips", hidden: true }, listed, list);
  const said = h("p", { class: "luma-hidden-text", role: "status" });
  root.append(h("header", { class: "luma-head" }, h("h2", {}, "Image to video")), form, earlier, said);

  function field(text, input, shown = input, ...more) {
    return h("div", { class: "luma-animator-field" }, h("label", { htmlFor: input.id }, text), shown, more);
  }

  function area(name, placeholder, rows) {
    return h("textarea", { class: "luma-input luma-animator-area", id: unique(), rows, placeholder, dir: "auto", maxLength: 2500, oninput: (event) => { bundle[name] = event.target.value; changed(); } });
  }

  function radios(text, name, options, read = String) {
    const group = unique();
    const inputs = Object.entries(options).map(([value, words]) => {
      const input = h("input", { type: "radio", name: group, value, onchange: () => { bundle[name] = read(value); changed(); } });
      return { input, element: h("label", { class: "luma-animator-radio" }, input, words) };
    });
    const element = h("fieldset", { class: "luma-animator-field" }, h("legend", {}, text), h("div", { class: "luma-animator-radios" }, inputs.map((each) => each.element)));
    return { element, show() { for (const { input } of inputs) input.checked = input.value === String(bundle[name]); } };
  }

  // What Python tells

  let timer = null;
  let later = null;
  let questions = 0;
  askBeforeLeaving(() => isRunning(work), signal);
  desk.on("animating", (told) => {
    const ended = isRunning(work) && !isRunning(told);
    work = told;
    showWork();
    if (ended) act(sayEnd)();
  });
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    clearTimeout(later);
    for (const card of cards.values()) card.close();
  });

  /** The clip is there, or why it is not: as the state has it by then. */
  async function sayEnd() {
    await refresh();
    said.textContent = work.status === "done" ? (state.waiting ?? "The clip is there.") : work.status === "stopped" ? "Stopped." : (work.error ?? "");
    await ask();
  }

  async function refresh() {
    const told = await desk.tell("state");
    if (!told || signal.aborted) return;
    state = told;
    work = told.work;
    show();
    clearTimeout(later);
    if (state.waiting && asked && !isRunning(work)) later = setTimeout(act(() => desk.ask("animate", asked)), AGAIN); // it is taken up, and not bought again
  }

  // What is to be made

  let picture = null;

  function takePhoto(name, words = name) {
    bundle.photo = name;
    picture?.close();
    picture = name ? photoPicture(name, { desk, signal }) : null;
    fill(frame, picture ? picture.element : [icon("photo"), h("span", { class: "luma-muted" }, "Drop a picture here, or press to choose one")]);
    photoName.textContent = words;
    photo.setAttribute("aria-label", name ? `Photo: ${words}. Choose another one.` : "Choose a photo");
    changed();
  }

  async function writeIt() {
    if (isOff(write)) return;
    setOff(write, true);
    written.textContent = "Writing …";
    try {
      const { value } = await desk.ask("write", { photo: bundle.photo, wish: wish.value.trim() });
      Object.assign(bundle, { prompt: value.prompt, negative_prompt: value.negative_prompt, seconds: value.seconds, guidance: value.guidance });
      written.textContent = value.by ? `Written by ${value.by}. Change what you like before it is sent.` : `Written by the rules. Change what you like before it is sent.${value.why ? ` ${value.why}` : ""}`;
      changed();
    } catch (error) {
      if (!error.kind) throw error;
      written.textContent = error.message;
    } finally {
      setOff(write, false);
    }
  }

  function changed() {
    quote = null;
    show();
    clearTimeout(timer);
    timer = setTimeout(act(ask), REST);
  }

  async function ask() {
    questions += 1;
    const mine = questions;
    if (!bundle.photo) return;
    let answer;
    try {
      answer = (await desk.ask("quote", bundle)).value;
    } catch (error) {
      if (!error.kind) throw error;
      answer = { error: error.message };
    }
    if (mine !== questions) return;
    quote = answer;
    showWork();
  }

  function pressed() {
    if (isOff(go)) return undefined;
    return isRunning(work) ? desk.tell("stop") : start();
  }

  async function start() {
    const before = work;
    asked = { ...bundle };
    const begun = { kind: "animate", status: "running", stages: [], scenes: {}, left: null };
    work = begun;
    showWork();
    if ((await desk.tell("animate", asked)) === undefined && work === begun) work = before;
    showWork();
  }

  // What is shown

  function show() {
    for (const [input, value] of [[prompt, bundle.prompt], [negative, bundle.negative_prompt]]) if (input.value !== value) input.value = value;
    guidance.value = String(bundle.guidance);
    guided.textContent = bundle.guidance.toFixed(2);
    seconds.show();
    orientation.show();
    engine.value = bundle.engine;
    about.textContent = ABOUT[bundle.engine];
    showWork();
    showClips();
  }

  function showWork() {
    const busy = isRunning(work);
    const [told] = Object.values(work?.scenes ?? {});
    fill(go, icon(busy ? "stop" : "film"), h("span", {}, busy ? "Stop" : "Animate"));
    go.classList.toggle("luma-button-primary", !busy);
    setOff(go, busy ? work.status === "stopping" : !bundle.photo || !quote || Boolean(quote.error));
    cost.dataset.kind = quote?.error ? "bad" : "";
    cost.textContent = busy ? "" : costWords();
    bar.element.hidden = !busy;
    if (busy) bar.show(told?.[2] ?? 0, told?.[1] || "Animating");
    now.textContent = busy ? (work.status === "stopping" ? "Stopping: what a vendor has begun goes on there." : told?.[1] || "Animating …") : work?.status === "failed" ? work.error : (state.waiting ?? "");
    now.dataset.kind = !busy && work?.status === "failed" ? "bad" : "";
  }

  function costWords() {
    if (!bundle.photo) return "Choose a photo first.";
    if (!quote) return "";
    if (quote.error) return quote.error;
    if (quote.here) return "It was made before: nothing to buy.";
    if (quote.cost === null) return `What ${engineName(bundle.engine)} costs is not known.`;
    return Number(quote.cost) ? `About ${dollars(quote.cost)} with ${engineName(bundle.engine)}.` : `Free with ${engineName(bundle.engine)}.`;
  }

  function showClips() {
    const clips = state.animations.filter((each) => each.video);
    const wanted = new Set(clips.map((each) => each.video));
    for (const [name, card] of cards) {
      if (wanted.has(name)) continue;
      card.close();
      cards.delete(name);
    }
    for (const each of clips) if (!cards.has(each.video)) cards.set(each.video, clipCard(each));
    fillOnce(list, clips.map((each) => cards.get(each.video).element));
    earlier.hidden = !clips.length;
    listed.textContent = clips.length > 1 ? count(clips.length, "clip") : "Clip";
  }

  function clipCard(clip) {
    const bytes = remoteFile(clip.video, (start, length) => desk.ask("part", { name: clip.video, start, size: length }));
    const thumb = clip.thumbnail && remotePicture(async () => (await wholeOf(clip.thumbnail, (start, length) => desk.ask("part", { name: clip.thumbnail, start, size: length })))?.arrayBuffer(), { desk, signal });
    const player = videoPlayer(bytes, { label: `${clip.name}, ${count(clip.seconds, "second")}`, picture: thumb || null, desk, signal });
    const again = button({ icon: "undo", text: "Take its words", label: `Take the words of ${clip.name}`, kind: "luma-button-quiet", onclick: () => {
      Object.assign(bundle, { prompt: clip.prompt, negative_prompt: clip.negative_prompt, seconds: clip.seconds, guidance: clip.guidance });
      changed();
      prompt.focus();
    } });
    const element = h("li", { class: "luma-animator-card" }, h("div", { class: "luma-animator-stage" }, player.element),
      h("div", { class: "luma-animator-about" },
        h("strong", { class: "luma-text", dir: "auto" }, clip.name),
        h("p", { class: "luma-muted luma-number" }, [clock(clip.seconds), engineName(clip.engine)].join(" · ")),
        clip.prompt && h("p", { class: "luma-text luma-animator-words", dir: "auto" }, clip.prompt),
        clip.message && h("p", { class: "luma-muted luma-text luma-animator-note" }, clip.message),
        h("div", { class: "luma-row luma-animator-acts" }, clip.prompt && again, downloadButton(bytes, { desk, kind: "luma-button-quiet" }))));
    return { element, close() { player.close(); bytes.cancel(); } };
  }

  takePhoto("");
  await refresh();
});

let ids = 0;

/** A name for an element that no other one in the page has. */
function unique() {
  ids += 1;
  return `luma-animator-${Math.random().toString(36).slice(2, 8)}-${ids}`;
}
