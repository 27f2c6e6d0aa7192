"""The ready-made samples of voices: free, fetched once from wherever a vendor keeps them, and never with a key."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import numpy as np

from luma_studio.audio import codec
from luma_studio.audio.clip import Clip, Samples
from luma_studio.errors import AudioError, BrokenAnswerError, TooLargeError, UnreachableError, VendorError
from luma_studio.store import files
from luma_studio.wire import Call, led

_FOLDER = "previews"
_RATE = 44100
_LARGEST = 2 * 10**6  # bytes
_LONGEST = 60  # seconds that are decoded: few bytes may stand for hours
_PATIENCE = 10.0  # seconds in all
_INSTEAD = "Try again, or buy a sample instead."


async def preview(address: str, store: Path) -> Clip:
    """The sample at an address, kept in the store once it was fetched. Raises VendorError, StoreError."""
    path = store / _FOLDER / hashlib.sha256(address.encode()).hexdigest()
    kept = await asyncio.to_thread(_kept, path)
    if kept is not None:
        return kept
    data = await _fetched(address)
    try:
        clip = await asyncio.to_thread(_decoded, data)
    except AudioError as error:
        raise BrokenAnswerError(f"The preview is no sound that can be played ({error}). {_INSTEAD}") from error
    await asyncio.to_thread(files.write, path, data)
    return clip


def _kept(path: Path) -> Clip | None:
    with files.explained(path):
        if not path.exists():
            return None
        data = path.read_bytes()
    try:
        return _decoded(data)
    except AudioError:  # damaged: it is there to be fetched again
        return None


def _decoded(data: bytes) -> Clip:
    pieces: list[Samples] = []
    room = _LONGEST * _RATE
    for piece in codec.decode(data, _RATE):
        pieces.append(piece[:room])
        room -= len(pieces[-1])
        if not room:
            break
    return Clip(np.concatenate(pieces), _RATE)


async def _fetched(address: str) -> bytes:
    try:
        wire, path = led("the vendor", address)
    except UnreachableError as error:
        raise UnreachableError(f"{error} {_INSTEAD}") from None
    try:
        call = Call("GET", path, patience=_PATIENCE, deadline=_PATIENCE, largest=_LARGEST, tries=1)
        return (await wire.send(call)).body
    except TooLargeError as error:
        raise TooLargeError(
            f"The preview at {wire.vendor.name} is larger than {_LARGEST / 1e6:.0f} MB. {_INSTEAD}"
        ) from error
    except VendorError as error:
        status = f" ({error.status})" if error.status else ""
        raise UnreachableError(
            f"The preview cannot be fetched from {wire.vendor.name}{status}. {_INSTEAD}", status=error.status
        ) from error
    finally:
        await asyncio.to_thread(wire.close)
