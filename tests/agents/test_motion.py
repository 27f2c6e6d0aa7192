"""The motion bundle: prompts, seconds and guidance within bounds, by a mind or by rules."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.agents import RULES, motion
from luma_studio.agents.motion import Bundle, Described

GOOD = Bundle(prompt="Waves roll in.", negative_prompt="blur", seconds=5, guidance=0.5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"seconds": 10, "guidance": 1.0, "negative_prompt": ""}, None),
        ({"prompt": " "}, "prompt is empty"),
        ({"prompt": "x" * 1001}, "prompt has 1001 characters; it may have 1000"),
        ({"negative_prompt": "x" * 1001}, "negative_prompt has 1001"),
        ({"seconds": 7}, "5 or 10, not 7"),
        ({"guidance": 7.5}, "from 0 to 1, not 7.5"),
        ({"guidance": float("nan")}, "from 0 to 1"),
    ],
)
def test_an_answer_is_within_bounds(changes, words):
    found = motion.check(GOOD.model_copy(update=changes))
    assert found is None if words is None else words in found


@given(st.builds(Described, st.text(), st.text(), st.text(), st.floats(0, 1e9)))
def test_the_rules_pass_the_check_whatever_is_known(described):
    assert motion.check(motion.rules(described)) is None


def test_the_rules_say_what_is_seen_first():
    assert motion.rules(Described("Morning", "A beach\nat dawn")).prompt.startswith("A beach at dawn. The camera")
    assert motion.rules(Described("Morning")).prompt.startswith("Morning. The camera")
    assert motion.rules(Described()).prompt.startswith("The camera")
    assert motion.rules(Described(description="word " * 900)).prompt.count("word") == 100


@pytest.mark.parametrize(
    ("described", "word"),
    [
        (Described(words="Breathe in, and rest."), "very slowly"),
        (Described(words="गहरी साँस लीजिए।"), "very slowly"),
        (Described(description="A woman dancing"), "energy"),
        (Described(description="A forest beside a restaurant on a runway"), "steadily"),
    ],
)
def test_the_rules_move_as_the_words_do(described, word):
    assert word in motion.rules(described).prompt


@pytest.mark.parametrize(
    ("described", "seconds"),
    [
        (Described(), 5),
        (Described(words="Short."), 5),
        (Described(words="w" * 150), 10),
        (Described(seconds=7.5), 5),
        (Described(seconds=8), 10),
        (Described(words="w" * 150, seconds=4), 5),
    ],
)
def test_the_rules_choose_the_length_by_what_is_spoken(described, seconds):
    assert motion.rules(described).seconds == seconds


def test_a_mind_makes_the_bundle_from_all_that_is_known(thinking, vendors):
    vendors.mind = lambda _request: GOOD.model_dump_json()
    found = asyncio.run(motion.bundled(Described("Sea", "A beach", "Breathe in.", 6.0), thinking()))
    assert (found.value, found.by) == (GOOD, "openai:gpt-5.5")
    (asked,) = vendors.seen("/chat/completions")
    told = json.loads(asked.json["messages"][1]["content"])
    assert told == {"title": "Sea", "description": "A beach", "words": "Breathe in.", "seconds_shown": 6.0}


def test_an_answer_out_of_bounds_leaves_it_to_the_rules(thinking, vendors):
    vendors.mind = lambda _request: GOOD.model_copy(update={"guidance": 7.5}).model_dump_json()
    described = Described("Sea")
    found = asyncio.run(motion.bundled(described, thinking()))
    assert (found.value, found.by) == (motion.rules(described), RULES)
    assert "from 0 to 1, not 7.5" in found.why
    assert len(vendors.seen("/chat/completions")) == 2


def test_without_a_mind_the_rules_do_it(thinking):
    found = asyncio.run(motion.bundled(Described("Sea"), thinking(mind="")))
    assert (found.value, found.by) == (motion.rules(Described("Sea")), RULES)
