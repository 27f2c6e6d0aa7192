// Videos and pictures in the page: fetched in parts when they are seen or played, let go when they are out of sight.

import { button, fill, h, icon, notice, takeTheFloor } from "./kit.js";
import { remoteFile } from "./files.js";

/** Call `come` when an element comes into sight, `go` when it is gone from it. */
export function whenSeen(element, signal, come, go = () => {}) {
  const watch = new IntersectionObserver((entries) => (entries.at(-1).isIntersecting ? come() : go()), { rootMargin: "200px" });
  watch.observe(element);
  signal.addEventListener("abort", () => watch.disconnect());
  return () => watch.disconnect();
}

/** A picture that is fetched when it comes into sight: `fetch()` gives its bytes, or nothing where there is none.
 *
 * It is for the eye only: what it shows stands beside it. */
export function remotePicture(fetch, { signal, desk }) {
  const image = h("img", { class: "luma-picture", alt: "", draggable: false, "data-empty": "" });
  let url = null;
  let stop = null;
  const come = desk.guarded(async () => {
    stop();
    const bytes = await fetch();
    if (!bytes || signal.aborted || closed) return;
    url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
    image.src = url;
    image.removeAttribute("data-empty");
  });
  let closed = false;
  stop = whenSeen(image, signal, come);
  const close = () => {
    closed = true;
    stop();
    if (url) URL.revokeObjectURL(url);
  };
  signal.addEventListener("abort", close);
  return { element: image, close };
}

/** A player of a video: its picture and a button; pressed, the video is fetched and played, with the browser's own controls.
 *
 * `captions()` gives its captions as WebVTT, to be switched on, or nothing. Once it is out of sight and silent, its bytes are let
 * go. `close()` it when it goes. */
export function videoPlayer(file, { label, picture, captions = () => null, desk, signal }) {
  const play = button({ icon: "play", label: `Play ${label}`, kind: "luma-video-play", onclick: desk.guarded(press) });
  const share = h("span", { class: "luma-video-share luma-number", hidden: true });
  const cover = h("div", { class: "luma-video-cover", onclick: desk.guarded((event) => (event.composedPath().includes(play) ? undefined : press())) }, picture?.element, play, share);
  const element = h("div", { class: "luma-video", role: "group", "aria-label": `Player of ${label}` }, cover);
  const urls = [];
  let video = null;
  let position = 0;
  let closed = false;

  const stop = () => video?.pause();

  function press() {
    return file.share === null ? start() : file.cancel();
  }

  /** Fetch it, and play it from where it was left. */
  async function start() {
    if (!(await load())) return;
    takeTheFloor(stop);
    try {
      await video.play();
    } catch (error) {
      if (error.name === "NotAllowedError") notice(`${file.name} is here now. Press play.`);
      else if (error.name !== "AbortError") notice(`This browser cannot play ${file.name}. Download it to see it.`, "warning");
    }
  }

  /** Have the video in the page; whether it is. */
  async function load() {
    if (video) return true;
    const [blob, told] = await Promise.all([file.blob(), captions()]);
    if (!blob || closed) return false;
    if (video) return true;
    const had = element.contains(document.activeElement);
    video = h("video", { src: url(blob), controls: true, playsInline: true, preload: "auto", "aria-label": label, tabindex: "0" },
      told && h("track", { kind: "captions", label: "Captions", src: url(new Blob([told], { type: "text/vtt" })) }));
    video.currentTime = position;
    video.addEventListener("play", () => takeTheFloor(stop));
    cover.hidden = true;
    element.append(video);
    if (had) video.focus({ preventScroll: true });
    return true;
  }

  const url = (blob) => urls[urls.push(URL.createObjectURL(blob)) - 1];

  /** Let go of its bytes. */
  function unload() {
    if (video) {
      position = video.ended ? 0 : video.currentTime;
      video.pause();
      video.removeAttribute("src");
      video.load();
      video.remove();
      video = null;
    }
    for (const each of urls.splice(0)) URL.revokeObjectURL(each);
    file.cancel();
    cover.hidden = false;
  }

  function show() {
    const coming = file.share !== null;
    share.hidden = !coming;
    share.textContent = coming ? `${Math.floor(file.share * 100)} %` : "";
    const words = coming ? `Stop fetching ${file.name}` : `Play ${label}`;
    if (play.title === words) return;
    fill(play, icon(coming ? "close" : "play"));
    play.title = words;
    play.setAttribute("aria-label", words);
  }

  file.listen(show);
  const unwatch = whenSeen(element, signal, () => {}, () => {
    if (video && (video.paused || video.ended)) unload();
  });

  function close() {
    closed = true;
    unwatch();
    unload();
    picture?.close();
  }

  signal.addEventListener("abort", close);
  return {
    element, start, stop, load, close, outdated: file.outdated,
    /** The video's element, once it is in the page. */
    get video() {
      return video;
    },
  };
}

/** Bytes of a file that is fetched in parts, all at once: for what is small. */
export async function wholeOf(name, ask) {
  return remoteFile(name, ask).blob();
}
