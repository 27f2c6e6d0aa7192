"""The panel of hot takes: who there is, what is missing, made step by step and heard, edited, listed; recordings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.camera import Camera, given
from helpers.hearing import all_of
from helpers.recordings import record
from helpers.vendors import Vendors

from luma_studio import Studio
from luma_studio.errors import FileTooLargeError, InputError, LumaError, NoMindError, SettingError, UnsafeNameError
from luma_studio.panels.persona_studio import PersonaStudio
from luma_studio.panels.session import Session

GOOD = (
    "It is a charming thought, and somebody has costed the bowl and not the cat. A cat has no pocket, no thumb and no "
    "interest. Show me one owner who pays twice."
)
TYPED: dict[str, Any] = {"persona": "otto", "text": "It is a charming thought. Show me one owner who pays twice."}


@pytest.fixture
def panel(studio: Studio) -> Iterator[PersonaStudio]:
    with Session(studio) as session:
        yield PersonaStudio(session)


def ended(panel: PersonaStudio) -> dict[str, Any]:
    """The hot take that was made last."""
    work = panel.session.aside("hot take")
    assert work is not None
    assert work.wait(60)
    assert work.state()["error"] is None
    return panel.do_state()["takes"][0]


def test_it_tells_who_there_is_and_what_keeps_what_from_being_done(panel):
    state = panel.do_state()
    assert [each["id"] for each in state["personas"]] == ["asha", "otto", "juno"]
    assert all(each["pictured"] for each in state["personas"])
    assert "LUMA_MIND" in state["no_mind"]
    assert "LUMA_TRANSCRIBER" in state["no_transcriber"]
    (picture,) = panel.do_picture("otto")[1]
    assert picture.startswith(b"\xff\xd8")


def test_typed_words_are_heard_while_they_are_spoken_and_can_be_fetched(panel):
    told: list[tuple[str, Any]] = []
    panel.session.listen(lambda topic, value: told.append((topic, value)))
    answer = panel.do_make("speak", brief=TYPED)
    samples, rate = all_of(panel, answer["key"])
    made = ended(panel)
    assert rate > 0
    assert np.abs(samples).max() > 1000
    assert (made["name"], made["mind"], made["by_hand"]) == (answer["name"], "", True)
    assert {step: each["state"] for step, each in made["steps"].items()} == {
        "transcribe": "skipped", "write": "skipped", "speak": "done", "film": "waiting",
    }  # fmt: skip
    part, (data,) = panel.do_part(made["name"], made["files"]["speak"]["name"], 0, 1 << 20)
    assert (len(data), part["total"]) == (made["files"]["speak"]["bytes"],) * 2
    steps = [value["steps"]["speak"]["state"] for topic, value in told if topic == "hot_take"]
    assert steps[-2:] == ["running", "done"]


def test_words_are_edited_between_writing_and_speaking_and_it_is_filmed(panel, vendors, monkeypatch, workspace):
    vendors.mind = lambda _request: json.dumps({"text": GOOD})
    monkeypatch.setenv("LUMA_MIND", "openai:gpt-5.5")
    given(Camera("0"), monkeypatch)
    with Studio(workspace) as studio, Session(studio) as session:
        panel = PersonaStudio(session)
        studio.personas.change("otto", elevenlabs_voice_id=None)
        name = panel.do_make("write", brief={"persona": "otto", "pitch": "An app for cats.", "seconds": 10})["name"]
        written = ended(panel)
        assert (written["text"], written["by_hand"]) == (GOOD, False)
        edited = panel.do_edit(name, f"{GOOD} Good night.")
        assert (edited["by_hand"], edited["mind"]) == (True, "openai:gpt-5.5")
        panel.do_make("film", name=name)
        assert set(ended(panel)["files"]) == {"speak", "film"}
        assert vendors.thought == {"openai": 1}


def test_what_is_missing_is_told_when_it_is_quoted_and_nothing_is_begun(panel):
    with pytest.raises(NoMindError):
        panel.do_quote("film", brief={"persona": "otto", "pitch": "An app for cats."})
    with pytest.raises(InputError, match="Seconds cannot be 'long'"):
        panel.do_quote("film", brief={**TYPED, "seconds": "long"})
    assert [(each["step"], each["cost"]) for each in panel.do_quote("film", brief=TYPED)] == [
        ("speak", "0"),
        ("film", "0"),
    ]
    assert panel.do_state()["takes"] == []


def test_what_goes_wrong_is_the_works_and_the_sound_ends(panel):
    key = panel.do_make("film", brief={"persona": "otto", "pitch": "An app for cats."})["key"]
    with pytest.raises(LumaError, match="Writing needs a mind"):
        all_of(panel, key)
    work = panel.session.aside("hot take")
    assert work is not None
    assert work.wait(30)
    assert (work.state()["status"], "Writing needs a mind" in work.state()["error"]) == ("failed", True)


def test_only_its_sound_and_its_film_are_given_out(panel):
    with pytest.raises(SettingError, match="no file"):
        panel.do_part("calm", "production.json", 0, 100)


# Recordings


def test_a_recording_comes_in_pieces_and_is_transcribed(workspace, vendors: Vendors, monkeypatch):
    monkeypatch.setenv("LUMA_TRANSCRIBER", "openai:whisper-1")
    data = record(workspace / "pitch.wav", [(0.2, "we sell water")], 3.0).read_bytes()
    with Studio(workspace) as studio, Session(studio) as session:
        panel, half = PersonaStudio(session), len(data) // 2
        assert panel.do_put_recording("a", "pitch.wav", len(data), 0, data[:half]) is None
        name = panel.do_put_recording("a", "pitch.wav", len(data), half, data[half:])
        assert (workspace / "recordings" / name).read_bytes() == data
        panel.do_make("transcribe", brief={"persona": "otto", "recording": name})
        assert ended(panel)["pitch"] == "we sell water"


def test_two_recordings_of_one_name_are_both_kept_and_nothing_half_is_left(panel, workspace):
    assert panel.do_put_recording("a", "pitch.wav", 4, 0, b"abcd") == "pitch.wav"
    assert panel.do_put_recording("b", "pitch.wav", 4, 0, b"ab") is None
    assert panel.do_put_recording("c", "pitch.wav", 4, 0, b"efgh") == "pitch-2.wav"
    assert sorted(path.name for path in (workspace / "recordings").iterdir()) == ["pitch-2.wav", "pitch.wav"]


@pytest.mark.parametrize("pieces", [[("a", 2, b"cd")], [("a", 0, b"ab"), ("b", 2, b"cd")], [("a", 0, b"abcdef")]])
def test_pieces_that_do_not_follow_are_refused(panel, pieces):
    with pytest.raises(SettingError, match="did not arrive whole"):
        for key, start, data in pieces:
            panel.do_put_recording(key, "pitch.wav", 4, start, data)


def test_a_recording_that_is_too_large_or_empty_need_not_be_sent(panel, monkeypatch):
    monkeypatch.setenv("MAX_FILE_SIZE_MB", "1")
    with pytest.raises(FileTooLargeError, match="MAX_FILE_SIZE_MB"):
        panel.do_put_recording("a", "talk.mp4", 2_000_000, 0, b"abcd")
    with pytest.raises(SettingError, match="is empty"):
        panel.do_put_recording("a", "talk.mp4", 0, 0, b"")


def test_a_recording_out_of_its_folder_is_never_read(panel):
    with pytest.raises(UnsafeNameError):
        panel.do_quote("film", brief={"persona": "otto", "recording": "../secret.wav"})
