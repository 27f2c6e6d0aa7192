"""The personas that are shipped: fit to be used, and to be shown."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import pytest

from luma_studio.persona import Persona, Personas
from luma_studio.persona.personas import FILE
from luma_studio.script.languages import is_written_in
from luma_studio.shipped import shipped
from luma_studio.voices.base import VoiceChoice

SHIPPED = ("asha", "otto", "juno")


@pytest.fixture(params=SHIPPED)
def persona(request: pytest.FixtureRequest, personas: Personas) -> Persona:
    return personas.get(request.param)


def test_there_are_three_and_one_speaks_hindi(personas):
    there = personas.all()
    assert tuple(each.id for each in there) == SHIPPED
    assert [each.language for each in there].count("hi") == 1
    assert not any(each.is_own for each in there)


def test_each_has_all_that_one_wants_of_it(persona):
    assert len(persona.prompt) > 500
    assert persona.bio
    assert is_written_in(persona.greeting, persona.language)
    assert len(persona.colours) == 3
    assert persona.bought.startswith("elevenlabs:")


def test_each_picture_is_small_and_fit_for_a_portrait_video(persona, personas):
    data = personas.image(persona)
    assert len(data) <= 60_000
    assert (persona.picture.width, persona.picture.height) == (720, 1280)


def test_each_says_its_greeting_without_a_key(persona, studio):
    clip = asyncio.run(studio.hear(persona.greeting, persona.language, f"persona:{persona.id}"))
    assert 2 < len(clip.samples) / clip.rate < 12


def test_their_voices_differ(personas):
    assert len({VoiceChoice.parse(each.embedded).voice for each in personas.all()}) == len(SHIPPED)
    assert len({each.bought for each in personas.all()}) == len(SHIPPED)


def test_they_come_with_the_wheel():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    included = tomllib.loads(text)["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["personas"] == "luma_studio/personas"
    assert (shipped("personas") / FILE).is_file()
