// The film: what filming would buy, how it is filmed, each scene with its photo and its video, and all of them as one.

import { button, clock, count, download, fill, h, icon, panel, size } from "./kit.js";
import { downloadButton, fillOnce, remoteFile, stampOf } from "./files.js";
import { photoChooser, photoPicture, takeDrops } from "./photos.js";
import { remotePicture, videoPlayer, wholeOf } from "./videos.js";
import { dollars, engineName } from "./words.js";
import { askBeforeLeaving, endsWithPage, isOff, isRunning, once, progressBar, setOff, timeLeft } from "./work.js";

const SOON = 400; // ms that further edits are waited for, before the quote is asked for again
const AGAIN = 30000; // ms between two looks at what a vendor still makes

const ENGINES = { preview: "Preview: here, free", heygen: "HeyGen" };
const ASSEMBLIES = { preview: "Preview: here, free", creatomate: "Creatomate template", heygen: "HeyGen, all scenes at once" };

export default panel("Films", async ({ root, desk, signal }) => {
  const act = desk.guarded;
  let state = { production: null, engines: [], assemblies: [], works: [] };
  let filming = null; // the last work of each kind, as Python told it
  let speaking = null;
  const cards = new Map(); // by scene

  // The page

  const go = button({ icon: "film", text: "Film", kind: "luma-button-primary", hidden: true, onclick: act(once(pressed)) });
  const sign = h("span", { class: "luma-films-sign" });
  const sentence = h("h3", { class: "luma-films-sentence" });
  const detail = h("p", { class: "luma-muted luma-text luma-films-detail" });
  const bar = progressBar("Filming");
  bar.element.classList.add("luma-films-bar");
  const line = h("div", { class: "luma-films-line" }, sign, h("div", { class: "luma-films-words" }, sentence, detail), go);
  const empty = h("div", { class: "luma-empty" }, icon("film"), h("strong", {}, "Nothing to film yet"), h("p", {}, "Write a script and have it spoken. Each of its scenes becomes a video with a talking photo, and all of them one film."));
  const choices = makeChoices();
  const whole = makeWhole();
  const list = h("ul", { class: "luma-films-cards", "aria-label": "Scenes" });
  const scenesPart = h("section", { class: "luma-films-part", "aria-label": "Scenes" }, h("h3", {}, "Scenes"), list);
  const main = h("div", { hidden: true }, line, bar.element, choices.element, whole.element, scenesPart);
  const said = h("p", { class: "luma-hidden-text", role: "status" });
  const compare = makeCompare();
  root.append(h("header", { class: "luma-head" }, h("h2", {}, "Film"), compare.toggle), empty, main, compare.dialog, said);

  // What Python tells

  let soon = null;
  let later = null;
  askBeforeLeaving(() => endsWithPage(filming), signal);
  desk.on("production", act(refresh));
  desk.on("files", act(refresh));
  desk.on("photos", act(refresh));
  desk.on("pauses", () => {
    clearTimeout(soon);
    soon = setTimeout(act(refresh), SOON);
  });
  desk.on("work", (work) => {
    take(work);
    if (state.production) show();
  });
  signal.addEventListener("abort", () => {
    clearTimeout(soon);
    clearTimeout(later);
    for (const card of cards.values()) card.close();
  });

  let asked = 0;

  async function refresh() {
    asked += 1;
    const mine = asked;
    const told = await desk.tell("state");
    if (!told || mine !== asked || signal.aborted) return; // a later question is on its way
    const isAnother = told.production?.name !== state.production?.name;
    if (isAnother) for (const [id, card] of cards) { card.close(); cards.delete(id); }
    state = told;
    filming = speaking = null;
    for (const work of state.works) take(work);
    show();
    lookLater();
  }

  function take(work) {
    if (work.kind === "film") filming = work;
    else if (work.kind === "speak") speaking = work;
  }

  /** A scene that a vendor still makes is looked at again, for as long as this page is open. */
  function lookLater() {
    clearTimeout(later);
    const waits = state.production?.scenes.some((scene) => isBeingMade(scene));
    if (waits && !isRunning(filming)) later = setTimeout(act(() => desk.ask("look")), AGAIN);
  }

  const isBeingMade = (scene) => !scene.here && !scene.changed && ["submitted", "processing"].includes(scene.result?.status);

  // The whole

  function show() {
    const { production } = state;
    empty.hidden = Boolean(production);
    main.hidden = !production;
    compare.show();
    if (!production) return;
    const told = summary();
    if (sign.dataset.state !== told.sign) {
      sign.dataset.state = told.sign;
      fill(sign, icon({ good: "check", busy: "film", bad: "warning", idle: "film" }[told.sign]));
    }
    setText(sentence, told.sentence);
    setText(detail, told.detail);
    bar.element.hidden = told.share === undefined;
    if (told.share !== undefined) bar.show(told.share, `${told.sentence}: ${told.detail}`);
    showGo(told.act);
    choices.show(production);
    whole.show(production);
    showCards(production);
    say(told);
  }

  const busy = () => isRunning(filming);

  /** Who films, as one writes it: HeyGen may film all scenes at once. */
  const engine = () => state.production.quote?.engine ?? state.production.choices.film;

  /** How things stand, in a sentence, and what one can do. */
  function summary() {
    const { production } = state;
    const { quote, unspoken, clauses, film, scenes } = production;
    if (busy()) return running();
    if (isRunning(speaking)) return { sign: "busy", sentence: "Being spoken now", detail: "Then it can be filmed.", act: null };
    if (unspoken) return { sign: "idle", sentence: "Speak first", detail: `A film is cut from the master’s timeline, and ${unspoken === clauses ? "nothing is spoken yet" : `${count(unspoken, "clause")} ${unspoken === 1 ? "is" : "are"} not spoken yet`}.`, act: "Speak" };
    if (!quote) return { sign: "bad", sentence: "It cannot be filmed like this", detail: production.problem, act: null };
    if (filming?.status === "failed") return { sign: "bad", sentence: "Filming stopped", detail: filming.error, act: "Film" };
    const problems = [...new Set(scenes.map((scene) => scene.problem))].filter(Boolean);
    if (problems.length) return { sign: "bad", sentence: `${capital(engineName(engine()))} cannot film this yet`, detail: problems.length === 1 ? problems[0] : "What is missing stands with each scene.", act: null };
    const failed = scenes.filter(isFailed).length;
    if (failed) return { sign: "bad", sentence: `${count(failed, "scene")} could not be filmed`, detail: `The others are kept. Trying again films only ${failed === 1 ? "that one" : "those"}: ${toBuy(quote)}.`, act: "Try again" };
    const made = scenes.filter(isBeingMade).length;
    if (made) return { sign: "busy", sentence: `${count(made, "scene")} ${made === 1 ? "is" : "are"} still being made`, detail: `${engineName(engine())} goes on, and this page looks again by itself. Nothing is bought twice.`, act: "Look now" };
    if (quote.to_film) return { sign: "idle", sentence: toFilm(quote, scenes), detail: capital(toBuy(quote)), act: "Film" };
    if (film.errors.length && !film.file) return { sign: "bad", sentence: "The scenes could not be put together", detail: film.errors.at(-1), act: "Try again" };
    if (!film.current) return { sign: "idle", sentence: "All scenes are there", detail: "They are put together to one film.", act: "Put together" };
    return { sign: "good", sentence: "The film is there", detail: [count(scenes.length, "scene"), clock(film.seconds)].join(" · "), act: null };
  }

  const isFailed = (scene) => !scene.here && !scene.changed && scene.result?.status === "failed" && scene.result.fingerprint !== "";

  function running() {
    const { stage, done, total, share } = filming.stages.at(-1) ?? { stage: "film", done: 0, total: 0, share: 0 };
    const stopping = filming.status === "stopping";
    const words = stage === "join" ? "All scenes are filmed" : total ? `${done.toLocaleString("en")} of ${count(total, "scene")}` : "Looking what is there";
    const how = stopping ? "what a vendor has begun goes on there" : timeLeft(filming.left);
    return { sign: "busy", sentence: stopping ? "Stopping …" : stage === "join" ? "Putting the film together" : "Filming", detail: [words, how].filter(Boolean).join(" · "), act: "Stop", share };
  }

  function toFilm({ to_film: left, changed }, scenes) {
    if (changed && changed === left && state.production.film.engine === engine()) return `${count(changed, "scene")} changed since ${changed === 1 ? "it was" : "they were"} filmed`;
    return left === scenes.length ? `${count(left, "scene")} to film` : `${left.toLocaleString("en")} of ${count(scenes.length, "scene")} to film`;
  }

  function toBuy({ cost, unknown, to_film: left }) {
    const name = engineName(engine());
    if (!Number(cost)) return unknown ? `what ${name} costs is not known` : left ? `free with ${name}` : "free";
    return [`about ${dollars(cost)} with ${name}`, unknown && "some prices are not known"].filter(Boolean).join("; ");
  }

  const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

  // One button for all of it: so the focus stays, and the second half of a double click on Film is no Stop.
  const ICONS = { Stop: "stop", Speak: "voice", "Try again": "refresh", "Look now": "refresh" };
  let goShown = null;

  function showGo(wanted) {
    setOff(go, wanted === "Stop" && filming.status === "stopping");
    if (wanted === goShown) return;
    goShown = wanted;
    go.hidden = !wanted;
    if (!wanted) return;
    go.classList.toggle("luma-button-primary", wanted !== "Stop");
    go.setAttribute("aria-label", wanted === "Stop" ? "Stop filming" : wanted);
    fill(go, icon(ICONS[wanted] ?? "film"), h("span", {}, wanted));
  }

  function pressed() {
    if (isOff(go)) return undefined;
    if (goShown === "Stop") return desk.tell("stop");
    if (goShown === "Speak") return desk.tell("speak");
    return film();
  }

  /** Have it filmed; until that has ended, asking again does nothing. */
  async function film(given = {}) {
    if (busy()) return;
    const before = filming;
    const begun = { kind: "film", status: "running", stages: [], scenes: {}, left: null, wanted: given.scenes };
    filming = begun;
    clearTimeout(later);
    show();
    if ((await desk.tell("film", { ...given, force_upload: choices.anew })) === undefined && filming === begun) filming = before;
    show();
  }

  // For screen readers: beginning, each quarter, end

  let saidWork = "";

  function say(told) {
    const work = busy() ? `${told.sentence}${Math.floor((told.share ?? 0) * 4)}` : "";
    if (work === saidWork) return;
    saidWork = work;
    said.textContent = `${told.sentence}. ${told.detail}`;
  }

  // Choices

  function makeChoices() {
    const wrong = h("p", { class: "luma-films-wrong luma-text", role: "alert" });
    let chosen = {};
    let isSet = false; // whether what is chosen cannot be changed now
    const fields = [];

    /** Have Python choose; what is wrong is said below the fields. */
    const choose = async (changes) => {
      wrong.textContent = "";
      try {
        await desk.ask("choose", changes);
      } catch (error) {
        if (!error.kind) throw error;
        wrong.textContent = error.message;
        for (const each of fields) each.show(chosen);
      }
    };

    function field(name, text, input, { read = () => input.value, write = (value) => { input.value = value; }, wide = false } = {}) {
      input.id = unique();
      input.addEventListener("change", act(() => (isSet ? each.show(chosen) : choose({ [name]: read() }))));
      const element = h("div", { class: `luma-films-field ${wide ? "luma-films-wide" : ""}` }, h("label", { htmlFor: input.id }, text), input);
      const each = { element, show(values) { if (document.activeElement !== input || input.tagName === "SELECT") write(values[name]); input.disabled = isSet; } };
      fields.push(each);
      return element;
    }

    const select = (options) => h("select", { class: "luma-input" }, Object.entries(options).map(([value, text]) => h("option", { value }, text)));
    const engines = select(ENGINES);
    const assemblies = select(ASSEMBLIES);
    const template = h("input", { class: "luma-input", autocomplete: "off", spellcheck: false, dir: "ltr", placeholder: "Template’s id" });
    const seconds = (most) => h("input", { class: "luma-input luma-number", type: "number", min: "0", max: String(most), step: "0.1", inputMode: "decimal" });
    const numbers = (input) => ({ read: () => Number(input.value), write: (value) => { input.value = String(value); } });
    const crossfade = seconds(5);
    const card = seconds(30);

    /** Have a choice that is no usual one stand among them. */
    const among = (input) => (value) => {
      if (![...input.options].some((option) => option.value === value)) input.append(h("option", { value }, value));
      input.value = value;
    };

    const photoName = h("span", { class: "luma-films-photo-name luma-text", dir: "auto" });
    const photoFrame = h("span", { class: "luma-films-photo-frame" });
    const photo = h("button", { type: "button", class: "luma-films-photo", onclick: act(() => (isSet ? undefined : chooser.open(chosen.photo ?? ""))) }, photoFrame, photoName);
    const chooser = photoChooser({ desk, signal, root, none: "A card with the scene’s title", vendor: true, chosen: (name) => choose({ photo: name }) });
    takeDrops(photo, act((file) => (isSet ? undefined : chooser.take(file))));
    let photoShown = null;
    let picture = null;
    fields.push({ show({ photo: name }) {
      photo.disabled = isSet;
      if (name === photoShown) return;
      photoShown = name;
      picture?.close();
      picture = state.production.pictured ? photoPicture(name, { desk, signal }) : null; // a vendor's own has none here
      fill(photoFrame, picture ? picture.element : icon("photo"));
      photoName.textContent = (name.startsWith("persona:") && state.production.pictured) || name || "None: a card with each title";
      photo.setAttribute("aria-label", `Photo: ${photoName.textContent}. Choose another one.`);
    } });

    const assemblyField = h("div", { class: "luma-films-field" });
    assemblies.id = unique();
    const chooseAssembly = act(async () => {
      if (assemblies.value !== "creatomate") return choose({ assembly: assemblies.value });
      template.hidden = false;
      if (template.value.trim()) return choose({ assembly: `creatomate:${template.value.trim()}` });
      template.focus();
      return undefined;
    });
    assemblies.addEventListener("change", chooseAssembly);
    template.addEventListener("change", chooseAssembly);
    template.setAttribute("aria-label", "Template’s id at Creatomate");
    assemblyField.append(h("label", { htmlFor: assemblies.id }, "Put together with"), assemblies, template);
    fields.push({ show({ assembly }) {
      const [engine, ...rest] = assembly.split(":");
      among(assemblies)(engine);
      if (document.activeElement !== template) template.value = rest.join(":");
      template.hidden = engine !== "creatomate";
      assemblies.disabled = template.disabled = isSet;
    } });

    const upload = h("input", { type: "checkbox" });
    let check;
    const motion = h("input", { class: "luma-input", autocomplete: "off", maxLength: 500, dir: "auto", placeholder: "For engines that can be told, such as: nods gently" });
    const element = h("div", { class: "luma-films-choices" },
      h("div", { class: "luma-films-fields" },
        field("film", "Filmed with", engines, { write: among(engines) }),
        h("div", { class: "luma-films-field" }, h("span", { class: "luma-films-label" }, "Photo"), photo),
        field("orientation", "Frame", select({ portrait: "Portrait, 9 : 16", landscape: "Landscape, 16 : 9" })),
        field("captions", "Captions", select({ burned: "In the picture", track: "To be switched on", none: "None" }))),
      h("details", { class: "luma-films-more" }, h("summary", {}, "Background, crossfade, titles and more"),
        h("div", { class: "luma-films-fields" },
          field("background", "Background", h("input", { class: "luma-input luma-films-colour", type: "color" })),
          field("photo_fit", "Photo in the frame", select({ cover: "Fills the frame", contain: "Is all seen" })),
          field("crossfade", "Crossfade, seconds", crossfade, numbers(crossfade)),
          field("title_card", "Title card, seconds", card, numbers(card)),
          assemblyField,
          field("motion", "How the photo moves", motion, { wide: true })),
        check = h("label", { class: "luma-films-check" }, upload, "Give the vendor photos and sounds anew, even those that it has")),
      wrong);
    return {
      element,
      /** Whether a vendor is to be given anew what it has. */
      get anew() {
        return upload.checked;
      },
      show(production) {
        chosen = production.choices;
        isSet = busy() || isRunning(speaking);
        for (const each of fields) each.show(chosen);
        check.hidden = [chosen.film, chosen.assembly].every((each) => each === "preview"); // nothing is given away
      },
    };
  }

  // The film

  function makeWhole() {
    const place = h("div", { class: "luma-films-stage" });
    const facts = h("p", { class: "luma-muted luma-number" });
    const badge = h("span", { class: "luma-badge luma-badge-warning" }, "older than your last change");
    const title = h("strong", { class: "luma-text luma-films-title", dir: "auto" });
    const gets = h("div", { class: "luma-row" });
    const anew = button({ icon: "refresh", text: "Put together anew", kind: "luma-button-quiet", onclick: act(once(() => film({ again: true }))) });
    const element = h("section", { class: "luma-films-whole", "aria-label": "The whole film", hidden: true }, place,
      h("div", { class: "luma-films-about" }, h("div", { class: "luma-row" }, title, badge), facts, gets, anew));
    const captionsOf = (ending) => button({ icon: "download", text: `captions.${ending}`, label: `Download the captions as ${ending.toUpperCase()}`, onclick: act(once(async () => {
      const told = await desk.tell("captions");
      if (told) download(`${state.production.name}.${ending}`, new Blob([told[ending]], { type: "text/plain" }));
    })) });
    let shown = null;
    let player = null;
    return {
      element,
      show(production) {
        const { film: made, files, choices: chosen } = production;
        const file = files[made.file];
        element.hidden = !file;
        const stamp = file ? stampOf(file) : null;
        if (stamp !== shown) {
          shown = stamp;
          player?.outdated();
          player?.close();
          if (!file) return;
          const bytes = remote(file);
          const thumb = production.scenes.find((scene) => scene.result?.thumbnail)?.result.thumbnail;
          player = videoPlayer(bytes, { label: "the film", picture: pictureOf(thumb), captions: () => textTrack(null), desk, signal });
          place.dataset.frame = chosen.orientation;
          fill(place, player.element);
          fill(gets, downloadButton(bytes, { text: "film.mp4", desk }), captionsOf("srt"), captionsOf("vtt"), files["film.json"] && downloadButton(remote(files["film.json"]), { text: "film.json", desk }));
        }
        if (!file) return;
        title.textContent = production.name;
        badge.hidden = made.current || busy();
        facts.textContent = [clock(made.seconds), size(file.bytes), count(production.scenes.length, "scene"), `scenes by ${engineName(made.engine)}`].join(" · ");
        anew.hidden = !made.current;
        setOff(anew, busy());
      },
    };
  }

  /** The captions to be switched on, where they are not in the picture. */
  async function textTrack(scene) {
    if (state.production.choices.captions === "none" || state.production.unspoken) return null;
    const isDrawn = state.production.choices.captions === "burned" && !(scene?.result?.message ?? "").includes("in a track");
    return isDrawn ? null : (await desk.ask("captions", { scene: scene?.id ?? null })).value.vtt;
  }

  const remote = (file) => remoteFile(file.name, (start, length) => desk.ask("part", { name: file.name, start, size: length }));

  /** A picture that lies in the production's folder. */
  function pictureOf(name) {
    const file = name && state.production.files[name];
    if (!file) return null;
    return remotePicture(async () => {
      const blob = await wholeOf(name, (start, length) => desk.ask("part", { name, start, size: length }));
      return blob?.arrayBuffer();
    }, { desk, signal });
  }

  // Scenes

  function showCards(production) {
    const wanted = new Set(production.scenes.map((scene) => scene.id));
    for (const [id, card] of cards) {
      if (wanted.has(id)) continue;
      card.close();
      cards.delete(id);
    }
    production.scenes.forEach((scene, at) => {
      if (!cards.has(scene.id)) cards.set(scene.id, sceneCard());
      cards.get(scene.id).show(scene, at + 1);
    });
    fillOnce(list, production.scenes.map((scene) => cards.get(scene.id).element));
    scenesPart.hidden = !production.scenes.length;
  }

  /** The video of a scene that is shown: that of the film, or another of the store, by whatever engine. */
  function videoOf(scene) {
    const { files, choices: chosen, film: made } = state.production;
    const file = scene.result?.status === "completed" && files[scene.result.video];
    if (file) return { stamp: stampOf(file), engine: made.engine, bytes: () => remote(file) };
    const [engine, kept] = Object.entries(scene.kept).find(([each]) => each === chosen.film) ?? [];
    return kept && { stamp: kept.fingerprint, engine, bytes: () => keptFile(kept, `${scene.id}.mp4`) };
  }

  const keptFile = ({ fingerprint }, name) => remoteFile(name, (start, length) => desk.ask("kept_part", { fingerprint, start, size: length }));

  function sceneCard() {
    let scene = null;
    let shown = null;
    let player = null;
    let picture = null;
    let bytes = null;
    const stage = h("div", { class: "luma-films-stage" });
    const number = h("span", { class: "luma-films-number luma-number", "aria-hidden": "true" });
    const title = h("strong", { class: "luma-text luma-films-title", dir: "auto" });
    const badge = h("span", { class: "luma-badge" });
    const facts = h("p", { class: "luma-muted luma-number luma-text" });
    const reason = h("p", { class: "luma-text luma-films-reason" });
    const progress = progressBar("Scene");
    const gets = h("span", { class: "luma-films-get" });
    const doing = button({ icon: "film", text: "Film", onclick: act(once(() => (isOff(doing) ? undefined : film({ scenes: [scene.id] })))) });
    const element = h("li", { class: "luma-films-card" }, stage,
      h("div", { class: "luma-films-about" }, h("div", { class: "luma-films-heading" }, number, title, gets), h("div", { class: "luma-row luma-films-state" }, badge, facts), progress.element, reason, doing));

    function showVideo() {
      const video = videoOf(scene);
      const frame = state.production.choices.orientation;
      const stamp = video ? video.stamp : `${scene.photo}|${scene.title}|${frame}|${scene.drawn}`;
      stage.dataset.frame = frame;
      if (stamp === shown) return;
      shown = stamp;
      letGo();
      fill(gets);
      if (!video) {
        picture = scene.still ? remotePicture(async () => (await desk.ask("still", { scene: scene.id })).buffers[0], { desk, signal }) : null;
        fill(stage, h("div", { class: "luma-films-still" }, picture ? picture.element : icon("film")));
        return;
      }
      bytes = video.bytes();
      player = videoPlayer(bytes, { label: scene.title || scene.id, picture: pictureOf(scene.result?.thumbnail) ?? stillOf(), captions: () => textTrack(scene), desk, signal });
      fill(stage, player.element);
      fill(gets, downloadButton(bytes, { desk, kind: "luma-button-quiet" }));
    }

    const stillOf = () => (scene.still ? remotePicture(async () => (await desk.ask("still", { scene: scene.id })).buffers[0], { desk, signal }) : null);

    function letGo() {
      player?.close();
      picture?.close();
      bytes?.cancel();
      player = picture = bytes = null;
    }

    function show(now, at) {
      scene = now;
      showVideo();
      number.textContent = String(at);
      title.textContent = scene.title || scene.id.replace("_", " ");
      facts.textContent = [clock(scene.seconds), scene.drawn ? "no photo" : scene.photo].filter(Boolean).join(" · ");
      const told = standing(scene);
      badge.className = `luma-badge ${told.kind ? `luma-badge-${told.kind}` : ""}`;
      setText(badge, told.word);
      setText(reason, told.reason ?? "");
      element.dataset.state = told.state ?? "";
      progress.element.hidden = told.share === undefined;
      if (told.share !== undefined) progress.show(told.share, told.word);
      doing.hidden = !told.act;
      setOff(doing, busy());
      if (told.act) {
        setText(doing.querySelector("span"), told.act);
        doing.setAttribute("aria-label", `${told.act}: ${title.textContent}`);
      }
    }

    return { element, show, close: letGo };
  }

  /** How a scene stands: a word, its kind, why, and what one can do. */
  function standing(scene) {
    const { film: made, quote, unspoken } = state.production;
    const told = busy() ? filming.scenes?.[scene.id] : null;
    if (told) {
      const [outcome, why, share] = told;
      if (outcome === "began") return { word: share === null ? "filming" : `filming ${Math.floor(share * 100)} %`, kind: "good", share: share ?? 0, reason: why, state: "busy" };
      if (outcome === "failed") return { word: "failed", kind: "danger", reason: why, state: "bad" };
      return { word: "filmed", kind: "good" };
    }
    if (busy() && !scene.here && (!filming.wanted || filming.wanted.includes(scene.id))) return { word: "waiting" };
    if (unspoken || !quote) return { word: "as it was filmed" };
    if (scene.problem) return { word: "cannot be filmed", kind: "warning", reason: detail.textContent === scene.problem ? "" : scene.problem }; // said once above
    if (isBeingMade(scene)) return { word: "being made", kind: "good", reason: scene.result.message, act: "Look now" };
    if (isFailed(scene)) return { word: "failed", kind: "danger", reason: scene.result.message, act: "Try again", state: "bad" };
    if (scene.here && scene.result?.status === "completed" && !scene.changed) return { word: "filmed", kind: "good", reason: scene.result.message };
    if (scene.here) return { word: "here already", kind: "good", reason: "It was filmed before: nothing to buy.", act: "Use it" };
    const price = Number(scene.cost) ? ` It costs about ${dollars(scene.cost)}.` : "";
    if (scene.result?.video && made.engine !== engine()) return { word: `by ${engineName(made.engine)}`, reason: `${capital(engineName(engine()))} would film it anew.${price}`, act: "Film" };
    if (scene.changed) return { word: "changed", kind: "warning", reason: `It changed since it was filmed, and is filmed anew.${price}`, act: "Film" };
    return { word: "not filmed", reason: scene.drawn ? `No photo is chosen: a card with its title stands for one.${price}` : price.trim(), act: "Film" };
  }

  // Preview and real, side by side

  function makeCompare() {
    const toggle = button({ icon: "compare", text: "Compare", label: "Compare the engines’ videos side by side", hidden: true, onclick: act(open) });
    const picker = h("select", { class: "luma-input", "aria-label": "Scene", onchange: act(() => showPair()) });
    const pair = h("div", { class: "luma-films-pair" });
    const both = button({ icon: "play", text: "Play both", kind: "luma-button-primary", onclick: act(once(playBoth)) });
    const dialog = h("dialog", { class: "luma-dialog luma-films-compare", "aria-label": "Side by side" },
      h("header", { class: "luma-head" }, h("h2", {}, "Side by side"), picker, both, button({ icon: "close", label: "Close", kind: "luma-button-quiet", onclick: () => dialog.close() })), h("div", { class: "luma-body" }, pair));
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
    dialog.addEventListener("close", clear);
    let players = [];
    const comparable = () => (state.production?.scenes ?? []).filter((scene) => Object.keys(scene.kept).length > 1);

    function clear() {
      for (const each of players.splice(0)) each.close();
      fill(pair);
    }

    function open() {
      fill(picker, comparable().map((scene) => h("option", { value: scene.id }, scene.title || scene.id)));
      dialog.showModal();
      showPair();
    }

    function showPair() {
      clear();
      const scene = comparable().find((each) => each.id === picker.value);
      if (!scene) return;
      const kept = Object.entries(scene.kept).slice(0, 2);
      players = kept.map(([engine, each]) => videoPlayer(keptFile(each, `${scene.id} ${engine}.mp4`), { label: `${scene.title || scene.id}, ${engineName(engine)}`, picture: null, captions: () => null, desk, signal }));
      fill(pair, kept.map(([engine], at) => h("figure", {}, h("div", { class: "luma-films-stage", "data-frame": state.production.choices.orientation }, players[at].element), h("figcaption", {}, capital(engineName(engine))))));
    }

    /** Both from their beginning; only the first is heard. */
    async function playBoth() {
      const now = players;
      if (!(await Promise.all(now.map((each) => each.load()))).every(Boolean)) return;
      now.forEach(({ video }, at) => Object.assign(video, { currentTime: 0, muted: at > 0 }));
      await Promise.all(now.map(({ video }) => video.play()));
    }

    return { toggle, dialog, show() { toggle.hidden = !comparable().length; } };
  }

  await refresh();
});

/** Set an element's text, if it is another one: what reads the page aloud hears of changes only. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let ids = 0;

/** A name for an element that no other one in the page has. */
function unique() {
  ids += 1;
  return `luma-films-${Math.random().toString(36).slice(2, 8)}-${ids}`;
}
