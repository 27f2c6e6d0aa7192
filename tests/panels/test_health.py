"""The panel of what is ready: tried in the background, told once, without a secret."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from luma_studio import Studio
from luma_studio.health import Engine
from luma_studio.panels import health as module
from luma_studio.panels.health import Health
from luma_studio.panels.session import Session


@pytest.fixture
def session(studio: Studio) -> Iterator[Session]:
    with Session(studio) as session:
        yield session


def told(panel: Any) -> queue.Queue[dict[str, Any]]:
    """What the panel sends from now on."""
    sent: queue.Queue[dict[str, Any]] = queue.Queue()
    panel.send = lambda content, buffers=None: sent.put(json.loads(json.dumps(content)))
    return sent


def test_the_first_look_tries_every_engine_and_tells(session):
    panel = Health(session)
    sent = told(panel)
    assert panel.do_state() is None
    message = sent.get(timeout=30)
    engines = message["value"]["engines"]
    assert message["topic"] == "health"
    assert {"espeak-ng", "LAME", "Workspace"} <= {engine["name"] for engine in engines}
    assert all(engine["ready"] and engine["detail"] and not engine["remedy"] for engine in engines)
    assert panel.do_state() == engines  # known by now; nothing is tried again


def test_asking_answers_at_once_and_twice_tries_once(session, monkeypatch):
    going, tries = threading.Event(), []

    def slow(studio: Studio) -> tuple[Engine, ...]:
        tries.append(studio)
        assert going.wait(30)
        return (Engine("LAME", "MP3", True, "Encodes MP3.", ""),)

    monkeypatch.setattr(module, "health", slow)
    panel = Health(session)
    sent = told(panel)
    panel.do_check()
    panel.do_check()
    assert panel.do_state() is None
    going.set()
    assert [engine["name"] for engine in sent.get(timeout=30)["value"]["engines"]] == ["LAME"]
    assert tries == [session.studio]
    panel.do_check()  # and again when it is wanted
    assert sent.get(timeout=30)["topic"] == "health"
    assert len(tries) == 2


def test_an_engine_that_lacks_something_says_what_and_the_remedy(workspace):
    (workspace / "generated_audio").write_text("in the way", encoding="utf-8")
    with Studio(workspace) as studio, Session(studio) as session:
        panel = Health(session)
        sent = told(panel)
        panel.do_check()
        engines = {engine["name"]: engine for engine in sent.get(timeout=30)["value"]["engines"]}
    assert not engines["Workspace"]["ready"]
    assert engines["Workspace"]["remedy"]


def test_a_fault_of_the_studio_is_told_and_does_not_leave_the_page_waiting(session, monkeypatch, caplog):
    def broken(studio: Studio) -> tuple[Engine, ...]:
        raise RuntimeError("no idea")

    monkeypatch.setattr(module, "health", broken)
    panel = Health(session)
    sent = told(panel)
    panel.do_check()
    assert "no idea" in sent.get(timeout=30)["value"]["error"]
    assert "could not be tried" in caplog.text


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ELEVENLABS_API_KEY", "LUMA_SECRET"])
def test_no_secret_reaches_the_page(session, monkeypatch, name):
    monkeypatch.setenv(name, "sk-very-secret-4711")
    panel = Health(session)
    sent = told(panel)
    panel.do_check()
    assert "4711" not in json.dumps(sent.get(timeout=30))


def test_a_production_alone_has_its_own_workspace_tried(studio, workspace):
    production = studio.production("calm", "Close your eyes.")
    with Session(production=production) as session:
        panel = Health(session)
        sent = told(panel)
        panel.do_check()
        engines = {engine["name"]: engine for engine in sent.get(timeout=30)["value"]["engines"]}
    assert str(workspace.resolve()) in engines["Workspace"]["detail"]
