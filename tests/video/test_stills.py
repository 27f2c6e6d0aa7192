"""Stills: looked at whole and upright, refused in one sentence, and cards that say what a scene is called."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from helpers.filming import no_fonts, picture
from PIL import Image

from luma_studio.errors import SettingError, StoreError
from luma_studio.video.base import Look
from luma_studio.video.stills import card, look_at, pixels_of, take_in


@pytest.mark.parametrize(("name", "kind"), [("a.png", "png"), ("a.jpg", "jpeg"), ("lies.jpg", "png")])
def test_a_picture_is_what_its_bytes_say(tmp_path, name, kind):
    still = picture(tmp_path / name, (40, 30), format="PNG" if kind == "png" else "JPEG")
    assert (still.kind, still.width, still.height) == (kind, 40, 30)
    assert still.digest == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    assert still.path == tmp_path / name


@pytest.mark.parametrize(("turned", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))])
def test_a_picture_is_seen_as_its_camera_was_held(tmp_path, turned, size):
    exif = Image.Exif()
    exif[0x0112] = turned
    still = picture(tmp_path / "a.jpg", (40, 30), exif=exif)
    assert (still.width, still.height) == size == pixels_of(still).size


def test_what_is_transparent_is_white(tmp_path):
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert pixels_of(look_at(tmp_path / "a.png")).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_mode_of_a_picture_is_seen_in_colour(tmp_path, mode):
    name = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    white = Image.new("L", (20, 20), 255)
    deep = Image.fromarray(np.full((20, 20), 65_535, np.uint16))
    (deep if mode == "I;16" else white.convert(mode)).save(name)
    seen = pixels_of(look_at(name))
    assert (seen.mode, seen.getpixel((5, 5))) == ("RGB", (255, 255, 255))


def test_webp_is_taken_in_as_png_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.webp", exif=exif)
    with pytest.raises(SettingError, match="Take a JPEG or PNG"):
        look_at(tmp_path / "a.webp")
    still = take_in(tmp_path / "a.webp", tmp_path / "stills")
    assert (still.kind, still.width, still.height) == ("png", 30, 40)
    assert still == take_in(tmp_path / "a.webp", tmp_path / "stills") == look_at(still.path)
    assert take_in(picture(tmp_path / "b.png").path, tmp_path / "stills").path == tmp_path / "b.png"


def bomb(width: int, height: int) -> bytes:
    """A PNG that says that it is that large, in a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (bomb(60_000, 60_000), "million pixels"),
        (bomb(30_000, 20), "million pixels"),
        (bomb(3, 3), "too few"),
        (bomb(500, 500), "damaged"),
        (b"", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "no picture|damaged"),
    ],
)
def test_what_cannot_be_filmed_is_refused_in_one_sentence(tmp_path, data, said):
    (tmp_path / "a.png").write_bytes(data)
    for look in (look_at, lambda path: take_in(path, tmp_path / "stills")):
        with pytest.raises(SettingError, match=said) as refused:
            look(tmp_path / "a.png")
        assert "a.png" in str(refused.value)


def test_a_jpeg_that_ends_too_early_is_refused(tmp_path):
    kept = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (100, 100, 3), np.uint8)
    Image.fromarray(noise).save(kept, "JPEG")
    (tmp_path / "a.jpg").write_bytes(kept.getvalue()[:2000])
    with pytest.raises(SettingError, match="damaged"):
        look_at(tmp_path / "a.jpg")


def test_a_picture_that_is_not_there_or_was_changed_is_told(tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        look_at(tmp_path / "none.png")
    still = picture(tmp_path / "a.png")
    picture(tmp_path / "a.png", colour="red")
    with pytest.raises(SettingError, match="was changed"):
        pixels_of(still)


# Cards


@pytest.mark.parametrize("look", [Look(180, 320), Look(320, 180)])
def test_a_card_says_the_title_in_its_middle_and_is_the_same_each_time(tmp_path, look):
    still = card("Coming home", tmp_path / "one", look)
    assert (still.width, still.height) == (look.width, look.height)
    assert still.digest == card("Coming home", tmp_path / "two", look).digest
    assert still.digest != card("Going out", tmp_path / "one", look).digest
    drawn, empty = (np.asarray(pixels_of(each).convert("L")).astype(int) for each in (still, card("", tmp_path, look)))
    rows, columns = np.nonzero(np.abs(drawn - empty) > 60)
    assert look.width * 0.1 < columns.min() < columns.max() < look.width * 0.9
    assert look.height * 0.2 < rows.min() < rows.max() < look.height * 0.75


@pytest.mark.parametrize("title", ["../../x\0\n", "W" * 3000, "😀", "\u202eabc <b>", " "])
def test_a_hostile_title_makes_a_card_in_its_folder(tmp_path, title):
    still = card(title, tmp_path / "cards", Look(180, 320))
    assert still.path.parent == tmp_path / "cards"
    assert [path.parent for path in tmp_path.rglob("*.png")] == [tmp_path / "cards"]


def test_without_a_font_a_card_is_empty(tmp_path):
    with no_fonts():
        assert card("Coming home", tmp_path, Look(180, 320)).digest == card("", tmp_path, Look(180, 320)).digest
