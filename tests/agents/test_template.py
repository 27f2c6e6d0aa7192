"""What a template's slots show: every scene once, titles and captions where they are meant, by a mind or by rules."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.agents import RULES, template
from luma_studio.agents.template import Mapped, Use
from luma_studio.video.templates import Material, Slot

TWO = (
    Material("video 1", "video", "Arriving"),
    Material("video 2", "video", "Rest"),
    Material("title", "text", "Calm"),
    Material("captions", "text", "Words 1. Words 2."),
    Material("title 1", "text", "Arriving"),
    Material("title 2", "text", "Rest"),
    Material("captions 1", "text", "Words 1."),
    Material("captions 2", "text", "Words 2."),
    Material("sound", "audio", "the sound of the whole film"),
)


def videos(*names: str, within: tuple[str, ...] = ()) -> list[Slot]:
    return [Slot(name, "video", within) for name in names]


def ruled(*slots: Slot) -> dict[str, str]:
    return template.rules(slots, TWO).by_slot


def uses(**found: str) -> Mapped:
    return Mapped(uses=[Use(slot=slot, material=material) for slot, material in found.items()])


@pytest.mark.parametrize(
    "slots",
    [
        videos("Video-1", "Video-2"),
        videos("Video-2", "Video-1"),
        videos("Clip 2", "Background", "Clip 1"),
        videos("Background", "Scene 2", "Scene 1"),
        videos("video_02", "video_01", "video_03"),
    ],
)
def test_numbered_videos_show_the_scenes_by_their_numbers(slots):
    first, second = sorted(slot.name for slot in slots if slot.name[-1] in "12")
    assert ruled(*slots) == {first: "video 1", second: "video 2"}


def test_videos_without_numbers_show_the_scenes_in_the_order_in_which_they_stand():
    assert ruled(*videos("b", "a", "c")) == {"b": "video 1", "a": "video 2"}
    assert ruled(*videos("Logo", "My clip", "A scene")) == {"My clip": "video 1", "A scene": "video 2"}
    assert ruled(*videos("Start", "Video 5")) == {"Start": "video 1", "Video 5": "video 2"}


def test_what_is_around_a_slot_tells_its_number():
    slots = [Slot("Picture", "video", ("Scene 2", "Frame")), Slot("Photo", "video", ("Scene 1", ""))]
    texts = [Slot("Title", "text", ("Scene 2",)), Slot("Caption", "text", ("Scene 1",))]
    assert ruled(*slots, *texts) == {
        "Photo": "video 1",
        "Picture": "video 2",
        "Title": "title 2",
        "Caption": "captions 1",
    }


def test_of_two_videos_with_one_number_the_first_shows_the_scene():
    inner = [*videos("Main 1", "Inset 1", within=("Scene 1",)), *videos("Main 2", "Inset 2", within=("Scene 2",))]
    assert ruled(*inner) == {"Main 1": "video 1", "Main 2": "video 2"}


@pytest.mark.parametrize(
    ("name", "shows"),
    [
        ("Title", "title"),
        ("Headline", "title"),
        ("Title-2", "title 2"),
        ("Scene2Title", "title 2"),
        ("scene_1_heading", "title 1"),
        ("Subtitles", "captions"),
        ("Captions 1", "captions 1"),
        ("Title-9", None),
        ("Subtitle", None),
        ("Entitled", None),
        ("Call to action", None),
    ],
)
def test_texts_show_what_they_are_called(name, shows):
    assert ruled(Slot(name, "text")).get(name) == shows


@pytest.mark.parametrize(
    ("names", "shows"),
    [
        (["Audio"], "Audio"),
        (["Music", "Voiceover"], "Voiceover"),
        (["Background audio", "Narration-1"], "Narration-1"),
        (["Music"], None),
        (["Sound effects"], None),
    ],
)
def test_the_sound_goes_where_a_voice_is_meant(names, shows):
    found = ruled(*(Slot(name, "audio") for name in names))
    assert found == ({} if shows is None else {shows: "sound"})
    without = template.rules([Slot("Audio", "audio")], TWO[:-1])
    assert without.uses == []


SLOTS = (*videos("A", "B"), Slot("T", "text"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (uses(A="video 2", B="video 1", T="title"), None),
        (uses(A="video 1", C="video 2"), "no slot 'C'"),
        (uses(A="video 1", B="video 9"), "for video; 'video 9' is none"),
        (uses(A="video 1", T="video 2"), "for text; 'video 2' is none"),
        (uses(A="video 1"), "Nothing shows 'video 2'"),
        (uses(A="video 1", B="video 1"), "Nothing shows 'video 2'"),
        (Mapped(uses=[Use(slot="A", material="video 1"), Use(slot="A", material="video 2")]), "named twice"),
    ],
)
def test_an_answer_shows_each_scene_once_and_each_thing_where_it_fits(answer, words):
    found = template.check(SLOTS, TWO, answer)
    assert found is None if words is None else words in found


def test_a_scene_is_not_shown_twice_where_there_is_room():
    answer = uses(A="video 1", B="video 2", C="video 1")
    assert "'video 1' is shown twice" in (template.check(videos("A", "B", "C"), TWO, answer) or "")


_SLOTS = st.lists(
    st.builds(
        Slot,
        st.text(max_size=12) | st.sampled_from(["Video-1", "Video-2", "Title", "Audio", "Subtitles", "Scene 1 Title"]),
        st.sampled_from(["video", "text", "audio", "image"]),
        st.lists(st.sampled_from(["Scene 1", "Scene 2", ""]), max_size=2).map(tuple),
    ),
    max_size=10,
    unique_by=lambda slot: slot.name,
)


@given(_SLOTS, st.integers(0, 9))
def test_the_rules_pass_the_check_whatever_the_template_is(slots, count):
    there = TWO[:count]
    assert template.check(slots, there, template.rules(slots, there)) is None


def test_a_mind_maps_and_an_answer_that_leaves_out_a_scene_is_left_to_the_rules(thinking, vendors):
    said = uses(A="video 2", B="video 1")
    vendors.mind = lambda _request: said.model_dump_json()
    found = asyncio.run(template.mapped(SLOTS, TWO, thinking()))
    assert (found.value.by_slot, found.by) == ({"A": "video 2", "B": "video 1"}, "openai:gpt-5.5")
    vendors.mind = lambda _request: uses(A="video 2").model_dump_json()
    found = asyncio.run(template.mapped(SLOTS[:2], TWO, thinking()))
    assert (found.value.by_slot, found.by) == ({"A": "video 1", "B": "video 2"}, RULES)
    assert "Nothing shows 'video 1'" in found.why
