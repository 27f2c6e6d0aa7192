"""The panel of what is on its way: clauses, scenes, costs, failures."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.fakes import FakeVoice, give

from luma_studio import Studio
from luma_studio.panels.audio_library import AudioLibrary
from luma_studio.panels.audio_players import AudioPlayers
from luma_studio.panels.productions import Productions
from luma_studio.panels.render_status import RenderStatus
from luma_studio.panels.script_editor import ScriptEditor
from luma_studio.panels.session import Session

SCRIPT = "Arriving\nClose your eyes. (2 sec)\nBreathe in.\n\nLeaving\nOpen your eyes.\nBreathe in.\n"


@pytest.fixture
def voice(studio: Studio) -> FakeVoice:
    voice = FakeVoice()
    give(studio, voice)
    return voice


@pytest.fixture
def session(studio: Studio, voice: FakeVoice) -> Iterator[Session]:
    with Session(studio) as session:
        yield session


def told(panel: Any) -> list[dict[str, Any]]:
    """What the panel sends from now on."""
    sent: list[dict[str, Any]] = []
    panel.send = lambda content, buffers=None: sent.append(json.loads(json.dumps(content)))
    return sent


def finished(session: Session, kind: str = "speak") -> None:
    assert session._works[kind].wait(30)


def test_without_a_production_it_says_so(session):
    assert RenderStatus(session).do_state() == {"production": None, "works": []}


def test_it_tells_every_clause_with_its_scene_and_what_speaking_would_cost(session):
    session.begin("calm", SCRIPT)
    shown = RenderStatus(session).do_state()["production"]
    assert shown["texts"] == ["Close your eyes.", "Breathe in.", "Open your eyes.", "Breathe in."]
    assert [(scene["title"], scene["first"], scene["last"]) for scene in shown["scenes"]] == [
        ("Arriving", 0, 2),
        ("Leaving", 2, 4),
    ]
    assert shown["spoken"] == [False] * 4
    assert (shown["to_speak"], shown["cost"]) == (
        3,
        "0.42",
    )  # the same words are bought once: 16 + 11 + 15 characters at a cent


def test_after_speaking_it_tells_what_was_bought_and_not_more(session):
    session.begin("calm", SCRIPT)
    panel = RenderStatus(session)
    panel.do_speak()
    finished(session)
    shown = panel.do_state()["production"]
    assert shown["spoken"] == [True] * 4
    assert (shown["spent"], shown["to_speak"], shown["cost"]) == ("0.42", 0, "0")


def test_what_was_here_already_cost_nothing(session):
    session.begin("calm", SCRIPT)
    session.speak()
    finished(session)
    session.begin("other", SCRIPT + "One more.\n")
    session.speak()
    finished(session)
    assert RenderStatus(session).do_state()["production"]["spent"] == "0.09"


def test_a_clause_spoken_again_is_paid_for_beside_the_others(session):
    session.begin("calm", SCRIPT)
    session.speak()
    finished(session)
    session.speak_again(1, seed=7)
    finished(session)
    assert RenderStatus(session).do_state()["production"]["spent"] == "0.53"


def test_failures_come_with_their_reason_and_trying_again_asks_only_for_them(session, voice):
    session.begin("calm", SCRIPT)
    panel = RenderStatus(session)
    voice.failing = {"Open your eyes."}
    panel.do_speak()
    finished(session)
    work = panel.do_state()["works"][0]
    assert work["status"] == "failed"
    failed = [clause for clause in work["clauses"] if clause[1] == "failed"]
    assert failed == [[2, "failed", "The fake voice could not speak 'Open your eyes.'."]]
    voice.failing = set()
    panel.do_speak()
    finished(session)
    assert panel.do_state()["works"][0]["status"] == "done"
    assert voice.spoken == {"Close your eyes.": 1, "Breathe in.": 1, "Open your eyes.": 2}


def test_a_change_of_the_production_is_told_without_its_contents(session):
    panel = RenderStatus(session)
    sent = told(panel)
    session.begin("calm", SCRIPT)
    assert {"topic": "production", "value": "calm"} in sent


def test_work_is_told_as_it_goes(session):
    session.begin("calm", SCRIPT)
    panel = RenderStatus(session)
    sent = told(panel)
    panel.do_speak()
    finished(session)
    works = [message["value"] for message in sent if message["topic"] == "work"]
    assert works[-1]["status"] == "done"
    assert [outcome for _, outcome, _ in works[-1]["clauses"]] == ["done"] * 4


def test_stopping_what_is_not_on_its_way_does_nothing(session):
    session.begin("calm", SCRIPT)
    panel = RenderStatus(session)
    panel.do_stop("speak")
    panel.do_stop("nothing")
    assert panel.do_state()["works"] == []


def test_two_thousand_clauses_are_one_small_message(session):
    session.begin("long", "\n".join(f"Clause number {index} of many." for index in range(2000)))
    panel = RenderStatus(session)
    shown = panel.do_state()["production"]
    assert len(shown["texts"]) == 2000
    assert len(json.dumps(shown)) < 1_000_000


@pytest.mark.parametrize(
    ("panel", "verb", "given"),
    [
        (RenderStatus, "state", {}),
        (AudioPlayers, "state", {}),
        (AudioLibrary, "state", {}),
        (AudioLibrary, "files", {"production": "calm"}),
        (AudioLibrary, "remove", {"production": "calm", "name": "gone.mp3"}),
        (Productions, "open", {"name": "calm"}),
        (ScriptEditor, "state", {}),
    ],
)
def test_what_takes_its_time_is_answered_from_a_thread(session, monkeypatch, panel, verb, given):
    """The kernel goes on answering others: a panel with a thousand clauses must not hold up a click."""
    session.begin("calm", SCRIPT)
    threads: queue.Queue[int] = queue.Queue()
    made = panel(session)
    monkeypatch.setattr(type(made), f"do_{verb}", lambda self, **given: threads.put(threading.get_ident()))
    made.send = lambda content, buffers=None: None
    made._asked(made, {"ask": "1", "verb": verb, "with": given}, [])
    assert threads.get(timeout=30) != threading.get_ident()
