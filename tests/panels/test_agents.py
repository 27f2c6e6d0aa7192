"""The panel of the agents: their minds, what they would cost, what they decided, and the way back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from helpers.vendors import Request, Vendors

from luma_studio import Studio
from luma_studio.agents import NO_MIND
from luma_studio.errors import SettingError
from luma_studio.panels.agents import Agents
from luma_studio.panels.script_editor import ScriptEditor
from luma_studio.panels.session import Session

MIND = "openai:gpt-5.5"
TALE = "One\nThe bell rings. Who is there, asks Meera. He waits.\n\nTwo\nMeera comes in. (2 sec) Sit down.\n"
ORDER = ["analysis", "sanitizer", "segmentation", "planning", "splice"]


@pytest.fixture
def session(studio: Studio) -> Iterator[Session]:
    with Session(studio) as session:
        session.begin("tale", TALE)
        yield session


@pytest.fixture
def panel(session: Session) -> Agents:
    return Agents(session)


def asks(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.json["messages"][1]["content"])
    return found


def casts(request: Request) -> str:
    clauses = asks(request)["clauses"]
    return json.dumps(
        {
            "clauses": [
                {"clause": each["clause"], "speaker": "Meera", "tags": []}
                for each in clauses
                if each["text"].startswith("Who is there")
            ]
        }
    )


def shown(panel: Agents, agent: str) -> dict[str, Any]:
    state = json.loads(json.dumps(panel.do_state()))  # as the page gets it
    found: dict[str, Any] = next(each for each in state["production"]["agents"] if each["agent"] == agent)
    return found


def finished(session: Session, work: Callable[[], object], kind: str = "think") -> None:
    work()
    assert session._works[kind].wait(30)


def test_without_a_production_there_are_no_agents_but_the_minds_that_are_known(studio):
    with Session(studio) as session:
        state = Agents(session).do_state()
    assert state["production"] is None
    assert MIND in state["known"]


def test_agents_stand_in_the_order_one_works_and_are_the_rules_and_free_where_no_mind_is_chosen(panel):
    found = panel.do_state()["production"]["agents"]
    assert [each["agent"] for each in found] == ORDER
    assert {(each["mind"], each["quote"], each["done"], len(each["decided"])) for each in found} == {("", None, 0, 0)}


def test_a_mind_is_chosen_for_all_and_what_was_spoken_and_tuned_stays(session, panel, vendors):
    finished(session, session.speak, "speak")
    session.production.pauses[0] = 4.0
    before = [take.fingerprint for take in session.production.takes_in_use]
    panel.do_choose(f" {MIND} ")
    assert {each["mind"] for each in panel.do_state()["production"]["agents"]} == {MIND}
    assert [take.fingerprint for take in session.production.takes_in_use] == before
    assert session.production.pauses[0].seconds == 4.0
    panel.do_choose("")
    assert {each["mind"] for each in panel.do_state()["production"]["agents"]} == {""}


def test_a_mind_that_cannot_be_is_refused_with_the_remedy_and_nothing_changes(session, panel):
    before = session.production.choices
    with pytest.raises(SettingError, match=r"names no mind\. Write one of openai, groq"):
        panel.do_choose("gpt-5.5")
    with pytest.raises(SettingError, match="names no mind"):
        panel.do_choose_own("analysis", "nobody")
    assert session.production.choices == before


def test_an_agent_may_have_a_mind_of_its_own_or_the_rules_or_again_the_mind_of_all(panel, vendors):
    panel.do_choose(MIND)
    panel.do_choose_own("splice", "groq:openai/gpt-oss-120b")
    panel.do_choose_own("analysis", "Rules")
    assert (shown(panel, "splice")["mind"], shown(panel, "splice")["own"]) == ("groq:openai/gpt-oss-120b",) * 2
    assert (shown(panel, "analysis")["mind"], shown(panel, "analysis")["own"]) == ("", "rules")
    assert shown(panel, "sanitizer")["own"] == ""
    panel.do_choose_own("analysis", "")
    assert (shown(panel, "analysis")["mind"], shown(panel, "analysis")["own"]) == (MIND, "")


def test_what_an_agent_would_cost_is_told_and_nothing_is_sent_and_once_bought_it_is_here(session, panel, vendors):
    vendors.mind = casts
    panel.do_choose(MIND)
    quote = shown(panel, "analysis")["quote"]
    assert quote["calls"] == 2
    assert float(quote["cost"]) > 0
    assert vendors.requests == []
    finished(session, lambda: panel.do_think("analysis"))
    assert shown(panel, "analysis")["quote"] == {"calls": 0, "cost": "0"}


def test_a_price_that_nobody_knows_is_told_as_such(panel, vendors):
    panel.do_choose("openai:of-my-own")
    assert shown(panel, "analysis")["quote"] == {"calls": 2, "cost": None}


def test_where_there_is_no_key_the_remedy_is_told_before_anything_is_asked(panel):
    panel.do_choose(MIND)
    assert shown(panel, "analysis")["lacks"] == "OpenAI needs a key: put OPENAI_API_KEY=… into .env."


def test_what_agents_cost_is_no_part_of_what_speaking_buys(session, panel, vendors):
    editor = ScriptEditor(session)
    before = editor.do_quote("tale", TALE, {})
    panel.do_choose(MIND)
    assert editor.do_quote("tale", TALE, {}) == before


def test_speakers_are_found_told_with_who_decided_and_taken_back(session, panel, vendors):
    vendors.mind = casts
    panel.do_choose(MIND)
    finished(session, lambda: panel.do_think("analysis"))
    found = shown(panel, "analysis")
    assert ([each["by"] for each in found["decided"]], found["done"]) == ([MIND], 1)
    assert session.production.clauses[1].speaker == "Meera"
    told: list[str] = []
    session.listen(lambda topic, _: told.append(topic))
    panel.do_take_back("analysis")
    assert shown(panel, "analysis")["done"] == 0
    assert {clause.speaker for clause in session.production.clauses} == {None}
    assert {"production", "state"} <= set(told)


def test_cuts_are_counted_and_taken_back(session, panel, vendors):
    def cuts(request: Request) -> str:
        places = [each["clause"] for each in asks(request)["clauses"] if each["text"].startswith("Who is there")]
        pieces = [{"text": "Who is there,", "pause": 0.5}, {"text": "asks Meera.", "pause": None}]
        return json.dumps({"clauses": [{"clause": place, "pieces": pieces} for place in places]})

    vendors.mind = cuts
    panel.do_choose(MIND)
    finished(session, lambda: panel.do_think("segmentation"))
    assert shown(panel, "segmentation")["done"] == 1
    assert panel.do_state()["production"]["timed"] == 1
    assert len(session.production.clauses) == 6
    panel.do_take_back("segmentation")
    assert shown(panel, "segmentation")["done"] == 0
    assert len(session.production.clauses) == 5


def test_why_the_rules_stood_is_told(session, panel):
    finished(session, lambda: panel.do_think("segmentation"))
    ((by, why),) = [(each["by"], each["why"]) for each in shown(panel, "segmentation")["decided"]]
    assert (by, why) == ("", NO_MIND)


def test_agents_that_cannot_run_yet_say_why(session, panel):
    assert "Speak first" in shown(panel, "planning")["obstacle"]
    assert "Export a master" in shown(panel, "splice")["obstacle"]
    finished(session, session.speak, "speak")
    finished(session, session.export, "export")
    assert (shown(panel, "planning")["obstacle"], shown(panel, "splice")["obstacle"]) == ("", "")


def test_a_length_is_quoted_and_then_shared_out(session, panel, vendors):
    vendors.mind = lambda request: json.dumps(
        {"scenes": [{"scene": each["scene"], "factor": 2.0} for each in asks(request)["scenes"]]}
    )
    finished(session, session.speak, "speak")
    panel.do_choose(MIND)
    assert shown(panel, "planning")["quote"] is None  # nobody knows before there is a length
    assert panel.do_quote("0:40")["calls"] == 1
    with pytest.raises(SettingError, match="is not a duration"):
        panel.do_quote("soon")
    assert vendors.requests == []
    finished(session, lambda: panel.do_think("planning", "0:40"))
    assert panel.do_state()["production"]["seconds"] == 40.0
    assert session.production.history[0] == "plan"


def test_a_length_that_cannot_be_ends_the_work_with_its_sentence(session, panel):
    finished(session, session.speak, "speak")
    finished(session, lambda: panel.do_think("planning", "0:01"))
    assert "cannot be reached" in session._works["think"].state()["error"]


def test_what_is_typed_and_not_in_the_script_is_told_to_the_panel(session, panel):
    editor = ScriptEditor(session)
    sent: list[Any] = []
    panel.send = lambda content, buffers=None: sent.append(content)
    editor.do_keep_draft("tale", TALE + "And more.")
    assert {"topic": "draft", "value": True} in sent
    assert panel.do_state()["production"]["unspoken"]
    editor.do_keep_draft("tale", TALE)
    assert sent[-1] == {"topic": "draft", "value": False}
    assert not panel.do_state()["production"]["unspoken"]


def test_a_text_is_taken_in_without_speaking_it(session, panel):
    editor = ScriptEditor(session)
    asked = threading.Event()
    editor.send = lambda content, buffers=None: (
        asked.set() if content == {"topic": "wanted", "value": "begin"} else None
    )
    panel.do_begin()
    assert asked.is_set()
    editor.do_begin("tale", TALE + "And more.", {})
    assert session.production.clauses[-1].text == "And more."
    assert session.works() == []
    assert not panel.do_state()["production"]["unspoken"]


def test_no_key_reaches_the_page(panel, vendors: Vendors, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-4711")
    panel.do_choose(MIND)
    assert "4711" not in json.dumps(panel.do_state())
