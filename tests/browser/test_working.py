"""While work is on its way, and after it: what the page says, what it asks, and where the focus is."""

from __future__ import annotations

from typing import Any

import pytest
from browser.alone import Alone
from playwright.sync_api import Page, expect

SCENES = [{"title": "Arriving", "first": 0, "last": 3}]


def work(kind: str, status: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "status": status, "error": None, "stages": [], "left": None, "clauses": [], **more}


def production(clauses: int, unspoken: int = 0) -> dict[str, Any]:
    return {
        "name": "calm",
        "scenes": [{"title": "Arriving", "first": 0, "last": clauses}],
        "texts": [f"Clause {index}." for index in range(clauses)],
        "lines": list(range(clauses)),
        "spoken": [index >= unspoken for index in range(clauses)],
        "to_speak": unspoken,
        "cost": "0",
        "paid": None,
    }


def state(clauses: int, unspoken: int = 0, *works: dict[str, Any]) -> dict[str, Any]:
    return {"production": production(clauses, unspoken), "works": list(works)}


def status(page: Page, modules: str, answer: dict[str, Any]) -> Alone:
    return Alone(page, modules, "render_status", state=answer)


# Render status


def test_the_end_of_speaking_is_said_with_the_numbers_of_the_production_as_it_is_then(page: Page, modules: str) -> None:
    panel = status(page, modules, state(12))
    expect(page.get_by_role("heading", name="All 12 clauses are spoken")).to_be_visible()
    panel.hold("state")
    panel.tell("production", "calm")  # a clause was removed; the answer takes its time
    panel.tell("work", work("speak", "running"))
    panel.tell("work", work("speak", "done"))
    panel.answer(state=state(11, 0, work("speak", "done")))
    panel.tell("production", "calm")
    panel.release("state")
    expect(page.get_by_role("heading", name="All 11 clauses are spoken")).to_be_visible()
    expect(page.locator(".luma-hidden-text[role=status]")).to_have_text("All 11 clauses are spoken")


def test_speaking_that_a_reload_broke_off_is_called_interrupted_and_can_go_on(page: Page, modules: str) -> None:
    panel = status(page, modules, state(5, 5))
    panel.tell("work", work("speak", "running"))
    panel = status(page, modules, state(5, 3))  # the page is loaded anew, and the session with it
    expect(page.get_by_role("heading", name="Speaking was interrupted")).to_be_visible()
    expect(page.get_by_text("3 of 5 clauses are not spoken yet. Going on asks only for the rest.")).to_be_visible()
    panel.button("Go on").click()
    assert panel.asked("speak") == [{}]
    panel.tell("work", work("speak", "stopped"))
    expect(page.get_by_role("heading", name="3 of 5 clauses are not spoken yet")).to_be_visible()
    status(page, modules, state(5, 3))
    expect(page.get_by_role("heading", name="3 of 5 clauses are not spoken yet")).to_be_visible()


@pytest.mark.parametrize("kind", ["speak", "think", "export"])
def test_leaving_the_page_asks_only_while_work_is_on_its_way(page: Page, modules: str, kind: str) -> None:
    leaves = """() => {
      const event = new Event('beforeunload', { cancelable: true });
      return dispatchEvent(event);
    }"""
    panel = status(page, modules, state(5, 5))
    assert page.evaluate(leaves)
    panel.tell("work", work(kind, "running"))
    assert not page.evaluate(leaves)
    panel.tell("work", work(kind, "stopping"))
    assert not page.evaluate(leaves)
    panel.tell("work", work(kind, "done"))
    assert page.evaluate(leaves)


def test_a_double_click_on_speak_asks_once_and_stops_nothing(page: Page, modules: str) -> None:
    panel = status(page, modules, state(5, 5))
    panel.button("Speak").dblclick()
    expect(panel.button("Stop speaking")).to_be_visible()
    assert len(panel.asked("speak")) == 1
    assert panel.asked("stop") == []
    panel.button("Stop speaking").click()
    assert panel.asked("stop") == [{"kind": "speak"}]


def test_the_focus_stays_in_the_panel_while_speaking_begins_stops_and_ends(page: Page, modules: str) -> None:
    panel = status(page, modules, state(5, 5))
    panel.button("Speak").focus()
    page.keyboard.press("Enter")
    expect(panel.button("Stop speaking")).to_be_focused()
    panel.tell("work", work("speak", "stopping"))
    expect(panel.button("Stop speaking")).to_be_focused()
    panel.answer(state=state(5, 0, work("speak", "done")))
    panel.tell("work", work("speak", "done"))
    panel.tell("production", "calm")
    expect(page.get_by_role("heading", name="All 5 clauses are spoken")).to_be_visible()
    expect(panel.button("Clauses and scenes")).to_be_focused()


def test_how_far_an_agent_is_is_shown_and_it_can_be_stopped(page: Page, modules: str) -> None:
    panel = status(page, modules, state(5))
    stages = [{"stage": "think", "done": 3, "total": 12, "subject": "segmentation"}]
    panel.tell("work", work("think", "running", stages=stages))
    at_work = page.get_by_role("region", name="Agents at work")
    expect(at_work.get_by_role("heading")).to_have_text("Cutting and timing")
    expect(at_work.get_by_text("3 of 12 questions")).to_be_visible()
    panel.button("Stop the agent").click()
    assert panel.asked("stop") == [{"kind": "think"}]
    panel.tell("work", work("think", "done", stages=stages))
    expect(at_work).to_be_hidden()
    expect(panel.button("Clauses and scenes")).to_be_focused()


# Master and scenes


def file(name: str, kind: str = "master", current: bool = True, **more: Any) -> dict[str, Any]:
    about = {"production": "calm", "bytes": 1000, "changed": 1.0, "seconds": 9.0, "scene": None, "in_manifest": False}
    return {**about, "name": name, "kind": kind, "current": current, "level": None, "title": name, **more}


def exported(*works: dict[str, Any], **more: Any) -> dict[str, Any]:
    shown = {
        "name": "calm",
        "clauses": 5,
        "unspoken": 0,
        "current": True,
        "masters": [file("master.mp3")],
        "scenes": [file("scene_1__0123abcd.mp3", "scene", scene="scene_1")],
        "beside": [file("captions.srt", "captions"), file("audit.json", "audit")],
        "audit": {"file": "master.mp3", "summary": "all 5 pauses as asked", "findings": [], "more": 0, "current": True},
        "new": None,
    }
    return {"production": {**shown, **more}, "works": list(works)}


def players(page: Page, modules: str, answer: dict[str, Any]) -> Alone:
    return Alone(page, modules, "audio_players", state=answer)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [("x.mp3", "x.mp3"), ("x.mp3.MP3", "x.mp3"), (" x ", "x.mp3"), ("x.one", "x.one.mp3"), ("v1.5", "v1.5.mp3")],
)
def test_an_ending_that_was_typed_is_no_part_of_the_name(page: Page, modules: str, typed: str, asked: str) -> None:
    panel = players(page, modules, exported())
    page.get_by_label("Name").fill(typed)
    page.keyboard.press("Enter")
    assert panel.asked("export") == [{"masters": [asked]}]


def test_a_format_that_was_typed_is_chosen(page: Page, modules: str) -> None:
    players(page, modules, exported())
    page.get_by_label("Name").fill("x.wav")
    page.get_by_label("WAV").focus()
    expect(page.get_by_label("Name")).to_have_value("x")
    expect(page.get_by_label("WAV")).to_be_checked()


def test_a_double_click_on_export_asks_once_and_stops_nothing(page: Page, modules: str) -> None:
    panel = players(page, modules, exported())
    panel.button("Export again").dblclick()
    expect(panel.button("Stop exporting")).to_be_visible()
    assert len(panel.asked("export")) == 1
    assert panel.asked("stop") == []


def test_an_export_that_was_refused_can_be_asked_for_again(page: Page, modules: str) -> None:
    panel = players(page, modules, exported())
    panel.answer(export={"error": "That is no name.", "kind": "SettingError"})
    panel.button("Export again").click()
    expect(page.get_by_role("alert").filter(has_text="That is no name.")).to_be_visible()
    panel.button("Export again").click()
    assert len(panel.asked("export")) == 2


def test_a_stopped_export_says_what_is_new_and_marks_what_is_from_before(page: Page, modules: str) -> None:
    old = {
        "current": False,
        "beside": [file("captions.srt", "captions", current=False), file("audit.json", "audit", current=False)],
        "audit": None,
    }
    players(page, modules, exported(work("export", "stopped"), **old, new=["master.mp3"]))
    told = page.get_by_role("status").filter(has_text="The export was stopped.")
    expect(told).to_have_text(
        "The export was stopped. New: master.mp3. From before: scenes, captions, and audit. Export again for all of them."
    )
    expect(page.get_by_text("older than the master")).to_have_count(3)  # the scenes, and two files
    expect(page.get_by_text("Not measured yet")).to_be_visible()
    expect(page.get_by_text("pauses as asked")).to_have_count(0)
    players(page, modules, exported(**old))  # loaded anew
    expect(
        page.get_by_role("status").filter(has_text="The last export did not finish. New: master.mp3.")
    ).to_be_visible()


def test_no_verdict_is_shown_where_there_is_no_master(page: Page, modules: str) -> None:
    players(page, modules, exported(masters=[], audit=None))
    expect(page.get_by_role("button", name="Download captions.srt")).to_be_visible()
    expect(page.get_by_text("Not measured yet")).to_have_count(0)
    expect(page.locator(".luma-players-verdict")).to_have_count(0)


def test_the_focus_goes_from_speak_to_export_when_all_is_spoken(page: Page, modules: str) -> None:
    panel = players(page, modules, exported(unspoken=2))
    panel.button("Speak").dblclick()
    assert len(panel.asked("speak")) == 1
    expect(panel.button("Speak")).to_be_focused()
    panel.answer(state=exported(work("speak", "done")))
    panel.tell("production", "calm")
    expect(panel.button("Export again")).to_be_focused()


# Library


def library(page: Page, modules: str, **more: Any) -> Alone:
    shown = {"open": "calm", "productions": [{"name": "calm", "changed": 0}], "deleted": [], **more}
    return Alone(page, modules, "audio_library", state=shown, files=[file("a.mp3"), file("b.mp3")])


def test_a_double_click_on_delete_asks_once(page: Page, modules: str) -> None:
    panel = library(page, modules)
    panel.hold("remove")
    panel.button("Delete a.mp3").dblclick()
    panel.button("Delete a.mp3").click()
    panel.answer(remove="key")
    panel.release("remove")
    expect(page.get_by_text("Deleted a.mp3.").first).to_be_visible()
    assert panel.asked("remove") == [{"production": "calm", "name": "a.mp3"}]


def test_what_was_deleted_is_offered_as_long_as_it_is_there(page: Page, modules: str) -> None:
    gone = {"key": "1-a", "production": "calm", "name": "old.mp3", "bytes": 1000, "when": 0}
    panel = library(page, modules, deleted=[gone])
    page.get_by_text("Recently deleted (1)").click()
    panel.answer(state={"open": "calm", "productions": [{"name": "calm", "changed": 0}], "deleted": []})
    panel.button("Restore old.mp3 of calm").dblclick()
    assert panel.asked("restore") == [{"key": "1-a"}]
    panel.tell("files")
    expect(page.get_by_text("Recently deleted")).to_be_hidden()


def test_the_times_keep_counting(page: Page, modules: str) -> None:
    page.clock.install(time=1000)
    shown = {"open": None, "productions": [{"name": "calm", "changed": 999}], "deleted": []}
    Alone(page, modules, "audio_library", state=shown)
    when = page.locator(".luma-library-when")
    expect(when).to_have_text("just now")
    page.clock.run_for(150_000)
    expect(when).to_have_text("2 minutes ago")
