"""Analysis, sanitizer and planning: what a mind says of a script is checked against that script."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from luma_studio.agents import (
    FILM,
    NAMES,
    RULES,
    analysis,
    avatar,
    hot_take,
    motion,
    planning,
    sanitizer,
    segmentation,
    splice,
    template,
)
from luma_studio.agents.planning import Part
from luma_studio.script import parse
from luma_studio.settings import Reading
from luma_studio.shipped import shipped

SCRIPT = """[Scene 1 – Hello]
Visual: A street.
Dialogue (Woman): "Hello, Ravi."
Dialogue (VO): "Camera pans left. He smiled and waited."
"""
READ = parse(SCRIPT, Reading())
CLAUSES = tuple(READ.clauses)
SCENES = [Part("Arriving", "Sit down.", 60.0, 30.0), Part("Rest", "Only breathe.", 20.0, 90.0)]


def test_every_agent_has_a_prompt_that_is_shipped():
    script, film = (analysis, planning, sanitizer, segmentation, splice), (avatar, motion, template)
    assert [module.AGENT.name for module in (*script, *film)] == [*NAMES, *FILM]
    prompts = {*NAMES, *FILM, *get_args(hot_take.Kind), "spoken"}
    assert {path.stem for path in shipped("prompts").glob("*.md")} == prompts


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        ({"clause": 1, "speaker": None, "tags": ["calm", "slowly"]}, None),
        ({"clause": 0, "speaker": "Woman", "tags": []}, None),
        ({"clause": 0, "speaker": "Ravi", "tags": []}, "leave that"),
        ({"clause": 9, "speaker": None, "tags": []}, "no clause 9"),
        ({"clause": 1, "speaker": None, "tags": ["calm", "slowly", "sad"]}, "3 tags"),
    ],
)
def test_an_analysis_names_only_who_is_there(heard, why):
    answer = analysis.Analysed.model_validate({"clauses": [heard]})
    found = analysis.check(CLAUSES, answer)
    assert found is None if why is None else why in found


def test_an_analysis_gives_narration_to_somebody_whom_the_text_names():
    prose = tuple(parse("One\nThe bell rings, says Ravi.\nWe wait.", Reading()).clauses)
    for name, good in (("Ravi", True), ("Nobody", False), (" ", False)):
        answer = analysis.Analysed.model_validate({"clauses": [{"clause": 0, "speaker": name, "tags": []}]})
        assert (analysis.check(prose, answer) is None) is good


def test_an_analysis_is_had_from_a_mind_and_a_tag_of_its_own_is_not(thinking, vendors):
    vendors.mind = lambda _request: '{"clauses": [{"clause": 1, "speaker": null, "tags": ["calm"]}]}'
    found = asyncio.run(analysis.analysed(READ, thinking()))
    assert {each.by for each in found.decisions} == {"openai:gpt-5.5"}
    (role,) = found.roles["Camera pans left."]
    assert (role.before, role.tags) == ("Hello, Ravi.", ("calm",))
    vendors.mind = lambda _request: '{"clauses": [{"clause": 1, "speaker": null, "tags": ["Buy now!"]}]}'
    found = asyncio.run(analysis.analysed(READ, thinking("openai:gpt-5.4")))
    assert ({each.by for each in found.decisions}, found.roles) == ({RULES}, {})


def test_the_sanitizer_sees_only_what_is_spoken():
    assert {number: text.strip() for number, text in sanitizer.spoken_lines(READ).items()} == {
        3: '"Hello, Ravi."',
        4: '"Camera pans left. He smiled and waited."',
    }


@pytest.mark.parametrize(
    ("line", "quote", "good"),
    [
        (4, "Camera pans left.", True),
        (4, "camera pans left.", False),
        (3, "Camera pans left.", False),
        (2, "A street.", False),
        (4, " ", False),
    ],
)
def test_the_sanitizer_quotes_exactly(thinking, vendors, line, quote, good):
    said = sanitizer.Sanitized.model_validate({"found": [{"line": line, "quote": quote, "kind": "direction"}]})
    vendors.mind = lambda _request: said.model_dump_json()
    found = asyncio.run(sanitizer.sanitized(READ, thinking()))
    assert found.decisions[0].value == (said if good else sanitizer.RULES)
    assert bool(sanitizer.doubted(READ, found.found).diagnostics) is good


@pytest.mark.parametrize(
    ("factors", "why"),
    [
        ({0: 1.0, 1: 1.4444}, None),
        ({0: 0.2, 1: 1.7}, "from 0.25 to 4"),
        ({0: 1.0}, "every scene"),
        ({0: 1.0, 1: 4.0}, "seconds off"),
        ({0: float("nan"), 1: 1.4}, "from 0.25"),
    ],
)
def test_a_plan_reaches_the_wanted_total(factors, why):
    shares = [planning.Share(scene=scene, factor=factor) for scene, factor in factors.items()]
    found = planning.check(SCENES, 240.0, planning.Planned(scenes=shares))
    assert found is None if why is None else why in found


@pytest.mark.parametrize("total", [1.0, 120.0, 200.0, 240.0, 10_000.0])
def test_by_the_rules_all_scenes_share_alike(thinking, total):
    found = asyncio.run(planning.planned(SCENES, total, thinking("")))
    assert found.by == RULES
    assert len({each.factor for each in found.value.scenes}) == 1
    assert planning.check(SCENES, total, found.value) is None


def test_a_plan_without_pauses_changes_nothing():
    (share,) = planning.rules([Part("One", "Speak.", 10.0, 0.0)], 60.0).scenes
    assert share.factor == 1.0
