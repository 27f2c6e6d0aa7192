from __future__ import annotations

import math
from fractions import Fraction

import av
import numpy as np
import pytest
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as NothingMore
from av.filter import Graph
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_studio.audio.clip import Samples, scaled
from luma_studio.audio.loudness import LoudnessMeter, energies, integrated, loudness_of, true_peak

RATE = 44100


def voice(seed: int, seconds: float, rate: int = RATE, peak: float = 12000) -> Samples:
    """Something like speech: a buzz with formants, in syllables of other loudness, with hiss between."""
    random = np.random.default_rng(seed)
    count = int(seconds * rate)
    time = np.arange(count) / rate
    pitch = 110 + 20 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    buzz = sum(np.sin(k * phase + k) / (1 + ((k * 110 - 600) / 500) ** 2) for k in range(1, 30))
    syllables = np.interp(
        time, np.arange(0, seconds + 0.3, 0.12), random.uniform(0, 1, int((seconds + 0.3) / 0.12) + 1)
    )
    sound = (buzz + 0.2 * random.standard_normal(count)) * syllables**2
    return np.rint(sound * peak / np.abs(sound).max()).astype(np.int16)


def sine(frequency: float, dbfs: float, seconds: float, rate: int = 48000, phase: float = 0.0) -> Samples:
    time = np.arange(int(seconds * rate)) / rate
    return np.rint(32768 * 10 ** (dbfs / 20) * np.sin(2 * np.pi * frequency * time + phase)).astype(np.int16)


def meditation(seed: int, rate: int = RATE) -> tuple[Samples, list[tuple[int, Samples]]]:
    """A minute of takes with silence between them, and where each lies."""
    random = np.random.default_rng(seed)
    takes, position = [], 0
    for number in range(14):
        take = voice(1000 * seed + number, random.uniform(0.8, 3.5), rate, random.uniform(6000, 20000))
        takes.append((position, take))
        position += len(take) + int(random.uniform(0.2, 4) * rate)
    whole = np.zeros(position, np.int16)
    for start, take in takes:
        whole[start : start + len(take)] = take
    return whole, takes


def ffmpeg(samples: Samples, rate: int) -> tuple[float, float]:
    """Integrated loudness and true peak (LUFS, dBTP) by FFmpeg's ebur128 filter."""
    graph = Graph()
    source = graph.add_abuffer(format="s16", sample_rate=rate, layout="mono", time_base=Fraction(1, rate))
    meter = graph.add("ebur128", "metadata=1:peak=true")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    last: dict[str, str] = {}
    for start in range(0, len(samples), rate):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + rate], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        graph.push(frame)
        last = _newest(graph, last)
    graph.push(None)
    last = _newest(graph, last)
    return float(last["lavfi.r128.I"]), 20 * math.log10(float(last["lavfi.r128.true_peaks_ch0"]))


def _newest(graph: Graph, last: dict[str, str]) -> dict[str, str]:
    while True:
        try:
            last = dict(graph.pull().metadata) or last
        except (NothingYet, NothingMore):
            return last


@pytest.mark.parametrize("rate", [22050, 32000, 44100, 48000])
def test_a_1_khz_sine_measures_what_the_standard_says(rate: int) -> None:
    # BS.1770-4: a 0 dBFS sine at 997 Hz on one channel is -3.01 LKFS. EBU Tech 3341 allows 0.1 LU.
    assert integrated(sine(997, -20, 3, rate), rate) == pytest.approx(-23.01, abs=0.05)


@pytest.mark.parametrize(("seed", "rate"), [(1, 44100), (2, 48000), (3, 32000), (4, 44100)])
def test_loudness_agrees_with_ffmpeg(seed: int, rate: int) -> None:
    whole, _ = meditation(seed, rate)
    assert integrated(whole, rate) == pytest.approx(ffmpeg(whole, rate)[0], abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_a_layout_of_takes_measures_what_ten_minutes_of_file_do(seed: int) -> None:
    random = np.random.default_rng(seed)
    takes = [voice(100 * seed + n, random.uniform(0.8, 3.5), peak=random.uniform(10000, 20000)) for n in range(12)]
    energy = [energies(take, RATE) for take in takes]
    whole, placements, position = np.zeros(600 * RATE, np.int16), [], 0
    while position < len(whole) - 4 * RATE:
        number = random.integers(len(takes))
        whole[position : position + len(takes[number])] = takes[number]
        placements.append((position, energy[number]))
        position += len(takes[number]) + int(random.uniform(0.2, 4) * RATE)
    assert loudness_of(placements, len(whole), RATE) == pytest.approx(integrated(whole, RATE), abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_a_layout_on_whole_hops_is_exact_and_one_off_them_nearly_so(seed: int) -> None:
    whole, takes = meditation(seed)
    placements = [(start, energies(take, RATE)) for start, take in takes]
    # in one minute a single block that falls to the other side of the gate is worth 0.01 LU
    assert loudness_of(placements, len(whole), RATE) == pytest.approx(integrated(whole, RATE), abs=0.05)
    aligned = np.zeros_like(whole)
    for start, take in takes:
        aligned[start // 441 * 441 :][: len(take)] = take
    on_hops = [(start // 441 * 441, energy) for start, energy in placements]
    assert loudness_of(on_hops, len(whole), RATE) == pytest.approx(integrated(aligned, RATE), abs=0.001)


def test_a_gain_moves_loudness_by_itself() -> None:
    take = voice(3, 5)
    assert integrated(scaled(take, -12), RATE) == pytest.approx(integrated(take, RATE) - 12, abs=0.01)


def test_silence_between_takes_is_gated_away() -> None:
    take = voice(8, 4)
    energy = energies(take, RATE)
    alone = loudness_of([(0, energy)], len(take), RATE)
    apart = loudness_of([(60 * RATE, energy), (300 * RATE, energy)], 600 * RATE, RATE)
    assert apart == pytest.approx(alone, abs=0.3)  # the blocks at the edges count as well


def test_a_quiet_part_more_than_10_lu_below_does_not_count() -> None:
    # EBU Tech 3341, case 3: -36, -23, -36 LUFS sines measure -23.
    parts = [sine(997, dbfs, seconds) for dbfs, seconds in [(-32.99, 10), (-19.99, 60), (-32.99, 10)]]
    assert integrated(np.concatenate(parts), 48000) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("length", [0, 1, 100, RATE])
def test_silence_has_no_loudness(length: int) -> None:
    silence = np.zeros(length, np.int16)
    assert integrated(silence, RATE) == -math.inf
    assert loudness_of([], length, RATE) == -math.inf
    assert true_peak(silence) == -math.inf


def test_what_is_shorter_than_a_block_is_measured_all_the_same() -> None:
    assert -40 < integrated(voice(1, 0.2), RATE) < 0


def test_energies_run_on_until_the_filter_has_rung_out() -> None:
    step = np.full(RATE, 20000, np.int16)
    energy = energies(step, RATE)
    assert len(energy) == 105
    assert energy[100] > 1  # the step's end
    assert energy[-1] < 1e-6 * energy[100]


def test_takes_past_either_end_are_left_out() -> None:
    energy = energies(voice(1, 1), RATE)
    inside = [(0, energy)]
    assert loudness_of([*inside, (40 * RATE, energy)], 2 * RATE, RATE) == loudness_of(inside, 2 * RATE, RATE)
    assert math.isfinite(loudness_of([(-1000, energy), (2 * RATE - 5000, energy)], 2 * RATE, RATE))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 40_000), max_size=8))
def test_a_meter_gives_the_same_however_the_sound_is_cut(sizes: list[int]) -> None:
    sound = voice(4, 2.5)
    meter = LoudnessMeter(RATE)
    position = 0
    for size in [*sizes, len(sound)]:
        meter.feed(sound[position : position + size])
        position += size
    assert meter.length == len(sound)
    np.testing.assert_allclose(meter.energies(), energies(sound, RATE), rtol=1e-4, atol=1e-9)
    assert meter.integrated() == pytest.approx(integrated(sound, RATE), abs=1e-5)


def test_asking_a_meter_changes_nothing() -> None:
    sound = voice(5, 2)
    asked, left_alone = LoudnessMeter(RATE), LoudnessMeter(RATE)
    for meter in (asked, left_alone):
        meter.feed(sound[:30_001])
    asked.energies()
    for meter in (asked, left_alone):
        meter.feed(sound[30_001:])
    assert np.array_equal(asked.energies(), left_alone.energies())


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5])
def test_true_peak_agrees_with_ffmpeg(seed: int) -> None:
    take = voice(seed, 3, peak=30000)
    assert true_peak(take) == pytest.approx(ffmpeg(take, RATE)[1], abs=0.2)


@pytest.mark.parametrize("seed", range(6))
def test_true_peak_agrees_with_ideal_oversampling(seed: int) -> None:
    take = voice(seed, 1, peak=30000)
    spectrum = np.fft.rfft(take.astype(float))
    ideal = np.fft.irfft(np.append(spectrum, np.zeros(3 * len(take) // 2)), 4 * len(take)) * 4
    assert true_peak(take) == pytest.approx(20 * math.log10(np.abs(ideal).max() / 32768), abs=0.1)


def test_true_peak_sees_between_the_samples() -> None:
    # A quarter of the rate, sampled at 45° : every sample is 3 dB below the peak (EBU Tech 3341, case 16).
    assert true_peak(sine(12000, -6, 1, phase=math.pi / 4)) == pytest.approx(-6, abs=0.2)


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=400))
def test_true_peak_is_never_below_the_sample_peak(values: list[int]) -> None:
    sound = np.array(values, np.int16)
    largest = int(np.abs(sound.astype(int)).max())
    if largest:
        assert true_peak(sound) >= 20 * math.log10(largest / 32768) - 1e-9


def test_a_peak_is_found_wherever_it_lies() -> None:
    pulse = sine(12000, -3, 0.002, phase=math.pi / 4)
    quiet = np.zeros(600_000, np.int16)
    expected = true_peak(np.concatenate((quiet[:50], pulse, quiet[:50])))
    for place in (0, 31, 262_130, 262_144, 599_000):
        sound = quiet.copy()
        sound[place : place + len(pulse)] = pulse
        assert true_peak(sound) == pytest.approx(expected, abs=1e-3)
