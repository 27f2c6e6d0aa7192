"""Avatar: a mind decides how a photo talks, within bounds; the words are the author's, and no voice is made up."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.agents import avatar
from luma_studio.agents.avatar import MOTION, TITLE, Filmed, Wish

SCRIPT = "Close your eyes.\nBreathe in."
VOICES = {"v_asha": "Asha, Hindi, female", "v_ben": "Ben, English, male", "v_bea": "Bea, English, female"}
GOOD = {
    "title": "Evening calm",
    "script": SCRIPT,
    "voice_id": "v_bea",
    "orientation": "landscape",
    "fit": "contain",
    "motion": "She nods slowly.",
}


def wish(**changes) -> Wish:
    return Wish(**{"script": SCRIPT, "voices": VOICES, **changes})


def decided(thinking, vendors, answer, **changes):
    vendors.mind = lambda _request: answer if isinstance(answer, str) else json.dumps(answer)
    (found,) = asyncio.run(avatar.filmed([wish(**changes)], thinking()))
    return found


def test_a_mind_fills_what_the_author_left_open(thinking, vendors):
    found = decided(thinking, vendors, GOOD)
    assert (found.by, found.value) == ("openai:gpt-5.5", Filmed(**GOOD))
    asked = json.loads(vendors.seen("/chat/completions")[0].json["messages"][1]["content"])
    assert (asked["script"], asked["brief"], asked["voices"], asked["write_motion"]) == (SCRIPT, SCRIPT, VOICES, True)


def test_what_the_author_decided_wins(thinking, vendors):
    found = decided(
        thinking, vendors, GOOD, title="Mine", voice="v_ben", orientation="portrait", fit="cover", motion="He waves."
    )
    assert found.by == "openai:gpt-5.5"
    mine = {"title": "Mine", "voice_id": "v_ben", "orientation": "portrait", "fit": "cover", "motion": "He waves."}
    assert found.value == Filmed(**{**GOOD, **mine})


@pytest.mark.parametrize(
    ("motion", "enhance", "expected"),
    [
        (None, None, "She nods slowly."),
        ("He waves.", None, "He waves."),
        ("He waves.", True, "She nods slowly."),
        ("He waves.", False, "He waves."),
        (None, False, ""),
    ],
)
def test_motion_is_written_where_that_is_left_to_the_agent(thinking, vendors, motion, enhance, expected):
    assert decided(thinking, vendors, GOOD, motion=motion, enhance_motion=enhance).value.motion == expected


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"script": "Close your eyes. Breathe in and buy now."}, "The script is the author's"),
        ({"script": ""}, "The script is the author's"),
        ({"voice_id": "ryan_smith"}, "There is no voice 'ryan_smith'"),
        ({"voice_id": "Asha"}, "There is no voice 'Asha'"),
        ({"voice_id": ""}, "There is no voice ''"),
        ({"title": "x" * (TITLE + 1)}, "Write the title in one line"),
        ({"title": "Calm\nand more"}, "Write the title in one line"),
        ({"title": " "}, "Give a title"),
        ({"motion": "x" * (MOTION + 1)}, "Write the motion in one line"),
        ({"orientation": "square"}, "not the JSON that was asked for"),
        ({"fit": "stretch"}, "not the JSON that was asked for"),
    ],
)
def test_an_answer_out_of_bounds_falls_back_to_what_is_safe(thinking, vendors, change, why):
    found = decided(thinking, vendors, {**GOOD, **change})
    assert (found.by, found.value) == ("rules", avatar.rules(wish()))
    assert why in found.why
    assert vendors.thought["openai"] == 2  # it was told what is wrong


def test_without_a_mind_the_rules_do_it(thinking):
    (found,) = asyncio.run(avatar.filmed([wish()], thinking(mind="")))
    assert found.value == Filmed(
        title="Close your eyes. Breathe in.",
        script=SCRIPT,
        voice_id=None,
        orientation="portrait",
        fit="cover",
        motion="",
    )


@pytest.mark.parametrize(
    ("wanted", "voice"),
    [
        ("v_asha", "v_asha"),
        (" v_asha ", "v_asha"),
        ("Ben", "v_ben"),
        ("English, female", "v_bea"),
        ("female", None),  # two are
        ("a warm voice", None),
        ("v_nobody", None),
        ("", None),
    ],
)
def test_a_voice_is_taken_where_one_is_plainly_meant_and_never_made_up(wanted, voice):
    assert avatar.rules(wish(voice=wanted)).voice_id == voice


def test_several_are_decided_each_by_its_own_bounds(thinking, vendors):
    vendors.mind = lambda _request: json.dumps(GOOD)
    found = asyncio.run(avatar.filmed([wish(), wish(script="Other words.")], thinking()))
    assert [each.by for each in found] == ["openai:gpt-5.5", "rules"]
    assert found[1].value.script == "Other words."


@given(
    st.builds(
        Wish,
        script=st.text(min_size=1),
        voice=st.text() | st.sampled_from(sorted(VOICES)),
        voices=st.just(VOICES),
        title=st.text(max_size=200),
    )
)
def test_the_rules_pass_their_own_check_whatever_is_wished(wished):
    assert avatar.check(wished, avatar.rules(wished)) is None
