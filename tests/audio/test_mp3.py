"""MP3 from runs: exact length, runs in place and unchanged, silence that is zero, for every rate and bit rate."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import accumulate

import av
import av.logging
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from luma_studio.audio import mp3
from luma_studio.audio.mp3 import FRAME, Format, Run
from luma_studio.errors import AudioError

Samples = NDArray[np.int16]
USUAL_RATES = (64, 96, 112, 128, 160, 192, 224, 256, 320)


def speech_like(length: int, rate: int = 44100, seed: int = 0) -> Samples:
    """Harmonics with a moving pitch and breath noise, faded in and out, with 30 ms of silence at both ends."""
    rng = np.random.default_rng(seed)
    time = np.arange(length) / rate
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * time + seed)) / rate
    voiced = sum(np.sin(k * phase) / k for k in range(1, 25)) * np.clip(np.sin(2 * np.pi * 3 * time), 0, 1)
    sound = 6000 * voiced + 800 * rng.standard_normal(length) * np.clip(-np.sin(2 * np.pi * 3 * time), 0, 1)
    edge = rate * 30 // 1000
    fade = np.clip((np.minimum(np.arange(length), np.arange(length)[::-1]) - edge) / (rate / 200), 0, 1)
    return (sound * fade).astype(np.int16)


def decoded(data: bytes) -> NDArray[np.float32]:
    """What FFmpeg makes of a whole file; a warning of its is a failure."""
    before = av.logging.get_level()
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture(local=False) as said, av.open(io.BytesIO(data), format="mp3") as container:
            sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    finally:
        av.logging.set_level(before)
    assert said == []
    return sound * 32768


def run_at(first: int, encoded: bytes) -> Run:
    return Run(first, len(encoded), lambda: encoded)


def stream(runs: list[Run], length: int, rate: int = 44100, kbps: int = 128) -> bytes:
    return b"".join(mp3.write_stream(runs, length, rate, kbps))


def decoded_alone(encoded: bytes, length: int, rate: int, kbps: int) -> NDArray[np.float32]:
    return decoded(stream([run_at(0, encoded)], length + 8 * FRAME, rate, kbps))[:length]


def frame_starts(data: bytes, form: Format) -> list[int]:
    """Where frames begin, going from header to header."""
    starts = [0]
    while starts[-1] < len(data):
        at = starts[-1]
        assert (data[at], data[at + 1], data[at + 2] & 0xFD, data[at + 3]) == tuple(form.header)
        starts.append(at + form.kbps * 144_000 // form.rate + (data[at + 2] >> 1 & 1))
    assert starts.pop() == len(data)
    return starts


@pytest.mark.parametrize("rate", mp3.RATES)
@pytest.mark.parametrize("kbps", USUAL_RATES)
def test_every_rate_and_bit_rate_decodes_exactly_with_each_run_as_alone_and_zero_between(rate: int, kbps: int) -> None:
    spoken = [speech_like(length, rate, seed) for seed, length in enumerate((rate, rate // 3, 9 * FRAME, rate + 1))]
    encoded = [mp3.encode_run(samples, rate, kbps) for samples in spoken]
    counts = [mp3.frames_of(len(samples)) for samples in spoken]
    firsts = [0, counts[0], counts[0] + counts[1] + 7, counts[0] + counts[1] + counts[2] + 50]
    length = (firsts[-1] + counts[-1] + 30) * FRAME + 333

    sound = decoded(stream(list(map(run_at, firsts, encoded)), length, rate, kbps))

    assert len(sound) == length
    silent = np.ones(length, bool)
    for samples, data, first, count in zip(spoken, encoded, firsts, counts, strict=True):
        place = slice(first * FRAME, first * FRAME + len(samples))
        assert np.array_equal(sound[place], decoded_alone(data, len(samples), rate, kbps))
        error = sound[place] - samples
        assert np.sum(error**2.0) < 0.1 * np.sum(samples.astype(float) ** 2)
        silent[max(0, (first - 1) * FRAME) : (first + count) * FRAME] = False
    assert not sound[silent].any()


def test_speech_in_a_master_lies_at_its_sample_and_keeps_its_level() -> None:
    samples = speech_like(44100 * 2)
    sound = decoded(stream([run_at(5, mp3.encode_run(samples, 44100, 128))], 44100 * 3))
    reference = samples.astype(float)
    products = {
        shift: float(sound[5 * FRAME + shift :][: len(samples)] @ reference) / float(reference @ reference)
        for shift in range(-3, 4)
    }
    assert max(products, key=lambda shift: products[shift]) == 0
    assert products[0] == pytest.approx(1, abs=0.005)


def test_a_run_is_as_close_to_the_original_as_one_encoding_of_the_whole_file_and_clean_at_its_edges() -> None:
    spoken = [speech_like(44100 + 777 * seed, seed=seed) for seed in range(4)]
    firsts = [0, *accumulate(mp3.frames_of(len(samples)) + 9 for samples in spoken)]
    length = firsts.pop() * FRAME
    original = np.zeros(length, np.int16)
    for first, samples in zip(firsts, spoken, strict=True):
        original[first * FRAME :][: len(samples)] = samples
    runs = [run_at(first, mp3.encode_run(part, 44100, 128)) for first, part in zip(firsts, spoken, strict=True)]
    whole = [run_at(0, mp3.encode_run(original, 44100, 128))]

    def noise(place: slice, made: list[Run]) -> float:
        return float(np.sum((decoded(stream(made, length))[place] - original[place]) ** 2.0))

    assert noise(slice(None), runs) < 1.05 * noise(slice(None), whole)
    sound = decoded(stream(runs, length))
    for first, samples in zip(firsts, spoken, strict=True):
        begin, end = first * FRAME + 1323, first * FRAME + len(samples) - 1323  # the 30 ms of silence at both ends
        assert np.abs(sound[max(0, begin - 1323) : begin - 200]).max(initial=0) < 4
        assert np.abs(sound[end + 1152 : end + 4000]).max() < 4


@settings(max_examples=25, deadline=None)
@given(
    plan=st.lists(st.tuples(st.integers(1, 9000), st.integers(0, 60)), max_size=6),
    lead=st.integers(0, 40),
    after=st.integers(0, 3000),
    rate=st.sampled_from(mp3.RATES),
    kbps=st.sampled_from(USUAL_RATES),
)
def test_any_runs_and_gaps_decode_to_the_exact_length_with_every_run_unchanged(
    plan: list[tuple[int, int]], lead: int, after: int, rate: int, kbps: int
) -> None:
    runs: list[Run] = []
    alone: list[NDArray[np.float32]] = []
    first, length = lead, lead * FRAME
    for seed, (samples, gap) in enumerate(plan):
        spoken = np.concatenate([speech_like(samples, rate, seed), np.zeros(FRAME, np.int16)])
        encoded = mp3.encode_run(spoken, rate, kbps)
        assert len(encoded) == mp3.run_bytes(len(spoken), rate, kbps)
        runs.append(run_at(first, encoded))
        alone.append(decoded_alone(encoded, len(spoken), rate, kbps))
        length = first * FRAME + len(spoken)
        first += mp3.frames_of(len(spoken)) + gap
    length += after + FRAME

    data = stream(runs, length, rate, kbps)

    assert len(data) == mp3.stream_bytes(runs, length, rate, kbps)
    assert len(frame_starts(data, Format(rate, kbps))) == mp3.frames_of(length) + 1
    sound = decoded(data)
    assert len(sound) == length
    for run, expected in zip(runs, alone, strict=True):
        # What is still ringing of the run before is added; it ended in silence, so it is below the last bit.
        assert np.abs(sound[run.first * FRAME :][: len(expected)] - expected).max() <= 1


@given(samples=st.integers(0, 20000), rate=st.sampled_from(mp3.RATES), kbps=st.sampled_from(mp3.BIT_RATES))
@settings(max_examples=60, deadline=None)
def test_a_run_has_its_frames_for_any_length_and_bit_rate(samples: int, rate: int, kbps: int) -> None:
    form = Format(rate, kbps)
    encoded = mp3.encode_run(np.full(samples, 3000, np.int16), rate, kbps)
    assert len(frame_starts(encoded, form)) == mp3.frames_of(samples) == form.frames(len(encoded))


@given(count=st.integers(0, 3000), rate=st.sampled_from(mp3.RATES), kbps=st.sampled_from(mp3.BIT_RATES))
@settings(max_examples=60, deadline=None)
def test_silence_has_exactly_its_frames_at_the_true_bit_rate(count: int, rate: int, kbps: int) -> None:
    pieces = list(mp3.silent_frames(count, rate, kbps))
    data = b"".join(pieces)
    assert len(frame_starts(data, Format(rate, kbps))) == count if count else data == b""
    assert abs(len(data) - count * 144_000 * kbps / rate) < 1
    assert max(map(len, pieces), default=0) <= 1 << 18


def test_ten_hours_of_silence_are_handed_out_in_bounded_pieces() -> None:
    pieces = mp3.write_stream([], 36000 * 44100, 44100, 128)
    assert max(map(len, pieces)) <= 1 << 18


def test_the_same_samples_give_the_same_bytes_in_threads_too() -> None:
    samples = speech_like(44100)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: mp3.encode_run(samples, 44100, 128), range(8)))
    assert set(made) == {mp3.encode_run(samples, 44100, 128)}


def test_a_run_leans_on_nothing_before_it() -> None:
    for seed in range(5):
        encoded = mp3.encode_run(speech_like(20000, seed=seed), 44100, 128)
        assert encoded[4] << 1 | encoded[5] >> 7 == 0


@pytest.mark.parametrize("second", [3.0, 17.0, 33.3, 58.0])
def test_seeking_lands_where_the_whole_file_has_the_same_sound(second: float) -> None:
    encoded = mp3.encode_run(speech_like(44100 * 2), 44100, 128)
    runs = [run_at(first, encoded) for first in range(0, 2200, 110)]
    data = stream(runs, 2300 * FRAME)
    whole = decoded(data)
    with av.open(io.BytesIO(data)) as container:
        sound = container.streams.audio[0]
        assert sound.time_base is not None
        assert sound.start_time is not None
        container.seek(round(second / sound.time_base), stream=sound)
        frames = [frame for _, frame in zip(range(24), container.decode(sound), strict=False)]
    time = float((frames[0].pts - sound.start_time) * sound.time_base)
    assert time == pytest.approx(second, abs=0.1)
    found = np.concatenate([frame.to_ndarray()[0] * 32768 for frame in frames[8:]])  # the reservoir is full by then
    start = round(float((frames[8].pts - sound.start_time) * sound.time_base) * 44100)
    shifts = [
        shift
        for shift in range(-3 * FRAME, 3 * FRAME + 1, FRAME)
        if np.allclose(whole[start + shift :][: len(found)], found, atol=1)
    ]
    assert 0 in shifts


def test_the_info_frame_says_frames_bytes_and_delays_with_a_right_crc() -> None:
    encoded = mp3.encode_run(speech_like(30000), 44100, 128)
    length = 100 * FRAME + 5
    data = stream([run_at(20, encoded)], length)
    info = data[: Format(44100, 128).size(1)]
    assert info[21:25] == b"Info"
    assert int.from_bytes(info[29:33], "big") == mp3.frames_of(length)
    assert int.from_bytes(info[33:37], "big") == len(data)
    toc = info[37:137]
    assert list(toc) == sorted(toc)
    assert abs(toc[50] - 128) < 4
    assert info[141:150] == b"LAME3.100"
    delays = int.from_bytes(info[162:165], "big")
    assert delays >> 12 == 623
    assert mp3.frames_of(length) * FRAME - (delays >> 12) - (delays & 4095) == length
    assert _crc16_arc(info[:175]) == int.from_bytes(info[175:177], "big")
    assert not any(info[177:])


def _crc16_arc(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value


def test_runs_are_loaded_one_at_a_time_when_their_turn_comes() -> None:
    encoded = mp3.encode_run(speech_like(5000), 44100, 128)
    loaded: list[int] = []

    def load(number: int) -> bytes:
        loaded.append(number)
        return encoded

    runs = [Run(20 * number, len(encoded), partial(load, number)) for number in range(3)]
    pieces = mp3.write_stream(runs, 80 * FRAME, 44100, 128)
    assert loaded == []
    next(pieces)
    assert loaded == []
    next(pieces)
    assert loaded == [0]
    assert len(list(pieces)) > 2
    assert loaded == [0, 1, 2]


def test_runs_that_cannot_lie_so_are_refused_before_anything_is_written() -> None:
    encoded = mp3.encode_run(speech_like(5000), 44100, 128)  # 6 frames
    for runs, length, what in (
        ([run_at(0, encoded), run_at(5, encoded)], 80 * FRAME, "before the one before it ends"),
        ([run_at(9, encoded), run_at(0, encoded)], 80 * FRAME, "before the one before it ends"),
        ([run_at(-1, encoded)], 80 * FRAME, "before the one before it ends"),
        ([run_at(0, encoded)], 4 * FRAME, "after the master's end"),
        ([Run(0, len(encoded) + 3, lambda: encoded)], 80 * FRAME, "No run has"),
        ([Run(0, 0, bytes)], 80 * FRAME, "No run has"),
        ([], -1, "cannot have"),
    ):
        with pytest.raises(AudioError, match=what):
            mp3.write_stream(runs, length, 44100, 128)


def test_a_run_that_is_not_what_was_promised_stops_the_stream() -> None:
    encoded = mp3.encode_run(speech_like(5000), 44100, 128)
    other = mp3.encode_run(speech_like(5000), 48000, 128)
    for wrong in (encoded[:-1], bytes(len(encoded)), encoded[418:] + encoded[:418], other.ljust(len(encoded), b"\0")):
        pieces = mp3.write_stream([Run(0, len(encoded), lambda wrong=wrong: wrong)], 80 * FRAME, 44100, 128)
        with pytest.raises(AudioError, match="damaged"):
            list(pieces)


def test_rates_bit_rates_and_arrays_that_mp3_has_not_are_refused_in_a_sentence() -> None:
    samples = np.zeros(100, np.int16)
    with pytest.raises(AudioError, match="no 22050 Hz"):
        mp3.encode_run(samples, 22050, 128)
    with pytest.raises(AudioError, match="no 100 kbit/s"):
        mp3.encode_run(samples, 44100, 100)
    with pytest.raises(AudioError, match="int16"):
        mp3.encode_run(samples.astype(np.float32), 44100, 128)
    with pytest.raises(AudioError, match="int16"):
        mp3.encode_run(samples.reshape(2, 50), 44100, 128)
    with pytest.raises(AudioError, match="no room for an Info frame"):
        mp3.write_stream([], 44100, 44100, 32)
    with pytest.raises(AudioError, match="frames"):
        mp3.info_frame(Format(44100, 128), frames=3, audio_bytes=0, length=44100, toc=[0] * 100)


def test_loud_samples_are_clipped_not_wrapped() -> None:
    samples = np.concatenate([np.zeros(2000), np.full(4000, 32767), np.full(4000, -32768), np.zeros(2000)])
    sound = decoded_alone(mp3.encode_run(samples.astype(np.int16), 44100, 128), len(samples), 44100, 128)
    assert sound[4000] > 25000
    assert sound[8000] < -25000
