"""Films as files: whole or not at all, tagged as what they are, captions and chapters in them."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
import pytest
from helpers.fakes import DyingDisk
from helpers.filming import seen, sound

from luma_studio.audio.codec import Chapter
from luma_studio.errors import StoreError, VideoError
from luma_studio.store import files
from luma_studio.timeline.captions import Cue
from luma_studio.video.planes import frame_of, planes_of
from luma_studio.video.writing import Form, write_film


def frames(count, size=(64, 48)):
    for number in range(count):
        frame = frame_of(*size)
        for plane in planes_of(frame):
            plane[...] = 40 + number % 150
        yield frame


def form(folder, length=8000, **changes):
    return Form(64, 48, 25, length, 8000, sound(folder / "s.wav", length), **changes)


def write(into, one, count=None):
    write_film(into, frames(one.frames if count is None else count), one, lambda _done: None)


def test_a_full_disk_at_any_operation_leaves_what_was_there_and_says_so(tmp_path, monkeypatch):
    one, films = form(tmp_path, cues=[Cue(0, 1, ("a",))]), tmp_path / "films"
    films.mkdir()
    (films / "f.mp4").write_bytes(b"before")
    dies_at, full = 0, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    while True:
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", DyingDisk(dies_at, full))
            with suppress(StoreError):
                write(films / "f.mp4", one)
                break
        assert (films / "f.mp4").read_bytes() == b"before"
        dies_at += 1
    assert dies_at > 4
    assert len(seen(films / "f.mp4").pictures) == 25


@pytest.mark.parametrize("count", [24, 26, 0])
def test_a_film_of_more_or_fewer_frames_than_its_sound_asks_for_is_none(tmp_path, count):
    with pytest.raises(VideoError, match="25 frames"):
        write(tmp_path / "films" / "f.mp4", form(tmp_path), count)
    assert list((tmp_path / "films").iterdir()) == []


def test_players_are_told_that_it_is_bt709_in_limited_range(tmp_path):
    write(tmp_path / "f.mp4", form(tmp_path))
    with av.open(tmp_path / "f.mp4") as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"
        assert {stream.codec_context.name for stream in container.streams} == {"h264", "aac"}


def test_captions_that_lie_over_one_another_take_turns(tmp_path):
    cues = [Cue(0.5, 0.9, ("second",)), Cue(0.1, 0.7, ("first",)), Cue(0.95, 0.95, ("never",)), Cue(2, 3, ("late",))]
    write(tmp_path / "f.mp4", form(tmp_path, cues=cues, language="hi-IN"))
    made = seen(tmp_path / "f.mp4")
    assert [text for _, _, text in made.captions] == ["first", "second"]
    assert made.captions[0][1] == made.captions[1][0] == Fraction(7, 10)
    assert made.languages["subtitle"] == "hin"


def test_a_caption_of_any_length_and_kind_is_text_in_its_track(tmp_path):
    texts = ["<b>&amp; {\\an8} \u202e", "न" * 40_000, "😀 \ud800"]
    cues = [Cue(at / 10, at / 10 + 0.1, (text,)) for at, text in enumerate(texts)]
    write(tmp_path / "f.mp4", form(tmp_path, cues=cues))
    captions = [text for _, _, text in seen(tmp_path / "f.mp4").captions]
    assert captions[0] == "<b>&amp; {\\an8} \u202e"
    assert set(captions[1]) == {"न"}
    assert captions[2] == "😀 ?"


def test_chapters_end_where_they_end_to_the_sample(tmp_path):
    chapters = [Chapter(0, 2345, "One"), Chapter(2345, 8000, "")]
    write(tmp_path / "f.mp4", form(tmp_path, chapters=chapters, title="A\x00film"))
    assert seen(tmp_path / "f.mp4").chapters == (
        (0, Fraction(2345, 8000), "One"),
        (Fraction(2345, 8000), 1, "Chapter 2"),
    )
    with av.open(tmp_path / "f.mp4") as container:
        assert container.metadata["title"] == "A film"


def test_a_frame_is_shown_as_it_was_drawn(tmp_path):
    write(tmp_path / "f.mp4", form(tmp_path))
    brightness = seen(tmp_path / "f.mp4").pictures.mean(axis=(1, 2))
    assert np.abs(brightness - np.arange(40, 65)).max() < 2
