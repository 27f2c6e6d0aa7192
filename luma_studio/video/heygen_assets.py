"""What HeyGen was given once: assets by content, in ``generated_audio/heygen_assets.json``."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from luma_studio.errors import SettingError
from luma_studio.store import files
from luma_studio.store.ledger import Account
from luma_studio.video.heygen_account import data_of
from luma_studio.wire import Call, Wire, broken

FILE = "heygen_assets.json"
LARGEST = 32 * 1024 * 1024  # bytes that the vendor takes
_WAIT = 10.0  # seconds that another process may take to write
_PATIENCE, _DEADLINE = 120.0, 600.0  # seconds of an upload
_HEAD = 12  # bytes that tell what a file is
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "audio/mpeg": "mp3", "audio/wav": "wav"}

Kind = Literal["audio", "image"]


class Asset(BaseModel):
    """An asset of HeyGen: the file that it was made of, the scene that it was for, and what it is."""

    model_config = ConfigDict(frozen=True)

    file_name: str
    asset_id: str
    scene_id: str
    kind: Kind


class _Kept(BaseModel):
    version: Literal[1] = 1
    assets: dict[str, Asset] = {}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that HeyGen needs: ``digest`` is the SHA-256 of its content, ``scene`` is what it is for first."""

    path: Path
    digest: str
    kind: Kind
    scene: str


class Assets:
    """The assets of a workspace, in its folder ``generated_audio``; safe among processes and threads.

    ``force_upload`` has everything uploaded anew, once, whatever was there before.
    """

    def __init__(self, folder: Path, *, force_upload: bool = False) -> None:
        self._path = folder / FILE
        self._force = force_upload
        self._fresh: set[str] = set()  # what this object uploaded

    def known(self) -> Mapping[str, Asset]:
        """What was uploaded, by the SHA-256 of its content. A file that cannot be read holds nothing: all is anew."""
        with files.explained(self._path):
            try:
                return _Kept.model_validate_json(self._path.read_bytes()).assets
            except (FileNotFoundError, ValidationError):
                return {}

    def of_scene(self, scene: str) -> Asset | None:
        """The sound that was uploaded last for a scene, however its id is written: ``Scene 1``, ``scene_1``, ``1``."""
        wanted = _plain(scene)
        fitting = [each for each in self.known().values() if each.kind == "audio" and _plain(each.scene_id) == wanted]
        return fitting[-1] if fitting else None

    async def uploaded(self, upload: Upload, wire: Wire, account: Account) -> str:
        """The id of a file's asset: as it is known, or else uploaded by one process at a time. Raises VendorError."""
        known = await asyncio.to_thread(self._usable, upload)
        if known is not None:
            return known.asset_id
        async with account.claim(f"heygen-{upload.digest}") as claimed:
            known = await asyncio.to_thread(self._usable, upload)  # another may have uploaded it meanwhile
            if known is None:
                known = await _send(upload, wire)
                await asyncio.to_thread(self._keep, upload.digest, known)
            await claimed.forget()
            return known.asset_id

    def _usable(self, upload: Upload) -> Asset | None:
        if self._force and upload.digest not in self._fresh:
            return None
        return self.known().get(upload.digest)

    def drop(self, digest: str, asset_id: str) -> None:
        """Forget an asset that HeyGen does not know any more, unless it was uploaded anew meanwhile."""
        with self._changing() as kept:
            if digest in kept and kept[digest].asset_id == asset_id:
                del kept[digest]

    def _keep(self, digest: str, asset: Asset) -> None:
        with self._changing() as kept:
            kept.pop(digest, None)  # so that the newest is the last
            kept[digest] = asset
        self._fresh.add(digest)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Asset]]:
        busy = f"{self._path} is held by another process. Run again in a while."
        with files.locked(self._path.with_name(f".{FILE}.lock"), wait=_WAIT, busy=busy):
            kept = dict(self.known())
            yield kept
            files.write_json(self._path, _Kept(assets=kept).model_dump(), durable=True)


def check_upload(path: Path, kind: Kind) -> None:
    """Raise SettingError for a file that HeyGen does not take: it is missing, empty, too large or of another kind."""
    what = "pictures as PNG or JPEG" if kind == "image" else "sound as MP3 or WAV"
    with files.explained(path):
        size = path.stat().st_size if path.is_file() else 0
    if not size:
        raise SettingError(f"The file {path} is not there, or empty. Give one that HeyGen can be sent.")
    if size > LARGEST:
        raise SettingError(
            f"{path.name} has {size / 1e6:.0f} MB, and HeyGen takes {LARGEST / 1e6:.0f} MB at most. "
            + (
                "Make the picture smaller."
                if kind == "image"
                else "Export the scene as MP3, or make the scene shorter."
            )
        )
    if not media_type(path).startswith(kind):
        raise SettingError(f"HeyGen takes {what}; {path.name} is neither. Save it as one of them.")


def media_type(path: Path) -> str:
    """What a file is, by how it begins: one of the kinds that HeyGen takes, "" for others. Raises StoreError."""
    with files.explained(path), path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"ID3") or (head[:1] == b"\xff" and len(head) > 1 and head[1] & 0xE6 == 0xE2):  # layer III
        return "audio/mpeg"
    return ""


async def _send(upload: Upload, wire: Wire) -> Asset:
    kind = await asyncio.to_thread(media_type, upload.path)
    with files.explained(upload.path):
        body = await asyncio.to_thread(upload.path.read_bytes)
    name = f"{upload.digest[:16]}.{_EXTENSIONS[kind]}"  # nothing of how things are called here
    call = Call(
        "POST", "/v3/assets", files={"file": (name, body, kind)}, patience=_PATIENCE, deadline=_DEADLINE, tries=3
    )
    answer = await wire.send(call)
    match data_of(answer, wire):
        case {"asset_id": str() as asset_id} if asset_id:
            return Asset(file_name=upload.path.name, asset_id=asset_id, scene_id=upload.scene, kind=upload.kind)
    raise broken(wire.vendor, "names no asset", answer)


def _plain(scene: str) -> str:
    """A scene's id, however it is written."""
    return re.sub(r"[\W_]+", "", scene.casefold()).removeprefix("scene")
