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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

from luma_studio import export, film
from luma_studio.audio import codec
from luma_studio.errors import AudioError, SettingError, StoreError, UnsafeNameError
from luma_studio.progress import Event, Listener, unheard
from luma_studio.store import files
from luma_studio.store.state import FILE

FileKind = Literal["master", "film", "scene", "video", "captions", "chapters", "audit", "manifest", "still", "other"]

_TRASH = ".trash"
_WAIT = 1.0  # seconds for an export to finish
_PIECE = 1 << 20  # bytes copied between two events
_KINDS: Mapping[str, FileKind] = {
    "chapters.json": "chapters",
    "audit.json": "audit",
    export.MANIFEST: "manifest",
    film.MANIFEST: "manifest",
    film.FILM: "film",
}
_AUDIO = frozenset(f".{kind}" for kind in export.KINDS)
_CAPTIONS = frozenset({".srt", ".vtt"})
_MORE: Mapping[str, FileKind] = {".json": "other", ".mp4": "video", ".jpg": "still", ".png": "still"}


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


@dataclass(frozen=True, slots=True)
class InTrash:
    """What lies in the trash: the file, how many ``bytes`` it has, and ``when`` it was removed (since the epoch)."""

    removed: Removed
    bytes: int
    when: float


def files_of(folder: Path, production: str | None = None) -> list[AudioFile]:
    """The files of all productions in ``folder``, or of one, by production and name.

    Left out are hidden files, links, files of other kinds than an export makes, and ``production.json``.
    """
    with files.explained(folder.name if production is None else production):
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
        _move(_there(path), _in_trash(folder, removed))  # who waited may come second
    return removed


def in_trash(folder: Path) -> list[InTrash]:
    """What was removed and is still in the trash, the last one first."""
    trash = _trash(folder)
    with files.explained(trash.name):
        places = _folders(trash) if trash.exists() else []
        found = [each for place in places for inner in _folders(Path(place.path)) for each in _kept(place, inner)]
    return sorted(found, key=lambda each: each.removed.place, reverse=True)  # a place begins with its time


def restore(folder: Path, removed: Removed) -> None:
    """Bring a removed file back. Raises StoreError if another has its name by now, or the trash was emptied."""
    path = _path(folder, removed.production, removed.name)
    place = _in_trash(folder, removed)
    with _exporting(path.parent):
        if not place.is_file():
            raise StoreError(f"{removed.name} is not in the trash any more. Export it again.")
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
    with files.explained(trash.name):
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
            with files.explained(_shown(path)):
                entry = zipfile.ZipInfo.from_file(path, path.name, strict_timestamps=False)
            with archive.open(entry, "w") as packed:
                for piece in _pieces(path):
                    packed.write(piece)
                    listener(Event("write", done, len(paths), path.name))
    listener(Event("write", len(paths), len(paths), production))


def audit_of(folder: Path, production: str) -> dict[str, Any] | None:
    """The audit of a production's master as ``audit.json`` holds it; None unless that very file is there.

    None, too, where there is no audit, or one that nobody can read or that names no file's checksum.
    """
    place = files.confined(folder, production)
    match _json(place / "audit.json"):
        case {"file": str(name), "sha256": str(checksum)} as report:
            return report if _is_safe(name) and checksum_of(place / name) == checksum else None
    return None


def read_part(folder: Path, production: str, name: str, start: int, size: int) -> Part:
    """Up to ``size`` bytes of a file from ``start`` on; fewer where it ends."""
    if start < 0 or size < 0:
        raise SettingError(f"A part of a file cannot begin at {start} and have {size} bytes. Give numbers from 0.")
    path = _path(folder, production, name)
    with files.explained(_shown(path)), path.open("rb") as file:
        about = os.fstat(file.fileno())  # not of the path: another file may have it by now
        file.seek(start)
        return Part(file.read(size), about.st_size, about.st_mtime)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder and has a name that may be asked for, in order; nothing hidden."""
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if _is_safe(entry.name)), key=lambda entry: entry.name)


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    """The folders in a folder, but for links; none where it went meanwhile."""
    with suppress(FileNotFoundError):
        return [entry for entry in _entries(folder) if entry.is_dir(follow_symlinks=False)]
    return []


def _kept(place: os.DirEntry[str], production: os.DirEntry[str]) -> Iterator[InTrash]:
    """What a folder of the trash holds of a production."""
    with suppress(FileNotFoundError):  # brought back just now
        when = place.stat(follow_symlinks=False).st_mtime
        for file in _entries(Path(production.path)):
            if file.is_file(follow_symlinks=False):
                removed = Removed(production.name, file.name, place.name)
                yield InTrash(removed, file.stat(follow_symlinks=False).st_size, when)


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
    return _MORE.get(ending)


def _manifest(folder: Path) -> dict[str, str]:
    """Which file is which scene's; none where there is no manifest, or one that nobody can read."""
    try:
        manifest = json.loads((folder / export.MANIFEST).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(manifest, dict):
        return {}
    return {scene: name for scene, name in manifest.items() if isinstance(name, str)}


def _json(path: Path) -> Any:
    """What a file of JSON holds; None where there is none, or one that nobody can read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # it is only shown
        return None


def checksum_of(path: Path) -> str | None:
    """The SHA-256 of a file, read once for as long as it stays as it is; None where there is none."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        return _read_once(str(path), path.stat(), _known_checksums, export.checksum)
    except (FileNotFoundError, StoreError):  # removed just now, or not to be read
        return None


_Signature = tuple[int, int]
_Value = TypeVar("_Value")

_known_seconds: dict[str, tuple[_Signature, float | None]] = {}
_known_checksums: dict[str, tuple[_Signature, str]] = {}
_known_lock = threading.Lock()


def _seconds(path: str, about: os.stat_result) -> float | None:
    """The length of an audio file."""
    return _read_once(path, about, _known_seconds, _probed)


def _read_once(
    path: str, about: os.stat_result, known: dict[str, tuple[_Signature, _Value]], read: Callable[[Path], _Value]
) -> _Value:
    """What is read of a file, once for as long as the file stays as it is."""
    signature = about.st_size, about.st_mtime_ns
    with _known_lock:
        before = known.get(path)
    if before is not None and before[0] == signature:
        return before[1]
    value = read(Path(path))
    with _known_lock:
        known[path] = signature, value
    return value


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
            raise UnsafeNameError(f"{part.name} is a link. Remove the link, or use the file that it leads to.")
    return path


def _there(path: Path) -> Path:
    if not path.is_file():
        raise StoreError(f"{path.parent.name} has no {path.name} any more. Look at its files again.")
    return path


def _shown(path: Path) -> str:
    """A production's file as the page names it: where the workspace lies is nobody's business there."""
    return f"{path.parent.name}/{path.name}"


def _exporting(folder: Path) -> AbstractContextManager[None]:
    """Keeps an export from writing files while some are moved."""
    busy = f"{folder.name} is being exported. Try again when it has finished."
    return files.locked(folder / export.LOCK, wait=_WAIT, busy=busy)


def _trash(folder: Path) -> Path:
    trash = folder / _TRASH
    if trash.is_symlink():
        raise UnsafeNameError(f"{trash.name} is a link. Remove the link.")
    return trash


def _in_trash(folder: Path, removed: Removed) -> Path:
    place = files.confined(_trash(folder), removed.place)
    return files.confined(files.confined(place, removed.production), removed.name)


def _pieces(path: Path) -> Iterator[bytes]:
    with files.explained(_shown(path)), path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _move(path: Path, to: Path) -> None:
    with files.explained(_shown(path)):
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
