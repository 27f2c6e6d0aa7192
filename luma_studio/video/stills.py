"""Stills: pictures that were looked at before anybody films them, and a card that stands in where there is none."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from luma_studio.errors import SettingError
from luma_studio.store import files
from luma_studio.video.base import Look, Still
from luma_studio.video.lettering import drawn, fitted, writings_missing

_MOST_BYTES = 64 * 10**6
_MOST_PIXELS = 60 * 10**6
_MOST_SIDE = 20_000
_LEAST_SIDE = 16
_TAKEN = ("PNG", "JPEG")
_CONVERTED = ("WEBP", "AVIF", "GIF", "BMP", "TIFF")
_QUIET = ((24, 34, 54), (40, 58, 82), (74, 78, 98), (104, 92, 98))  # a card's colours, from its top to its bottom
_LIGHT = (26, 24, 20)  # and what is added to them in its middle


def look_at(path: Path) -> Still:
    """A picture's still: PNG or JPEG, decoded to its last line, turned as its camera was held.

    Raises SettingError, with the remedy, for what is no such picture, or is too large; StoreError for a file that
    cannot be read.
    """
    data = _read(path)
    with _opened(data, path.name, _TAKEN) as picture:
        kind: Literal["png", "jpeg"] = "png" if picture.format == "PNG" else "jpeg"  # which telephones call MPO
        turned = picture.getexif().get(0x0112, 1) in range(5, 9)
        width, height = picture.size[::-1] if turned else picture.size
    return Still(path, hashlib.sha256(data).hexdigest(), kind, width, height)


def take_in(path: Path, folder: Path) -> Still:
    """As ``look_at``, and WebP, AVIF, TIFF, BMP and GIF too: these are put into the folder as PNG, upright."""
    data = _read(path)
    with _opened(data, path.name, (*_TAKEN, *_CONVERTED)) as picture:
        if picture.format not in _CONVERTED:
            return look_at(path)
        return _kept(upright(picture), folder, f"{hashlib.sha256(data).hexdigest()[:16]}.png")


def pixels_of(still: Still) -> Image.Image:
    """What a still shows: RGB, upright, on white. Raises as ``look_at``, and SettingError if it was changed."""
    data = _read(still.path)
    if hashlib.sha256(data).hexdigest() != still.digest:
        raise SettingError(f"The picture {still.path.name} was changed since it was chosen. Choose it again.")
    with _opened(data, still.path.name, _TAKEN) as picture:
        return upright(picture)


def upright(picture: Image.Image) -> Image.Image:
    """A picture as one sees it: RGB, turned as its camera was held, on white."""
    turned = ImageOps.exif_transpose(picture)
    if turned.mode in {"I", "I;16", "I;16B", "F"}:
        turned = turned.convert("I").point(lambda value: value / 256).convert("L")
    if turned.has_transparency_data:
        seen = turned.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return turned.convert("RGB")


def card(title: str, folder: Path, look: Look) -> Still:
    """A still that says what a scene is called, for one without a photo; the same title gives the same file.

    A title in a writing that no installed font has is left out: the card is calm and empty then.
    """
    short = min(look.width, look.height)
    picture = _calm(look.width, look.height)
    text = "" if writings_missing([title]) else title
    if text.strip():
        width = _even(look.width * 0.76)
        block = fitted(text, max(12, round(short * 0.085)), width, 4, look.height // 3)
        letters = drawn(block, width, colour="#f4efe6", shadow=False)
        middle = ((look.width - letters.width) // 2, round(look.height * 0.42 - letters.height / 2))
        line = max(2, short // 240)
        wide, top = round(short * 0.12), middle[1] + letters.height + round(short * 0.05)
        picture.paste(letters, middle, letters)
        left = (look.width - wide) // 2
        picture.paste((232, 176, 120), (left, top, left + wide, top + line))
    name = hashlib.sha256(f"1 {look.width} {look.height} {text}".encode("utf-8", "replace")).hexdigest()[:16]
    return _kept(picture, folder, f"card-{name}.png")


def _calm(width: int, height: int) -> Image.Image:
    """A soft run of quiet colours, lighter in its middle; grained by less than a step, so that it shows no bands."""
    down, across = np.linspace(0, 1, height)[:, None], np.linspace(-1, 1, width)[None]
    light = np.exp(-((down - 0.42) ** 2 / 0.1 + across**2 / 0.9))
    places = np.linspace(0, 1, len(_QUIET))
    grain = np.random.default_rng(0).random((height, width))
    channels = [
        np.interp(down, places, [colour[channel] for colour in _QUIET]) + light * _LIGHT[channel] + grain
        for channel in range(3)
    ]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def _even(size: float) -> int:
    return 2 * max(1, round(size / 2))


def _kept(picture: Image.Image, folder: Path, name: str) -> Still:
    encoded = io.BytesIO()
    picture.save(encoded, "PNG", compress_level=4)
    data, path = encoded.getvalue(), folder / name
    digest = hashlib.sha256(data).hexdigest()
    if not path.exists() or hashlib.sha256(_read(path)).hexdigest() != digest:
        files.write(path, data)
    return Still(path, digest, "png", *picture.size)


def _read(path: Path) -> bytes:
    with files.explained(path), path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise SettingError(f"The picture {path.name} is larger than {_MOST_BYTES // 10**6} MB. Save it smaller.")
    return data


@contextmanager
def _opened(data: bytes, name: str, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """A picture whose size was looked at before a pixel of it was decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the bound here is lower
            picture = Image.open(io.BytesIO(data), formats=formats)
        _check_size(picture, name)
        picture.load()
    except UnidentifiedImageError:
        raise SettingError(_unknown(data, name)) from None
    except Image.DecompressionBombError:
        raise SettingError(_too_large(name)) from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError) as error:
        raise SettingError(
            f"The picture {name} is damaged or ends too early. Save it again, or take another."
        ) from error
    with picture:
        yield picture


def _check_size(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > _MOST_PIXELS or max(width, height) > _MOST_SIDE:
        raise SettingError(_too_large(name))
    if min(width, height) < _LEAST_SIDE:
        raise SettingError(f"The picture {name} has {width} × {height} pixels: too few to film. Take a larger one.")


def _too_large(name: str) -> str:
    return f"The picture {name} has more than {_MOST_PIXELS // 10**6} million pixels. Save it smaller."


def _unknown(data: bytes, name: str) -> str:
    if data[4:8] == b"ftyp" and data[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"hevc"}:
        return f"The picture {name} is HEIC, which cannot be read here. Save it as JPEG or PNG."
    return f"{name} is no picture that can be read here. Take a JPEG or PNG."
