// The library: every production's files, to be heard and seen, downloaded, deleted and brought back.

import { button, clock, count, download, fill, h, icon, notice, panel, size } from "./kit.js";
import { downloadButton, fillOnce, isPicture, isSound, isVideo, remoteFile, soundPlayer, stampOf } from "./files.js";
import { remotePicture, videoPlayer } from "./videos.js";
import { ago, showAgo } from "./words.js";
import { isOff, once, progressBar, setOff } from "./work.js";

const verb = (seen) => (seen ? "Look at" : "Listen to");

const MINUTE = 20000; // ms between two looks at how long ago things were: the shortest time that is told is a minute

export default panel("Audio library", async ({ root, desk, signal }) => {
  const parts = new Map(); // of the list: a production each, by its name
  let packing = null; // the part whose ZIP is being made or fetched
  let state = { open: null, productions: [], deleted: [] };

  // The page

  const filter = h("input", { class: "luma-input luma-library-filter", type: "search", placeholder: "Filter by name", "aria-label": "Filter productions by name", dir: "auto", oninput: () => showList() });
  const again = button({ icon: "refresh", label: "Look again", kind: "luma-button-quiet", onclick: desk.guarded(refresh) });
  const list = h("ul", { class: "luma-library-list" });
  const none = h("div", { class: "luma-empty" }, icon("folder"), h("strong", {}, "Looking …"));
  const said = h("p", { class: "luma-hidden-text", role: "status" });
  const deletedWords = h("span", {});
  const deletedRows = h("ul", { class: "luma-library-files" });
  const deleted = h("details", { class: "luma-library-deleted", hidden: true }, h("summary", {}, deletedWords), deletedRows);
  root.append(h("header", { class: "luma-head" }, h("h2", {}, "Library"), filter, again), none, list, deleted, said);
  const counting = setInterval(countOn, MINUTE);
  signal.addEventListener("abort", () => {
    clearInterval(counting);
    for (const part of parts.values()) part.close();
  });

  /** Have the times in sight be as long ago as they are by now. */
  function countOn() {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const words = ago(Date.parse(time.dateTime) / 1000);
      if (time.textContent !== words) time.textContent = words;
    }
  }

  desk.on("production", desk.guarded(refresh));
  desk.on("files", desk.guarded(refresh));
  desk.on("pack", (told) => packing?.heard(told));

  let asked = 0;

  async function refresh() {
    asked += 1;
    const mine = asked;
    const told = await desk.tell("state");
    if (!told || mine !== asked || signal.aborted) return;
    const another = told.open !== state.open;
    state = told;
    for (const [name, part] of parts) {
      if (state.productions.some((each) => each.name === name)) continue;
      part.close();
      parts.delete(name);
    }
    for (const each of state.productions) {
      if (!parts.has(each.name)) parts.set(each.name, productionPart(each.name));
      parts.get(each.name).show(each);
    }
    if (another) parts.get(state.open)?.expand(true);
    showList();
    showDeleted();
    await Promise.all([...parts.values()].map((part) => part.reload()));
  }

  /** The open production first, then the one that was saved last; of those whose name has what was typed. */
  function showList() {
    const wanted = filter.value.trim().toLocaleLowerCase();
    const found = state.productions.filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
    const names = found.map(({ name }) => name).sort((one, other) => (other === state.open) - (one === state.open));
    fillOnce(list, names.map((name) => parts.get(name).element));
    filter.hidden = state.productions.length < 2;
    none.hidden = names.length > 0;
    if (!state.productions.length) fill(none, icon("folder"), h("strong", {}, "Nothing here yet"), h("p", {}, "Every production has a place here, with all that it was exported to."));
    else fill(none, icon("folder"), h("strong", {}, "No such production"), h("p", {}, `None of the ${count(state.productions.length, "production")} has “${filter.value.trim()}” in its name.`));
  }

  // What was deleted

  const bins = new Map(); // rows of what is in the trash, by their keys
  deleted.addEventListener("toggle", desk.guarded(showDeleted));

  function showDeleted() {
    const there = new Set(state.deleted.map(({ key }) => key));
    for (const key of bins.keys()) if (!there.has(key)) bins.delete(key);
    for (const each of state.deleted) if (!bins.has(each.key)) bins.set(each.key, deletedRow(each));
    const words = `Recently deleted (${state.deleted.length.toLocaleString("en")})`;
    if (deletedWords.textContent !== words) deletedWords.textContent = words;
    fillOnce(deletedRows, deleted.open ? state.deleted.map(({ key }) => bins.get(key)) : []);
    deleted.hidden = !state.deleted.length;
  }

  function deletedRow({ key, production, name, bytes, when }) {
    const time = h("time", { class: "luma-muted" });
    showAgo(time, when);
    const back = button({ icon: "undo", text: "Restore", label: `Restore ${name} of ${production}`, onclick: desk.guarded(once(restore)) });
    const row = h("li", { class: "luma-library-file" },
      h("span", { class: "luma-library-icon" }, icon("trash")),
      h("div", { class: "luma-library-about" },
        h("span", { class: "luma-library-name luma-text", dir: "auto" }, name),
        h("span", { class: "luma-muted luma-text", dir: "auto" }, production),
        h("span", { class: "luma-library-facts" }, h("span", { class: "luma-muted luma-number" }, size(bytes)), time)),
      h("div", { class: "luma-library-acts" }, back));
    async function restore() {
      if (isOff(back)) return;
      setOff(back, true);
      const next = row.nextElementSibling ?? row.previousElementSibling;
      if ((await desk.tell("restore", { key })) === undefined) {
        setOff(back, false);
        return;
      }
      said.textContent = `Restored ${name}.`;
      (next?.querySelector("button") ?? again).focus({ preventScroll: true });
    }
    return row;
  }

  // A production

  function productionPart(name) {
    const rows = new Map();
    let isOpen = false;
    const title = h("button", { type: "button", class: "luma-library-title", "aria-expanded": "false", onclick: desk.guarded(() => { expand(!isOpen); return reload(); }) },
      icon("next"), h("span", { class: "luma-text", dir: "auto" }, name));
    const badge = h("span", { class: "luma-badge luma-badge-good", hidden: true }, "open");
    const when = h("time", { class: "luma-muted luma-library-when" });
    const zip = button({ icon: "download", text: "Download all", label: `Download all files of ${name} as a ZIP`, onclick: desk.guarded(once(pack)) });
    const stop = button({ icon: "close", text: "Stop", label: `Stop packing ${name}`, onclick: desk.guarded(unpack) });
    const words = h("span", { class: "luma-muted luma-number" });
    const bar = progressBar(`Packing ${name}`);
    const packed = h("div", { class: "luma-library-packing", hidden: true }, h("div", { class: "luma-row" }, words, stop), bar.element);
    const files = h("ul", { class: "luma-library-files" });
    const hint = h("p", { class: "luma-muted luma-library-hint" }, "Looking …");
    const total = h("span", { class: "luma-muted luma-number" });
    const foot = h("div", { class: "luma-library-foot", hidden: true }, total, zip);
    const body = h("div", { class: "luma-library-body", hidden: true }, hint, files, packed, foot);
    const element = h("li", {}, h("div", { class: "luma-library-head" }, h("h3", {}, title), badge, when), body);

    function show({ changed }) {
      badge.hidden = name !== state.open;
      showAgo(when, changed);
    }

    function expand(wanted) {
      isOpen = wanted;
      title.setAttribute("aria-expanded", String(isOpen));
      body.hidden = !isOpen;
    }

    /** Look at its files, if they are in sight. */
    async function reload() {
      if (!isOpen) return;
      const found = await desk.tell("files", { production: name });
      if (!found || signal.aborted) return;
      const wanted = new Set(found.map(stampOf));
      for (const [stamp, row] of rows) {
        if (wanted.has(stamp)) continue;
        row.outdated();
        row.close();
        rows.delete(stamp);
      }
      for (const file of found) {
        if (!rows.has(stampOf(file))) rows.set(stampOf(file), fileRow(file));
        rows.get(stampOf(file)).show(file);
      }
      fillOnce(files, found.map((file) => rows.get(stampOf(file)).element));
      hint.textContent = "Nothing was exported of it yet.";
      hint.hidden = found.length > 0;
      foot.hidden = !found.length;
      total.textContent = `${count(found.length, "file")}, ${size(found.reduce((sum, file) => sum + file.bytes, 0))}`;
    }

    // All of it as a ZIP: packed in Python, then fetched

    let bytes = null;

    async function pack() {
      if (isOff(zip)) return;
      if (packing && packing !== part) packing.stopped("Another one was asked for.");
      packing = part;
      showPacking("Packing", 0);
      try {
        await desk.ask("pack", { production: name });
      } catch (error) {
        stopped(error.message);
      }
    }

    async function heard(told) {
      if (told.production !== name) return;
      if (told.status === "packing") showPacking("Packing", told.total ? told.done / told.total : 1);
      else if (told.status === "failed") stopped(told.error);
      else await fetchPacked();
    }

    async function fetchPacked() {
      const zipped = remoteFile(`${name}.zip`, (start, length) => desk.ask("packed", { start, size: length }));
      zipped.listen(() => zipped.share !== null && showPacking("Fetching", zipped.share));
      bytes = zipped;
      const blob = await zipped.blob();
      if (packing !== part) return;
      if (blob) download(`${name}.zip`, blob);
      await unpack();
    }

    function unpack() {
      stopped();
      return desk.tell("drop");
    }

    function stopped(why) {
      if (packing === part) packing = null;
      bytes?.cancel();
      bytes = null;
      setOff(zip, false);
      if (packed.contains(document.activeElement)) zip.focus({ preventScroll: true });
      packed.hidden = true;
      if (why) notice(why, "warning");
    }

    function showPacking(what, share) {
      packed.hidden = false;
      setOff(zip, true);
      words.textContent = `${what} ${Math.floor(share * 100)} %`;
      bar.show(share, words.textContent);
    }

    const part = {
      element, show, expand, reload, heard, stopped,
      close() {
        for (const row of rows.values()) row.close();
        if (packing === part) stopped();
      },
    };
    return part;

    // A file

    function fileRow(file) {
      const remote = remoteFile(file.name, (start, length) => desk.ask("part", { production: name, name: file.name, start, size: length }));
      const seen = isVideo(file.name) ? "video" : isPicture(file.name) ? "picture" : "";
      const sounds = isSound(file.name) || seen;
      const about = h("span", { class: "luma-muted luma-number" });
      const time = h("time", { class: "luma-muted" });
      const badge = h("span", { class: "luma-badge luma-badge-good", title: "The newest file of its scene" }, "a scene’s file");
      const vendor = h("span", { class: "luma-badge", title: "It was made there, or given there" });
      const place = h("div", { class: "luma-library-player", hidden: true });
      let player = null;
      let isGone = false;
      const listen = sounds && button({ icon: seen === "picture" ? "photo" : "play", label: `${verb(seen)} ${file.name}`, kind: "luma-button-quiet", onclick: desk.guarded(hear) });
      const row = h("li", { class: "luma-library-file" },
        h("span", { class: "luma-library-icon" }, listen || icon("file")),
        h("div", { class: "luma-library-about" },
          h("span", { class: "luma-library-name luma-text", dir: "auto" }, file.name), badge, vendor,
          h("span", { class: "luma-library-facts" }, about, time)),
        h("div", { class: "luma-library-acts" },
          downloadButton(remote, { desk, kind: "luma-button-quiet" }),
          button({ icon: "trash", label: `Delete ${file.name}`, kind: "luma-button-quiet", onclick: desk.guarded(remove) })),
        place);

      function showFile(now) {
        isGone = false; // it is there, or there again
        const kind = now.scene?.replace("_", " ") ?? (now.kind === "other" ? "" : now.kind);
        about.textContent = [kind, now.seconds !== null && clock(now.seconds), size(now.bytes)].filter(Boolean).join(" · ");
        showAgo(time, now.changed);
        badge.hidden = !now.in_manifest;
        vendor.hidden = !now.vendor;
        vendor.textContent = now.vendor;
      }

      function hear() {
        if (!player) {
          player = shower();
          place.classList.toggle("luma-library-stage", Boolean(seen));
          fill(place, player.element);
        }
        place.hidden = !place.hidden;
        const words = place.hidden ? `${verb(seen)} ${file.name}` : `Close ${file.name}`;
        fill(listen, icon(!place.hidden ? "close" : seen === "picture" ? "photo" : "play"));
        listen.title = words;
        listen.setAttribute("aria-label", words);
        if (place.hidden) return player.stop();
        return player.play();
      }

      /** What shows the file: a player of sound or video, or the picture itself. */
      function shower() {
        if (seen === "video") {
          const made = videoPlayer(remote, { label: file.name, desk, signal });
          return { ...made, play: made.start };
        }
        if (!seen) return soundPlayer(remote, { label: file.name, seconds: file.seconds, desk });
        const picture = remotePicture(async () => (await remote.blob())?.arrayBuffer(), { desk, signal });
        return { element: picture.element, play() {}, stop() {}, close: picture.close };
      }

      async function remove() {
        if (isGone) return;
        isGone = true;
        const next = row.nextElementSibling ?? row.previousElementSibling;
        const key = await desk.tell("remove", { production: name, name: file.name });
        if (!key) {
          isGone = false;
          return;
        }
        said.textContent = `Deleted ${file.name}.`;
        (next?.querySelector(".luma-library-acts button:last-child") ?? title).focus({ preventScroll: true });
        notice(`Deleted ${file.name}.`, "note", { text: "Undo", run: desk.guarded(once(() => desk.tell("restore", { key }))) });
      }

      return {
        element: row,
        show: showFile,
        outdated: remote.outdated,
        close() {
          player?.close();
          remote.cancel();
        },
      };
    }
  }

  await refresh();
});
