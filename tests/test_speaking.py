from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from helpers.fakes import FakeVoice, give

from luma_studio.errors import VoiceError
from luma_studio.progress import Event
from luma_studio.voices.pace import estimated

EXAMPLES = sorted((Path(__file__).parent.parent / "notebooks" / "examples").glob("*.txt"))
SCRIPT = "Calm\nOne here. Two here.\nOne here.\nThree here.\n"


@pytest.fixture
def voice(studio):
    voice = FakeVoice()
    voice.concurrency = 1
    give(studio, voice)
    return voice


def heard(production):
    events = []
    try:
        asyncio.run(production.speak(events.append))
    except VoiceError as error:
        return events, error
    return events, None


def test_every_clause_is_told_when_its_request_goes_out_and_when_it_is_done(studio, voice):
    events, _ = heard(studio.production("calm", SCRIPT))
    assert events == [
        Event("speak", 0, 4, "One here.", "began", 0),
        Event("speak", 0, 4, "One here.", "began", 2),
        Event("speak", 1, 4, "One here.", "done", 0),
        Event("speak", 2, 4, "One here.", "done", 2),
        Event("speak", 2, 4, "Two here.", "began", 1),
        Event("speak", 3, 4, "Two here.", "done", 1),
        Event("speak", 3, 4, "Three here.", "began", 3),
        Event("speak", 4, 4, "Three here.", "done", 3),
    ]


def test_no_request_goes_out_for_what_is_in_the_store(studio, voice):
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    events, _ = heard(production)
    assert {event.outcome for event in events} == {"cached"}
    assert sorted(event.clause for event in events) == [0, 1, 2, 3]


def test_only_as_many_have_begun_as_the_voice_speaks_at_once(studio, voice):
    voice.concurrency = 2
    text = "Calm\n" + "\n".join(f"Line {number} here." for number in range(20))
    events, _ = heard(studio.production("calm", text))
    open_now = set()
    for event in events:
        (open_now.add if event.outcome == "began" else open_now.remove)(event.clause)
        assert len(open_now) <= 2
    assert [event.done for event in events if event.outcome == "done"] == list(range(1, 21))


def test_a_clause_that_failed_says_why(studio, voice):
    voice.failing = {"Two here."}
    events, _ = heard(studio.production("calm", SCRIPT))
    (failed,) = [event for event in events if event.outcome == "failed"]
    assert (failed.clause, failed.reason) == (1, "The fake voice could not speak 'Two here.'.")
    assert all(event.reason == "" for event in events if event is not failed)


def test_clauses_of_one_line_may_all_fail(studio, voice):
    voice.failing = {"One here.", "Two here."}
    _, error = heard(studio.production("calm", SCRIPT))
    assert "3 of 4 clauses could not be spoken" in str(error)
    assert "The first is on line 2: The fake voice could not speak 'One here.'." in str(error)


def test_one_clause_that_is_spoken_again_tells_its_index(studio, voice):
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    events = []
    asyncio.run(production.speak_again(3, listener=events.append))
    assert [(event.clause, event.outcome, event.total) for event in events] == [(3, "began", 1), (3, "done", 1)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_estimate_of_an_examples_speech_is_right_within_fifteen_percent(studio, path):
    production = studio.production(path.stem, path.read_text(encoding="utf-8"))
    asyncio.run(production.speak())
    spoken = (
        sum(take.speech_end - take.speech_start for take in production.takes_in_use) / production.choices.sample_rate
    )
    guessed = sum(estimated(clause.text, clause.language) for clause in production.clauses)
    assert guessed == pytest.approx(spoken, rel=0.15)


@pytest.mark.parametrize(
    ("text", "language", "seconds"),
    [
        ("", "en", 0),
        ("x" * 165, "en", 10),
        ("x" * 165, "en-GB", 10),
        ("x" * 140, "sv", 10),
        ("अ" * 120, "hi", 10),
        ("अ" * 120, "en", 10),
        ("息" * 32, "zh", 10),
        ("é" * 200, "fr", 10),
        ("अ" * 60 + "x" * 70, "hi", 10),
    ],
)
def test_an_estimate_goes_by_language_and_by_writing(text, language, seconds):
    assert estimated(text, language) == pytest.approx(seconds)


def test_figures_are_estimated_to_take_as_long_as_they_are_said():
    assert (
        estimated("Step number 123, feel the breath.", "en")
        > estimated("Step number one, feel the breath.", "en") + 0.8
    )
