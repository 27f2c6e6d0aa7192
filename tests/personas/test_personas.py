"""A workspace's own personas: they win, are read again when they change, and are written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from personas.conftest import png

from luma_studio.errors import BusyError, PersonaError, StoreError
from luma_studio.persona import Personas, described
from luma_studio.persona.model import entry_of
from luma_studio.shipped import shipped
from luma_studio.store import files

RACHEL = "21m00Tcm4TlvDq8ikWAM"


def added(personas: Personas, key: str = "bo", **fields: Any) -> Any:
    return personas.add(key, prompt="You are Bo.\nShort sentences.", **{"name": key.capitalize(), **fields})


def kept(personas: Personas) -> dict[str, Any]:
    return json.loads((personas.folder / "personas.json").read_bytes())


# Reading


def test_ones_own_come_first_and_win_over_a_shipped_one_of_the_same_id_or_name(written, personas):
    written(asha={"name": "My Asha"}, twin={"name": "otto quillfeather"})
    assert [each.id for each in personas.all()] == ["asha", "twin", "juno"]
    assert personas.get("asha").name == "My Asha"
    assert personas.get("ASHA ").is_own


def test_a_broken_one_of_ones_own_is_not_quietly_the_shipped_one(written, personas):
    written(asha={"voice": "nobody"})
    with pytest.raises(PersonaError, match="Persona 'asha': voice"):
        personas.get("asha")


def test_one_that_there_is_not_is_told_with_those_there_are(personas):
    with pytest.raises(PersonaError, match=r"There is no persona 'bo'\. There are: asha, otto, juno\."):
        personas.get("bo")


def test_a_change_by_hand_is_seen_at_once(written, personas):
    folder = written(bo={})
    assert personas.get("bo").prompt == "You are bo."
    (folder / "prompts" / "bo.txt").write_text("You are somebody else.")
    assert personas.get("bo").prompt == "You are somebody else."
    written(bo={"bio": "New."})
    assert personas.get("bo").bio == "New."
    (folder / "prompts" / "bo.txt").unlink()
    assert "is not there" in personas.problems()[0].sentence
    (folder / "prompts" / "bo.txt").write_text("Here again.")
    assert personas.get("bo").prompt == "Here again."
    (folder / "personas.json").unlink()
    assert "bo" not in [each.id for each in personas.all()]


def test_what_did_not_change_is_not_read_again(written, personas, monkeypatch):
    written(bo={})
    before = personas.all()

    def read(*_args: Any) -> bytes:
        raise AssertionError("read again")

    monkeypatch.setattr("luma_studio.persona.personas._bytes", read)
    assert personas.all() == before


def test_where_the_workspace_is_the_clone_the_shipped_ones_are_ones_own():
    personas = Personas(shipped("personas").parent)
    assert [each.id for each in personas.all()] == ["asha", "otto", "juno"]
    assert all(each.is_own for each in personas.all())


# Changing


def test_what_was_added_is_there_with_its_files(personas, workspace):
    picture = png()
    persona = added(personas, picture=picture, language="en", colours=["#AABBCC"], elevenlabs_voice_id=RACHEL)
    assert persona == personas.get("bo") == Personas(workspace).get("bo")
    assert persona.prompt == "You are Bo.\nShort sentences."
    assert personas.image(persona) == picture
    assert persona.colours == ("#aabbcc",)
    assert persona.bought == f"elevenlabs:{RACHEL}"
    assert kept(personas)["bo"]["prompt_file"] == "personas/prompts/bo.txt"
    assert (workspace / "personas" / "avatars" / "bo.png").read_bytes() == picture


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"key": "Bo"}, "cannot have the id 'Bo'"),
        ({"key": "../bo"}, "cannot have the id"),
        ({"key": ""}, "cannot have the id"),
        ({"nmae": "x"}, "no field 'nmae'"),
        ({"voice": "nobody"}, "Persona 'bo': voice"),
        ({"picture": b"GIF89a"}, "the picture is no PNG or JPEG"),
        ({"picture": png()[:100]}, "the picture is damaged"),
        ({"image": "personas/avatars/none.png"}, "is not there"),
        ({"prompt": "  "}, "is empty"),
        ({"prompt": "x" * 40_000}, "is larger than 32 kB"),
        ({"name": "Ann"}, "name 'Ann' is that of 'ann', too"),
        (
            {"elevenlabs_voice_id": RACHEL, "elevenlabs_settings": {"model": "a,b=c"}},
            "elevenlabs_settings have a value",
        ),
        (
            {"elevenlabs_voice_id": RACHEL, "elevenlabs_settings": {"model": "\ud800"}},
            "elevenlabs_settings have a value",
        ),
    ],
)
def test_what_cannot_be_added_changes_nothing(personas, given, told):
    added(personas, "ann")
    before = {path: path.read_bytes() for path in personas.folder.rglob("*") if path.is_file()}
    fields = {"key": "bo", "prompt": "You are Bo.", "name": "Bo", **given}
    with pytest.raises(PersonaError, match=told):
        personas.add(fields.pop("key"), **fields)
    assert {path: path.read_bytes() for path in personas.folder.rglob("*") if path.is_file()} == before


def test_one_that_is_there_is_not_added_again(personas):
    added(personas)
    with pytest.raises(PersonaError, match="There is a persona 'bo' already"):
        added(personas)


def test_a_change_keeps_the_rest_and_the_order(personas):
    added(personas, bio="Old.", colours=["#112233"])
    added(personas, "ann")
    changed = personas.change("bo", bio="New.", colours=None, prompt="You are new.", picture=png())
    assert (changed.bio, changed.colours, changed.prompt, changed.name) == ("New.", (), "You are new.", "Bo")
    assert list(kept(personas)) == ["bo", "ann"]


def test_a_change_can_mend_what_was_wrong(written, personas):
    written(bo={"voice": "nobody", "nmae": "x"})
    personas.change("bo", voice="espeak:en", nmae=None)
    assert personas.problems() == ()


def test_a_shipped_one_that_is_changed_becomes_ones_own_with_its_files(personas, workspace):
    before = personas.get("asha")
    changed = personas.change("asha", bio="Mine.")
    assert changed.is_own
    assert (changed.prompt, changed.picture, changed.bio) == (before.prompt, before.picture, "Mine.")
    assert (workspace / "personas" / "avatars" / "asha.jpg").is_file()
    personas.remove("asha")
    assert personas.get("asha") == before


def test_what_is_removed_is_kept_aside_and_what_others_use_stays(personas, workspace):
    added(personas, picture=png())
    added(personas, "ann", image="personas/avatars/bo.png")
    kept_in = personas.remove("bo")
    assert sorted(path.name for path in kept_in.iterdir()) == ["bo.txt", "personas.json"]
    assert (workspace / "personas" / "avatars" / "bo.png").is_file()
    assert next(each.id for each in personas.all()) == "ann"
    assert personas.problems() == ()


def test_a_shipped_one_cannot_be_removed_nor_one_that_there_is_not(personas):
    with pytest.raises(PersonaError, match="'otto' comes with Luma Studio and stays"):
        personas.remove("otto")
    with pytest.raises(PersonaError, match="There is no persona 'bo'"):
        personas.remove("bo")


def test_a_broken_one_can_be_removed_and_takes_no_file_from_elsewhere(written, personas, workspace):
    (workspace / "mine.txt").write_text("mine")
    written(bo={"prompt_file": "personas/../mine.txt", "image": 7})
    personas.remove("bo")
    assert (workspace / "mine.txt").read_text() == "mine"
    assert personas.problems() == ()


def test_a_disk_that_fails_leaves_what_was_there(personas, monkeypatch):
    added(personas)
    before = (personas.folder / "personas.json").read_bytes()

    class Full(files.Disk):
        def create(self, path: Path) -> Any:
            if "personas.json" in path.name:
                raise OSError(28, "No space left on device")
            return super().create(path)

    with monkeypatch.context() as patch:
        patch.setattr(files, "disk", Full())
        with pytest.raises(StoreError, match="The disk is full"):
            personas.change("bo", bio="New.")
    assert (personas.folder / "personas.json").read_bytes() == before
    assert personas.get("bo").bio == ""


def test_somebody_who_changes_personas_is_waited_for(personas, monkeypatch):
    monkeypatch.setattr("luma_studio.persona.personas._WAIT", 0.1)
    lock = files.hold(personas.folder / ".personas.lock")
    with pytest.raises(BusyError, match="Another window or program"):
        added(personas)
    lock.release()
    added(personas)


def _adds(given: tuple[Path, int]) -> None:
    workspace, number = given
    personas = Personas(workspace)
    for each in range(5):
        personas.add(f"p{number}-{each}", prompt="You are one of many.", name=f"P {number} {each}")


def test_two_processes_that_add_lose_nothing(workspace):
    with get_context("spawn").Pool(2) as pool:
        pool.map(_adds, [(workspace, 1), (workspace, 2)])
    personas = Personas(workspace)
    assert len([each for each in personas.all() if each.is_own]) == 10
    assert personas.problems() == ()


def test_what_is_written_is_as_the_entry_says(personas):
    persona = added(personas, language="hi", voice="espeak:hi", mind_options={"temperature": 0.7})
    assert entry_of(persona) == kept(personas)["bo"]


# What a panel shows


@pytest.fixture
def ability(personas: Personas) -> Callable[..., Any]:
    def of(key: str, what: str) -> Any:
        found = described(personas, personas.get(key), "openai:gpt-5.5")
        return next(each for each in found.abilities if each.what == what)

    return of


def test_a_panel_is_told_who_it_is_and_given_its_picture(personas):
    found = described(personas, personas.get("otto"), lacks="No mind.")
    assert (found.name, found.kind, found.is_own) == ("Otto Quillfeather", "jpeg", False)
    assert found.picture == (shipped("personas") / "avatars" / "otto.jpg").read_bytes()
    assert [(each.what, each.is_ready) for each in found.abilities] == [
        ("write", False),
        ("speak", True),
        ("be seen", True),
    ]
    assert found.abilities[0].better == "No mind."


def test_a_panel_is_told_what_a_key_would_make_better(ability, monkeypatch):
    assert "ELEVENLABS_API_KEY" in ability("otto", "speak").better
    assert ability("otto", "speak").by.startswith("espeak:")
    assert "HEYGEN_API_KEY" in ability("otto", "be seen").better
    monkeypatch.setenv("ELEVENLABS_API_KEY", "k")
    monkeypatch.setenv("HEYGEN_API_KEY", "k")
    assert (ability("otto", "speak").by, ability("otto", "speak").better) == ("elevenlabs:JBFqnCBsd6RMkjVDRZzb", "")
    assert (ability("otto", "be seen").by, ability("otto", "be seen").better) == ("HeyGen", "")


def test_one_without_voice_or_picture_is_told_what_it_wants(personas, ability):
    added(personas)
    assert "Give it an elevenlabs_voice_id" in ability("bo", "speak").better
    seen = ability("bo", "be seen")
    assert not seen.is_ready
    assert "Give it a heygen_avatar_id, or an image" in seen.better
