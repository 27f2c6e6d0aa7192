"""Sound that is decoded while it comes: the same wherever it is cut, and the same as the whole."""

from __future__ import annotations

import contextlib
import itertools
import struct
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from helpers.vendors import _openai_audio, encoded, spoken
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.audio import codec
from luma_studio.audio.incoming import Incoming, IncomingLines
from luma_studio.errors import AudioError

TEXT = "Breathe in, and out."
FORMS = ("pcm_24000", "mp3_44100_128", "mp3_22050_32", "opus_48000_64", "wav_44100")
MORE = ("wav", "flac", "aac", "opus", "mp3")
DELAY = 2257  # samples, at most, of an encoder's delay: 1,105 of LAME's and a frame
END = 1152  # samples, at most, by which what was heard is longer at its end


@cache
def sound(form: str) -> bytes:
    if form in MORE:
        return _openai_audio(spoken(TEXT, 24000).samples, form)
    return encoded(spoken(TEXT, int(form.split("_")[1])).samples, form)


def pcm(form: str) -> int | None:
    return int(form.split("_")[1]) if form.startswith("pcm") else None


def heard(coming: Incoming, pieces: list[bytes]) -> np.ndarray:
    return np.concatenate([*map(coming.take, pieces), coming.end()])


def cut(data: bytes, places: list[float]) -> list[bytes]:
    edges = [0, *sorted(round(place * len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


PLACES = st.lists(st.floats(0, 1) | st.floats(0, 0.001), max_size=30)


@pytest.mark.parametrize("form", [*FORMS, *MORE])
@given(places=PLACES)
def test_sound_is_the_same_wherever_it_is_cut(form: str, places: list[float]) -> None:
    whole = heard(Incoming(pcm(form)), [sound(form)])
    coming = Incoming(pcm(form))
    assert np.array_equal(heard(coming, cut(sound(form), places)), whole)
    assert coming.rate > 0


@pytest.mark.parametrize("form", [*FORMS, *MORE])
def test_what_is_heard_is_what_is_kept_but_for_silence_of_the_encoder(form: str) -> None:
    data = sound(form)
    coming = Incoming(pcm(form))
    told = heard(coming, cut(data, [each / 50 for each in range(50)]))
    if pcm(form):
        kept, rate = np.frombuffer(data, "<i2"), pcm(form)
    else:
        kept, rate = codec.read(data)
    assert coming.rate == rate
    early = [at for at in range(DELAY) if np.array_equal(told[at : at + len(kept)], kept[: len(told) - at])]
    assert early
    assert len(kept) <= len(told) <= len(kept) + early[0] + END


@pytest.mark.parametrize("form", ["pcm_24000", "mp3_44100_128", "wav_44100", "aac", "wav"])
def test_of_half_the_bytes_about_half_the_sound_is_heard(form: str) -> None:
    first, second = cut(sound(form), [0.5])
    coming = Incoming(pcm(form))
    told = len(coming.take(first))
    assert told >= 0.4 * (told + len(coming.take(second)) + len(coming.end()))


def test_an_mp3_may_begin_with_tags_that_look_like_sound() -> None:
    tag = b"\xff\xfb\x90\xc4" * 100
    tagged = b"ID3\x04\0\0" + bytes((0, 0, len(tag) >> 7, len(tag) & 127)) + tag + sound("mp3_44100_128")
    whole = heard(Incoming(), [sound("mp3_44100_128")])
    assert np.array_equal(heard(Incoming(), [tagged]), whole)
    assert np.array_equal(heard(Incoming(), [tagged[at : at + 1] for at in range(len(tagged))]), whole)


def test_what_follows_the_samples_of_a_wav_is_not_heard() -> None:
    data = sound("wav_44100")
    assert np.array_equal(heard(Incoming(), [data + b"LIST\x04\0\0\0noise"]), codec.read(data)[0])


def test_a_wav_may_say_other_things_before_its_samples() -> None:
    data = sound("wav_44100")
    told = data[:12] + b"LIST\x05\0\0\0abcde\0" + data[12:]
    assert np.array_equal(heard(Incoming(), [told[at : at + 7] for at in range(0, len(told), 7)]), codec.read(data)[0])


@pytest.mark.parametrize(
    "data",
    [
        b"this is no sound at all",
        bytes(1000),
        struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 40, b"WAVE", b"fmt ", 16, 1, 2, 44100, 8, 4, 16, b"data", 4),
        struct.pack("<4sI4s4sI", b"RIFF", 40, b"WAVE", b"data", 16) + bytes(16),
        b"OggS" + bytes(22) + b"\x01\x08notOpus!",
    ],
    ids=["words", "zeros", "a WAV of two channels", "a WAV without a format", "an Ogg of something else"],
)
def test_what_cannot_be_played_while_it_comes_is_told_as_such(data: bytes) -> None:
    with pytest.raises(AudioError):
        heard(Incoming(), [data])


@pytest.mark.parametrize("form", [*FORMS, *MORE])
@given(data=st.data())
def test_damage_is_heard_or_told_and_nothing_else(form: str, data: st.DataObject) -> None:
    damaged = bytearray(sound(form))
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=20)):
        damaged[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(AudioError):
        heard(Incoming(pcm(form)), [bytes(damaged)])


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n \n"])
@given(places=PLACES, data=st.data())
def test_lines_are_the_same_wherever_they_are_cut(end: bytes, places: list[float], data: st.DataObject) -> None:
    parts = cut(sound("mp3_22050_32"), data.draw(PLACES))
    lines = b"\n".join(part.hex().encode() for part in parts) + end
    coming = IncomingLines(_unhex)
    assert np.array_equal(heard(coming, cut(lines, places)), heard(Incoming(), parts))


_unhex: Callable[[bytes], bytes] = lambda line: bytes.fromhex(line.decode())  # noqa: E731
