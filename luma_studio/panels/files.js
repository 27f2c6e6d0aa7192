// Files in the page: fetched in parts when they are first needed, heard with a player, given to the browser to keep.

import { button, clock, download, fill, h, icon, notice, takeTheFloor } from "./kit.js";

const PART = 1 << 20; // bytes that are asked for at once: far under what a message may have
const AHEAD = 3; // parts that are on their way at once
const TYPES = { mp3: "audio/mpeg", wav: "audio/wav", flac: "audio/flac", m4a: "audio/mp4", aac: "audio/aac", srt: "application/x-subrip", vtt: "text/vtt", json: "application/json", zip: "application/zip", mp4: "video/mp4", jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png" };

const typeOf = (name) => TYPES[name.slice(name.lastIndexOf(".") + 1).toLowerCase()] ?? "application/octet-stream";

/** Whether a file is sound. */
export function isSound(name) {
  return typeOf(name).startsWith("audio/");
}

/** Whether a file is a video. */
export function isVideo(name) {
  return typeOf(name).startsWith("video/");
}

/** Whether a file is a picture. */
export function isPicture(name) {
  return typeOf(name).startsWith("image/");
}

/** What tells one state of a file from the next: it was written anew if this is another. */
export function stampOf(file) {
  return `${file.production}/${file.name}|${file.bytes}|${file.changed}`;
}

/** A file that is fetched once, when it is first needed. `ask(start, size)` asks Python for a part.
 *
 * `share` is how much of it is here while it is being fetched, from 0 to 1, and null otherwise; `listen(ear)` hears of
 * each change. `blob()` is its bytes, undefined where they were not wanted any more or could not be fetched. */
export function remoteFile(name, ask) {
  const ears = [];
  let coming = null;
  let ends = null;
  const file = { name, share: null, listen: (ear) => ears.push(ear), blob, keep, cancel, outdated };

  function tell(share) {
    file.share = share;
    for (const ear of ears) ear();
  }

  function blob() {
    coming ??= come();
    return coming;
  }

  async function keep() {
    const bytes = await blob();
    if (bytes) download(name, bytes);
  }

  /** Stop fetching, and let go of what is here. */
  function cancel() {
    ends?.abort();
    coming = null;
    tell(null);
  }

  /** The file is another one now, or gone: whoever waited for it is told. */
  function outdated() {
    if (file.share !== null) notice(`${name} was changed while it was fetched. Try again.`, "warning");
    cancel();
  }

  async function come() {
    const { signal } = (ends = new AbortController());
    tell(0);
    try {
      const bytes = await fetched(name, ask, tell, signal);
      if (bytes) tell(null);
      return bytes;
    } catch (error) {
      if (signal.aborted) return undefined;
      cancel();
      notice(error.message, "error");
      return undefined;
    }
  }

  return file;
}

/** The bytes of a file, part by part; undefined if the signal was aborted meanwhile. */
async function fetched(name, ask, tell, signal) {
  const parts = [];
  const coming = []; // the next are asked for before one is here
  let first = null;
  let asked = 0;
  let length = 0;
  const askNext = () => {
    const part = ask(asked, PART);
    part.catch(() => {}); // the first part that fails is told below, and those asked for after it no more
    coming.push(part);
    asked += PART;
  };
  askNext();
  do {
    const { value, buffers } = await coming.shift();
    if (signal.aborted) return undefined;
    first ??= value;
    while (coming.length < AHEAD && asked < first.total) askNext();
    if (value.total !== first.total || value.changed !== first.changed) throw new Error(`${name} was changed while it was fetched. Try again.`);
    if (buffers[0].byteLength !== Math.min(PART, first.total - length)) throw new Error(`${name} could not be fetched whole. Try again.`);
    parts.push(buffers[0]);
    length += buffers[0].byteLength;
    tell(first.total ? length / first.total : 1);
  } while (length < first.total);
  return new Blob(parts, { type: typeOf(name) });
}

const percent = (share) => `${Math.floor(share * 100)} %`;

/** A button that downloads a file; while it is being fetched it says how much is here, and stops that. */
export function downloadButton(file, { text, desk, kind = "" }) {
  const made = button({ icon: "download", text: text ?? " ", kind, onclick: desk.guarded(() => (file.share === null ? file.keep() : file.cancel())) });
  const show = () => {
    const label = file.share === null ? `Download ${file.name}` : `Stop fetching ${file.name}`;
    made.title = label;
    made.setAttribute("aria-label", label);
    made.classList.toggle("luma-button-icon", !text && file.share === null);
    fill(made, icon(file.share === null ? "download" : "close"), file.share === null ? text && h("span", {}, text) : h("span", { class: "luma-number" }, percent(file.share)));
  };
  file.listen(show);
  show();
  return made;
}

/** A player of a sound file: a button, a slider and the time. Nothing is fetched before it is pressed.
 *
 * `seconds` is the sound's length, null where only the browser can tell. Call `close` when it goes; the file is its giver's. */
export function soundPlayer(file, { label, seconds, desk }) {
  const audio = new Audio();
  let url = null;
  let position = 0;
  let closed = false;

  const toggle = button({ icon: "play", label: `Play ${label}`, onclick: desk.guarded(press) });
  const seek = h("input", { type: "range", class: "luma-files-seek", style: "flex: 1; min-width: 5rem; min-height: 34px; margin: 0; accent-color: var(--luma-accent); cursor: pointer", min: "0", "aria-label": `Position in ${label}`, oninput: () => moveTo(seek.valueAsNumber), onkeydown: step });
  const time = h("span", { class: "luma-number luma-muted", style: "min-width: 6.2em; font-size: 13px; text-align: end" });
  const element = h("div", { class: "luma-files-player luma-row", style: "flex: 1; flex-wrap: nowrap", role: "group", "aria-label": `Player of ${label}` }, toggle, seek, time);

  const length = () => seconds ?? (Number.isFinite(audio.duration) ? audio.duration : 0);
  const isPlaying = () => !audio.paused && !audio.ended;
  const stop = () => audio.pause();

  function press() {
    if (file.share !== null) return file.cancel();
    if (isPlaying()) return stop();
    return play();
  }

  async function play() {
    const blob = await file.blob();
    if (!blob || closed) return;
    if (!url) {
      url = URL.createObjectURL(blob);
      audio.src = url;
      audio.currentTime = position;
    }
    if (position >= length() - 0.05) moveTo(0);
    takeTheFloor(stop);
    try {
      await audio.play();
    } catch (error) {
      if (error.name === "NotAllowedError") notice(`${file.name} is here now. Press play.`);
      else if (error.name !== "AbortError") notice(`This browser cannot play ${file.name}. Download it to hear it.`, "warning");
    }
  }

  function moveTo(wanted) {
    position = wanted;
    if (url) audio.currentTime = position;
    show();
  }

  /** An arrow key moves by 5 seconds, in a short sound by one. */
  function step(event) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    moveTo(Math.max(0, Math.min(length(), position + by * (length() > 60 ? 5 : 1))));
  }

  function show() {
    const whole = length();
    seek.disabled = !whole;
    seek.max = String(whole);
    seek.step = whole > 60 ? "1" : "0.1";
    seek.value = String(position);
    seek.setAttribute("aria-valuetext", `${clock(position)} of ${clock(whole)}`);
    time.textContent = file.share !== null ? percent(file.share) : whole ? `${clock(position)} / ${clock(whole)}` : "";
  }

  let shown = null;
  function showButton() {
    const now = file.share !== null ? "close" : isPlaying() ? "pause" : "play";
    if (now === shown) return;
    shown = now;
    fill(toggle, icon(now));
    const words = { close: `Stop fetching ${file.name}`, pause: `Pause ${label}`, play: `Play ${label}` }[now];
    toggle.title = words;
    toggle.setAttribute("aria-label", words);
  }

  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, showButton);
  for (const event of ["timeupdate", "durationchange"]) {
    audio.addEventListener(event, () => {
      if (url && !audio.seeking) position = audio.currentTime;
      show();
    });
  }
  file.listen(() => {
    showButton();
    show();
  });
  show();
  showButton();

  function close() {
    closed = true;
    audio.pause();
    audio.removeAttribute("src");
    if (url) URL.revokeObjectURL(url);
  }

  return { element, play, stop, close };
}

/** Put elements into a list without disturbing it where they are there already: the focus stays. */
export function fillOnce(list, elements) {
  const wanted = elements.filter(Boolean);
  const same = list.children.length === wanted.length && wanted.every((element, at) => list.children[at] === element);
  if (same) return;
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  fill(list, wanted);
  focused?.focus({ preventScroll: true });
}
