"""What agents decide is taken into the production: who speaks, what is doubted, how a total is shared out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from helpers.vendors import Request

from luma_studio.agents import NO_MIND, RULES
from luma_studio.errors import FitError, SettingError, Stopped, VoiceError
from luma_studio.production import Production
from luma_studio.progress import Event
from luma_studio.store import state as states
from luma_studio.studio import Studio

MIND = "openai:gpt-5.5"
TALE = """One
The bell rings. Ravi opens the door. Yes. Who is there, asks Meera. Yes. (Camera pans) He waits.

Two
Meera comes in. [slow] Sit down."""
RATE = 44100


def asked(request: Request) -> dict[str, Any]:
    """What a mind was asked about, in the user's first message."""
    found: dict[str, Any] = json.loads(request.json["messages"][1]["content"])
    return found


def casting(parts: Sequence[tuple[str, int, str | None, Sequence[str]]]) -> Callable[[Request], str]:
    """A mind that casts clauses, given by their words and which time they come."""

    def answer(request: Request) -> str:
        texts = [each["text"] for each in asked(request)["clauses"]]
        found = []
        for words, time, speaker, tags in parts:
            places = [number for number, text in enumerate(texts) if text.startswith(words)]
            if len(places) > time:
                found.append({"clause": places[time], "speaker": speaker, "tags": tags})
        return json.dumps({"clauses": found})

    return answer


def speakers(production: Production) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = {}
    for clause in production.clauses:
        found.setdefault(clause.text, []).append(clause.speaker)
    return found


@pytest.fixture
def tale(studio: Studio, vendors):
    vendors.mind = casting(
        [("Who is there", 0, "Meera", ["curious"]), ("Yes", 1, "Ravi", []), ("Sit", 0, None, ["calm"])]
    )
    return studio.production("tale", TALE, mind=MIND)


def test_an_analysis_casts_what_the_script_leaves_open_and_changes_no_word(tale):
    words = [clause.text for clause in tale.clauses]
    (decided,) = asyncio.run(tale.analyse())
    assert (decided.agent, decided.by) == ("analysis", MIND)
    assert [clause.text for clause in tale.clauses] == words
    found = speakers(tale)
    assert found["Who is there, asks Meera."] == ["Meera"]
    assert found["Yes."] == [None, "Ravi"]  # the same words twice, and only one of them is his
    assert {clause.text: clause.tags for clause in tale.clauses}["Who is there, asks Meera."] == ("curious",)
    assert {clause.text: clause.tags for clause in tale.clauses}["Sit down."] == ("slow",)  # the author's stands
    assert [clause for scene in tale.script.scenes for clause in scene.clauses] == list(tale.clauses)


def test_who_is_cast_stays_cast_when_the_production_is_opened_elsewhere_and_its_text_changes(tale, workspace):
    asyncio.run(tale.analyse())
    with Studio(workspace) as other:
        assert speakers(other.production("tale")) == speakers(tale)
        changed = other.production("tale", "Zero\nIt is late.\n\n" + TALE.replace("He waits.", "He waits long."))
        assert speakers(changed)["Who is there, asks Meera."] == ["Meera"]
        assert speakers(changed)["Yes."] == [None, "Ravi"]


def test_a_pause_that_was_tuned_and_its_undo_stay_with_a_clause_that_is_cast(tale):
    tale.pauses["Who is there"] = 4.0
    asyncio.run(tale.analyse())
    assert tale.pauses["Who is there"].seconds == 4.0
    tale.reload()
    assert tale.pauses["Who is there"].seconds == 4.0
    assert tale.undo() == "tune"
    assert tale.pauses["Who is there"].seconds != 4.0


def test_only_clauses_that_get_another_voice_are_to_be_spoken_anew_and_their_takes_come_back(tale, studio):
    asyncio.run(tale.speak())
    before = [take.fingerprint for take in tale.takes_in_use if take]
    asyncio.run(tale.analyse())
    missing = [clause.text for clause, take in zip(tale.clauses, tale.takes_in_use, strict=True) if take is None]
    assert missing == ["Who is there, asks Meera.", "Yes."]
    assert tale.quote().to_speak == 2
    tale.uncast()
    assert [take.fingerprint for take in tale.takes_in_use if take] == before
    assert set(map(len, speakers(tale).values())) == {1, 2}
    assert {speaker for each in speakers(tale).values() for speaker in each} == {None}


def test_a_script_in_the_editor_is_quoted_as_it_would_be_cast(tale, studio):
    asyncio.run(tale.analyse())
    asyncio.run(tale.speak())
    assert studio.quote("tale", TALE).to_speak == 0
    assert studio.quote("tale", TALE.replace("comes in", "walks in")).to_speak == 1


def test_a_part_that_no_mind_decides_keeps_its_roles(tale, studio, vendors):
    asyncio.run(tale.analyse())
    before = speakers(tale)
    vendors.mind = lambda _request: "nothing of use"
    again = studio.production("tale", mind="openai:gpt-5.4-mini")
    (decided,) = asyncio.run(again.analyse())
    assert decided.by == RULES
    assert speakers(again) == before


def test_what_may_not_be_meant_to_be_spoken_is_told_until_its_line_changes(studio, vendors):
    text = "One\nBreathe. Music swells here.\nRest."
    vendors.mind = lambda request: json.dumps(
        {
            "found": [
                {"line": each["line"], "quote": "Music swells here.", "kind": "direction"}
                for each in asked(request)["lines"]
                if "Music" in each["text"]
            ]
        }
    )
    made = studio.production("calm", text, mind=MIND)
    asyncio.run(made.sanitize())
    (found,) = made.script.diagnostics
    assert (found.line, found.column, found.level) == (2, 10, "warning")
    assert "“Music swells here.” looks like a direction and would be spoken" in found.message
    assert [clause.text for clause in made.clauses] == ["Breathe.", "Music swells here.", "Rest."]
    with Studio(made.folder.parent.parent) as other:
        assert other.production("calm").script.diagnostics == (found,)
        moved = other.production("calm", "One\n\nBreathe. Music swells here.\nRest.")
        assert [each.line for each in moved.script.diagnostics if "Music" in each.message] == [3]
        assert other.production("calm", "One\nBreathe.\nRest.").script.diagnostics == ()


def sharing(factors: Mapping[int, float]) -> Callable[[Request], str]:
    shares = [{"scene": scene, "factor": factor} for scene, factor in factors.items()]
    return lambda _request: json.dumps({"scenes": shares})


REST = "One\nWe begin. (4 sec) And listen. (4 sec)\n\nTwo\nRest now. (4 sec) Only breathe. (4 sec)"


def test_a_plan_gives_a_scene_more_and_meets_the_total_to_the_sample(studio, vendors):
    made = studio.production("rest", REST, mind=MIND)
    asyncio.run(made.speak())
    wanted = made.timeline.length + 16 * RATE
    vendors.mind = sharing({0: 1.0, 1: 3.0})
    (decided,) = asyncio.run(made.plan(f"{wanted} samples"))
    assert decided.by == MIND
    assert made.timeline.length == wanted
    seconds = [pause.seconds for pause in made.pauses]
    assert seconds[2] > 2.5 * seconds[0]
    assert made.history == ("plan", None)
    assert asyncio.run(made.plan(f"{wanted} samples")) == ()  # it is that long
    assert made.undo() == "plan"
    assert [pause.seconds for pause in made.pauses] == [4.0] * 4


@pytest.mark.parametrize("mind", ["", MIND])
def test_without_an_answer_of_use_a_plan_is_a_fit(studio, vendors, mind):
    vendors.mind = sharing({0: 9.0})
    planned, fitted = (studio.production(name, REST, mind=mind) for name in ("planned", "fitted"))
    for made in (planned, fitted):
        asyncio.run(made.speak())
    asyncio.run(planned.plan("0:40"))
    fitted.fit("0:40")
    assert list(planned.pauses) == list(fitted.pauses)


def test_a_plan_keeps_locks_and_the_authors_bounds(studio, vendors):
    text = "One\nWe begin. (4 sec) And listen. (3-5 sec)\n\nTwo\nRest now. (4 sec) Only breathe. (4 sec)"
    made = studio.production("rest", text, mind=MIND)
    asyncio.run(made.speak())
    made.lock(0)
    vendors.mind = sharing({0: 4.0, 1: 2.0})
    asyncio.run(made.plan(f"{made.timeline.length + 8 * RATE} samples"))
    assert made.pauses[0].seconds == 4.0
    assert 3.0 <= made.pauses[1].seconds <= 5.0


def test_a_plan_that_cannot_be_says_so_and_changes_nothing(studio, vendors):
    made = studio.production("rest", REST, mind=MIND)
    with pytest.raises(VoiceError, match="Speak first"):
        asyncio.run(made.plan("1:00"))
    asyncio.run(made.speak())
    vendors.mind = sharing({0: 1.0, 1: 1.0})
    before = list(made.pauses)
    with pytest.raises(FitError, match="cannot be reached"):
        asyncio.run(made.plan("0:01"))
    with pytest.raises(SettingError, match="no total"):
        asyncio.run(made.plan([]))
    assert list(made.pauses) == before


def test_each_question_that_is_decided_is_told(studio, vendors):
    vendors.mind = lambda _request: '{"clauses": []}'
    made = studio.production("calm", "One\nGo.\n\nTwo\nRest.", mind=MIND)
    told: list[Event] = []
    asyncio.run(made.segment(told.append))
    assert [(each.stage, each.done, each.total, each.subject) for each in told] == [
        ("think", done, 2, "segmentation") for done in (0, 1, 2)
    ]


def test_an_agent_that_is_stopped_changes_nothing_and_its_answers_are_not_bought_again(studio, vendors):
    vendors.mind = casting([("Ravi", 0, None, ["calm"])])
    scenes = "\n\n".join(f"Scene {number}\nRavi goes {number} times." for number in range(12))
    made = studio.production("calm", scenes, mind=MIND)

    def stop(event: Event) -> None:
        if event.done == 1:
            raise Stopped

    with pytest.raises(Stopped):
        asyncio.run(made.analyse(stop))
    assert (made.decisions, speakers(made)["Ravi goes 3 times."]) == ((), [None])
    bought = vendors.thought["openai"]
    assert bought < 12
    asyncio.run(made.analyse())
    assert vendors.thought["openai"] == 12
    assert made.clauses[3].tags == ("calm",)


def test_a_quote_tells_each_agents_calls_and_sends_nothing(studio, vendors):
    made = studio.production("tale", TALE, minds={"analysis": MIND, "sanitizer": "groq:openai/gpt-oss-120b"})
    found = {each.agent: (each.mind, each.calls) for each in made.quote().minds}
    assert found == {"analysis": (MIND, 2), "sanitizer": ("groq:openai/gpt-oss-120b", 1)}
    assert vendors.requests == []
    assert studio.production("other", TALE).quote().minds == ()


def test_without_a_mind_all_stays_as_it_is(studio):
    made = studio.production("tale", TALE)
    before = made.clauses, made.script.diagnostics, list(made.pauses)
    for decide in (made.analyse, made.segment, made.sanitize):
        (decided,) = asyncio.run(decide())
        assert (decided.by, decided.why) == (RULES, NO_MIND)
    assert (made.clauses, made.script.diagnostics, list(made.pauses)) == before


def test_a_decision_is_saved_once(tale, monkeypatch):
    saved = []
    save = states.StateFile.save
    monkeypatch.setattr(states.StateFile, "save", lambda file, state: (saved.append(state), save(file, state)))
    asyncio.run(tale.analyse())
    asyncio.run(tale.segment())
    assert [len(each.decisions) for each in saved] == [1, 2]


def test_the_audit_tells_who_decided(tale):
    asyncio.run(tale.analyse())
    asyncio.run(tale.speak())
    tale.export("master.wav")
    found = json.loads(Path(tale.folder / "audit.json").read_text(encoding="utf-8"))["decisions"]
    assert [(each["agent"], each["by"], each["why"]) for each in found] == [("analysis", MIND, "")]
