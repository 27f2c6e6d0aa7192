"""Drawings of a timeline: what they show, and that they are whole SVG whatever a production is called."""

from __future__ import annotations

import asyncio
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.batch.drawing import Picture, outline, picture, waveform
from luma_studio.studio import Studio

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawn(workspace) -> tuple[Picture, tuple[float, ...]]:
    with Studio(workspace) as studio:
        made = studio.production("Tom & Jerry", "One\nBreathe in. (2 sec)\nAnd out.\n\nTwo\nRest. (1 sec)\nStay.\n")
        asyncio.run(made.speak())
        made.pauses[0] = 4.0
        return picture(made), waveform(made.timeline, 100)


def test_a_picture_shows_each_pause_in_its_source_s_colour_where_scenes_begin_and_the_time(drawn):
    found, _ = drawn
    svg = ElementTree.fromstring(found.svg)  # noqa: S314 - our own
    rooms = [each.get("class") for each in svg.iter(f"{SVG}rect") if (each.get("class") or "").startswith("silence")]
    assert rooms == ["silence tuned", "silence default", "silence written", "silence default"]
    assert len([each for each in svg.iter(f"{SVG}path") if each.get("class") == "scene"]) == 1
    texts = [each.text for each in svg.iter(f"{SVG}text")]
    assert texts[:4] == ["pauses", "written", "default", "tuned"]
    assert {"0:00", "0:05"} <= set(texts)


def test_a_picture_says_in_words_what_it_shows(drawn):
    found, _ = drawn
    svg = ElementTree.fromstring(found.svg)  # noqa: S314
    assert svg.get("aria-label") == found.words
    assert found.words.startswith("The timeline of Tom & Jerry: 4 clauses in 0:0")
    assert found._repr_mimebundle_() == {"image/svg+xml": found.svg, "text/plain": found.words}


def test_a_waveform_is_loud_where_is_speech_and_silent_in_a_pause(drawn):
    _, levels = drawn
    assert len(levels) == 100
    assert max(levels) == 1.0
    silent = "".join("." if level == 0 else "x" for level in levels)
    assert "." * 20 in silent  # the pause of four seconds
    assert "x.x.x" not in silent  # no comb


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_an_outline_lies_within_its_width_and_height(levels):
    points = [tuple(map(float, each.split(","))) for each in outline(levels, 160, 28)[1:-1].split()]
    assert len(points) == 2 * len(levels)
    assert all(0 <= x <= 160.1 and 0 <= y <= 28 for x, y in points)
