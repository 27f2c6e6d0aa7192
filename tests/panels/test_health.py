"""The panel of what is ready: tried in a thread, told as it is, without a secret."""

from __future__ import annotations

import json
import queue
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


def asked(panel: Any) -> dict[str, Any]:
    """What the page is answered when it asks for a check."""
    sent: queue.Queue[dict[str, Any]] = queue.Queue()
    panel.send = lambda content, buffers=None: sent.put(json.loads(json.dumps(content)))
    panel._asked(panel, {"ask": "1", "verb": "check", "with": {}}, [])
    return sent.get(timeout=30)


def test_every_engine_is_tried_and_told(session):
    engines = asked(Health(session))["value"]
    assert {"espeak-ng", "LAME", "Workspace"} <= {engine["name"] for engine in engines}
    assert all(each["ready"] and each["detail"] and not each["remedy"] for each in engines if each["needed"])


def test_an_engine_that_lacks_something_says_what_and_the_remedy(workspace):
    (workspace / "generated_audio").write_text("in the way", encoding="utf-8")
    with Studio(workspace) as studio, Session(studio) as session:
        engines = {engine["name"]: engine for engine in asked(Health(session))["value"]}
    assert not engines["Workspace"]["ready"]
    assert engines["Workspace"]["remedy"]


def test_a_fault_of_the_studio_is_told_and_does_not_leave_the_page_waiting(session, monkeypatch, caplog):
    def broken(studio: Studio) -> tuple[Engine, ...]:
        raise RuntimeError("no idea")

    monkeypatch.setattr(module, "health", broken)
    assert "no idea" in asked(Health(session))["error"]
    assert "could not answer" in caplog.text


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ELEVENLABS_API_KEY", "LUMA_SECRET"])
def test_no_secret_reaches_the_page(session, vendors, monkeypatch, name):
    monkeypatch.setenv(name, "sk-very-secret-4711")
    assert "4711" not in json.dumps(asked(Health(session)))


def test_a_production_alone_has_its_own_workspace_tried(studio, workspace):
    production = studio.production("calm", "Close your eyes.")
    with Session(production=production) as session:
        engines = {engine["name"]: engine for engine in asked(Health(session))["value"]}
    assert str(workspace.resolve()) in engines["Workspace"]["detail"]
