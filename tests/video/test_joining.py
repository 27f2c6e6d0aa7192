"""The embedded assembly: every scene where it is heard, faded, titled and captioned, and not a frame of drift."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers.filming import TINY, heard, no_fonts, seen, sound, video
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_studio.errors import SettingError, Stopped, VideoError
from luma_studio.timeline.captions import Cue
from luma_studio.video.base import Assembly, Cut, Look, Part, untold
from luma_studio.video.joining import PreviewAssembly

ENGINE: Assembly = PreviewAssembly()
WIDE = Look(256, 144, 25)


def join(cut, into, tell=untold):
    return asyncio.run(ENGINE.assemble(cut, None, into, tell))


def cut_of(folder, videos, length=24_000, look=TINY, **changes):
    """A film of as many scenes as there are videos, each as long as the others."""
    each = length // len(videos)
    parts = tuple(
        Part(f"scene_{number}", f"Scene {number}", path, str(path), number * each, each)
        for number, path in enumerate(videos)
    )
    return Cut("Calm", parts, sound(folder / "master.wav", length), (), "hi", look, **changes)


@pytest.fixture
def two(tmp_path):
    """A dark video and a bright one, of a second and a half each, in different sizes and frames a second."""
    return [
        video(tmp_path / "dark.mp4", 1.5, fps=30, size=(96, 64), base=20),
        video(tmp_path / "bright.mp4", 1.5, fps=24, base=150),
    ]


# Time


@settings(max_examples=10)
@given(
    lengths=st.lists(st.integers(0, 9000), min_size=1, max_size=4).filter(sum),
    gap=st.integers(0, 3000),
    crossfade=st.sampled_from([0.0, 0.3, 2.0]),
)
def test_a_film_is_as_long_as_its_sound_whatever_its_scenes_are(tmp_path_factory, lengths, gap, crossfade):
    folder = tmp_path_factory.mktemp("join")
    path = video(folder / "v.mp4", 0.4)
    starts = [gap + sum(lengths[:index]) for index in range(len(lengths))]
    parts = tuple(
        Part(f"scene_{start}", "", path, "", start, length) for start, length in zip(starts, lengths, strict=True)
    )
    length = gap * 2 + sum(lengths)
    join(Cut("", parts, sound(folder / "m.wav", length), (), "", TINY, crossfade, 0.2), folder / "film.mp4")
    made = seen(folder / "film.mp4")
    assert made.lengths["video"] == made.lengths["audio"] == Fraction(length, 8000)
    assert len(made.pictures) == -(-length * 25 // 8000)
    assert 0 <= heard(folder / "film.mp4") - length < 1024


def test_ten_minutes_do_not_drift(tmp_path):
    """Scenes of an odd length, from videos of another frame rate: each begins with its own first picture."""
    length, each = 8000 * 600, 8000 * 600 // 83
    path = video(tmp_path / "v.mp4", 2.0, fps=Fraction(30_000, 1001), base=20)
    parts = tuple(Part(f"scene_{n}", "", path, "", n * each, each) for n in range(83))
    look = replace(TINY, width=32, height=32, fps=5)
    join(Cut("", parts, sound(tmp_path / "m.wav", length, heard=False), (), "", look), tmp_path / "film.mp4")
    made = seen(tmp_path / "film.mp4")
    assert made.lengths["video"] == made.lengths["audio"] == 600
    brightness = made.pictures.mean(axis=(1, 2))
    for number in range(1, 83):
        first = -(-number * each * 5 // 8000)
        since = Fraction(first, 5) - Fraction(number * each, 8000)
        shown = 20 + int(since * 30_000 / 1001)
        assert abs(brightness[first] - shown) < 2, number
        assert brightness[first - 1] > 70, number  # still the last picture of the one before


def test_a_video_that_is_too_short_holds_its_last_picture_and_one_that_is_too_long_is_cut(tmp_path):
    short, long = video(tmp_path / "short.mp4", 0.4, base=20), video(tmp_path / "long.mp4", 5, base=100)
    join(cut_of(tmp_path, [short, long], 16_000), tmp_path / "film.mp4")
    brightness = seen(tmp_path / "film.mp4").pictures.mean(axis=(1, 2))
    assert np.abs(brightness[9:25] - 29).max() < 2
    assert np.abs(brightness[25:] - np.arange(100, 125)).max() < 3


# Fades, titles, captions, chapters


def test_a_crossfade_has_its_middle_where_the_scenes_meet_and_no_more_than_its_length(tmp_path, two):
    join(cut_of(tmp_path, two, crossfade=0.4), tmp_path / "faded.mp4")
    join(cut_of(tmp_path, two), tmp_path / "cut.mp4")
    faded, plain = (seen(tmp_path / f"{name}.mp4").pictures.mean(axis=(1, 2)) for name in ("faded", "cut"))
    assert len(faded) == len(plain) == 75
    meeting = 37.5  # in frames
    before, after = plain[36], plain[39]
    assert before < faded[35] < faded[37] < faded[38] < faded[40] < after + 3
    assert abs((faded[37] + faded[38]) / 2 - (before + after) / 2) < 6
    outside = np.abs(np.arange(75) - meeting) > 5
    assert np.abs(faded - plain)[outside].max() < 3


def test_a_crossfade_takes_at_most_half_of_a_short_scene(tmp_path, two):
    cut = cut_of(tmp_path, [two[0], two[1], two[0]], 24_000, crossfade=5.0)
    parts = (
        replace(cut.parts[0], length=11_200),
        replace(cut.parts[1], start=11_200, length=1600),
        replace(cut.parts[2], start=12_800, length=11_200),
    )
    join(replace(cut, parts=parts), tmp_path / "film.mp4")
    brightness = seen(tmp_path / "film.mp4").pictures.mean(axis=(1, 2))
    assert brightness[32] < 65
    assert brightness[37] > 140
    assert brightness[43] < 65


def test_a_title_stands_in_a_scenes_first_seconds_and_no_longer_than_the_scene(tmp_path, two):
    cut = cut_of(tmp_path, two, look=replace(WIDE, captions="none"))
    titled = replace(cut.parts[1], title="Coming <home> \u202e& {back} 😀")
    for name, card in (("with", 1.0), ("without", 0.0)):
        join(replace(cut, parts=(replace(cut.parts[0], title=" "), titled), card=card), tmp_path / f"{name}.mp4")
    shown, plain = (seen(tmp_path / f"{name}.mp4").pictures.astype(int) for name in ("with", "without"))
    apart = np.abs(shown - plain).max(axis=(1, 2))
    assert apart[:37].max() < 40
    assert (apart[48:53] > 60).all()
    assert apart[64:].max() < 40


def test_captions_are_drawn_where_no_scene_has_them_yet(tmp_path, two):
    cues = (Cue(0.2, 1.0, ("Breathe in.",)), Cue(1.8, 2.6, ("Breathe out.",)))
    cut = cut_of(tmp_path, two, look=WIDE)
    burned = replace(cut.parts[0], captions="burned")
    made = join(replace(cut, parts=(burned, cut.parts[1]), cues=cues), tmp_path / "with.mp4")
    join(replace(cut, parts=(burned, cut.parts[1])), tmp_path / "without.mp4")
    shown, plain = (seen(tmp_path / f"{name}.mp4").pictures.astype(int) for name in ("with", "without"))
    apart = np.abs(shown - plain)[:, 80:].max(axis=(1, 2))
    assert apart[:37].max() < 40
    assert apart[46:64].min() > 60
    assert made.status["captions"] == "burned"
    assert seen(tmp_path / "with.mp4").captions == ()


def test_a_track_and_chapters_are_as_the_cut_says(tmp_path, two):
    cues = (Cue(0.25, 1.0, ("नमस्ते",)), Cue(1.75, 2.5, ("two", "lines")))
    cut = cut_of(tmp_path, two, look=replace(TINY, captions="track"))
    parts = (replace(cut.parts[0], title="पहला\x00 & <one>"), replace(cut.parts[1], title=""))
    join(replace(cut, parts=parts, cues=cues), tmp_path / "film.mp4")
    made = seen(tmp_path / "film.mp4")
    assert [text for _, _, text in made.captions] == ["नमस्ते", "two\nlines"]
    assert made.captions[1][:2] == (Fraction(7, 4), Fraction(5, 2))
    assert made.languages["subtitle"] == "hin"
    middle = Fraction(3, 2)
    assert made.chapters == ((0, middle, "पहला & <one>"), (middle, 3, "Scene 1"))


def test_without_a_font_captions_are_in_a_track_and_titles_in_chapters_and_it_is_said(tmp_path, two):
    cut = replace(cut_of(tmp_path, two, look=WIDE, card=1.0), cues=(Cue(0.2, 1.0, ("नमस्ते",)),))
    with no_fonts():
        made = join(cut, tmp_path / "film.mp4")
    assert seen(tmp_path / "film.mp4").captions[0][2] == "नमस्ते"
    assert made.status["captions"] == "track"
    assert "Devanagari" in made.message
    assert "titles" in made.message


# Stopped, refused, broken


def test_who_stops_it_stops_it_and_nothing_is_left(tmp_path, two):
    def tell(how_far):
        if how_far.share:
            raise Stopped

    with pytest.raises(Stopped):
        join(cut_of(tmp_path, two, 8000 * 60), tmp_path / "films" / "film.mp4", tell)
    assert list((tmp_path / "films").iterdir()) == []


def test_a_video_that_is_none_is_told_by_its_scene(tmp_path, two):
    broken = tmp_path / "broken.mp4"
    for data in (b"", b"#EXTM3U\nhttp://127.0.0.1:1/a.ts\n", two[1].read_bytes()[:2000]):
        broken.write_bytes(data)
        with pytest.raises(VideoError, match="scene_1"):
            join(cut_of(tmp_path, [two[0], broken]), tmp_path / "film.mp4")
        assert not (tmp_path / "film.mp4").exists()


def test_sound_alone_is_no_video(tmp_path, two):
    one = cut_of(tmp_path, two)
    with pytest.raises(VideoError, match="scene_0"):
        join(replace(one, parts=(replace(one.parts[0], video=one.sound.path),)), tmp_path / "film.mp4")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parts": ()}, "no scene"),
        ({"crossfade": -1.0}, "crossfade"),
        ({"card": 100.0}, "title"),
        ({"look": replace(TINY, width=1)}, "even number"),
    ],
)
def test_what_cannot_be_joined_is_refused_before_anything_is_done(tmp_path, change, said):
    cut = cut_of(tmp_path, [Path("a.mp4")])
    with pytest.raises(SettingError, match=said):
        ENGINE.check(replace(cut, **change))


def test_scenes_that_lie_over_one_another_or_end_after_the_sound_are_refused(tmp_path):
    cut = cut_of(tmp_path, [Path("a.mp4"), Path("b.mp4")])
    with pytest.raises(SettingError, match="scene_1 begins before"):
        ENGINE.check(replace(cut, parts=(cut.parts[0], replace(cut.parts[1], start=5))))
    with pytest.raises(SettingError, match="longer than"):
        ENGINE.check(replace(cut, sound=replace(cut.sound, length=100)))
