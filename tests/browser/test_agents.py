"""A designer has agents help: sees what it costs, who decided and why, stops it, and takes it back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from browser.alone import Alone
from browser.driving import Served, Window, serving, window
from helpers import contracts
from helpers.vendors import KEYS, Request, Vendors
from playwright.sync_api import Browser, Locator, Page, expect

MIND = "openai:gpt-5.5"
TALE = "One\nThe bell rings. Who is there, asks Meera. Music swells.\n\nTwo\nमीरा अंदर आती है। Sit down."
FIND, LOOK, CUT = (
    "Find speakers: Who speaks, and how",
    "Look through: What is not meant to be spoken",
    "Cut: Cut and time",
)


def asks(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.json["messages"][1]["content"])
    return found


def answer(request: Request) -> str:
    about = asks(request)
    if "lines" in about:
        lines = [each["line"] for each in about["lines"] if "Music swells." in each["text"]]
        return json.dumps({"found": [{"line": line, "quote": "Music swells.", "kind": "direction"} for line in lines]})
    places = [each["clause"] for each in about["clauses"] if each["text"].startswith("Who is there")]
    if "speakers" in about:
        return json.dumps({"clauses": [{"clause": each, "speaker": "Meera", "tags": []} for each in places]})
    pieces = [{"text": "Who is there,", "pause": 0.5}, {"text": "asks Meera.", "pause": None}]
    return json.dumps({"clauses": [{"clause": each, "pieces": pieces} for each in places]})


@pytest.fixture(scope="module")
def minds() -> Iterator[Vendors]:
    with Vendors(contracts.check) as vendors:
        yield vendors
    assert vendors.violations == []


@pytest.fixture(scope="module")
def minded(tmp_path_factory: pytest.TempPathFactory, minds: Vendors) -> Iterator[Served]:
    """The studio, served with keys for the fake vendors."""
    keys = {f"{name.upper()}_API_KEY": key for name, key in KEYS.items()}
    addresses = {f"{name.upper()}_BASE_URL": minds.address(name) for name in KEYS}
    with serving(tmp_path_factory.mktemp("minded"), **keys, **addresses) as served:
        yield served


@pytest.fixture
def tale(browser: Browser, minded: Served, minds: Vendors) -> Iterator[Window]:
    """A window with a production open that is spoken, and the agents unfolded."""
    minds.mind = answer
    with window(browser, minded, minded.fresh(TALE)) as shown:
        agents(shown).get_by_role("button", name="Agents", exact=True).click()
        yield shown


def agents(shown: Window) -> Locator:
    return shown.panel("Agents")


def row(shown: Window, title: str) -> Locator:
    return agents(shown).get_by_role("listitem").filter(has=shown.page.get_by_role("heading", name=title, exact=True))


def choose(shown: Window, mind: str) -> None:
    field = agents(shown).get_by_label("Mind for all agents")
    field.fill(mind)
    field.press("Enter")


def test_a_designer_casts_and_cuts_sees_who_decided_and_takes_it_back(tale: Window) -> None:
    casting, cutting = row(tale, "Who speaks, and how"), row(tale, "Cut and time")
    expect(casting).to_contain_text("Free: the rules do it.")
    choose(tale, MIND)
    expect(casting).to_contain_text("2 questions, about 0.0")
    agents(tale).get_by_role("button", name=FIND).click()
    expect(casting).to_contain_text(f"Decided by {MIND}, just now. 1 clause has a speaker or a tone from it.")
    expect(casting).to_contain_text("Already here: nothing to buy.")
    agents(tale).get_by_role("button", name=CUT).click()
    expect(cutting).to_contain_text("1 clause is cut.")
    expect(tale.panel("Script").locator(".luma-script-numbers")).to_contain_text("6 clauses")
    agents(tale).get_by_role("button", name=LOOK).click()
    expect(tale.panel("Script").get_by_text("“Music swells.” looks like a direction")).to_be_visible()
    tale.panel("Script").locator("details summary").click()
    expect(tale.panel("Script").get_by_label("Meera", exact=True)).to_be_visible()
    agents(tale).get_by_role("button", name="Take back the cuts").click()
    expect(cutting).to_contain_text("No clause is cut now.")
    expect(cutting.get_by_role("button", name=CUT)).to_be_focused()  # the other one is gone
    agents(tale).get_by_role("button", name="Take back the speakers").click()
    expect(tale.panel("Script").get_by_label("Meera", exact=True)).to_have_count(0)
    assert tale.studio.state(tale.name)["roles"] == {}
    assert tale.editor.input_value() == TALE


def test_an_agent_is_stopped_where_it_was_begun_and_nothing_is_changed(tale: Window, minds: Vendors) -> None:
    let = threading.Event()

    def waits(request: Request) -> str:
        let.wait(20)
        return answer(request)

    minds.mind = waits
    choose(tale, "openai:gpt-5.4-mini")
    casting = row(tale, "Who speaks, and how")
    casting.get_by_role("button", name=FIND).focus()
    tale.press("Enter")
    stop = casting.get_by_role("button", name="Stop: finding who speaks")
    expect(stop).to_be_focused()
    expect(casting).to_contain_text("0 of 2 questions")
    expect(tale.panel("Render status").get_by_role("region", name="Agents at work")).to_be_visible()
    tale.press("Enter")
    expect(casting).to_contain_text("Stopping …")
    let.set()
    expect(casting.get_by_role("button", name=FIND)).to_be_focused()
    assert tale.studio.state(tale.name)["decisions"] == []


def test_a_wrong_mind_is_told_beside_its_field_and_changes_nothing(tale: Window) -> None:
    choose(tale, "gpt-5.5")
    field = agents(tale).get_by_label("Mind for all agents")
    expect(agents(tale).get_by_role("alert").filter(has_text="names no mind")).to_be_visible()
    expect(field).to_have_value("gpt-5.5")
    expect(field).to_have_attribute("aria-invalid", "true")
    choose(tale, MIND)
    expect(agents(tale).get_by_text("names no mind")).to_have_count(0)
    expect(row(tale, "Cut and time").locator(".luma-agents-mind")).to_have_text(MIND)


def test_a_text_is_taken_in_without_speaking_it_so_that_agents_come_first(browser: Browser, minded: Served) -> None:
    with window(browser, minded) as shown:
        agents(shown).get_by_role("button", name="Agents", exact=True).click()
        begin = agents(shown).get_by_role("button", name="Take it in without speaking")
        begin.click()
        expect(shown.notices.filter(has_text="Write or paste a script first.")).to_be_visible()
        shown.editor.fill("One\nNobody has said this yet.")
        expect(shown.panel("Script").get_by_label("Name")).not_to_have_value("")  # it is read
        begin.click()
        expect(row(shown, "Who speaks, and how")).to_be_visible()
        expect(begin).to_be_hidden()
        assert [clause["take"] for clause in shown.studio.state(shown.name)["clauses"]] == [None]
        shown.editor.fill("One\nNobody has said that yet.")
        expect(begin).to_be_visible()


# Alone


def agent(name: str, **more: Any) -> dict[str, Any]:
    about = {"agent": name, "mind": "", "own": "", "lacks": "", "quote": None, "obstacle": "", "done": 0, "decided": []}
    return {**about, **more}


def production(**more: dict[str, Any]) -> dict[str, Any]:
    names = ("analysis", "sanitizer", "segmentation", "planning", "splice")
    shown = {"name": "calm", "unspoken": False, "seconds": 65.0, "timed": 0, "mind": ""}
    return {**shown, "agents": [agent(name, **more.get(name, {})) for name in names]}


def alone(page: Page, modules: str, **more: dict[str, Any]) -> Alone:
    return Alone(page, modules, "agents", state={"production": production(**more), "known": [MIND], "works": []})


def test_it_is_one_line_for_who_never_uses_it_and_the_tab_remembers_who_unfolds_it(page: Page, modules: str) -> None:
    alone(page, modules)
    expect(page.locator(".luma-agents-summary")).to_have_text("rules")
    assert page.locator("section").bounding_box()["height"] < 60  # type: ignore[index]
    page.get_by_role("button", name="Agents", exact=True).click()
    expect(page.get_by_role("listitem")).to_have_count(5)
    alone(page, modules)
    expect(page.get_by_role("listitem")).to_have_count(5)


def test_what_keeps_an_agent_or_its_mind_from_working_is_said(page: Page, modules: str) -> None:
    lacks = "OpenAI needs a key: put OPENAI_API_KEY=… into .env."
    panel = alone(
        page, modules, analysis={"mind": MIND, "lacks": lacks}, splice={"obstacle": "There is no audit."}, planning={}
    )
    page.get_by_role("button", name="Agents", exact=True).click()
    expect(page.locator(".luma-agents-lack")).to_have_text(f"{lacks} Until then the rules do it.")
    adjust = page.get_by_role("button", name="Adjust pauses:")
    expect(adjust).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_text("Export a master first")).to_be_visible()
    adjust.click(force=True)
    page.get_by_role("button", name="Share out:").click()
    expect(page.get_by_text("Write the length you want, such as 10:00.")).to_be_visible()
    assert panel.asked("think") == []


def test_a_part_that_the_rules_decided_is_told_with_the_reason(page: Page, modules: str) -> None:
    decided = [{"by": MIND, "why": "", "when": 1.0}, {"by": "", "why": "OpenAI is overloaded.", "when": 1.0}]
    alone(page, modules, segmentation={"decided": decided, "done": 3})
    page.get_by_role("button", name="Agents", exact=True).click()
    told = page.locator(".luma-agents-last").nth(2)
    expect(told).to_contain_text("For part of it the rules stood: OpenAI is overloaded. 3 clauses are cut.")


def test_work_that_a_cell_began_is_told_in_the_folded_line_and_can_be_stopped(page: Page, modules: str) -> None:
    panel = alone(page, modules)
    stages = [{"stage": "think", "done": 3, "total": 12, "subject": "segmentation"}]
    work = {"kind": "think", "status": "running", "error": None, "stages": stages, "left": None, "clauses": []}
    panel.tell("work", work)
    expect(page.locator(".luma-agents-summary")).to_have_text("Cutting and timing: 3 of 12 questions")
    panel.button("Stop the agent").click()
    assert panel.asked("stop") == [{}]
    failed = {**work, "status": "failed", "error": "The disk is full."}
    panel.answer(state={"production": production(), "known": [], "works": [failed]})
    panel.tell("work", failed)
    page.get_by_role("button", name="Agents", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="The disk is full.")).to_be_visible()


def test_an_agent_waits_for_the_mind_that_was_typed_just_now(page: Page, modules: str) -> None:
    panel = alone(page, modules)
    page.get_by_role("button", name="Agents", exact=True).click()
    panel.hold("choose")
    page.get_by_label("Mind for all agents").fill(MIND)
    page.get_by_role("button", name=FIND).click()
    page.wait_for_function("alone.asked.some(({ verb }) => verb === 'choose')")
    assert panel.asked("think") == []
    panel.release("choose")
    page.wait_for_function("alone.asked.some(({ verb }) => verb === 'think')")
    panel.answer(choose={"error": "'gpt' names no mind.", "kind": "SettingError"})
    panel.tell("work", {"kind": "think", "status": "done", "error": None, "stages": [], "left": None, "clauses": []})
    page.get_by_label("Mind for all agents").fill("gpt")
    page.get_by_role("button", name=FIND).click()
    expect(page.get_by_text("names no mind")).to_be_visible()
    assert len(panel.asked("think")) == 1


def test_work_that_began_is_not_forgotten_by_an_answer_from_before_it(page: Page, modules: str) -> None:
    panel = alone(page, modules)
    page.get_by_role("button", name="Agents", exact=True).click()
    expect(page.get_by_role("listitem")).to_have_count(5)
    panel.hold("state")
    panel.tell("production", "calm")
    stages = [{"stage": "think", "done": 0, "total": 1, "subject": "analysis"}]
    panel.tell(
        "work", {"kind": "think", "status": "running", "error": None, "stages": stages, "left": None, "clauses": []}
    )
    panel.release("state")
    panel.tell("draft", False)
    expect(page.get_by_role("button", name="Stop: finding who speaks")).to_be_visible()
