from __future__ import annotations

import io
import math

import av
import lameenc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.audio.clip import Clip, Samples, faded, scaled
from luma_studio.audio.levels import (
    SILENT,
    LevelMeter,
    _between_stretches,
    detect_silence,
    levels,
    silences,
    sounding,
    speech_bounds,
    speech_level,
    window_start,
)

RATE = 44100
MS = RATE / 1000
LAME_DELAY = 1105  # samples that LAME and the decoder put before the first


def voice(seed: int, seconds: float, db: float = 0.0) -> Samples:
    """Something like speech, from its first sample to its last: a buzz in syllables, some of them hissed."""
    random = np.random.default_rng(seed)
    count = int(seconds * RATE)
    time = np.arange(count) / RATE
    phase = 2 * np.pi * np.cumsum(110 + 20 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    buzz = sum(np.sin(k * phase + k) / (1 + ((k * 110 - 600) / 500) ** 2) for k in range(1, 30))
    knots = np.arange(0, seconds + 0.3, 0.11)
    loudness = np.interp(time, knots, random.uniform(-18, 0, len(knots)))
    hissed = np.interp(time, knots, random.uniform(0, 1, len(knots)) > 0.75)
    sound = ((1 - hissed) * buzz + 0.3 * hissed * random.standard_normal(count)) * 10 ** (loudness / 20)
    sound *= np.minimum(1, np.minimum(time, time[::-1]) / 0.01 + 0.05)
    return np.rint(sound * 16000 * 10 ** (db / 20) / np.abs(sound).max()).astype(np.int16)


def noise(seed: int, count: int, dbfs: float, lowpass: float | None = None) -> Samples:
    """Steady noise, white or rolled off above ``lowpass`` Hz."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    if lowpass is not None:
        spectrum /= np.sqrt(1 + (np.fft.rfftfreq(count, 1 / RATE) / lowpass) ** 2)
    sound = np.fft.irfft(spectrum, count)
    return np.rint(sound / sound.std() * 32768 * 10 ** (dbfs / 20)).astype(np.int16)


def around(sound: Samples, before: float, after: float) -> Samples:
    return np.concatenate([np.zeros(int(before * RATE), np.int16), sound, np.zeros(int(after * RATE), np.int16)])


def master(seed: int, gains: list[float], noise_db: float | None = None) -> tuple[Samples, np.ndarray]:
    """Trimmed takes with pauses between them, and each pause's edges by the takes' own bounds, (n, 2) samples."""
    random = np.random.default_rng(seed)
    parts, bounds, position = [np.zeros(RATE, np.int16)], [], RATE
    for number in range(24):
        take = around(voice(100 * seed + number, random.uniform(0.8, 3), gains[number % len(gains)]), 0.3, 0.3)
        if noise_db is not None:
            take = take + noise(number, len(take), noise_db)
        found = speech_bounds(take, RATE)
        assert found is not None
        lead_in, tail = int(0.03 * RATE), int(0.12 * RATE)
        kept = faded(take[found[0] - lead_in : found[1] + tail], 220, 220)
        gap = np.zeros(int(random.uniform(0.3, 3) * RATE), np.int16)
        bounds += [position + lead_in, position + lead_in + found[1] - found[0]]
        parts += [kept, gap]
        position += len(kept) + len(gap)
    return np.concatenate(parts), np.array(bounds[1:-1]).reshape(-1, 2)


def through_mp3(samples: Samples) -> Samples:
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(128)
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(1)
    encoder.silence()
    data = bytes(encoder.encode(samples.tobytes()) + encoder.flush())
    with av.open(io.BytesIO(data)) as container:
        pieces = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    decoded = np.clip(np.rint(np.concatenate(pieces) * 32768), -32768, 32767).astype(np.int16)
    return decoded[LAME_DELAY:]


def worst_ms(found: np.ndarray, expected: np.ndarray) -> float:
    """Distance of the expected edges from the nearest found ones of their kind, the largest, in ms."""
    errors = [np.abs(found[:, side][:, None] - expected[:, side]).min(axis=0) for side in (0, 1)]
    return float(np.max(errors) / MS)


# levels


def test_a_full_scale_square_is_0_db_and_a_sine_3_db_less() -> None:
    assert levels(np.full(RATE, -32768, np.int16), RATE) == pytest.approx(0)
    sine = np.rint(32767 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)).astype(np.int16)
    assert levels(sine, RATE) == pytest.approx(-3.01, abs=0.1)


def test_digital_zero_has_the_lowest_level_and_one_step_a_higher_one() -> None:
    sound = np.zeros(441, np.int16)
    sound[300] = 1
    silent, faint = levels(sound, RATE)
    assert silent == SILENT < faint < -110


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 44101])
def test_windows_keep_time_at_any_rate(rate: int) -> None:
    sound = np.zeros(10 * rate + 1, np.int16)
    sound[window_start(1234, rate)] = 1000
    assert len(levels(sound, rate)) == 2001
    assert np.flatnonzero(levels(sound, rate) > SILENT).tolist() == [1234]
    sound[window_start(1234, rate)] = 0
    sound[int(window_start(1235, rate)) - 1] = 1000
    assert np.flatnonzero(levels(sound, rate) > SILENT).tolist() == [1234]


def test_the_last_part_of_a_window_is_measured_by_its_own_length() -> None:
    assert levels(np.full(250, 3277, np.int16), RATE) == pytest.approx([-20, -20], abs=0.01)


def test_no_samples_have_no_levels() -> None:
    nothing = np.zeros(0, np.int16)
    assert len(levels(nothing, RATE)) == 0
    assert speech_level(levels(nothing, RATE)) == SILENT
    assert speech_bounds(nothing, RATE) is None
    assert detect_silence(nothing, RATE).shape == (0, 2)


def test_a_rate_below_a_sample_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        levels(np.zeros(10, np.int16), 100)


@given(st.lists(st.integers(0, 3000), max_size=30), st.sampled_from([8000, 11025, 44100, 48000]), st.integers(0, 9))
def test_levels_are_the_same_however_the_sound_is_cut(sizes: list[int], rate: int, seed: int) -> None:
    sound = np.random.default_rng(seed).integers(-32768, 32768, sum(sizes)).astype(np.int16)
    meter = LevelMeter(rate)
    for piece in np.split(sound, np.cumsum(sizes)[:-1]) if sizes else []:
        meter.feed(piece)
    assert np.array_equal(meter.levels(), levels(sound, rate))


def test_levels_are_the_same_over_more_than_one_block() -> None:
    sound = np.random.default_rng(1).integers(-3000, 3000, 300_000).astype(np.int16)
    meter = LevelMeter(RATE)
    for start in range(0, len(sound), 441):
        meter.feed(sound[start : start + 441])
        meter.levels()
    assert np.array_equal(meter.levels(), levels(sound, RATE))


# the level of speech


@pytest.mark.parametrize("seed", range(4))
def test_silence_around_speech_does_not_change_its_level(seed: int) -> None:
    sound = voice(seed, 3)
    alone = speech_level(levels(sound, RATE))
    assert speech_level(levels(around(sound, 5, 50), RATE)) == pytest.approx(alone, abs=0.1)
    assert speech_level(levels(scaled(sound, -15), RATE)) == pytest.approx(alone - 15, abs=0.2)


def test_a_click_does_not_change_the_level_of_speech() -> None:
    sound = around(voice(2, 2, -20), 0.5, 0.5)
    clicked = sound.copy()
    clicked[5000:5200] = 32000
    assert speech_level(levels(clicked, RATE)) == pytest.approx(speech_level(levels(sound, RATE)), abs=0.1)


# where speech begins and ends


@pytest.mark.parametrize("db", [0, -12, -25])
@pytest.mark.parametrize("seed", range(6))
def test_bounds_are_those_of_the_speech_to_a_window(seed: int, db: float) -> None:
    sound = voice(seed, 1.5, db)
    first, last = speech_bounds(around(sound, 0.4, 0.7), RATE) or (0, 0)
    assert first / MS == pytest.approx(400, abs=8)
    assert last / MS == pytest.approx(1900, abs=8)


def test_speech_without_silence_around_it_is_all_speech() -> None:
    sound = voice(1, 1.234)
    assert speech_bounds(sound, RATE) == pytest.approx((0, len(sound)), abs=5 * MS)


def test_a_pause_inside_a_take_belongs_to_it() -> None:
    sound = np.concatenate([around(voice(1, 1), 0.2, 1.5), around(voice(2, 1, -10), 0, 0.2)])
    first, last = speech_bounds(sound, RATE) or (0, 0)
    assert (first / MS, last / MS) == pytest.approx((200, 3700), abs=8)


def test_a_short_last_sound_belongs_to_the_word_before_it() -> None:
    burst = noise(1, int(0.010 * RATE), -35)  # a released t, 100 ms after its vowel
    sound = np.concatenate([around(voice(4, 1), 0.2, 0.1), around(burst, 0, 0.3)])
    assert (speech_bounds(sound, RATE) or (0, 0))[1] / MS == pytest.approx(1310, abs=8)


@pytest.mark.parametrize("where", [0.05, 3.4])
def test_a_click_far_from_speech_is_not_speech(where: float) -> None:
    sound = around(voice(3, 2), 1, 1)
    clean = speech_bounds(sound, RATE)
    clicked = sound.copy()
    clicked[int(where * RATE) : int(where * RATE) + 40] = 20000
    assert speech_bounds(clicked, RATE) == clean


@pytest.mark.parametrize(("dbfs", "lowpass"), [(-55, None), (-60, 2000.0), (-65, 300.0)])
@pytest.mark.parametrize("seed", range(4))
def test_a_noise_floor_is_not_speech(seed: int, dbfs: float, lowpass: float | None) -> None:
    quiet = around(voice(seed, 2), 0.5, 0.8)
    sound = quiet + noise(seed, len(quiet), dbfs, lowpass)
    first, last = speech_bounds(sound, RATE) or (0, 0)
    assert (first / MS, last / MS) == pytest.approx((500, 2500), abs=20)


@pytest.mark.parametrize(("dbfs", "lowpass"), [(-52, None), (-55, 300.0), (-65, None), (-80, None)])
def test_nothing_is_heard_in_a_noise_floor_alone(dbfs: float, lowpass: float | None) -> None:
    floor = noise(1, 60 * RATE, dbfs, lowpass)
    assert speech_bounds(floor, RATE) is None
    assert speech_bounds(floor[:RATE], RATE) is None
    assert detect_silence(floor, RATE).tolist() == [[0, len(floor)]]


def test_nothing_is_heard_in_silence_or_a_lone_click() -> None:
    silence = np.zeros(RATE, np.int16)
    assert speech_bounds(silence, RATE) is None
    silence[20000:20040] = 30000
    assert speech_bounds(silence, RATE) is None


def test_a_steady_tone_is_sound() -> None:
    tone = np.rint(3000 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.int16)
    first, last = speech_bounds(around(tone, 0.5, 0.5), RATE) or (0, 0)
    assert (first / MS, last / MS) == pytest.approx((500, 1500), abs=5)


# silences


@pytest.mark.parametrize("gains", [[0.0], [-10.0], [0.0, -18.0]], ids=["one voice", "quiet", "two voices 18 dB apart"])
@pytest.mark.parametrize("seed", range(2))
def test_pauses_in_a_decoded_mp3_are_found_to_15_ms(seed: int, gains: list[float]) -> None:
    sound, pauses = master(seed, gains)
    assert worst_ms(detect_silence(through_mp3(sound), RATE, least_seconds=0.2), pauses) <= 15


def test_pauses_between_takes_with_noise_are_found_to_26_ms() -> None:
    sound, pauses = master(5, [0.0, -6.0], noise_db=-58)
    assert worst_ms(detect_silence(through_mp3(sound), RATE, least_seconds=0.2), pauses) <= 26


def test_only_pauses_of_the_asked_length_are_given() -> None:
    sound = np.concatenate([voice(1, 1), np.zeros(RATE // 2, np.int16), voice(2, 1), np.zeros(2 * RATE, np.int16)])
    assert len(detect_silence(sound, RATE, least_seconds=0.4)) == 2
    assert len(detect_silence(sound, RATE, least_seconds=1.0)) == 1
    assert len(detect_silence(sound, RATE, least_seconds=3.0)) == 0
    assert detect_silence(sound, RATE, least_seconds=1.0)[0, 1] == len(sound)


def test_a_clip_and_its_samples_have_the_same_silences() -> None:
    sound = around(voice(1, 1), 1, 2)
    assert np.array_equal(detect_silence(Clip(sound, RATE)), detect_silence(sound, RATE))
    with pytest.raises(ValueError, match="rate"):
        detect_silence(sound)


any_levels = st.lists(st.tuples(st.integers(1, 80), st.floats(SILENT, 0, width=32)), max_size=30).map(
    lambda runs: np.concatenate([np.zeros(0), *[np.full(length, level) for length, level in runs]]).astype(np.float32)
)


@given(any_levels, st.floats(0.005, 1))
def test_silences_are_silent_in_order_apart_and_long_enough(measured: np.ndarray, least: float) -> None:
    spans = silences(measured, least_seconds=least)
    heard = sounding(measured)
    assert spans.shape[1] == 2
    assert (spans[:, 1] - spans[:, 0] >= least * 200 - 1).all()
    assert (spans[1:, 0] > spans[:-1, 1]).all()
    assert not any(heard[first:last].any() for first, last in spans)
    assert spans.size == 0 or (spans.min() >= 0 and spans.max() <= len(measured))


@given(any_levels)
def test_only_what_is_above_the_floor_sounds(measured: np.ndarray) -> None:
    assert not sounding(measured)[measured <= -70].any()
    assert math.isfinite(speech_level(measured))


def test_looking_at_a_long_sound_in_stretches_finds_the_same(monkeypatch):
    chance = np.random.default_rng(5)
    sound = []
    for number in range(40):
        voice = (
            0.4 * 10 ** (-(number % 3) / 2) * np.sin(np.arange(RATE // 2) * 0.06) * chance.uniform(0.5, 1, RATE // 2)
        )
        sound += [np.int16(voice * 32767), np.zeros(RATE * (number % 4) // 2, np.int16)]
    measured = levels(np.concatenate(sound), RATE)
    whole = sounding(measured)
    monkeypatch.setattr("luma_studio.audio.levels._STRETCH", 1)
    assert len(_between_stretches(measured)) > 5
    assert (sounding(measured) == whole).all()
