"""The embedded talking photo: exactly as long as its sound, moving, and with its captions."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from helpers.filming import TINY, heard, no_fonts, picture, seen, shot, sound
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_studio.errors import AudioError, SettingError, Stopped, StoreError
from luma_studio.timeline.captions import Cue
from luma_studio.video.base import Look, Photo, TalkingPhoto, Told, untold
from luma_studio.video.preview import PreviewTalkingPhoto

ENGINE: TalkingPhoto = PreviewTalkingPhoto()
WIDE = Look(256, 144, 25)


def film(one, into, tell=untold):
    return asyncio.run(ENGINE.film(one, None, into, tell))


# As long as its sound


@settings(max_examples=25)
@given(
    length=st.integers(1, 12_000), rate=st.sampled_from([8000, 32000, 44100, 48000]), fps=st.sampled_from([24, 25, 30])
)
def test_a_film_is_as_long_as_its_sound_to_the_sample(tmp_path_factory, length, rate, fps):
    folder = tmp_path_factory.mktemp("film")
    one = shot(folder, look=replace(TINY, fps=fps), sound=sound(folder / "s.wav", length, rate))
    film(one, folder / "film.mp4")
    made = seen(folder / "film.mp4")
    assert made.lengths == {"video": Fraction(length, rate), "audio": Fraction(length, rate)}
    assert made.starts == tuple(Fraction(number, fps) for number in range(-(-length * fps // rate)))
    assert 0 <= heard(folder / "film.mp4") - length < 1024


def test_a_sound_that_is_not_as_long_as_was_said_is_cut_or_filled_with_silence(tmp_path):
    for said in (5000, 11_000):
        one = shot(tmp_path, sound=replace(sound(tmp_path / "s.wav", 8000), length=said))
        film(one, tmp_path / "film.mp4")
        assert seen(tmp_path / "film.mp4").lengths["audio"] == Fraction(said, 8000)


def test_the_same_scene_gives_the_same_bytes(tmp_path):
    one = shot(tmp_path, look=WIDE, cues=[Cue(0.1, 0.9, ("Breathe in.",))])
    for name in ("one.mp4", "two.mp4"):
        film(one, tmp_path / name)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_its_index_comes_first_so_that_it_plays_while_it_loads(tmp_path):
    film(shot(tmp_path), tmp_path / "film.mp4")
    data = (tmp_path / "film.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


# What is seen


def test_one_sees_that_somebody_speaks(tmp_path):
    speaking, silent = (
        shot(tmp_path / name, look=WIDE, sound=sound(tmp_path / name / "s.wav", 8000, heard=heard))
        for name, heard in (("speaking", True), ("silent", False))
    )
    pictures = []
    for name, one in (("speaking", speaking), ("silent", silent)):
        film(one, tmp_path / f"{name}.mp4")
        pictures.append(seen(tmp_path / f"{name}.mp4").pictures.astype(int))
    apart = np.abs(pictures[0] - pictures[1]).max(axis=(1, 2))
    assert apart[12] > 40  # at its loudest
    assert apart[0] < 20  # not yet


def test_the_picture_moves_also_while_nobody_speaks(tmp_path):
    film(shot(tmp_path, look=WIDE, sound=sound(tmp_path / "s.wav", 16_000, heard=False)), tmp_path / "film.mp4")
    pictures = seen(tmp_path / "film.mp4").pictures.astype(int)
    assert np.abs(pictures[0] - pictures[-1]).mean() > 0.2


def test_a_picture_that_is_contained_is_seen_whole_on_the_background(tmp_path):
    look = Look(128, 128, 25, "contain", "#ff0000", "none")
    photo = Photo("Mira", picture(tmp_path / "wide.png", (300, 60), "#0000ff"))
    film(replace(shot(tmp_path, look=look), photo=photo), tmp_path / "f.mp4")
    first = seen(tmp_path / "f.mp4").pictures[0]
    red, blue = 63, 32  # their brightness in BT.709
    assert abs(int(first[5, 64]) - red) < 6  # above it
    assert abs(int(first[64, 14]) - blue) < 12  # in its left part
    assert abs(int(first[64, 1]) - red) < 12  # beside it


# Captions


@pytest.mark.parametrize("text", ["Breathe in.", "धीरे-धीरे साँस लें।", "W" * 90, "a\x00b\u202e<i>&{\\an8}"])
def test_burned_captions_are_in_the_picture_while_they_are_to_be_read(tmp_path, text):
    cues = [Cue(0.2, 0.6, (text[:42], text[42:]))]
    pictures = []
    for name, cues_of in (("with", cues), ("without", ())):
        film(shot(tmp_path, look=WIDE, cues=cues_of), tmp_path / f"{name}.mp4")
        pictures.append(seen(tmp_path / f"{name}.mp4").pictures.astype(int))
    apart = np.abs(pictures[0] - pictures[1])[:, :125].max(axis=(1, 2))
    assert (apart[5:15] > 100).all()
    assert (apart[:5] < 40).all()
    assert (apart[15:] < 40).all()
    assert seen(tmp_path / "with.mp4").captions == ()


def test_burned_captions_stay_within_safe_margins(tmp_path):
    look = Look(180, 320, 25)
    cues = [Cue(0, 1, ("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau",))]
    film(shot(tmp_path, look=look, cues=cues), tmp_path / "with.mp4")
    film(shot(tmp_path, look=look), tmp_path / "without.mp4")
    apart = np.abs(seen(tmp_path / "with.mp4").pictures[5].astype(int) - seen(tmp_path / "without.mp4").pictures[5])
    columns, rows = np.flatnonzero(apart.max(0) > 90), np.flatnonzero(apart.max(1) > 90)
    assert columns[0] >= 9
    assert columns[-1] <= 170
    assert rows[0] >= 160
    assert rows[-1] <= 305


def test_a_track_of_captions_has_their_times_their_language_and_no_empty_ones(tmp_path):
    cues = [Cue(0.1, 0.4, ("नमस्ते", "दोस्तो")), Cue(0.5, 0.6, ("", " ")), Cue(0.7, 9.0, ("अलविदा",))]
    film(shot(tmp_path, cues=cues, look=replace(TINY, captions="track")), tmp_path / "film.mp4")
    made = seen(tmp_path / "film.mp4")
    expected = ((Fraction(1, 10), Fraction(4, 10), "नमस्ते\nदोस्तो"), (Fraction(7, 10), Fraction(1), "अलविदा"))
    assert made.captions == expected
    assert made.languages["subtitle"] == made.languages["audio"] == "hin"
    assert made.lengths["video"] == 1


def test_without_a_font_captions_are_in_a_track_and_it_is_said_why(tmp_path):
    with no_fonts():
        one = shot(tmp_path, look=WIDE, cues=[Cue(0, 1, ("धीरे-धीरे",))])
        told = []
        made = film(one, tmp_path / "film.mp4", told.append)
        assert seen(tmp_path / "film.mp4").captions == ((0, 1, "धीरे-धीरे"),)
        assert made.status["captions"] == "track"
        assert told[-1] == Told("completed", made.message, 1.0)
        assert "No installed font has the letters of Devanagari" in made.message
        without = ENGINE.identity(one)
    assert ENGINE.identity(one) != without  # once there is one, it is filmed again


# Stopped, refused, broken


def test_who_stops_it_stops_it_soon_and_nothing_is_left(tmp_path):
    told = []

    def tell(how_far):
        told.append(how_far)
        if how_far.share:
            raise Stopped

    one = shot(tmp_path, 8000 * 60)
    with pytest.raises(Stopped):
        film(one, tmp_path / "films" / "film.mp4", tell)
    assert told[-1].share < 0.05
    assert list((tmp_path / "films").iterdir()) == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("frames")]


def test_a_task_that_is_cancelled_ends_its_thread_before_it_ends(tmp_path):
    one = shot(tmp_path, 8000 * 60)

    async def begin_and_cancel():
        began = asyncio.Event()
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(
            ENGINE.film(one, None, tmp_path / "films" / "f.mp4", lambda told: loop.call_soon_threadsafe(began.set))
        )
        await began.wait()  # the loop is live meanwhile
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("frames")]

    asyncio.run(begin_and_cancel())
    assert list((tmp_path / "films").iterdir()) == []


def test_it_tells_how_far_it_is_in_growing_shares(tmp_path):
    told = []
    film(shot(tmp_path, 8000 * 8), tmp_path / "film.mp4", told.append)
    shares = [each.share for each in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 8


def test_what_was_there_stays_when_it_fails(tmp_path):
    (tmp_path / "film.mp4").write_bytes(b"before")
    (tmp_path / "s.wav").write_bytes(b"no sound")
    one = shot(tmp_path)
    with pytest.raises(AudioError):
        film(replace(one, sound=replace(one.sound, path=tmp_path / "s.wav")), tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == b"before"


def test_a_full_disk_is_told_in_a_sentence(tmp_path):
    with pytest.raises(StoreError, match="is in the way"):
        film(shot(tmp_path), tmp_path / "mira.png" / "film.mp4")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"photo": Photo("Mira", avatar="abc")}, "Mira is none"),
        ({"look": replace(TINY, width=63)}, "even number"),
        ({"look": replace(TINY, height=20_000)}, "even number"),
        ({"look": replace(TINY, fps=0)}, "frames a second"),
        ({"look": replace(TINY, background="red")}, "#rrggbb"),
    ],
)
def test_what_cannot_be_filmed_is_refused_before_anything_is_done(tmp_path, change, said):
    with pytest.raises(SettingError, match=said):
        ENGINE.check(replace(shot(tmp_path), **change))


def test_a_scene_without_sound_is_refused(tmp_path):
    one = shot(tmp_path)
    with pytest.raises(SettingError, match="no sound"):
        ENGINE.check(replace(one, sound=replace(one.sound, length=0)))


def test_a_name_and_a_title_are_not_what_a_video_is_known_by(tmp_path):
    one = shot(tmp_path, cues=[Cue(0, 1, ("a",))])
    other = replace(one, title="Two", photo=replace(one.photo, name="Anna"))
    assert ENGINE.identity(one) == ENGINE.identity(other)
    for change in ({"cues": ()}, {"language": "en"}, {"look": WIDE}):
        look = replace(one, look=replace(TINY, captions="track"))
        assert ENGINE.identity(replace(look, **change)) != ENGINE.identity(look)
    assert ENGINE.price(one) == 0
