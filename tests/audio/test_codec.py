"""Sound in and out: exact lengths, tags and chapters that come back, the same bytes again, errors in one sentence."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from luma_studio.audio import codec, mp3
from luma_studio.audio.codec import Chapter, Kind, Tags
from luma_studio.errors import AudioError

Samples = NDArray[np.int16]
KINDS: tuple[Kind, ...] = ("wav", "flac", "m4a", "aac")
TAGS = Tags(
    title="शाम का ध्यान", artist="espeak hi", language="hi-IN", comment="made here", track_gain=-3.21, track_peak=0.9
)


def sound(length: int = 100_001, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    time = np.arange(length) / 44100
    tone = 9000 * np.sin(2 * np.pi * 300 * time) * np.sin(2 * np.pi * 2 * time) ** 2
    return (tone + rng.normal(0, 30, length)).astype(np.int16)


def chapters_of(length: int) -> list[Chapter]:
    return [Chapter(0, length // 3, "पहला भाग 🙏"), Chapter(length // 3, length, "Ende, größer")]


def encoded(samples: Samples, kind: Kind, rate: int = 44100, **more: object) -> bytes:
    out = io.BytesIO()
    pieces = [samples[start : start + 30_000] for start in range(0, len(samples), 30_000)]
    assert codec.encode(pieces, out, kind, rate, **more) == len(samples)  # type: ignore[arg-type]
    assert not out.closed
    return out.getvalue()


def whole_mp3(samples: Samples, tags: Tags = TAGS, chapters: tuple[Chapter, ...] | list[Chapter] = ()) -> bytes:
    run = mp3.encode_run(samples, 44100, 128)
    return codec.id3(tags, chapters, 44100) + b"".join(
        mp3.write_stream([mp3.Run(0, len(run), lambda: run)], len(samples), 44100, 128)
    )


class Keeping(io.BytesIO):
    """A file whose bytes can be had after PyAV has closed it."""

    def close(self) -> None:
        return


def closeness(found: Samples, wanted: Samples) -> float:
    """Signal over error in dB."""
    error = found.astype(float) - wanted
    return float(10 * np.log10(np.sum(wanted.astype(float) ** 2) / max(1e-9, np.sum(error**2))))


@pytest.mark.parametrize("rate", [16000, 24000, 32000, 44100, 48000])
@pytest.mark.parametrize("kind", ["wav", "flac"])
@pytest.mark.parametrize("length", [1, 4607, 100_001])
def test_wav_and_flac_give_back_every_sample(kind: Kind, rate: int, length: int) -> None:
    samples = sound(length)
    data = encoded(samples, kind, rate)
    found, found_rate = codec.read(data)
    assert found_rate == rate
    assert np.array_equal(found, samples)
    assert codec.probe(data).samples == length


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("rate", [32000, 44100, 48000])
@pytest.mark.parametrize("length", [1, 1023, 1024, 50_000, 100_001])
def test_m4a_is_exact_in_length_and_in_place(rate: int, length: int, announced: bool) -> None:
    samples = sound(length)
    data = encoded(samples, "m4a", rate, length=length if announced else None)
    found, _ = codec.read(data)
    assert codec.probe(data).samples == len(found) == length
    if length > 10_000:
        assert closeness(found, samples) > 20


def test_m4a_has_its_index_at_the_front_when_the_length_is_known() -> None:
    samples = sound()
    front = encoded(samples, "m4a", length=len(samples))
    assert front.index(b"moov") < front.index(b"mdat")
    back = encoded(samples, "m4a")
    assert back.index(b"mdat") < back.index(b"moov")


def test_m4a_has_room_at_the_front_for_many_long_chapters() -> None:
    samples = np.zeros(44100 * 60, np.int16)
    many = [Chapter(i * 2000, i * 2000 + 2000, "अध्याय " * 50) for i in range(1000)]
    found = codec.probe(encoded(samples, "m4a", length=len(samples), chapters=many, tags=Tags("क" * 2000))).chapters
    assert len(found) == 1000
    assert found[-1].start == 999 * 2000
    assert all(chapter.title == found[0].title for chapter in found)
    assert many[0].title.startswith(found[0].title)


def test_raw_aac_gives_back_the_sound_after_the_encoders_delay() -> None:
    samples = sound()
    found, _ = codec.read(encoded(samples, "aac"))
    assert closeness(found[1024:][: len(samples)], samples) > 20


def test_mp3_from_runs_is_exact_in_length() -> None:
    samples = sound(70_003)
    data = whole_mp3(samples)
    found, _ = codec.read(data)
    assert codec.probe(data).samples == len(found) == len(samples)
    assert closeness(found, samples) > 20


@pytest.mark.parametrize(("container", "name"), [("mp3", "libmp3lame"), ("ipod", "aac"), ("ogg", "libopus")])
def test_what_other_encoders_put_before_and_after_is_left_out(container: str, name: str) -> None:
    rate = 48000
    samples = sound(rate * 2 + 123)
    found, found_rate = codec.read(foreign(samples[None], container, name, rate))
    assert found_rate == rate
    assert abs(len(found) - len(samples)) <= 48  # MP4 of others counts in milliseconds
    products = [
        float(found[100 + shift : 90_000 + shift].astype(float) @ samples[100:90_000]) for shift in range(-9, 10)
    ]
    assert int(np.argmax(products)) == 9


def foreign(samples: NDArray[np.int16], container: str, name: str, rate: int) -> bytes:
    """Sound of shape (channels, n) as another program would have written it."""
    out = Keeping()
    layout = {1: "mono", 2: "stereo"}[len(samples)]
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(name, rate=rate, layout=layout)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16p", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def test_two_channels_are_mixed_at_half_level_each() -> None:
    left, right = sound(50_000, 1), sound(50_000, 2) // 2
    found, _ = codec.read(foreign(np.stack([left, right]), "flac", "flac", 44100))
    assert np.abs(found - (left.astype(int) + right) / 2).max() <= 1


def test_sound_comes_in_bounded_pieces() -> None:
    samples = sound(400_000)
    for data in (encoded(samples, "flac"), encoded(samples, "wav"), whole_mp3(samples)):
        sizes = [len(piece) for piece in codec.decode(data)]
        assert sum(sizes) == len(samples)
        assert max(sizes) < 2 * codec.PIECE


def test_a_path_bytes_and_an_open_file_are_read_alike_and_the_file_stays_open(tmp_path: Path) -> None:
    samples = sound()
    path = tmp_path / "एक.flac"
    path.write_bytes(encoded(samples, "flac"))
    with path.open("rb") as file:
        for source in (path, path.read_bytes(), file):
            assert np.array_equal(codec.read(source)[0], samples)
            assert codec.probe(source).rate == 44100
        assert not file.closed


@settings(max_examples=50, deadline=None)
@given(
    length=st.integers(0, 30_000),
    rates=st.tuples(*[st.sampled_from([8000, 16000, 22050, 24000, 32000, 44100, 48000])] * 2),
)
def test_converting_gives_the_rounded_length_and_the_same_again(length: int, rates: tuple[int, int]) -> None:
    samples = sound(length)
    made = codec.convert(samples, *rates)
    assert made.dtype == np.int16
    assert len(made) == int(Fraction(length * rates[1], rates[0]) + Fraction(1, 2))
    assert np.array_equal(made, codec.convert(samples, *rates))


def test_converting_keeps_silence_silent_and_a_tone_clean() -> None:
    assert not codec.convert(np.zeros(50_000, np.int16), 48000, 44100).any()
    tone = (20000 * np.sin(2 * np.pi * 1000 * np.arange(96_000) / 48000)).astype(np.int16)
    wanted = 20000 * np.sin(2 * np.pi * 1000 * np.arange(88_200) / 44100)
    assert np.abs(codec.convert(tone, 48000, 44100) - wanted)[2000:-2000].max() < 2
    high = (20000 * np.sin(2 * np.pi * 15000 * np.arange(96_000) / 48000)).astype(np.int16)
    assert np.abs(codec.convert(high, 48000, 22050))[2000:-2000].max() < 2  # nothing of it is folded down


def test_converting_clips_and_does_not_wrap() -> None:
    square = np.where(np.arange(48_000) // 24 % 2, 32767, -32768).astype(np.int16)
    made = codec.convert(square, 48000, 44100)
    middle = made[4000:40_000].astype(int)
    assert middle.max() == 32767
    assert np.abs(np.diff(np.sign(middle))).sum() // 2 == pytest.approx(36_000 * 2000 / 44100, rel=0.01)


def test_decoding_to_another_rate_is_converting_the_whole() -> None:
    samples = sound(200_003)
    data = encoded(samples, "flac")
    found, rate = codec.read(data, 16000)
    assert rate == 16000
    assert np.array_equal(found, codec.convert(samples, 44100, 16000))
    assert np.array_equal(np.concatenate(list(codec.decode(data, 16000))), found)


@pytest.mark.parametrize("kind", ["flac", "m4a", "mp3"])
def test_tags_and_chapters_in_devanagari_come_back(kind: str) -> None:
    samples = sound()
    chapters = chapters_of(len(samples))
    if kind == "mp3":
        data = whole_mp3(samples, TAGS, chapters)
    else:
        data = encoded(samples, kind, tags=TAGS, chapters=chapters, length=len(samples))  # type: ignore[arg-type]
    found = codec.probe(data)
    assert (found.tags.title, found.tags.artist, found.tags.comment) == (TAGS.title, TAGS.artist, TAGS.comment)
    assert found.tags.language == "hin"
    if kind != "m4a":
        assert (found.tags.track_gain, found.tags.track_peak) == (TAGS.track_gain, TAGS.track_peak)
    assert [chapter.title for chapter in found.chapters] == [chapter.title for chapter in chapters]
    finest = 0 if kind == "m4a" else 45
    for one, other in zip(found.chapters, chapters, strict=True):
        assert abs(one.start - other.start) <= finest
        assert abs(one.end - other.end) <= finest


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\0\n\r\x1b\x7f\u200f\ud800=;#[]\U0001f64f\ufeff")), max_size=40
)


@settings(max_examples=40, deadline=None)
@given(title=HOSTILE, chapter=HOSTILE, language=HOSTILE)
def test_any_title_is_survived_and_all_formats_agree_on_it(title: str, chapter: str, language: str) -> None:
    samples = np.zeros(44100, np.int16)
    tags = Tags(title=title, language=language, comment=title, artist=chapter)
    parts = [Chapter(0, 22050, chapter), Chapter(22050, 44100, "last")]
    more: dict[str, object] = {"tags": tags, "chapters": parts, "length": 44100}
    probes = [
        codec.probe(whole_mp3(samples, tags, parts)),
        codec.probe(encoded(samples, "m4a", **more)),
        codec.probe(encoded(samples, "flac", **more)),
    ]
    for found in probes:
        assert found.samples == 44100
        assert [part.start for part in found.chapters] == [0, 22050]
        assert found.chapters[1].title == "last"
        assert not set(found.tags.title) & set("\0\n\r\x1b\x7f")
    assert len({found.tags.title for found in probes}) == 1
    assert len({found.chapters[0].title for found in probes}) == 1


def test_a_chapter_without_a_title_is_numbered() -> None:
    parts = [Chapter(0, 100, "one"), Chapter(100, 44100, " \0 ")]
    assert codec.probe(whole_mp3(sound(44100), TAGS, parts)).chapters[1].title == "Chapter 2"


def test_the_id3_block_is_as_long_as_it_says_and_every_frame_lies_within() -> None:
    many = [Chapter(i * 1000, i * 1000 + 999, f"भाग {i}") for i in range(300)]
    block = codec.id3(TAGS, many, 44100)
    assert block[:6] == b"ID3\3\0\0"
    assert all(byte < 128 for byte in block[6:10])
    size = int.from_bytes(bytes(block[6:10]), "big")
    assert sum((size >> 8 * place & 127) << 7 * place for place in range(4)) == len(block) - 10
    at, names = 10, []
    while at < len(block):
        names.append(block[at : at + 4].decode())
        at += 10 + int.from_bytes(block[at + 4 : at + 8], "big")
    assert at == len(block)
    assert names == ["TIT2", "TPE1", "TLAN", "COMM", "TXXX", "TXXX", "CTOC"] + ["CHAP"] * 300
    assert [part.title for part in codec.probe(block + whole_mp3(sound(), Tags())).chapters][-1] == "भाग 299"


def test_nothing_to_say_is_no_id3_block() -> None:
    assert codec.id3(Tags(), [], 44100) == b""


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_sound_gives_the_same_bytes(kind: Kind) -> None:
    samples = sound()
    more: dict[str, object] = {"tags": TAGS, "chapters": chapters_of(len(samples))}
    data = encoded(samples, kind, **more)
    assert data == encoded(samples, kind, **more)
    assert b"Lavf" not in data
    assert b"Lavc" not in data


@pytest.mark.parametrize("kind", KINDS)
def test_how_sound_is_cut_into_pieces_changes_no_byte(kind: Kind) -> None:
    samples = sound(30_000)
    out = io.BytesIO()
    cuts = [samples[:1], samples[1:1], samples[1:1500], samples[1500::1]]
    codec.encode(iter(cuts), out, kind, 44100)
    assert out.getvalue() == encoded(samples, kind)


class Failing(io.BytesIO):
    """A file whose writes and seeks fail from the n-th on."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self.good = good

    def _step(self) -> None:
        self.good -= 1
        if self.good < 0:
            raise OSError(28, "No space left on device")

    def write(self, data: object) -> int:  # type: ignore[override]
        self._step()
        return super().write(data)  # type: ignore[arg-type]

    def seek(self, offset: int, whence: int = 0) -> int:
        self._step()
        return super().seek(offset, whence)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_at_any_write_is_the_files_own_error(kind: Kind, capfd: pytest.CaptureFixture[str]) -> None:
    samples = sound(20_000)
    more = {"tags": TAGS, "chapters": chapters_of(len(samples)), "length": len(samples)}
    good = 0
    while True:
        out = Failing(good)
        try:
            codec.encode([samples], out, kind, 44100, **more)  # type: ignore[arg-type]
        except OSError as error:
            assert error.errno == 28
        else:
            break
        good += 1
    assert good > 2
    assert out.getvalue() == encoded(samples, kind, **more)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_takes_a_part_at_a_time_gets_all(kind: Kind) -> None:
    class Partly(io.BytesIO):
        def write(self, data: object) -> int:  # type: ignore[override]
            return super().write(bytes(data)[:1000])  # type: ignore[call-overload]

    samples = sound()
    out = Partly()
    codec.encode([samples], out, kind, 44100)
    assert out.getvalue() == encoded(samples, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_whoever_makes_the_sound_comes_through(kind: Kind) -> None:
    def pieces() -> object:
        yield sound(30_000)
        raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="own"):
        codec.encode(pieces(), io.BytesIO(), kind, 44100)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"ID3",
        b"ID3\3\0\0\0\0\0\0",
        b"\xff\xfb\x90\xc4",
        b"RIFF\0\0\0\0WAVE",
        b"fLaC",
        bytes(5000),
        "यह पाठ है।".encode() * 100,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n/etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        np.random.default_rng(1).bytes(50_000),
    ],
)
def test_what_is_not_audio_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(AudioError, match=r"^The audio .*\.$"):
        list(codec.decode(data))


def test_a_file_of_no_samples_is_an_error_and_so_is_one_that_is_missing(tmp_path: Path) -> None:
    empty = io.BytesIO()
    codec.encode([], empty, "wav", 44100)
    with pytest.raises(AudioError):
        codec.read(empty.getvalue())
    with pytest.raises(AudioError, match=r"none\.mp3 cannot be read"):
        list(codec.decode(tmp_path / "none.mp3"))
    with pytest.raises(AudioError, match="cannot be read"):
        codec.probe(tmp_path)


@pytest.mark.parametrize("kind", ["flac", "m4a", "aac", "mp3"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_file_cut_or_broken_anywhere_gives_sound_or_an_audio_error(kind: str, data: st.DataObject) -> None:
    samples = sound(20_000)
    whole = whole_mp3(samples) if kind == "mp3" else encoded(samples, kind)  # type: ignore[arg-type]
    cut = data.draw(st.integers(0, len(whole)))
    broken = bytearray(whole[:cut])
    for place in data.draw(st.lists(st.integers(0, max(0, cut - 1)), max_size=3)) if cut else []:
        broken[place] ^= 0x55
    try:
        codec.probe(bytes(broken))
        for piece in codec.decode(bytes(broken)):
            assert piece.dtype == np.int16
    except AudioError:
        pass


def test_bytes_after_the_end_of_an_mp3_are_no_error() -> None:
    samples = sound(300_000)
    for after in (b"TAG" + bytes(125), bytes(1000), b"hello world" * 20):
        assert len(codec.read(whole_mp3(samples) + after)[0]) == len(samples)


def test_what_a_format_cannot_hold_is_refused_in_a_sentence() -> None:
    samples = sound(5000)
    with pytest.raises(AudioError, match="no encoder"):
        codec.encode([samples], io.BytesIO(), "mp2", 44100)  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="int16"):
        codec.encode([samples.astype(np.float32)], io.BytesIO(), "wav", 44100)  # type: ignore[list-item]
    with pytest.raises(AudioError, match="More sound came"):
        codec.encode([samples], io.BytesIO(), "m4a", 44100, length=4999)
    with pytest.raises(AudioError, match="sample rate"):
        codec.encode([samples], io.BytesIO(), "m4a", 12345)
    with pytest.raises(AudioError, match="does not exist"):
        list(codec.decode(encoded(samples, "wav"), 0))
    for wrong in ([Chapter(5, 5, "a")], [Chapter(-1, 5, "a")], [Chapter(0, 9, "a"), Chapter(8, 20, "b")]):
        with pytest.raises(AudioError, match="chapter"):
            codec.id3(Tags(), wrong, 44100)


def test_wav_refuses_what_is_longer_than_it_can_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_WAV_MOST", 20_000)
    assert len(encoded(sound(10_000), "wav")) == 20_044
    with pytest.raises(AudioError, match="Take FLAC"):
        encoded(sound(10_001), "wav")


@pytest.mark.parametrize(
    ("tag", "letters"), [("hi", "hin"), ("hi-IN", "hin"), ("EN_us", "eng"), ("tam", "tam"), ("", ""), ("xx", "")]
)
def test_language_tags_become_three_letters(tag: str, letters: str) -> None:
    assert codec.iso_639_2(tag) == letters
