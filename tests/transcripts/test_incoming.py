"""Recordings of every kind: their words have the times that a player shows, and what is none says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.recordings import KINDS, record, talk, words, write
from helpers.transcripts import file_of, said
from helpers.vendors import encoded

from luma_studio.audio import codec
from luma_studio.errors import FileTooLargeError, NoSoundError, SettingError, SilentError, UnreadableError
from luma_studio.transcripts import quote
from luma_studio.transcripts.base import RATE

_DELAYED = {"ts": 0.03, "avi": 0.03}  # which do not tell of what an encoder puts before: players show it, too
LINES = [(0.2, "hello there"), (2.5, "one more thing"), (5.0, "thanks")]


def check_words(found, lines, within=0.004):
    expected = words(lines)
    assert [word.text for word in found] == [word.text for word in expected]
    for word, known in zip(found, expected, strict=True):
        assert word.start == pytest.approx(known.start, abs=within)
        assert word.end == pytest.approx(known.end, abs=within)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_heard_with_right_times(vendors, hears, kind):
    path = record(Path(f"pitch.{kind}"), LINES, 6.0)
    transcript = hears(path)
    assert transcript.text == "hello there one more thing thanks"
    assert (transcript.language, transcript.times) == ("en", "word")
    assert transcript.seconds == pytest.approx(6.0, abs=0.1)
    check_words(transcript.words, LINES, within=_DELAYED.get(kind, 0.004))
    assert sum(vendors.bought.values()) == 1


@pytest.mark.parametrize("kind", ["mp4", "mkv", "webm", "ts"])
def test_a_sound_track_that_begins_late_has_the_times_that_a_player_shows(vendors, hears, kind):
    path = record(Path(f"late.{kind}"), LINES, 6.0, late=1.5)
    check_words(hears(path).words, [(at + 1.5, text) for at, text in LINES], within=_DELAYED.get(kind, 0.008))


@pytest.mark.parametrize("kind", ["mkv", "webm"])
def test_what_was_not_recorded_in_between_is_silence(vendors, hears, kind):
    sound, picture, rate = KINDS[kind]
    path = Path(f"gap.{kind}")
    write(path, talk(LINES, 6.0, rate), rate, sound, picture, gap=(1.5, 4.0))
    later = [(at + (4.0 if at > 1.5 else 0.0), text) for at, text in LINES]
    check_words(hears(path).words, later, within=0.025)


def test_times_that_jump_beyond_the_end_of_the_file_are_no_silence(vendors, hears):
    path = Path("jump.mkv")
    write(path, talk(LINES, 6.0, 44100), 44100, "flac", "", gap=(1.5, 3.0e5))
    data = path.read_bytes()
    assert codec.lasts(path) > 3e5
    path.write_bytes(data.replace(b"\x44\x89\x88", b"\x44\x80\x88"))  # as if the file did not tell how long it lasts
    assert codec.lasts(path) is None
    check_words(hears(path).words, LINES)


def test_what_is_sent_is_small_and_names_nothing(vendors, hears):
    path = record(Path("A secret deal with Acme.wav"), LINES, 6.0, kind="wav")
    hears(path)
    (request,) = vendors.seen("/audio/transcriptions")
    assert codec.probe(file_of(request)).rate == RATE
    assert len(file_of(request)) < path.stat().st_size / 2
    assert b"secret" not in request.body
    assert said(request) == "hello there one more thing thanks"


@pytest.mark.parametrize(
    "name", ["-i.mp3", "a\nb.mp3", "concat:x.mp3", "ünï \u202e cod.mp3", "%s{}.mp3", "x" * 250 + ".mp3", "$(rm).mp3"]
)
def test_hostile_names_are_files_as_others_and_are_shown_in_one_line(vendors, hears, name):
    record(Path(name), LINES[:1], 1.5, kind="mp3")
    heard = []
    assert hears(name, listener=heard.append).text == "hello there"
    subject = heard[-1].subject
    assert subject.isprintable()
    assert len(subject.encode()) <= 120


# What is none


def test_a_file_that_is_too_large_is_told_before_it_is_read(vendors, hears, make, monkeypatch):
    path = record(Path("pitch.wav"), LINES, 6.0)
    monkeypatch.setenv("MAX_FILE_SIZE_MB", "0.1")
    for refused in (lambda: hears(path), lambda: quote(path, make())):
        with pytest.raises(FileTooLargeError, match=r"pitch.wav has 0.2 MB, and 0.1 MB may be. .* MAX_FILE_SIZE_MB"):
            refused()
    monkeypatch.setenv("MAX_FILE_SIZE_MB", "0.2")
    assert hears(path).words


@pytest.mark.parametrize("value", ["0", "-1", "many", "inf"])
def test_a_largest_size_that_cannot_be_is_told(hears, monkeypatch, value):
    Path("pitch.wav").write_bytes(b"RIFF")
    monkeypatch.setenv("MAX_FILE_SIZE_MB", value)
    with pytest.raises(SettingError, match=r"MAX_FILE_SIZE_MB cannot be .* a number from"):
        hears("pitch.wav")


def test_a_video_without_sound_says_so(vendors, hears, make):
    write(Path("mute.mp4"), np.zeros(44100, np.int16), 44100, "", "libx264")
    for refused in (lambda: hears("mute.mp4"), lambda: quote("mute.mp4", make())):
        with pytest.raises(NoSoundError, match=r"mute.mp4 has no sound in it. Choose a recording with a sound track"):
            refused()


@pytest.mark.parametrize("noise", [0, 40])
def test_a_silent_recording_says_so_and_nothing_is_bought(vendors, hears, noise):
    sound = np.random.default_rng(1).integers(-noise, noise + 1, 44100 * 30).astype(np.int16)
    write(Path("silent.flac"), sound, 44100, "flac", "")
    with pytest.raises(SilentError, match=r"In silent.flac nothing is heard"):
        hears("silent.flac")
    assert vendors.requests == []


def test_a_sound_track_without_a_sample_has_no_sound(vendors, hears):
    Path("none.wav").write_bytes(encoded(np.zeros(0, np.int16), "wav_16000"))
    with pytest.raises(NoSoundError, match=r"none.wav has no sound in it"):
        hears("none.wav")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", r"pitch.mp4 is empty: its upload or recording was broken off"),
        (b"this is a letter and no recording\n" * 50, r"pitch.mp4 is no audio or video that can be read here"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", r"pitch.mp4 is no audio or video"),
        (b"\0" * 5000, r"pitch.mp4 is no audio or video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", r"pitch.mp4 is no audio or video"),
    ],
)
def test_what_is_no_recording_says_so(vendors, hears, data, says):
    Path("pitch.mp4").write_bytes(data)
    with pytest.raises(UnreadableError, match=says):
        hears("pitch.mp4")
    assert vendors.requests == []


@pytest.mark.parametrize("path", ["nowhere.mp3", ".", "", "nowhere/x.mp3", "a\0b.mp3"])
def test_a_file_that_is_not_there_says_so(hears, path):
    with pytest.raises(UnreadableError, match=r"is no file that is here"):
        hears(path)


def test_a_video_cut_off_before_its_index_cannot_be_read(hears):
    path = record(Path("pitch.mp4"), LINES, 6.0)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UnreadableError, match=r"is no audio or video that can be read here, or it is damaged at its"):
        hears(path)


MANY = [(float(second), "hello there") for second in range(0, 40, 2)]


def damaged(path: Path) -> None:
    """Have some of a file be nonsense, after its first two thirds."""
    data = bytearray(path.read_bytes())
    begin = len(data) * 2 // 3
    data[begin : begin + 3000] = b"\xff\x0f\x5a" * 1000
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["mp4", "m4a"])
def test_a_recording_that_is_damaged_half_way_says_where_and_what_was_heard_is_bought_once(vendors, hears, kind):
    path = record(Path(f"pitch.{kind}"), MANY, 40.0)
    whole = path.read_bytes()
    damaged(path)
    with pytest.raises(UnreadableError, match=rf"pitch.{kind} is damaged after 0:00:2\d. Save it anew, or cut it"):
        hears(path, "openai:whisper-1,seconds=10")
    before = sum(vendors.bought.values())
    assert before
    path.write_bytes(whole)
    check_words(hears(path, "openai:whisper-1,seconds=10").words, MANY)
    sent = [file_of(request) for request in vendors.seen("/audio/transcriptions")]
    assert len(set(sent)) == len(sent) > before


def test_after_damage_that_decoders_pass_over_times_are_right(vendors, hears):
    path = record(Path("pitch.flac"), MANY, 40.0)
    damaged(path)
    found = hears(path).words
    expected = {round(word.start, 2): word.text for word in words(MANY)}
    right = [word for word in found if expected.get(round(word.start, 2)) == word.text]
    assert len(right) > 30
    assert max(word.start for word in right) > 37


@pytest.mark.parametrize("kind", ["mkv", "webm", "mp3", "ogg", "wav"])
def test_a_recording_that_was_broken_off_is_heard_as_far_as_it_goes(vendors, hears, kind):
    path = record(Path(f"pitch.{kind}"), [(float(second), "hello there") for second in range(0, 20, 2)], 20.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = hears(path).words
    assert 8 <= len(found) <= 12
    check_words(found[:8], [(float(second), "hello there") for second in range(0, 8, 2)])


# What it would cost


def test_a_quote_tells_seconds_and_price_and_sends_nothing(vendors, make):
    path = record(Path("pitch.m4a"), LINES, 60.0)
    found = quote(path, make())
    assert found.seconds == pytest.approx(60.0, abs=0.1)
    assert float(found.cost) == pytest.approx(0.006, abs=0.0001)
    assert quote(path, make("openai:gpt-4o-transcribe")).cost is None
    assert quote(path, make("whisper:small")).cost == 0
    assert vendors.requests == []


def test_a_quote_of_what_does_not_tell_its_length_is_found_out(make, monkeypatch):
    path = record(Path("pitch.flac"), LINES, 60.0)
    monkeypatch.setattr(codec, "lasts", lambda _: None)
    assert quote(path, make()).seconds == pytest.approx(60.0)
