"""The panel of the master and the scenes: exported, of today or older, measured, fetched in parts."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.fakes import FakeVoice, give

import luma_studio.export
from luma_studio import Studio
from luma_studio.errors import LumaError, SettingError, Stopped, StoreError, UnsafeNameError
from luma_studio.panels.audio_players import AudioPlayers
from luma_studio.panels.session import Session

SCRIPT = "Arriving\nClose your eyes. (2 sec)\nBreathe in.\n\nLeaving\nOpen your eyes.\nWelcome back.\n"


@pytest.fixture
def session(studio: Studio) -> Iterator[Session]:
    give(studio, FakeVoice())
    asyncio.run(studio.production("calm", SCRIPT).speak())
    with Session(studio) as session:
        session.open("calm")
        yield session


def shown(panel: AudioPlayers) -> dict[str, Any]:
    """What the page is told of the production, as it arrives there."""
    state: dict[str, Any] = json.loads(json.dumps(panel.do_state(), allow_nan=False))["production"]
    return state


def export(panel: AudioPlayers, *names: str) -> None:
    panel.do_export(list(names) or ["master.mp3"])
    assert panel.session._works["export"].wait(60)
    assert panel.session._works["export"].state()["error"] is None


def current(panel: AudioPlayers) -> dict[str, bool]:
    return {master["name"]: master["current"] for master in shown(panel)["masters"]}


def test_without_a_production_it_says_so(studio):
    with Session(studio) as session:
        assert AudioPlayers(session).do_state() == {"production": None, "works": []}


def test_what_is_not_spoken_is_counted(session):
    session.begin("calm", SCRIPT + "One more.\n")
    state = shown(AudioPlayers(session))
    assert (state["clauses"], state["unspoken"], state["masters"]) == (5, 1, [])


def test_an_export_is_shown_with_scenes_in_order_levels_captions_and_audit(session):
    panel = AudioPlayers(session)
    export(panel, "calm.mp3", "calm.wav")
    state = shown(panel)
    timeline = session.production.timeline
    assert [(each["name"], each["current"]) for each in state["masters"]] == [("calm.mp3", True), ("calm.wav", True)]
    assert state["masters"][1]["seconds"] == pytest.approx(timeline.length / timeline.rate)
    assert state["masters"][0]["level"] == {
        "loudness": pytest.approx(-16, abs=0.05),
        "peak": pytest.approx(-11, abs=8),
        "limited": False,
    }
    assert [each["title"] for each in state["scenes"]] == ["Arriving", "Leaving"]
    assert all(each["level"]["loudness"] is not None and each["seconds"] > 0 for each in state["scenes"])
    assert {each["name"] for each in state["beside"]} == {"captions.srt", "captions.vtt", "chapters.json", "audit.json"}
    assert state["audit"]["file"] == "calm.mp3"
    assert state["audit"]["findings"] == []
    assert "all 4 pauses as asked" in state["audit"]["summary"]


def test_scenes_stand_in_the_order_of_the_script_not_of_their_names(session):
    session.begin("many", "\n".join(f"# Part {index}\nClause number {index}.\n" for index in range(1, 13)))
    session.speak().wait(30)
    panel = AudioPlayers(session)
    export(panel)
    assert [each["title"] for each in shown(panel)["scenes"]] == [f"Part {index}" for index in range(1, 13)]


def test_an_edit_makes_what_was_exported_older_and_undo_makes_it_current_again(session):
    panel = AudioPlayers(session)
    export(panel)
    session.edit(lambda production: production.tune({0: 4.0}))
    state = shown(panel)
    assert (state["current"], current(panel)) == (False, {"master.mp3": False})
    assert state["masters"][0]["level"] is state["scenes"][0]["level"] is None  # nobody says what is not so
    session.edit(lambda production: production.undo())
    assert (shown(panel)["current"], current(panel)) == (True, {"master.mp3": True})


def test_an_edit_that_is_not_heard_leaves_it_current(session):
    panel = AudioPlayers(session)
    export(panel)
    session.edit(lambda production: production.lock([0]))
    assert current(panel) == {"master.mp3": True}


def test_another_export_of_the_same_sound_makes_none_older_but_one_of_another_does(session):
    panel = AudioPlayers(session)
    export(panel, "one.mp3")
    export(panel, "two.wav")
    assert current(panel) == {"one.mp3": True, "two.wav": True}
    session.edit(lambda production: production.tune({0: 4.0}))
    export(panel, "two.wav")
    assert current(panel) == {"one.mp3": False, "two.wav": True}
    assert shown(panel)["current"]


def test_another_take_of_a_clause_makes_it_older(session):
    panel = AudioPlayers(session)
    export(panel)
    session.speak_again(1).wait(30)
    assert current(panel) == {"master.mp3": False}


def test_a_word_that_is_not_spoken_yet_makes_it_older(session):
    panel = AudioPlayers(session)
    export(panel)
    session.begin("calm", SCRIPT.replace("Welcome", "Come"))
    assert current(AudioPlayers(session)) == {"master.mp3": False}


def test_an_edit_while_it_is_exported_makes_it_older(session, monkeypatch):
    begun, edited = threading.Event(), threading.Event()
    write_master = luma_studio.export.write_master

    def waiting(*given):
        begun.set()
        assert edited.wait(60)
        write_master(*given)

    monkeypatch.setattr(luma_studio.export, "write_master", waiting)
    panel = AudioPlayers(session)
    panel.do_export(["master.mp3"])
    assert begun.wait(60)
    session.edit(lambda production: production.tune({0: 4.0}))
    edited.set()
    assert session._works["export"].wait(60)
    assert current(panel) == {"master.mp3": False}


def test_peaks_that_keep_a_master_quiet_are_told(session):
    session.begin("calm", SCRIPT, loudness=-5.0)
    panel = AudioPlayers(session)
    export(panel)
    level = shown(panel)["masters"][0]["level"]
    assert level["limited"]
    assert level["peak"] == pytest.approx(session.production.choices.true_peak, abs=0.02)
    assert level["loudness"] < -5.5


def test_an_export_of_the_command_line_is_current_until_an_edit_is_saved(session):
    panel = AudioPlayers(session)
    session.production.export("master.mp3")
    assert current(panel) == {"master.mp3": True}
    session.edit(lambda production: production.tune({0: 4.0}))
    assert current(panel) == {"master.mp3": False}
    export(panel)
    session.production.export("master.mp3")  # again, by another program: what was kept is of another file
    assert current(panel) == {"master.mp3": True}


@pytest.mark.parametrize("name", ["../master.mp3", "/tmp/master.mp3", "a\0.mp3", ".mp3", "con.mp3", "a/b.wav"])
def test_a_name_that_leads_elsewhere_is_refused_before_anything_begins(session, name):
    with pytest.raises(UnsafeNameError):
        AudioPlayers(session).do_export([name])
    assert session.works() == []


@pytest.mark.parametrize("name", ["master.ogg", "master", "scene_1__0123abcd.mp3"])
def test_a_format_or_name_that_no_master_has_is_refused(session, name):
    with pytest.raises(SettingError):
        AudioPlayers(session).do_export([name])


def test_a_file_comes_in_parts_that_make_the_whole(session):
    panel = AudioPlayers(session)
    export(panel)
    whole = (session.production.folder / "master.mp3").read_bytes()
    got = b""
    while True:
        told, [part] = panel.do_part("master.mp3", len(got), 10_000)
        got += part
        assert told["total"] == len(whole)
        if len(got) == len(whole):
            break
        assert len(part) == 10_000
    assert got == whole


def test_a_file_that_was_written_anew_meanwhile_is_seen_to_be_another(session):
    panel = AudioPlayers(session)
    export(panel)
    path = session.production.folder / "master.mp3"
    before, _ = panel.do_part("master.mp3", 0, 100)
    os.utime(path, (1, 1))
    after, _ = panel.do_part("master.mp3", 100, 100)
    assert before["changed"] != after["changed"]


def test_no_part_is_larger_than_a_message_may_be(session):
    (session.production.folder / "master.wav").write_bytes(bytes(6 << 20))
    _, [part] = AudioPlayers(session).do_part("master.wav", 0, 1 << 30)
    assert len(part) == 4 << 20


@pytest.mark.parametrize("name", ["../calm/production.json", "/etc/passwd", "a\0b", "..", ".export.lock", ""])
def test_only_files_of_the_production_are_read(session, name):
    with pytest.raises(UnsafeNameError):
        AudioPlayers(session).do_part(name, 0, 100)


def test_a_link_is_not_followed(session, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    (session.production.folder / "master.wav").symlink_to(secret)
    with pytest.raises(UnsafeNameError):
        AudioPlayers(session).do_part("master.wav", 0, 100)


def test_a_file_that_is_gone_is_told_in_a_sentence(session):
    with pytest.raises(StoreError, match="does not exist"):
        AudioPlayers(session).do_part("master.mp3", 0, 100)


@pytest.mark.parametrize("damage", [b"", b"[]", b"{", b'{"file": 1}', b"\xff\xfe", b"[" * 100_000])
def test_damaged_files_beside_a_master_leave_the_players_as_they_are(session, damage):
    panel = AudioPlayers(session)
    export(panel)
    for name in ("audit.json", "chapters.json", ".sounds.json"):
        (session.production.folder / name).write_bytes(damage)
    state = shown(panel)
    assert state["audit"] is None
    assert [each["name"] for each in state["masters"]] == ["master.mp3"]
    assert [each["title"] for each in state["scenes"]] == ["scene_1", "scene_2"]


PAUSE = {"finding": True, "text": "Breathe in.", "at": 1.5, "asked": 2.0, "found": 2.5}


@pytest.mark.parametrize(
    "pauses",
    [[1, None, "x"], [{}], [{**PAUSE, "found": "much"}], [{**PAUSE, "at": float("nan")}], [{"finding": True}]],
)
def test_of_a_damaged_audit_is_shown_what_can_be_read(session, pauses):
    panel = AudioPlayers(session)
    export(panel)
    audit = {"file": "master.mp3", "summary": "One pause is off.", "pauses": [*pauses, PAUSE]}
    audit["sha256"] = luma_studio.export.checksum(session.production.folder / "master.mp3")
    (session.production.folder / "audit.json").write_text(json.dumps(audit), encoding="utf-8")
    (session.production.folder / "chapters.json").write_text('{"chapters": [1, {"id": 2}]}', encoding="utf-8")
    state = shown(panel)
    shown_pause = {key: value for key, value in PAUSE.items() if key != "finding"}
    assert state["audit"] == {
        "file": "master.mp3", "summary": "One pause is off.", "findings": [shown_pause], "more": 0, "current": True,
    }  # fmt: skip
    assert [each["title"] for each in state["scenes"]] == ["scene_1", "scene_2"]


def test_a_folder_where_the_audit_is_meant_leaves_the_players_as_they_are(session):
    panel = AudioPlayers(session)
    export(panel)
    (session.production.folder / "audit.json").unlink()
    (session.production.folder / "audit.json").mkdir()
    assert shown(panel)["audit"] is None
    assert [each["name"] for each in shown(panel)["masters"]] == ["master.mp3"]


def test_silence_has_no_loudness_and_breaks_nothing(studio):
    class Silent(FakeVoice):
        async def speak(self, utterance, account, hear=None):
            speech = await super().speak(utterance, account)
            speech.samples[:] = 0
            return speech

    give(studio, Silent())
    asyncio.run(studio.production("quiet", SCRIPT).speak())
    with Session(studio) as session:
        session.open("quiet")
        panel = AudioPlayers(session)
        export(panel, "master.wav")
        assert shown(panel)["masters"][0]["level"]["loudness"] is None


def test_stopping_an_export_leaves_no_half_file(session):
    panel = AudioPlayers(session)
    panel.do_export(["master.wav"])
    panel.do_stop()
    assert session._works["export"].wait(60)
    assert session.works()[0]["status"] in ("stopped", "done")
    assert not [path for path in session.production.folder.iterdir() if path.name.endswith(".part")]


def test_an_audit_is_shown_only_for_the_very_file_it_measured(session, tmp_path):
    panel = AudioPlayers(session)
    export(panel)
    master = session.production.folder / "master.mp3"
    whole = master.read_bytes()
    assert shown(panel)["audit"]["file"] == "master.mp3"
    os.utime(master, (1, 1))  # a copy of the folder: other times, the same sound
    assert shown(panel)["audit"]["file"] == "master.mp3"
    master.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # as long as before, and not what was measured
    assert shown(panel)["audit"] is None
    master.write_bytes(whole)
    assert shown(panel)["audit"]["file"] == "master.mp3"
    master.unlink()
    assert shown(panel)["audit"] is None


@pytest.mark.parametrize("name", ["../other/master.mp3", "/etc/passwd", ".sounds.json", "", "gone.mp3"])
def test_an_audit_that_names_another_file_is_not_shown(session, name):
    panel = AudioPlayers(session)
    export(panel)
    path = session.production.folder / "audit.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "file": name}), encoding="utf-8")
    assert shown(panel)["audit"] is None


def test_an_audit_of_a_master_that_is_older_says_so(session):
    panel = AudioPlayers(session)
    export(panel)
    assert shown(panel)["audit"]["current"]
    session.edit(lambda production: production.tune({0: 4.0}))
    assert not shown(panel)["audit"]["current"]


def beside(panel: AudioPlayers) -> dict[str, bool]:
    return {file["name"]: file["current"] for file in shown(panel)["beside"]}


def test_captions_chapters_and_audit_are_marked_with_the_edit_that_makes_them_older(session):
    panel = AudioPlayers(session)
    export(panel)
    assert set(beside(panel).values()) == {True}
    session.edit(lambda production: production.tune({0: 4.0}))
    assert set(beside(panel).values()) == {False}
    session.edit(lambda production: production.undo())
    assert set(beside(panel).values()) == {True}


def stop_before_the_scenes(panel: AudioPlayers, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    def stopped(*_: object) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(luma_studio.export, "write_scenes", stopped)
        panel.do_export(list(names))
        assert panel.session._works["export"].wait(60)
    assert panel.session._works["export"].state()["status"] == "stopped"


def test_a_stopped_export_says_which_files_are_new_and_which_are_from_before(session, monkeypatch):
    panel = AudioPlayers(session)
    export(panel, "master.mp3", "master.wav")
    assert shown(panel)["new"] is None
    session.edit(lambda production: production.tune({0: 4.0}))
    stop_before_the_scenes(panel, monkeypatch, "master.mp3")
    state = shown(panel)
    assert state["new"] == ["master.mp3"]
    assert current(panel) == {"master.mp3": True, "master.wav": False}
    assert set(beside(panel).values()) == {False}
    assert (state["current"], state["audit"]) == (False, None)
    export(panel, "master.mp3")
    assert (shown(panel)["new"], shown(panel)["current"]) == (None, True)


def test_how_the_files_of_a_stopped_export_sound_is_known_after_an_edit_and_its_undo(session, monkeypatch):
    panel = AudioPlayers(session)
    session.edit(lambda production: production.tune({0: 4.0}))
    stop_before_the_scenes(panel, monkeypatch, "master.mp3")
    session.edit(lambda production: production.tune({0: 5.0}))
    assert current(panel) == {"master.mp3": False}
    session.edit(lambda production: production.undo())
    assert current(panel) == {"master.mp3": True}


def test_what_is_new_of_one_production_is_not_told_of_another(session, monkeypatch):
    panel = AudioPlayers(session)
    stop_before_the_scenes(panel, monkeypatch, "master.mp3")
    session.begin("other", SCRIPT)
    assert shown(panel)["new"] is None


def test_what_changes_is_told_without_its_contents(session):
    panel = AudioPlayers(session)
    sent: list[Any] = []
    panel.send = lambda content, buffers=None: sent.append(content)
    session.edit(lambda production: production.tune({0: 4.0}))
    session.tell("files", None)
    assert sent == [{"topic": "pauses", "value": None}, {"topic": "files", "value": None}]


def test_a_production_alone_is_exported_and_heard(session, studio):
    session.leave()
    with Session(production=studio.production("calm")) as alone:
        panel = AudioPlayers(alone)
        export(panel)
        assert current(panel) == {"master.mp3": True}


def test_an_error_is_one_sentence_for_the_page(session):
    panel = AudioPlayers(session)
    sent: list[Any] = []
    panel.send = lambda content, buffers=None: sent.append(content)
    panel._asked(None, {"ask": "1", "verb": "export", "with": {"masters": ["a/b.mp3"]}}, [])
    assert sent[0]["kind"] == "UnsafeNameError"
    assert issubclass(UnsafeNameError, LumaError)
