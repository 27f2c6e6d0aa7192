"""The master and the scenes of a production: exported, heard, measured and downloaded."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from luma_studio import export, library
from luma_studio.library import AudioFile
from luma_studio.panels.panel import Answer, Buffers, Panel
from luma_studio.production import Production
from luma_studio.store import files
from luma_studio.store.state import FILE
from luma_studio.timeline.master import loudness

_SOUNDS = ".sounds.json"  # which sound each exported file has, and when it was written
_MOST_FINDINGS = 20
_LIMITED = 0.5  # LU under what was chosen, from which peaks are to blame and not rounding
MOST_PART = 4 << 20  # bytes in one message


class AudioPlayers(Panel):
    """A player for the master and each scene, with length, loudness, captions and audit; and the export of them all.

    >>> AudioPlayers(calm)                                 # doctest: +SKIP
    """

    front = "audio_players"
    topics = ("production", "pauses", "work", "files")
    slow = frozenset({"state"})

    def do_state(self) -> Answer:
        """What was exported of the open production, whether it still sounds like that, and the work."""
        shown = _shown(self.session.production) if self.session.is_open else None
        return {"production": shown, "works": self.session.works()}

    def do_speak(self) -> None:
        """Speak what is not spoken yet."""
        self.session.speak()

    def do_export(self, masters: list[str]) -> None:
        """Export masters by these names, and all that belongs to them."""
        production = self.session.production
        for name in masters:
            export.check_name(files.confined(production.folder, name).name)
        sound = sound_of(production)

        def done(exported: export.Exported) -> None:
            edited = sound_of(production) != sound  # meanwhile: nobody knows which of the two was exported
            _keep_sounds(production.folder, exported, "" if edited else sound)

        self.session.export(*masters, done=done)

    def do_stop(self) -> None:
        """Stop exporting."""
        self.session.stop("export")

    def do_part(self, name: str, start: int, size: int) -> tuple[Answer, Buffers]:
        """Part of a file of the open production."""
        folder = self.session.production.folder
        return part_of(folder.parent, folder.name, name, start, size)

    def _told(self, topic: str, value: object) -> None:
        """Of a production that changed, only that it did: the page then asks for what it shows of it."""
        super()._told(topic, value if topic in ("work", "notice") else None)


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


def _keep_sounds(folder: Path, exported: export.Exported, sound: str) -> None:
    """Keep which sound the files of an export have."""
    kept = {}
    for path in (*exported.masters, folder / export.MANIFEST):
        with files.explained(path):
            kept[path.name] = [path.stat().st_mtime, sound]
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
    found = library.files_of(folder.parent, folder.name)
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
        "beside": [asdict(file) for file in found if file.kind in ("captions", "chapters", "audit")],
        "audit": _audit(folder),
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


def _audit(folder: Path) -> dict[str, Any] | None:
    """The sentence of the last audit, and the pauses that it found to be off."""
    match _json(folder / "audit.json"):
        case {"file": str(file), "summary": str(summary), "pauses": list(pauses)}:
            off = [finding for pause in pauses if (finding := _finding(pause)) is not None]
            findings, more = off[:_MOST_FINDINGS], len(off[_MOST_FINDINGS:])
            return {"file": file, "summary": summary, "findings": findings, "more": more}
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
