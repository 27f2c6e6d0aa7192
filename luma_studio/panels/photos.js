// Choosing a photo: one of the workspace's, a new one that is dropped or chosen, or what a vendor has of its own.

import { button, fill, h, icon } from "./kit.js";
import { remotePicture } from "./videos.js";
import { once } from "./work.js";

const PIECE = 1 << 20; // bytes of a picture that are sent at once: far under what a message may have

/** A small picture of one of the workspace's photos. */
export function photoPicture(name, { desk, signal }) {
  return remotePicture(async () => (await desk.ask("photo", { name })).buffers[0], { desk, signal });
}

/** Send a picture to Python, piece by piece; the name that the photo has there. What is wrong with it is thrown. */
async function sendPhoto(file, desk, tell) {
  const key = `${file.name}:${performance.now()}`;
  let start = 0;
  do {
    const piece = await file.slice(start, start + PIECE).arrayBuffer();
    const { value } = await desk.ask("put_photo", { key, name: file.name, size: file.size, start }, piece);
    start += piece.byteLength;
    tell(file.size ? start / file.size : 1);
    if (value) return value;
  } while (start < file.size);
  throw new Error(`${file.name} did not arrive whole. Choose it again.`);
}

/** A dialog in which a photo is chosen: `chosen(name, words)` is called with the one that was, and what it is called; "" stands for none.
 *
 * `none` says what is seen where none is chosen (left out: one must be), `vendor` whether a vendor's id or address may be. */
export function photoChooser({ desk, signal, root, chosen, none = null, vendor = false }) {
  let current = "";
  const tiles = new Map();
  const problem = h("p", { class: "luma-photos-problem luma-text", role: "alert" });
  const share = h("span", { class: "luma-number luma-muted", role: "status" });
  const picker = h("input", { type: "file", accept: "image/*", hidden: true, tabIndex: -1, "aria-label": "Picture file", onchange: desk.guarded(() => { const [file] = picker.files; picker.value = ""; return file && take(file); }) });
  const choose = button({ icon: "plus", text: "Choose a file", onclick: () => picker.click() });
  const zone = h("div", { class: "luma-photos-drop" }, h("p", { class: "luma-muted" }, "Drop a picture here, or"), choose, picker, share);
  const grid = h("div", { class: "luma-photos-grid", role: "group", "aria-label": "Photos of the workspace" });
  const faces = h("div", { class: "luma-photos-grid", role: "group", "aria-label": "Personas" });
  const people = h("div", { class: "luma-photos-people" }, h("h3", {}, "Personas"), faces);
  const own = h("input", { class: "luma-input", autocomplete: "off", spellcheck: false, dir: "ltr", placeholder: "An id, or an address", "aria-label": "A vendor’s photo or avatar" });
  const use = button({ text: "Use it", onclick: desk.guarded(once(() => (own.value.trim() ? pick(own.value.trim()) : own.focus()))) });
  const others = h("div", { class: "luma-photos-vendor", hidden: !vendor }, h("h3", {}, "A vendor’s photo or avatar"), h("div", { class: "luma-row" }, own, use),
    h("p", { class: "luma-muted" }, "Its id at the vendor, or an address from which the vendor fetches a picture. The preview shows a card for it."));
  const dialog = h("dialog", { class: "luma-dialog luma-photos", "aria-label": "Choose a photo" },
    h("header", { class: "luma-head" }, h("h2", {}, "Choose a photo"), button({ icon: "close", label: "Close", kind: "luma-button-quiet", onclick: () => dialog.close() })),
    h("div", { class: "luma-body luma-photos-body" }, zone, problem, grid, people, others));
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  root.append(dialog);
  takeDrops(zone, desk.guarded(take));
  desk.on("photos", desk.guarded(() => (dialog.open ? refresh() : undefined)));
  signal.addEventListener("abort", () => { for (const tile of tiles.values()) tile.close(); });

  async function take(file) {
    problem.textContent = "";
    share.textContent = "0 %";
    try {
      const name = await sendPhoto(file, desk, (part) => { share.textContent = `${Math.floor(part * 100)} %`; });
      if (dialog.open) await pick(name);
      else await chosen(name, name);
    } catch (error) {
      if (!error.kind && !(error instanceof Error)) throw error;
      problem.textContent = error.message;
      if (!dialog.open) await open(current, error.message);
    } finally {
      share.textContent = "";
    }
  }

  async function pick(name, words = name) {
    await chosen(name, words);
    dialog.close();
  }

  async function refresh() {
    const { value } = await desk.ask("photos");
    picker.accept = value.endings.join();
    const personas = value.personas.map((each) => each.photo);
    const there = new Set([...value.photos, ...personas]);
    for (const [name, tile] of tiles) {
      if (there.has(name)) continue;
      tile.close();
      tiles.delete(name);
    }
    for (const name of value.photos) if (!tiles.has(name)) tiles.set(name, photoTile(name, name));
    for (const each of value.personas) if (!tiles.has(each.photo)) tiles.set(each.photo, photoTile(each.photo, each.name));
    fill(grid, none !== null && noneTile(), value.photos.map((name) => tiles.get(name).element));
    grid.hidden = !grid.children.length;
    fill(faces, personas.map((name) => tiles.get(name).element));
    people.hidden = !personas.length;
    mark();
  }

  function photoTile(name, words) {
    const broken = h("span", { class: "luma-photos-broken" });
    const picture = remotePicture(async () => {
      try {
        return (await desk.ask("photo", { name })).buffers[0];
      } catch (error) {
        if (!error.kind) throw error;
        broken.textContent = error.message;
        return null;
      }
    }, { desk, signal });
    const element = h("button", { type: "button", class: "luma-photos-tile", "data-photo": name, title: words, onclick: desk.guarded(once(() => pick(name, words))) },
      h("span", { class: "luma-photos-frame" }, picture.element, broken), h("span", { class: "luma-photos-name luma-text", dir: "auto" }, words));
    return { element, close: picture.close };
  }

  function noneTile() {
    return h("button", { type: "button", class: "luma-photos-tile", "data-photo": "", onclick: desk.guarded(once(() => pick(""))) },
      h("span", { class: "luma-photos-frame luma-photos-none" }, icon("photo")), h("span", { class: "luma-photos-name" }, none));
  }

  function mark() {
    const stem = (name) => name.toLowerCase().replace(/\.[^.]*$/, "");
    let found = false;
    for (const tile of [...grid.children, ...faces.children]) {
      const isIt = tile.dataset.photo === current || (current && stem(tile.dataset.photo) === current.toLowerCase());
      found ||= isIt;
      tile.setAttribute("aria-pressed", String(isIt));
    }
    own.value = found ? "" : current;
  }

  async function open(now, sentence = "") {
    current = now;
    problem.textContent = sentence;
    if (!dialog.open) dialog.showModal();
    await refresh();
    (dialog.querySelector("[aria-pressed='true']") ?? choose).focus({ preventScroll: true });
  }

  return { open, take };
}

/** Have files that are dropped on an element taken. */
export function takeDrops(element, take) {
  const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const over = (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    element.dataset.over = "yes";
  };
  element.addEventListener("dragenter", over);
  element.addEventListener("dragover", over);
  element.addEventListener("dragleave", (event) => { if (!element.contains(event.relatedTarget)) delete element.dataset.over; });
  element.addEventListener("drop", (event) => {
    if (!holds(event)) return undefined;
    event.preventDefault();
    event.stopPropagation();
    delete element.dataset.over;
    const [file] = event.dataTransfer.files;
    return file && take(file);
  });
}
