"""What Kling 2.1 (standard) takes to have a still move: its rules, and a request that keeps to them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

from luma_studio.errors import SettingError
from luma_studio.store import files
from luma_studio.video.base import Mask, Motion, Photo, Still
from luma_studio.video.choosing import check_reachable
from luma_studio.wire import FREEPIK

MODEL = "kling-v2-1-std"
_SECONDS = (5, 10)
_LARGEST = 10_000_000  # bytes of a picture
_SMALLEST = 300  # pixels of a side
_LONGEST_SIDE = 2.5  # times the other
_PROMPT = 2500  # characters
_MASKS = 6
_POINTS = (2, 77)
_BEGINNINGS = MappingProxyType({b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg"})
_SAME_SHAPE = 0.01  # by which the shape of a mask may differ from the picture's: sides are whole pixels


def check(motion: Motion) -> None:
    """Raise SettingError for what it does not take, StoreError for a picture that cannot be read. Nothing is sent."""
    for problem in _problems(motion):
        raise SettingError(problem)
    if motion.photo.address:
        check_reachable(FREEPIK, motion.photo.address, "The picture's address")
    if motion.webhook:
        check_reachable(FREEPIK, motion.webhook, "The webhook's address")


def identity(motion: Motion) -> dict[str, Any]:
    """What of a motion decides how the clip looks; that somebody is told of it does not."""
    return {
        "photo": {"still": _digest(_sent_still(motion.photo)), "address": motion.photo.address},
        "seconds": motion.seconds,
        "prompt": motion.prompt,
        "negative_prompt": motion.negative_prompt,
        "guidance": float(motion.guidance),
        "static_mask": _digest(motion.static_mask),
        "masks": [[mask.picture.digest, [list(point) for point in mask.trajectory]] for mask in motion.masks],
    }


def body(motion: Motion) -> dict[str, Any]:
    """The request: pictures as base64. Raises SettingError for a picture that was changed since it was looked at."""
    return _body(motion, _encoded)


def shown(motion: Motion) -> dict[str, Any]:
    """The request as a person reads it: pictures by the names of their files."""
    return _body(motion, lambda still: still.path.name)


def decoded(text: str, folder: Path) -> Path:
    """A picture that is given as base64, put into a folder as the file that it is. Raises SettingError, StoreError."""
    plain = "".join(text.rpartition("base64,")[2].split())
    try:
        data = base64.b64decode(plain, validate=True)
    except ValueError:
        data = b""
    suffix = next((suffix for begins, suffix in _BEGINNINGS.items() if data.startswith(begins)), None)
    if suffix is None:
        raise SettingError("The picture is no PNG or JPEG in base64. Give it so, or as a file or an address.")
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
    files.write(path, data)
    return path


def _body(motion: Motion, picture: Callable[[Still], str]) -> dict[str, Any]:
    still, static = _sent_still(motion.photo), motion.static_mask
    optional = {
        "image": picture(still) if still else motion.photo.address,
        "prompt": _sent(motion.prompt),
        "negative_prompt": _sent(motion.negative_prompt),
        "static_mask": picture(static) if static else "",
        "dynamic_masks": [
            {"mask": picture(mask.picture), "trajectories": [{"x": x, "y": y} for x, y in mask.trajectory]}
            for mask in motion.masks
        ],
        "webhook_url": motion.webhook,
    }
    asked = {"duration": str(motion.seconds), "cfg_scale": float(motion.guidance)}
    return asked | {name: value for name, value in optional.items() if value}


def _sent(text: str) -> str:
    """A text as it can be sent: without halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _encoded(still: Still) -> str:
    with files.explained(still.path):
        data = still.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != still.digest:
        raise SettingError(f"The picture {still.path.name} was changed meanwhile. Choose it again.")
    return base64.b64encode(data).decode()


def _problems(motion: Motion) -> Iterator[str]:
    """What it does not take, each in a sentence with the remedy."""
    yield from _problems_of_words(motion)
    if motion.seconds not in _SECONDS or isinstance(motion.seconds, bool):
        yield f"A clip of Kling 2.1 lasts 5 or 10 seconds, not {motion.seconds!r}. Choose one of these."
    if not _is_number(motion.guidance) or not 0 <= motion.guidance <= 1:
        yield f"The guidance (cfg scale) of Kling 2.1 is a number from 0 to 1, not {motion.guidance!r}. 0.5 is usual."
    yield from _problems_of_photo(motion.photo)
    yield from _problems_of_masks(motion)


def _problems_of_words(motion: Motion) -> Iterator[str]:
    for what, text in (("prompt", motion.prompt), ("negative prompt", motion.negative_prompt)):
        if len(text) > _PROMPT:
            yield f"The {what} has {len(text):,} characters; Kling 2.1 takes {_PROMPT:,} at most. Shorten it."
    if not _has_picture(motion.photo) and not motion.prompt.strip():
        yield "There is neither a picture nor a prompt. Give one of them."


def _problems_of_photo(photo: Photo) -> Iterator[str]:
    if photo.avatar and not _has_picture(photo):
        yield f"Freepik does not have the avatar {photo.avatar!r}: it is another vendor's. Give a picture."
    still = _sent_still(photo)
    if still is None:
        return
    yield from _problems_of_size(still)
    shorter, longer = sorted((still.width, still.height))
    if shorter < _SMALLEST:
        yield f"The picture {_told(still)} is too small: Kling 2.1 needs 300x300 at least. Enlarge it."
    elif longer > _LONGEST_SIDE * shorter:
        yield f"The picture {_told(still)} is too long: Kling 2.1 takes shapes from 1:2.5 to 2.5:1. Crop it."


def _problems_of_masks(motion: Motion) -> Iterator[str]:
    pictures = [motion.static_mask] if motion.static_mask else []
    pictures += [mask.picture for mask in motion.masks]
    if pictures and not _has_picture(motion.photo):
        yield "A mask needs the picture that it belongs to. Give that, or leave the masks out."
    if len(motion.masks) > _MASKS:
        yield f"There are {len(motion.masks)} moving masks; Kling 2.1 takes {_MASKS} at most. Leave some out."
    still = _sent_still(motion.photo)
    for picture in pictures:
        yield from _problems_of_size(picture)
        if still is not None and not _same_shape(picture, still):
            yield (
                f"The mask {_told(picture)} and the picture {_told(still)} differ in shape. Make the mask from the "
                "picture."
            )
    if len({(picture.width, picture.height) for picture in pictures}) > 1:
        yield "The masks differ in their pixels; all must have the same width and height. Make them from one picture."
    for mask in motion.masks:
        yield from _problems_of_trajectory(mask)


def _problems_of_trajectory(mask: Mask) -> Iterator[str]:
    least, most = _POINTS
    if not least <= len(mask.trajectory) <= most:
        yield (
            f"The trajectory of the mask {mask.picture.path.name} has {len(mask.trajectory)} points; Kling 2.1 takes "
            f"{least} to {most}."
        )
    if not all(type(number) is int for point in mask.trajectory for number in point):
        yield f"The points of the mask {mask.picture.path.name} are whole pixels. Round them."


def _problems_of_size(still: Still) -> Iterator[str]:
    with files.explained(still.path):
        size = still.path.stat().st_size
    if size > _LARGEST:
        yield (
            f"The picture {still.path.name} has {size / 1e6:.1f} MB; Kling 2.1 takes {_LARGEST // 10**6} MB at most. "
            "Save it smaller."
        )


def _has_picture(photo: Photo) -> bool:
    return bool(photo.address) or _sent_still(photo) is not None


def _sent_still(photo: Photo) -> Still | None:
    """The still that is sent: none where it only stands for a photo that is elsewhere, or that there is not."""
    return None if photo.address or photo.drawn else photo.still


def _digest(still: Still | None) -> str:
    return still.digest if still else ""


def _told(still: Still) -> str:
    return f"{still.path.name} ({still.width}x{still.height})"


def _same_shape(one: Still, other: Still) -> bool:
    return abs(one.width * other.height - one.height * other.width) <= _SAME_SHAPE * one.width * other.height


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
