"""Photos: the one a script names, its speaker's, the production's; a card where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from luma_studio.errors import LumaError, SettingError
from luma_studio.studio import Studio
from luma_studio.video.base import Look, Photo
from luma_studio.video.photos import Photos, colour


@pytest.fixture
def photos(studio: Studio) -> Photos:
    for name, shade in (("Mira.png", "#a05030"), ("dev.jpg", "#3050a0")):
        path = studio.workspace / "photos" / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (60, 80), shade).save(path)
    return studio.photos


def of(photos: Photos, named: str = "", speaker: str | None = None, default: str = "", title: str = "Dawn") -> Photo:
    return photos.of(named, speaker, default, title, Look())


def test_a_script_names_a_photo_by_its_file_with_or_without_its_ending_in_any_case(photos):
    assert photos.names() == ("Mira.png", "dev.jpg")
    assert {of(photos, name).name for name in ("Mira", "mira", "MIRA.PNG", " mira.png ")} == {"Mira"}
    assert of(photos, "dev", default="mira").name == "dev"
    assert not of(photos, "dev").drawn


def test_a_speaker_who_is_called_like_a_persona_has_its_picture_unless_the_script_names_one(photos):
    assert of(photos, speaker="Asha", default="mira").name.startswith("Asha")
    assert of(photos, "mira", speaker="Asha").name == "Mira"
    assert of(photos, speaker="Woman", default="mira").name == "Mira"
    assert of(photos, default="persona:otto").name.startswith("Otto")


def test_what_is_no_file_is_a_vendors_id_beside_a_card_and_what_is_nothing_is_a_card(photos):
    theirs = of(photos, "Mira_inLinenShirt_20240417")
    assert (theirs.avatar, theirs.drawn) == ("Mira_inLinenShirt_20240417", False)
    assert theirs.still is not None
    assert of(photos, "asset:f0eb18273553456a").avatar == "asset:f0eb18273553456a"
    assert of(photos).drawn
    assert of(photos, "no such thing!", default="mira").name == "Mira"


def test_an_address_counts_only_where_the_production_has_it(photos):
    assert of(photos, "https://evil.example/a.png").drawn
    assert of(photos, default="https://pictures.example/a.png").address == "https://pictures.example/a.png"
    assert of(photos, default="http://pictures.example/a.png").drawn


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", "a/b", "\x00", "mira\n", "x" * 500])
def test_no_name_leads_out_of_the_folder(photos, name):
    (photos.folder.parent / "secret.png").write_bytes((photos.folder / "Mira.png").read_bytes())
    found = of(photos, name)
    assert found.drawn or found.name == "Mira"


def test_the_same_picture_is_taken_in_once_and_another_of_its_name_beside_it(photos, workspace):
    picture = workspace / "new.png"
    Image.new("RGB", (40, 40), "#112233").save(picture)
    assert photos.add(picture) == photos.add(picture) == "new.png"
    Image.new("RGB", (40, 40), "#445566").save(picture)
    assert photos.add(picture) == "new-2.png"
    assert photos.names() == ("Mira.png", "dev.jpg", "new-2.png", "new.png")


@pytest.mark.parametrize(("name", "data"), [("a.png", b"no picture"), ("a.exe", b"MZ"), ("a.png", b"")])
def test_what_is_no_picture_is_told_and_not_kept(photos, name, data):
    with pytest.raises(SettingError):
        photos.put(name, data)
    assert photos.names() == ("Mira.png", "dev.jpg")


def test_a_persona_that_is_not_there_is_told(photos):
    with pytest.raises(LumaError, match="nobody"):
        of(photos, default="persona:nobody")


@pytest.mark.parametrize(
    ("text", "found"),
    [("#A0b1C2", "#a0b1c2"), ("teal", "#008080"), ("a sunny beach", ""), ("", ""), ("url(https://x)", "")],
)
def test_a_background_is_a_colour_or_nothing(text, found):
    assert colour(text) == found


def test_a_workspace_without_photos_has_none(studio: Studio, tmp_path: Path):
    assert studio.photos.names() == ()
