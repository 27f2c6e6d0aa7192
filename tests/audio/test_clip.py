from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydub import AudioSegment

from luma_studio.audio.clip import Clip, Samples, faded, scaled

RATE = 44100
samples_of_any_kind = st.lists(st.integers(-32768, 32767), max_size=300).map(lambda values: np.array(values, np.int16))
fades = st.integers(0, 400)


def tone(frequency: float, rate: int, seconds: float = 1.0) -> Samples:
    time = np.arange(int(rate * seconds)) / rate
    return np.rint(12000 * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


def segment(values: list[int], width: int, channels: int = 1, rate: int = RATE) -> AudioSegment:
    data = np.array(values, dtype=f"<i{width}").tobytes()
    return AudioSegment(data=data, sample_width=width, frame_rate=rate, channels=channels)


def test_a_clip_knows_its_length_and_duration() -> None:
    clip = Clip(np.zeros(22050, np.int16), RATE)
    assert len(clip) == 22050
    assert clip.duration == 0.5


def test_a_clip_cannot_be_changed() -> None:
    clip = Clip(np.zeros(10, np.int16), RATE)
    with pytest.raises(ValueError, match="read-only"):
        clip.samples[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        clip.rate = 8000  # type: ignore[misc]


def test_clips_are_equal_when_rate_and_samples_are() -> None:
    sound = np.arange(5, dtype=np.int16)
    assert Clip(sound, RATE) == Clip(sound.copy(), RATE)
    assert hash(Clip(sound, RATE)) == hash(Clip(sound.copy(), RATE))
    assert Clip(sound, RATE) != Clip(sound, 48000)
    assert Clip(sound, RATE) != Clip(sound[:4], RATE)
    assert Clip(sound, RATE) != "a clip"


@pytest.mark.parametrize("wrong", [np.zeros((2, 2), np.int16), np.zeros(2, np.float32)])
def test_a_clip_refuses_what_is_not_mono_16_bit(wrong: Samples) -> None:
    with pytest.raises(ValueError, match="1-D int16"):
        Clip(wrong, RATE)


def test_a_clip_refuses_a_rate_of_nothing() -> None:
    with pytest.raises(ValueError, match="rate"):
        Clip(np.zeros(2, np.int16), 0)


@given(samples_of_any_kind, st.sampled_from([8000, 22050, 44100, 48000]))
def test_pydub_and_back_is_exact(samples: Samples, rate: int) -> None:
    clip = Clip(samples, rate)
    assert Clip.from_pydub(clip.to_pydub()) == clip


def test_pydub_sees_mono_16_bit() -> None:
    segment = Clip(tone(440, RATE), RATE).to_pydub()
    assert (segment.channels, segment.sample_width, segment.frame_rate, len(segment)) == (1, 2, RATE, 1000)


def test_from_pydub_averages_channels() -> None:
    assert Clip.from_pydub(segment([100, 300, -5, 5], width=2, channels=2)).samples.tolist() == [200, 0]


def test_from_pydub_brings_other_widths_to_16_bit() -> None:
    assert Clip.from_pydub(segment([1, -1, 127, -128], width=1)).samples.tolist() == [256, -256, 32512, -32768]
    wide = [65536, -65536, 2**31 - 1, -(2**31), 40000]
    assert Clip.from_pydub(segment(wide, width=4)).samples.tolist() == [1, -1, 32767, -32768, 1]


def test_from_pydub_at_another_rate_lets_nothing_fold_back() -> None:
    at_16_khz = Clip.from_pydub(Clip(tone(9000, RATE), RATE).to_pydub(), rate=16000)
    assert at_16_khz.rate == 16000
    assert len(at_16_khz) == 16000
    assert np.abs(at_16_khz.samples[500:-500].astype(int)).max() < 12  # -60 dB of what went in


def test_from_pydub_at_another_rate_keeps_what_is_heard() -> None:
    heard = Clip.from_pydub(Clip(tone(1000, RATE), RATE).to_pydub(), rate=48000)
    assert np.abs(heard.samples.astype(int) - tone(1000, 48000))[500:-500].max() <= 2


@given(samples_of_any_kind, fades, fades)
def test_a_fade_never_makes_louder_and_ends_in_silence(samples: Samples, fade_in: int, fade_out: int) -> None:
    before = samples.copy()
    result = faded(samples, fade_in, fade_out)
    assert np.array_equal(samples, before)
    assert result.dtype == np.int16
    assert (np.abs(result.astype(int)) <= np.abs(samples.astype(int))).all()
    if len(samples) and fade_in > 100 and len(samples) > 100:
        assert abs(int(result[0])) <= 2
    if len(samples) and fade_out > 100 and len(samples) > 100:
        assert abs(int(result[-1])) <= 2
    middle = slice(fade_in, max(len(samples) - fade_out, fade_in))
    assert np.array_equal(result[middle], samples[middle])


def test_a_fade_is_the_same_in_and_out() -> None:
    level = np.full(1000, 20000, np.int16)
    result = faded(level, 200, 200)
    assert np.array_equal(result, result[::-1])
    assert (np.diff(result[:200].astype(int)) >= 0).all()


@given(samples_of_any_kind, st.floats(-200, 200))
def test_a_gain_keeps_silence_and_signs_and_stays_in_range(samples: Samples, gain: float) -> None:
    result = scaled(samples, gain)
    assert result.dtype == np.int16
    assert not result[samples == 0].any()
    assert (result.astype(int) * samples >= 0).all()
    exact = np.clip(samples * 10 ** (gain / 20), -32768, 32767)
    assert (np.abs(result - exact) <= 0.51).all()


@given(samples_of_any_kind)
def test_no_gain_changes_nothing(samples: Samples) -> None:
    result = scaled(samples, 0.0)
    assert np.array_equal(result, samples)
    assert not np.shares_memory(result, samples)


def test_a_gain_works_on_more_than_one_block() -> None:
    long = np.arange(-150_000, 150_000, 1).astype(np.int16)
    assert np.array_equal(scaled(long, 6.0), np.concatenate([scaled(part, 6.0) for part in np.split(long, 100)]))


def test_extreme_gains_are_silence_and_full_scale() -> None:
    sound = np.array([-1, 0, 1], np.int16)
    assert scaled(sound, -math.inf).tolist() == [0, 0, 0]
    assert scaled(sound, math.inf).tolist() == [-32768, 0, 32767]
    with pytest.raises(ValueError, match="not a number"):
        scaled(sound, math.nan)
