"""What ``generated_audio/`` holds: its files listed, taken away and brought back, packed, and read in parts.

Every path is confined to the folder, and no link is followed. A file that is removed is renamed into ``.trash/``, where
it stays until ``empty_trash``.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from luma_studio import export
from luma_studio.audio import codec
from luma_studio.errors import AudioError, SettingError, StoreError, UnsafeNameError
from luma_studio.progress import Event, Listener, unheard
from luma_studio.store import files
from luma_studio.store.state import FILE

FileKind = Literal["master", "scene", "captions", "chapters", "audit", "manifest", "other"]

_TRASH = ".trash"
_WAIT = 1.0  # seconds for an export to finish
_PIECE = 1 << 20  # bytes copied between two events
_KINDS: Mapping[str, FileKind] = {"chapters.json": "chapters", "audit.json": "audit", export.MANIFEST: "manifest"}
_AUDIO = frozenset(f".{kind}" for kind in export.KINDS)
_CAPTIONS = frozenset({".srt", ".vtt"})
_OTHERS = frozenset({".json", ".mp4"})


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A file of a production: ``bytes``, when it was ``changed`` (seconds since the epoch), and what it holds.

    ``seconds`` is its length where it is audio that tells it; ``scene`` the scene that the manifest names it for, if
    it is ``in_manifest``.
    """

    production: str
    name: str
    kind: FileKind
    bytes: int
    changed: float
    seconds: float | None = None
    scene: str | None = None
    in_manifest: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a file; of the whole, as it was then: ``total`` bytes, ``changed`` in seconds since the epoch."""

    data: bytes
    total: int
    changed: float


@dataclass(frozen=True, slots=True)
class Removed:
    """A file that was removed, and where in the trash it lies."""

    production: str
    name: str
    place: str


def files_of(folder: Path, production: str | None = None) -> list[AudioFile]:
    """The files of all productions in ``folder``, or of one, by production and name.

    Left out are hidden files, links, files of other kinds than an export makes, and ``production.json``.
    """
    with files.explained(folder if production is None else folder / production):
        if production is not None:
            places = [files.confined(folder, production)]
        else:
            places = [Path(entry.path) for entry in _entries(folder)] if folder.exists() else []
        return [file for place in places if _is_folder(place) for file in _files(place)]


def remove(folder: Path, production: str, name: str) -> Removed:
    """Move a file into the trash. Raises BusyError while the production is exported, StoreError if it is not there."""
    if name == FILE:
        raise UnsafeNameError(f"{FILE} is the production itself. Remove its folder to remove the production.")
    path = _there(_path(folder, production, name))
    removed = Removed(path.parent.name, path.name, f"{time.time_ns()}-{secrets.token_hex(4)}")
    with _exporting(path.parent):
        _move(path, _in_trash(folder, removed))
    return removed


def restore(folder: Path, removed: Removed) -> None:
    """Bring a removed file back. Raises StoreError if another has its name by now, or the trash was emptied."""
    path = _path(folder, removed.production, removed.name)
    place = _in_trash(folder, removed)
    if not place.is_file():
        raise StoreError(f"{removed.name} is not in the trash any more. Export it again.")
    with _exporting(path.parent):
        if path.exists():
            raise StoreError(
                f"{removed.production} has another {removed.name} by now. Remove that one first, or keep it."
            )
        _move(place, path)
    with suppress(OSError):  # what stays of its folders goes when the trash is emptied
        files.disk.rmdir(place.parent)
        files.disk.rmdir(place.parent.parent)


def empty_trash(folder: Path, older_than: float = 0.0) -> int:
    """Delete what was removed ``older_than`` seconds ago or before; returns how many bytes that were."""
    trash = _trash(folder)
    freed = 0
    with files.explained(trash):
        for entry in _entries(trash) if trash.exists() else ():
            if entry.is_dir(follow_symlinks=False) and time.time() - entry.stat().st_mtime >= older_than:
                with suppress(FileNotFoundError):  # somebody else empties it, too
                    freed += _deleted(Path(entry.path))
    return freed


def zipped(folder: Path, production: str, names: Sequence[str], file: BinaryIO, listener: Listener = unheard) -> None:
    """Write files of a production into a ZIP, as they are (audio does not shrink), without holding any in memory.

    ``file`` is open for writing, and need not be able to seek. Raises StoreError before anything is written if one of
    the files is not there; Stopped when the listener asked for it, and what was written is then not to be used.
    """
    paths = [_there(_path(folder, production, name)) for name in dict.fromkeys(names)]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for done, path in enumerate(paths):
            with files.explained(path):
                entry = zipfile.ZipInfo.from_file(path, path.name, strict_timestamps=False)
            with archive.open(entry, "w") as packed:
                for piece in _pieces(path):
                    packed.write(piece)
                    listener(Event("write", done, len(paths), path.name))
    listener(Event("write", len(paths), len(paths), production))


def read_part(folder: Path, production: str, name: str, start: int, size: int) -> Part:
    """Up to ``size`` bytes of a file from ``start`` on; fewer where it ends."""
    if start < 0 or size < 0:
        raise SettingError(f"A part of a file cannot begin at {start} and have {size} bytes. Give numbers from 0.")
    path = _path(folder, production, name)
    with files.explained(path), path.open("rb") as file:
        about = os.fstat(file.fileno())  # not of the path: another file may have it by now
        file.seek(start)
        return Part(file.read(size), about.st_size, about.st_mtime)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder and has a name that may be asked for, in order; nothing hidden."""
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if _is_safe(entry.name)), key=lambda entry: entry.name)


def _is_safe(name: str) -> bool:
    try:
        return files.safe_name(name) == name
    except UnsafeNameError:
        return False


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _files(place: Path) -> Iterator[AudioFile]:
    scenes = {name: scene for scene, name in _manifest(place).items()}
    for entry in _entries(place):
        kind = _kind(entry.name)
        if kind is None or not entry.is_file(follow_symlinks=False):
            continue
        with suppress(FileNotFoundError):  # removed just now
            about = entry.stat(follow_symlinks=False)
            seconds = _seconds(entry.path, about) if kind in {"master", "scene"} else None
            scene = scenes.get(entry.name)
            size, changed = about.st_size, about.st_mtime
            yield AudioFile(place.name, entry.name, kind, size, changed, seconds, scene, scene is not None)


def _kind(name: str) -> FileKind | None:
    """What a file is by its name; None for what no export makes."""
    ending = Path(name).suffix.lower()
    if name == FILE:
        return None
    if name in _KINDS:
        return _KINDS[name]
    if ending in _AUDIO:
        return "scene" if export.is_scene_name(name) else "master"
    if ending in _CAPTIONS:
        return "captions"
    return "other" if ending in _OTHERS else None


def _manifest(folder: Path) -> dict[str, str]:
    """Which file is which scene's; none where there is no manifest, or one that nobody can read."""
    try:
        manifest = json.loads((folder / export.MANIFEST).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(manifest, dict):
        return {}
    return {scene: name for scene, name in manifest.items() if isinstance(name, str)}


_known_seconds: dict[str, tuple[tuple[int, int], float | None]] = {}
_known_lock = threading.Lock()


def _seconds(path: str, about: os.stat_result) -> float | None:
    """The length of an audio file, read once for as long as the file stays as it is."""
    signature = about.st_size, about.st_mtime_ns
    with _known_lock:
        known = _known_seconds.get(path)
    if known is not None and known[0] == signature:
        return known[1]
    seconds = _probed(Path(path))
    with _known_lock:
        _known_seconds[path] = signature, seconds
    return seconds


def _probed(path: Path) -> float | None:
    try:
        probe = codec.probe(path)
    except AudioError:  # it is listed all the same: whoever sees it may remove it
        return None
    return None if probe.samples is None else probe.samples / probe.rate


def _path(folder: Path, production: str, name: str) -> Path:
    """The path of a production's file. Raises UnsafeNameError for one that leads elsewhere."""
    path = files.confined(files.confined(folder, production), name)
    for part in (path.parent, path):
        if part.is_symlink():
            raise UnsafeNameError(f"{part} is a link. Remove the link, or use the file that it leads to.")
    return path


def _there(path: Path) -> Path:
    if not path.is_file():
        raise StoreError(f"{path.parent.name} has no {path.name} any more. Look at its files again.")
    return path


def _exporting(folder: Path) -> AbstractContextManager[None]:
    """Keeps an export from writing files while some are moved."""
    busy = f"{folder.name} is being exported. Try again when it has finished."
    return files.locked(folder / export.LOCK, wait=_WAIT, busy=busy)


def _trash(folder: Path) -> Path:
    trash = folder / _TRASH
    if trash.is_symlink():
        raise UnsafeNameError(f"{trash} is a link. Remove the link.")
    return trash


def _in_trash(folder: Path, removed: Removed) -> Path:
    place = files.confined(_trash(folder), removed.place)
    return files.confined(files.confined(place, removed.production), removed.name)


def _pieces(path: Path) -> Iterator[bytes]:
    with files.explained(path), path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _move(path: Path, to: Path) -> None:
    with files.explained(path):
        files.disk.mkdir(to.parent)
        files.disk.replace(path, to)


def _deleted(place: Path) -> int:
    """Delete a folder of the trash; returns how many bytes were in it."""
    freed = 0
    for folder, folders, names in os.walk(place, topdown=False):
        for name in names:
            path = Path(folder, name)
            freed += path.lstat().st_size
            files.remove(path)
        for name in folders:
            inner = Path(folder, name)
            if inner.is_symlink():
                files.remove(inner)
            else:
                files.disk.rmdir(inner)
    files.disk.rmdir(place)
    return freed
