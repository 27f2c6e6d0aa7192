"""From a rendering to files: masters, scenes with their manifest, captions, chapters, audit."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from luma_studio.audio.clip import Samples
from luma_studio.audio.codec import Chapter, Kind, Tags, decode, encode, id3
from luma_studio.errors import SettingError, UnsafeNameError
from luma_studio.progress import Event, Listener
from luma_studio.script.model import Clause
from luma_studio.store import files
from luma_studio.store.state import Decided
from luma_studio.timeline.audit import Audit, audit
from luma_studio.timeline.captions import captions, to_srt, to_vtt
from luma_studio.timeline.chapters import chapters, chapters_json, title_of
from luma_studio.timeline.master import (
    Loudness,
    PlannedRun,
    Rendering,
    encode_runs,
    mp3_bytes,
    mp3_pieces,
    pieces,
    plan_runs,
)

MASTER = "master.mp3"
MANIFEST = "scene_audio_map.json"
KINDS: tuple[Kind | Literal["mp3"], ...] = ("mp3", "wav", "flac", "m4a", "aac")
LOCK = ".export.lock"
_STRETCH = 10  # seconds of sound between two events
_WRITTEN = 1 << 20  # bytes of MP3 between two events
_REPLAY_GAIN = -18.0  # LUFS that ReplayGain 2.0 brings every track to
_SCENE_FILE = re.compile(r"scene_\d+__[0-9a-f]{8}\.mp3")


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export made: masters, a file a scene, what lies beside them, loudness, and the first master's audit.

    ``older`` are masters that an earlier export made and this one did not.
    """

    masters: tuple[Path, ...]
    scenes: dict[str, Path]
    beside: tuple[Path, ...]
    loudness: Loudness
    audit: Audit | None = None
    older: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What the files of a production say about it."""

    title: str
    language: str
    loudness: Loudness


def language_of(clauses: Sequence[Clause]) -> str:
    """The language that most clauses have."""
    return Counter(clause.language for clause in clauses).most_common(1)[0][0]


def kind_of(name: str) -> Kind | Literal["mp3"]:
    """The format a file's ending names. Raises SettingError for one that cannot be written."""
    ending = name.lower().rpartition(".")[2]
    for kind in KINDS:
        if kind == ending:
            return kind
    endings = ", ".join(f".{kind}" for kind in KINDS)
    raise SettingError(f"{name!r} has no ending that names a format. Choose one of: {endings}.")


def is_scene_name(name: str) -> bool:
    """Whether a file of this name is a scene's."""
    return _SCENE_FILE.fullmatch(name) is not None


def check_name(name: str) -> None:
    """Raise SettingError for a name that no master can have, UnsafeNameError for a path."""
    if not isinstance(name, str):
        raise UnsafeNameError(f"A master is named as 'calm.mp3'; {name!r} is no such name.")
    if "/" in name or "\\" in name:
        raise UnsafeNameError(f"{name!r} is a path. A master lies in its production's folder: give its name alone.")
    kind_of(name)
    if is_scene_name(name):
        raise SettingError(f"{name!r} is the name of a scene's file. Choose another for the master.")


def write_master(rendering: Rendering, path: Path, about: About, listener: Listener) -> None:
    """Write a master whole, in the format its ending names, with tags and chapters where the format has them."""
    kind = kind_of(path.name)
    tags, marks = _master_tags(about), chapters(rendering.timeline)
    if kind == "mp3":
        plans = plan_runs(rendering)
        encode_runs(rendering, plans, _heard(listener))
        head = id3(tags, marks, rendering.sound.sample_rate)
        _write_mp3(rendering, path, head, plans, partial(listener, Event("write", 0, 1, path.name)))
    else:
        _write_encoded(rendering, path, kind, tags, marks, listener)
    listener(Event("write", 1, 1, path.name))


def write_scenes(rendering: Rendering, folder: Path, about: About, listener: Listener) -> dict[str, Path]:
    """Write a file a scene and the manifest that names them; what is unchanged stays, what is superseded goes.

    The eight digits in a name are of what the file holds, so a name never stands for two recordings.
    """
    scenes = rendering.timeline.scenes
    paths = {}
    for done, scene in enumerate(scenes):
        part = rendering.part(scene)
        title = title_of(scene)
        plans = plan_runs(part)
        paths[scene.id] = folder / f"{scene.id}__{_digest(plans, part, title)}.mp3"
        head = id3(Tags(title=title, language=about.language), (), part.sound.sample_rate)
        if not _has_size(paths[scene.id], len(head) + mp3_bytes(part, plans)):
            encode_runs(part, plans, _heard(listener))
            writing = Event("write", done, len(scenes), paths[scene.id].name)
            _write_mp3(part, paths[scene.id], head, plans, partial(listener, writing))
        listener(Event("write", done + 1, len(scenes), paths[scene.id].name))
    files.write_json(folder / MANIFEST, {scene: path.name for scene, path in paths.items()})
    _remove_superseded(folder, {path.name for path in paths.values()})
    return paths


def sound_digest(rendering: Rendering) -> str:
    """A SHA-256 over what is heard of a rendering: it changes whenever that does, and not with a title."""
    return _sha256(plan_runs(rendering), rendering).hexdigest()


def write_sound(rendering: Rendering, path: Path) -> None:
    """Write what is heard of a rendering, and nothing about it, as MP3."""
    plans = plan_runs(rendering)
    encode_runs(rendering, plans, lambda _done, _total: None)
    _write_mp3(rendering, path, b"", plans, lambda: None)


def write_texts(rendering: Rendering, clauses: Sequence[Clause], folder: Path) -> tuple[Path, ...]:
    """Write captions as SRT and WebVTT, and chapters as JSON."""
    cues = captions(rendering.timeline, clauses)
    files.write(folder / "captions.srt", to_srt(cues).encode("utf-8", "replace"))
    files.write(folder / "captions.vtt", to_vtt(cues).encode("utf-8", "replace"))
    files.write_json(folder / "chapters.json", chapters_json(rendering.timeline))
    return tuple(folder / name for name in ("captions.srt", "captions.vtt", "chapters.json"))


def write_audit(
    rendering: Rendering, clauses: Sequence[Clause], path: Path, decisions: Sequence[Decided], listener: Listener
) -> Audit:
    """Decode a finished master, measure its pauses, and keep what was found beside it.

    With it go the file's checksum and who decided what: a mind, or the rules and why.
    """
    timeline = rendering.timeline
    stretches = _stretches(timeline.length, timeline.rate)

    def tell(done: int) -> None:
        listener(Event("audit", done, stretches, path.name))

    result = audit(path.name, _told(decode(path), stretches, timeline.rate, tell), timeline)
    report = result.to_json(checksum(path))
    for pause in report["pauses"]:
        pause["text"] = clauses[pause["clause"]].text
    report["decisions"] = [each.model_dump() for each in decisions]
    files.write_json(path.parent / "audit.json", report)
    tell(stretches)
    return result


def checksum(path: Path) -> str:
    """The SHA-256 of what a file holds, in hexadecimal: a copy has the same."""
    with files.explained(path.name), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_mp3(
    rendering: Rendering, path: Path, head: bytes, plans: Sequence[PlannedRun], tell: Callable[[], None]
) -> None:
    told = 0
    with files.replacing(path) as file:
        file.write(head)
        for piece in mp3_pieces(rendering, plans):
            file.write(piece)
            if file.tell() - told >= _WRITTEN:
                told = file.tell()
                tell()


def _write_encoded(
    rendering: Rendering, path: Path, kind: Kind, tags: Tags, marks: Sequence[Chapter], listener: Listener
) -> None:
    timeline, kbps = rendering.timeline, rendering.sound.mp3_kbps
    rate, length = timeline.rate, timeline.length
    stretches = _stretches(length, rate)

    def tell(done: int) -> None:
        listener(Event("encode", done, stretches, path.name))

    told = _told(pieces(rendering), stretches, rate, tell)
    with files.replacing(path) as file:
        encode(told, file, kind, rate, kbps=kbps, chapters=marks, tags=tags, length=length)
    tell(stretches)


def _stretches(length: int, rate: int) -> int:
    """How many stretches a sound of that many samples has, the last one being what is left, and never none."""
    return max(1, -(-length // (_STRETCH * rate)))


def _told(sound: Iterable[Samples], stretches: int, rate: int, tell: Callable[[int], None]) -> Iterator[Samples]:
    """The pieces of a sound; ``tell(done)`` is called at its beginning and as each stretch but the last has gone by."""
    tell(0)
    length = done = 0
    for piece in sound:
        yield piece
        length += len(piece)
        gone = min(length // (_STRETCH * rate), stretches - 1)
        if gone > done:
            done = gone
            tell(done)


def _has_size(path: Path, size: int) -> bool:
    with files.explained(path):
        return path.exists() and path.stat().st_size == size


def _heard(listener: Listener) -> Callable[[int, int], None]:
    return lambda done, total: listener(Event("encode", done, total))


def _master_tags(about: About) -> Tags:
    loud = about.loudness
    if not math.isfinite(loud.integrated):
        return Tags(title=about.title, language=about.language)
    return Tags(
        title=about.title,
        language=about.language,
        track_gain=_REPLAY_GAIN - loud.integrated,
        track_peak=10 ** (loud.true_peak / 20),
    )


def _digest(plans: Sequence[PlannedRun], part: Rendering, title: str) -> str:
    return _sha256(plans, part, title).hexdigest()[:8]


def _sha256(plans: Sequence[PlannedRun], part: Rendering, *titles: str) -> hashlib._Hash:
    holds = [*titles, str(part.timeline.length), *(f"{plan.start}:{plan.key}" for plan in plans)]
    return hashlib.sha256("\n".join(holds).encode("utf-8", "replace"))


def _remove_superseded(folder: Path, current: set[str]) -> None:
    for path in folder.glob("scene_*__*.mp3"):
        if path.name not in current and is_scene_name(path.name):
            files.remove(path)
