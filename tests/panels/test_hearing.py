"""Sound that a page plays while it comes: one question, one answer, until the end."""

from __future__ import annotations

import asyncio
import queue
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from helpers.fakes import FakeVoice, give
from helpers.hearing import PATIENCE, all_of
from helpers.vendors import Fault, spoken

from luma_studio.errors import Stopped, VendorError, VoiceError
from luma_studio.panels import heard as heard_module
from luma_studio.panels.heard import Heard
from luma_studio.panels.pause_timeline import PauseTimeline
from luma_studio.panels.script_editor import ScriptEditor
from luma_studio.panels.session import Session
from luma_studio.studio import Studio

RACHEL = "elevenlabs:21m00Tcm4TlvDq8ikWAM,format=pcm_44100"
LONG = "Close your eyes, and let each breath be a little slower than the one before."
SCRIPT = f"{LONG} (2 sec)\nLet it go.\n"
SOUND = spoken(LONG, 44100, voice="21m00Tcm4TlvDq8ikWAM").samples


@pytest.fixture
def session(workspace: Any, vendors: Any) -> Any:
    with Studio(workspace) as studio, Session(studio) as session:
        session.begin("calm", SCRIPT, voice=RACHEL)
        yield session


class Page:
    """What asks a panel, as a page does, and has the answers by their questions' names."""

    def __init__(self, panel: Any) -> None:
        self.panel = panel
        self.answers: queue.Queue[tuple[dict[str, Any], list[bytes]]] = queue.Queue()
        panel.send = lambda content, buffers=None: self.answers.put((content, buffers or []))

    def ask(self, verb: str, **given: Any) -> None:
        self.panel._asked(self.panel, {"ask": verb, "verb": verb, "with": given}, [])

    def answer(self) -> tuple[dict[str, Any], list[bytes]]:
        while True:
            content, buffers = self.answers.get(timeout=PATIENCE)
            if "re" in content:
                return content, buffers

    def asked(self, verb: str, **given: Any) -> Any:
        self.ask(verb, **given)
        content, _ = self.answer()
        assert content["re"] == verb
        return content["value"]


def begun(session: Session, which: str) -> tuple[Page, str]:
    """A page that has begun to hear the long clause, by this panel."""
    if which == "timeline":
        page = Page(PauseTimeline(session))
        return page, page.asked("hear", clause=0, production="calm")
    page = Page(ScriptEditor(session))
    return page, page.asked("hear", text=LONG, language="en", voice=RACHEL)


PANELS = pytest.mark.parametrize("which", ["timeline", "editor"])


@PANELS
def test_pieces_are_answered_while_the_vendor_still_sends_and_the_panel_answers_others_meanwhile(
    session: Session, vendors: Any, which: str
) -> None:
    vendors.misbehave(Fault(how="hang in body", at=2))  # after one line, which is told at once
    page, key = begun(session, which)
    page.ask("hear_more", key=key)
    content, [first] = page.answer()
    assert (content["value"]["rate"], content["value"]["ended"]) == (44100, False)
    assert len(first) // 2 >= 0.25 * 44100
    page.ask("hear_more", key=key)  # nothing more comes until the vendor goes on
    assert page.asked("ping") == "here"
    assert page.panel.do_state()
    vendors.release()
    content, [rest] = page.answer()
    heard = [np.frombuffer(data, "<i2") for data in (first, rest)]
    if not content["value"]["ended"]:
        heard.append(all_of(page.panel, key)[0])
    assert np.array_equal(np.concatenate(heard), SOUND)
    assert vendors.bought == {LONG: 1}


@PANELS
def test_an_error_is_the_answer_after_what_was_heard_before_it(session: Session, vendors: Any, which: str) -> None:
    vendors.misbehave(Fault(how="cut in body"))
    page, key = begun(session, which)
    heard = 0
    while True:
        page.ask("hear_more", key=key)
        content, buffers = page.answer()
        if "error" in content:
            break
        assert not content["value"]["ended"]
        heard += len(buffers[0]) // 2
    assert "ElevenLabs broke the connection off" in content["error"]
    assert 0.25 * 44100 <= heard < len(SOUND)
    assert page.asked("hear_more", key=key) == {"rate": 0, "ended": True}  # it is told once


def test_a_clause_that_was_heard_is_kept_and_is_another_take_the_next_time(session: Session, vendors: Any) -> None:
    panel = PauseTimeline(session)
    for _ in range(2):
        key = panel.do_hear(0)
        assert key is not None
        all_of(panel, key)
        _wait_for_work(session)
    assert [take.seed for take in session.production.takes(0)] == [0, 1]
    assert session.production.takes(1) == ()
    assert len(vendors.seen("/stream/with-timestamps")) == 2


def _wait_for_work(session: Session) -> None:
    for work in session._works.values():
        assert work.wait(PATIENCE)


def test_the_embedded_voice_speaks_as_before_all_that_is_unspoken_or_one_clause_again(studio: Studio) -> None:
    voice = FakeVoice()
    give(studio, voice)
    with Session(studio) as session:
        session.begin("embedded", SCRIPT)
        panel = PauseTimeline(session)
        assert panel.do_hear(0) is None
        _wait_for_work(session)
        assert voice.spoken == {LONG: 1, "Let it go.": 1}
        assert panel.do_hear(0) is None
        _wait_for_work(session)
        assert voice.spoken == {LONG: 2, "Let it go.": 1}


def test_what_is_asked_for_while_speaking_is_on_its_way_is_refused_and_begins_nothing(
    session: Session, vendors: Any
) -> None:
    vendors.misbehave(Fault(how="hang in body", at=2))
    page, key = begun(session, "timeline")
    _, [first] = page.panel.do_hear_more(key)  # the vendor sends no more until it is released
    page.ask("hear", clause=1, production="calm")
    content, _ = page.answer()
    assert "already on its way" in content["error"]
    vendors.release()
    assert np.array_equal(np.concatenate([np.frombuffer(first, "<i2"), all_of(page.panel, key)[0]]), SOUND)
    assert vendors.bought == {LONG: 1}


def test_a_clause_of_a_production_that_was_left_is_not_spoken(session: Session, vendors: Any) -> None:
    page = Page(PauseTimeline(session))
    page.ask("hear", clause=0, production="another")
    assert "another is not open any more" in page.answer()[0]["error"]
    assert not vendors.requests


def test_a_wrong_voice_is_told_to_who_listens(session: Session) -> None:
    panel = ScriptEditor(session)
    with pytest.raises(VendorError):
        all_of(panel, panel.do_hear("Hello.", "en", "elevenlabs:NobodyHasThisVoice00"))


# One sound


def tone(length: int) -> Any:
    return np.arange(length, dtype=np.int16)


def test_pieces_that_came_between_two_questions_are_one_answer() -> None:
    heard = Heard()
    heard.hear(tone(3), 8000)
    heard.hear(tone(2), 8000)
    assert heard.more() == ({"rate": 8000, "ended": False}, [np.array([0, 1, 2, 0, 1], "<i2").tobytes()])


def test_a_question_waits_for_sound_and_is_answered_without_any_after_a_while(monkeypatch: Any) -> None:
    heard = Heard()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(heard.more)
        heard.hear(tone(1), 8000)
        assert asking.result(PATIENCE) == ({"rate": 8000, "ended": False}, [b"\0\0"])
    monkeypatch.setattr(heard_module, "_WAIT", 0.01)
    assert heard.more() == ({"rate": 8000, "ended": False}, [b""])


def test_the_end_is_told_with_the_last_piece_and_an_error_after_it() -> None:
    good, bad = Heard(), Heard()
    with good.until_its_end():
        good.hear(tone(1), 8000)
    with pytest.raises(VoiceError), bad.until_its_end():
        bad.hear(tone(1), 8000)
        raise VoiceError("hoarse")
    assert good.more()[0]["ended"]
    assert not bad.more()[0]["ended"]
    with pytest.raises(VoiceError, match="hoarse"):
        bad.more()


@pytest.mark.parametrize("error", [Stopped(), None])
def test_what_was_stopped_has_ended_and_is_no_error(error: Any) -> None:
    heard = Heard()
    try:
        with heard.until_its_end():
            if error:
                raise error
    except Stopped:
        pass
    assert heard.more() == ({"rate": 0, "ended": True}, [b""])


def test_pieces_are_dropped_when_nobody_has_asked_for_a_while(session: Session, vendors: Any, monkeypatch: Any) -> None:
    now = 0.0
    monkeypatch.setattr(heard_module.time, "monotonic", lambda: now)
    panel = ScriptEditor(session)
    heard = Heard()
    kept = panel._hearing(lambda new: None)
    heard.hear(tone(5), 8000)
    assert heard._pieces
    now = 31.0
    heard.hear(tone(5), 8000)
    assert not heard._pieces
    other = panel._hearing(lambda new: new.hear(tone(1), 8000))
    assert set(panel._heard) == {other}
    assert panel.do_hear_more(kept) == ({"rate": 0, "ended": True}, [b""])


def test_a_listener_on_another_loop_disturbs_nothing(session: Session) -> None:
    """As in a notebook's cell: the production is spoken there while a panel looks on."""

    async def cell() -> None:
        heard = Heard()
        with heard.until_its_end():
            await session.production.speak_again(0, hear=heard.hear)
        answer, [data] = heard.more()
        assert answer == {"rate": 44100, "ended": True}
        assert np.array_equal(np.frombuffer(data, "<i2"), SOUND)

    asyncio.run(cell())
