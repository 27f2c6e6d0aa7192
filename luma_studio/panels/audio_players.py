"""The master and the scenes of a production: exported, heard, measured and downloaded."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from luma_studio import export, library
from luma_studio.errors import SettingError, StoreError
from luma_studio.library import AudioFile
from luma_studio.panels.panel import Answer, Buffers, Panel
from luma_studio.production import Production
from luma_studio.store import files
from luma_studio.store.state import FILE
from luma_studio.timeline.master import loudness

_SOUNDS = ".sounds.json"  # which sound each exported file has, and when it was written
_RANKS = ("master", "film", "scene", "video", "still", "captions", "chapters", "audit", "manifest", "other")
_Seen = Mapping[str, tuple[int, float]]  # of files by name: bytes, and when they were changed
_MOST_FINDINGS = 20
_LIMITED = 0.5  # LU under what was chosen, from which peaks are to blame and not rounding
MOST_PART = 4 << 20  # bytes in one message


@dataclass(frozen=True, slots=True)
class _Begun:
    """An export when it began: how the production sounded, and which files there were."""

    production: Production
    sound: str
    before: _Seen

    @property
    def new(self) -> list[str]:
        """The files that were written since, in order."""
        now = _seen(self.production)
        return [name for name, seen in now.items() if self.before.get(name) != seen]

    def keep(self, names: Iterable[str]) -> None:
        """Keep which sound these files have."""
        edited = sound_of(self.production) != self.sound  # meanwhile: nobody knows which of the two was exported
        _keep_sounds(self.production.folder, names, "" if edited else self.sound)


class AudioPlayers(Panel):
    """A player for the master and each scene, with length, loudness, captions and audit; and the export of them all.

    >>> AudioPlayers(calm)                                 # doctest: +SKIP
    """

    front = "audio_players"
    topics = ("production", "pauses", "work", "files")
    slow = frozenset({"state"})

    _begun: _Begun | None = None  # the export that was asked for here, until it ended
    _left: tuple[str, list[str]] | None = None  # by the last one, if it did not finish: the production, its new files

    def do_state(self) -> Answer:
        """What was exported of the open production, whether it still sounds like that, and the work.

        ``new`` are the files beside the scenes' that an export wrote which was asked for here and did not finish; None
        after any other.
        """
        shown = None
        if self.session.is_open:
            production, left = self.session.production, self._left
            new = left[1] if left is not None and left[0] == production.name else None
            shown = {**_shown(production), "new": new}
        return {"production": shown, "works": self.session.works()}

    def do_speak(self) -> None:
        """Speak what is not spoken yet."""
        self.session.speak()

    def do_export(self, masters: list[str]) -> None:
        """Export masters by these names, and all that belongs to them."""
        production = self.session.production
        for name in masters:
            export.check_name(files.confined(production.folder, name).name)
        begun = _Begun(production, sound_of(production), _seen(production))

        def done(exported: export.Exported) -> None:
            made = (*exported.masters, *exported.beside, production.folder / export.MANIFEST)
            measured = () if exported.audit is None else (production.folder / "audit.json",)
            begun.keep(path.name for path in (*made, *measured))

        before, self._begun, self._left = self._begun, begun, None  # it may end before this goes on
        try:
            self.session.export(*masters, done=done)
        except SettingError:
            self._begun = before
            raise

    def do_stop(self) -> None:
        """Stop exporting."""
        self.session.stop("export")

    def do_part(self, name: str, start: int, size: int) -> tuple[Answer, Buffers]:
        """Part of a file of the open production."""
        folder = self.session.production.folder
        return part_of(folder.parent, folder.name, name, start, size)

    def _told(self, topic: str, value: object) -> None:
        """Of a production that changed, only that it did: the page then asks for what it shows of it."""
        if topic == "work":
            self._follow(value)
        super()._told(topic, value if topic in ("work", "notice") else None)

    def _follow(self, work: object) -> None:
        """Of an export that ended before all was done: keep which files are new, and how they sound."""
        match work:
            case {"kind": "export", "status": "stopped" | "failed"} if self._begun is not None:
                begun, self._begun = self._begun, None
                told = [name for name in begun.new if name != export.MANIFEST and not export.is_scene_name(name)]
                self._left = begun.production.name, told
                with suppress(StoreError):  # a full disk, say: they are then judged by their times
                    begun.keep(begun.new)
            case {"kind": "export", "status": "done"}:
                self._begun = None


def part_of(folder: Path, production: str, name: str, start: int, size: int) -> tuple[Answer, Buffers]:
    """Part of a file; with the size and time of the whole, by which one sees that it was written anew meanwhile."""
    part = library.read_part(folder, production, name, start, min(size, MOST_PART))
    return {"total": part.total, "changed": part.changed}, [part.data]


def sound_of(production: Production) -> str:
    """A fingerprint of how a master would sound now: takes, places, gain and fades; "" while clauses are unspoken."""
    if None in production.takes_in_use:
        return ""
    timeline, choices = production.timeline, production.choices
    made_with = (timeline.rate, timeline.length, production.gain, choices.fade, choices.mp3_kbps)
    scenes = [(scene.id, scene.title, scene.start) for scene in timeline.scenes]
    digest = hashlib.sha256(repr((made_with, scenes)).encode("utf-8", "replace"))
    for take in timeline.takes:
        digest.update(bytes.fromhex(take.fingerprint))
    for places in (timeline.clip_start, timeline.clip_end, timeline.offset):
        digest.update(places.tobytes())
    return digest.hexdigest()


def in_order(found: Iterable[AudioFile]) -> list[AudioFile]:
    """Files as every panel lists them: masters first, then the scenes, then what lies beside them; 2 before 10."""
    return sorted(found, key=lambda file: (_RANKS.index(file.kind), _natural(file.name), file.name))


def _natural(name: str) -> list[tuple[str, int]]:
    """A name to be compared by its words and the numbers after them."""
    return [(word, int(number or 0)) for word, number in re.findall(r"([^0-9]*)([0-9]*)", name.casefold())]


def _seen(production: Production) -> _Seen:
    """The files of a production, in order, with what tells one state of them from the next."""
    found = library.files_of(production.folder.parent, production.name)
    return {file.name: (file.bytes, file.changed) for file in in_order(found)}


def _keep_sounds(folder: Path, names: Iterable[str], sound: str) -> None:
    """Keep which sound the files of an export have."""
    kept = {}
    for name in names:
        with files.explained(name):
            kept[name] = [(folder / name).stat().st_mtime, sound]
    files.write_json(folder / _SOUNDS, {**_json(folder / _SOUNDS), **kept})


def _is_current(file: AudioFile, sound: str, sounds: Mapping[str, Any], saved: float) -> bool:
    """Whether a file has the sound that the production has now.

    What another program exported is current if the production has not been ``saved`` (a time) since.
    """
    match sounds.get(file.name):
        case [changed, kept] if changed == file.changed:
            return bool(sound) and kept == sound
        case _:
            return bool(sound) and file.changed >= saved


def _shown(production: Production) -> dict[str, Any]:
    folder = production.folder
    found = in_order(library.files_of(folder.parent, folder.name))
    sound, sounds, saved = sound_of(production), _json(folder / _SOUNDS), _saved(folder)
    current = {file.name for file in found if _is_current(file, sound, sounds, saved)}
    levels = _levels(production) if current else {}
    scene_levels = levels if export.MANIFEST in current else {}
    return {
        "name": production.name,
        "clauses": len(production.clauses),
        "unspoken": sum(take is None for take in production.takes_in_use),
        "current": export.MANIFEST in current,
        "masters": [
            {**asdict(file), "current": file.name in current, "level": levels.get("") if file.name in current else None}
            for file in found
            if file.kind == "master"
        ],
        "scenes": [
            {**asdict(file), "title": title, "level": scene_levels.get(file.scene or "")}
            for file, title in _scenes(folder, found)
        ],
        "beside": [
            {**asdict(file), "current": file.name in current}
            for file in found
            if file.kind in ("captions", "chapters", "audit")
        ],
        "audit": _audit(folder, current),
    }


def _scenes(folder: Path, found: list[AudioFile]) -> list[tuple[AudioFile, str]]:
    """The files of scenes with their titles, in the order of the chapters that were exported with them."""
    titles = _titles(folder)
    scenes = {file.scene: file for file in found if file.scene is not None}
    order = [*(id_ for id_ in titles if id_ in scenes), *(id_ for id_ in scenes if id_ not in titles)]
    return [(scenes[id_], titles.get(id_, id_)) for id_ in order]


def _titles(folder: Path) -> dict[str, str]:
    """The titles of the chapters by their scenes' ids."""
    match _json(folder / "chapters.json"):
        case {"chapters": list(chapters)}:
            found = [(each.get("id"), each.get("title")) for each in chapters if isinstance(each, dict)]
            return {id_: title for id_, title in found if isinstance(id_, str) and isinstance(title, str)}
    return {}


def _levels(production: Production) -> dict[str, dict[str, Any]]:
    """Loudness in LUFS and true peak in dBTP: of the master, by "", and of each scene, by its id.

    The master is ``limited`` where its peaks keep it from being as loud as was chosen.
    """
    timeline, choices, gain = production.timeline, production.choices, production.gain
    parts = {"": timeline, **{scene.id: timeline.part(scene) for scene in timeline.scenes}}
    levels = {}
    for id_, part in parts.items():
        unscaled = loudness(part, choices)
        level = unscaled.integrated - unscaled.gain + gain
        levels[id_] = {
            "loudness": _finite(level),
            "peak": _finite(unscaled.true_peak - unscaled.gain + gain),
            "limited": level < choices.loudness - _LIMITED,
        }
    return levels


def _audit(folder: Path, current: set[str]) -> dict[str, Any] | None:
    """The sentence of the last audit, and the pauses that it found to be off; None if its master is not there."""
    match library.audit_of(folder.parent, folder.name):
        case {"file": str(file), "summary": str(summary), "pauses": list(pauses)}:
            off = [finding for pause in pauses if (finding := _finding(pause)) is not None]
            findings, more = off[:_MOST_FINDINGS], len(off[_MOST_FINDINGS:])
            return {
                "file": file, "summary": summary, "findings": findings, "more": more, "current": file in current,
            }  # fmt: skip
    return None


def _finding(pause: object) -> dict[str, Any] | None:
    """What is shown of a pause that is off; None of any other, and of what is no pause."""
    match pause:
        case {"finding": True, "text": str(text), "at": at, "asked": asked, "found": found} if all(
            isinstance(each, int | float) and math.isfinite(each) for each in (at, asked, found)
        ):
            return {"text": text, "at": at, "asked": asked, "found": found}
    return None


def _saved(folder: Path) -> float:
    path = folder / FILE
    with files.explained(path):
        return path.stat().st_mtime


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _json(path: Path) -> dict[str, Any]:
    """What a file of JSON holds; nothing where there is none, or one that nobody can read."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # it is only shown: the files beside it are heard all the same
        return {}
    return value if isinstance(value, dict) else {}
