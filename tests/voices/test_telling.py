"""A clause heard while a vendor still sends it: early, gapless, and kept as if nobody had listened."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from helpers.fakes import Killed
from helpers.hearing import PATIENCE, Ear
from helpers.vendors import Fault, _speech_answer, spoken
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.audio.incoming import IncomingLines
from luma_studio.errors import (
    AudioError,
    BadRequestError,
    BrokenAnswerError,
    OutcomeUnknownError,
    TooLargeError,
    VoiceError,
)
from luma_studio.store.takes import TakeStore
from luma_studio.studio import STORE, Studio
from luma_studio.voices import Speech, elevenlabs, openai
from luma_studio.voices.telling import Telling
from luma_studio.wire import Answer, Call, Vendor, json_values_of

RACHEL = "elevenlabs:21m00Tcm4TlvDq8ikWAM"
EXACT = f"{RACHEL},format=pcm_44100"
V3 = f"{EXACT},model=eleven_v3"
NOVA = "openai:nova,model=tts-1"
VENDORS = [RACHEL, EXACT, NOVA, f"{NOVA},format=mp3"]
LONG = "Close your eyes, and let each breath be a little slower than the one before."
SCRIPT = f"Calm\n{LONG}\nLet it go."
HINDI = "शांति\nआराम से बैठ जाइए, और गहरी साँस लीजिए।\nधीरे-धीरे छोड़िए।"
TAGGED = f"Calm\n[whispers] {LONG}\n[sighs] [warmly] Let it go."
FIRST = 0.25  # seconds


@contextmanager
def speaking(production, key=0, **options):
    """What is done meanwhile, in a thread: the block is done beside it, and its end waits for it."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(lambda: asyncio.run(production.speak_again(key, **options)))


def again(production, key=0, **options):
    asyncio.run(production.speak_again(key, **options))


def kept(studio, *where):
    """What stayed of purchases that are not yet takes."""
    folders = where or ("arrived", "claims")
    return [path.name for name in folders for path in (studio.folder / STORE / name).glob("*")]


# Early


@pytest.mark.parametrize(
    ("voice", "at"),
    [
        (RACHEL, 2),  # a line of eight characters, 0.5 s, in two pieces
        (EXACT, 2),
        (f"{RACHEL},format=mp3_22050_32", 2),
        (NOVA, 3),  # pieces of 4,096 bytes, 85 ms
        (f"{NOVA},format=mp3", 2),  # of 256 ms
    ],
)
def test_the_first_sound_is_told_when_a_quarter_of_a_second_is_there_and_not_before(studio, vendors, voice, at):
    production = studio.production("calm", SCRIPT, voice=voice)
    vendors.misbehave(Fault(how="hang in body", at=at))
    ear = Ear()
    with speaking(production, hear=ear) as work:
        assert ear.began.wait(PATIENCE)  # the vendor sends no more until it is released
        assert not work.done()
        assert len(ear.pieces) == 1
        assert len(ear.samples) >= FIRST * ear.rate
        vendors.release()
    work.result()
    assert len(ear.pieces) > 2
    assert production.takes_in_use[0] is not None


def test_a_first_line_with_less_than_a_quarter_of_a_second_is_held_back(studio, vendors):
    production = studio.production("calm", TAGGED, voice=V3)
    ear = Ear()
    again(production, hear=ear)  # the first line is "[whisper", 40 ms; the second "s] Close", 400 ms
    assert len(ear.pieces[0]) == pytest.approx((0.04 + 6 * 0.06) * 44100, abs=2)


def test_a_clause_that_is_shorter_is_told_whole(studio, vendors):
    production = studio.production("calm", "Hm.", voice=EXACT)
    ear = Ear()
    again(production, hear=ear)
    assert [len(piece) for piece in ear.pieces] == [len(spoken("Hm.", 44100).samples)]


@pytest.mark.parametrize("voice", [EXACT, NOVA])
def test_what_is_told_is_the_sound_of_the_vendor_without_a_gap(studio, vendors, voice):
    production = studio.production("calm", SCRIPT, voice=voice)
    ear = Ear()
    again(production, hear=ear)
    name = voice.split(",")[0].split(":")[1]
    assert np.array_equal(ear.samples, spoken(LONG, ear.rate, voice=name).samples)


def test_a_clause_too_long_for_one_request_is_told_as_one(studio, vendors):
    words = "Breathe in and out. " * 600
    told = Ear()
    clip = asyncio.run(studio.hear(words.strip(), "en", EXACT, told))
    assert len(vendors.seen("/stream/with-timestamps")) == 2
    assert np.array_equal(told.samples, clip.samples)


@pytest.mark.parametrize("voice", [f"{RACHEL},format=wav_44100", "espeak"])
def test_what_nobody_streams_is_told_whole(studio, vendors, voice):
    production = studio.production("calm", SCRIPT, voice=voice)
    ear = Ear()
    again(production, hear=ear)
    assert len(ear.pieces) == 1
    assert len(ear.samples) / ear.rate == pytest.approx(production.takes_in_use[0].length / 44100, abs=0.001)


def test_who_does_not_listen_asks_as_before(studio, vendors):
    again(studio.production("calm", SCRIPT, voice=RACHEL))
    assert not vendors.seen("/stream/with-timestamps")
    assert len(vendors.seen("/with-timestamps")) == 1


# The same takes


@pytest.mark.parametrize("voice", [EXACT, RACHEL, V3, NOVA, f"{NOVA},format=mp3"])
@pytest.mark.parametrize("script", [SCRIPT, HINDI, TAGGED], ids=["English", "Hindi", "tags"])
def test_who_listens_has_the_same_take_as_who_does_not(workspace, vendors, script, voice):
    def takes(folder, hear):
        with Studio(workspace / folder) as studio:
            production = studio.production("calm", script, voice=voice)
            for index in range(len(production.clauses)):
                again(production, index, hear=hear)
            return [
                ((take.words, take.speech_start, take.speech_end), production.samples(take.fingerprint))
                for take in production.takes_in_use
            ]

    for (silent, before), (heard, after) in zip(takes("silent", None), takes("heard", Ear()), strict=True):
        assert heard == silent
        assert np.array_equal(after, before)


LINES = b"".join(
    _speech_answer(spoken("शांति, my [warm] friend.", 24000), "pcm_24000", "stream/with-timestamps", None).pieces
)
WHOLE = _speech_answer(spoken("शांति, my [warm] friend.", 24000), "pcm_24000", "with-timestamps", None).pieces[0]
SOMEBODY = Vendor("ElevenLabs", "ELEVENLABS_API_KEY", "", "", "")


def read(data):
    return elevenlabs.read(json_values_of(Answer({}, data), SOMEBODY), "शांति, my [warm] friend.", 0, 24000)


def told(pieces):
    ear = Ear()
    telling = Telling(ear)
    hear = telling.body(IncomingLines(elevenlabs._sound_in_line, 24000))
    for piece in pieces:
        hear(piece)
    telling.end(Speech(np.zeros(0, np.int16), 24000))
    return ear


@given(st.lists(st.integers(0, len(LINES)), max_size=40))
def test_lines_cut_anywhere_are_told_and_read_the_same(places):
    edges = [0, *sorted(places), len(LINES)]
    ear = told([LINES[start:end] for start, end in itertools.pairwise(edges)])
    streamed, whole = read(LINES), read(WHOLE)
    assert np.array_equal(ear.samples, whole.samples)
    assert len(ear.pieces[0]) >= FIRST * 24000
    assert np.array_equal(streamed.samples, whole.samples)
    assert (streamed.words, streamed.bounds, streamed.rate) == (whole.words, whole.bounds, whole.rate)


@given(st.lists(st.integers(0, 20000), min_size=1, max_size=20), st.integers(1, 48000))
def test_nothing_is_told_before_a_quarter_of_a_second_and_nothing_is_left_out(lengths, rate):
    class Coming:
        def __init__(self):
            self.rate = rate

        def take(self, piece):
            return np.full(int(piece), len(piece), np.int16)

        def end(self):
            return np.zeros(0, np.int16)

    ear = Ear()
    telling = Telling(ear)
    hear = telling.body(Coming())
    come = 0
    for length in lengths:
        hear(str(length).encode())
        come += length
        assert len(ear.samples) == (come if come >= FIRST * rate else 0)
    telling.end(Speech(np.ones(7, np.int16), rate))
    assert len(ear.samples) == (come or 7)


def test_times_that_begin_anew_with_a_line_are_not_believed():
    parts = [json.loads(line) for line in LINES.splitlines()]
    for part in parts[1:]:
        if part["alignment"]:
            first = part["alignment"]["character_start_times_seconds"][0]
            for name in ("character_start_times_seconds", "character_end_times_seconds"):
                part["alignment"][name] = [each - first for each in part["alignment"][name]]
    speech = read(b"\n".join(json.dumps(part).encode() for part in parts))
    assert (speech.words, speech.bounds) == ((), None)
    assert np.array_equal(speech.samples, read(WHOLE).samples)


def test_a_line_without_times_takes_those_of_no_other():
    parts = [json.loads(line) for line in LINES.splitlines()]
    parts[1]["alignment"] = None
    speech = read(b"\n".join(json.dumps(part).encode() for part in parts))
    assert (speech.words, speech.bounds) == ((), None)  # the others tell other words than the text's


# What goes wrong


def line(data, **more):
    return json.dumps({"audio_base64": base64.b64encode(data).decode(), "alignment": None, **more}).encode() + b"\n"


SOUND = spoken(LONG, 44100).samples.tobytes()
ELEVEN = [
    (Fault(how="cut in body"), OutcomeUnknownError),
    (Fault(how="hang in body"), OutcomeUnknownError),
    (Fault(how="cut in body", at=1), OutcomeUnknownError),
    (Fault(how="endless"), TooLargeError),
    (Fault(body=line(SOUND) + b"{]\n"), BrokenAnswerError),
    (Fault(body=line(SOUND) + b'{"audio_base64": "%%%"}\n'), BrokenAnswerError),
    (Fault(body=line(SOUND) + b"[1]\n"), BrokenAnswerError),
    (Fault(body=line(SOUND) + b'{"alignment": null}\n'), BrokenAnswerError),
    (Fault(body=line(SOUND) + b'{"error": {"message": "out of breath"}}\n'), BrokenAnswerError),
    (Fault(body=line(SOUND) + b'{"detail": {"code": "system_busy", "message": "later"}}\n'), BrokenAnswerError),
    (Fault(body=line(SOUND)[:-20]), BrokenAnswerError),
    (Fault(body=line(SOUND[:-1])), BrokenAnswerError),
    (Fault(body=line(bytes(len(SOUND)))), BrokenAnswerError),
    (Fault(body=line(b"")), BrokenAnswerError),
    (Fault(body=b""), BrokenAnswerError),
    (Fault(body=b"\n\n"), BrokenAnswerError),
]
OPEN = [
    (Fault(how="cut in body"), OutcomeUnknownError),
    (Fault(how="hang in body"), OutcomeUnknownError),
    (Fault(how="endless"), TooLargeError),
    (Fault(body=b"this is no sound"), BrokenAnswerError),
    (Fault(body=bytes(60_000)), BrokenAnswerError),
    (Fault(body=b""), BrokenAnswerError),
]


@pytest.fixture
def _impatient(monkeypatch):
    """Little patience with who hangs, little room for what does not end."""
    for module in (elevenlabs, openai):
        monkeypatch.setattr(module, "Call", partial(Call, patience=0.5, largest=2_000_000))


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    ("voice", "fault", "error"),
    [(voice, *each) for voice, faults in ((EXACT, ELEVEN), (NOVA, OPEN)) for each in faults],
    ids=str,
)
def test_a_bad_answer_that_is_heard_is_no_take_and_the_clause_can_be_tried_again(studio, vendors, voice, fault, error):
    production = studio.production("calm", SCRIPT, voice=voice)
    vendors.misbehave(fault)
    with pytest.raises(VoiceError) as raised:
        again(production, hear=Ear())
    assert type(raised.value.__cause__) is error
    assert production.takes_in_use == (None, None)
    assert not production.takes(0)
    assert kept(studio, "arrived") == []
    ear = Ear()
    again(production, hear=ear)
    assert len(vendors.requests) == 2
    assert kept(studio) == []
    assert np.array_equal(ear.samples, spoken(LONG, ear.rate, voice=voice.split(",")[0].split(":")[1]).samples)
    assert production.takes_in_use[0] is not None


def test_what_was_told_before_an_answer_broke_off_was_told(studio, vendors):
    production = studio.production("calm", SCRIPT, voice=EXACT)
    vendors.misbehave(Fault(how="cut in body"))
    ear = Ear()
    with pytest.raises(VoiceError):
        again(production, hear=ear)
    whole = spoken(LONG, 44100, voice=RACHEL.split(":")[1]).samples
    assert FIRST * 44100 <= len(ear.samples) < len(whole)
    assert np.array_equal(ear.samples, whole[: len(ear.samples)])


def test_a_refusal_before_the_first_sound_is_asked_again_and_told_once(studio, vendors):
    production = studio.production("calm", SCRIPT, voice=EXACT)
    vendors.misbehave(Fault(status=503, body={"detail": "busy"}), times=2)
    ear = Ear()
    again(production, hear=ear)
    assert len(vendors.requests) == 3
    assert np.array_equal(ear.samples, spoken(LONG, 44100, voice=RACHEL.split(":")[1]).samples)


@pytest.mark.parametrize("voice", VENDORS)
def test_a_listener_that_fails_loses_no_take_that_was_paid_for(studio, vendors, voice, caplog):
    production = studio.production("calm", SCRIPT, voice=voice)
    times = []

    def fails(_samples, _rate):
        times.append(1)
        raise RuntimeError("deaf")

    again(production, hear=fails)
    assert production.takes_in_use[0] is not None
    assert len(times) == 1
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "A listener failed; it is told no more of this clause"
    ]


def test_a_sound_that_can_be_read_only_whole_is_told_whole(monkeypatch, studio, vendors):
    def cannot(*_):
        raise AudioError("not while it comes")

    monkeypatch.setattr("luma_studio.audio.incoming._kind_of", cannot)
    production = studio.production("calm", SCRIPT, voice=NOVA)
    ear = Ear()
    again(production, hear=ear)
    assert [len(piece) for piece in ear.pieces] == [len(spoken(LONG, 24000).samples)]


# Bought once


@pytest.mark.parametrize("heard_first", [True, False])
@pytest.mark.parametrize("heard_then", [True, False])
@pytest.mark.parametrize("voice", VENDORS)
def test_what_had_arrived_when_the_process_died_is_found_again_and_told_whole(
    workspace, vendors, monkeypatch, voice, heard_first, heard_then
):
    def dies(*_args, **_options):
        raise Killed

    with Studio(workspace) as studio, monkeypatch.context() as patch:
        patch.setattr(TakeStore, "put", dies)
        with pytest.raises(Killed):
            again(studio.production("calm", SCRIPT, voice=voice), hear=Ear() if heard_first else None)
        assert len(list((studio.folder / STORE / "arrived").iterdir())) == 1
    with Studio(workspace) as studio:
        production = studio.production("calm")
        ear = Ear()
        again(production, hear=ear if heard_then else None)
        assert vendors.bought == {LONG: 1}
        assert production.takes_in_use[0] is not None
        assert kept(studio) == []
        if heard_then:
            assert len(ear.samples) / ear.rate == pytest.approx(production.takes_in_use[0].length / 44100, abs=0.08)


def test_of_a_clause_in_two_requests_what_had_arrived_is_told_before_the_rest(studio, vendors):
    words = ("Breathe in and out. " * 520).strip()
    refusal = Fault(status=400, body={"detail": {"code": "no", "message": "no"}})
    vendors.misbehave(refusal, when=lambda request: 0 < len("".join(request.texts)) < 1000)
    with pytest.raises(BadRequestError):
        asyncio.run(studio.hear(words, "en", EXACT, Ear()))
    ear = Ear()
    clip = asyncio.run(studio.hear(words, "en", EXACT, ear))
    assert np.array_equal(ear.samples, clip.samples)
    assert sorted(vendors.bought.values()) == [1, 1]
    assert kept(studio) == []


def test_a_clause_without_a_take_is_spoken_as_speaking_all_would_and_bought_once(studio, vendors):
    production = studio.production("calm", SCRIPT, voice=EXACT)
    again(production, hear=Ear())
    assert [take.seed for take in production.takes(0)] == [0]
    asyncio.run(production.speak())
    assert vendors.bought == {LONG: 1, "Let it go.": 1}
    again(production, hear=Ear())
    assert [take.seed for take in production.takes(0)] == [0, 1]


def test_a_take_that_is_here_is_told_and_not_bought(studio, vendors):
    production = studio.production("calm", SCRIPT, voice=EXACT)
    asyncio.run(production.speak())
    ear = Ear()
    again(production, seed=0, hear=ear)
    assert np.array_equal(ear.samples, production.samples(production.takes_in_use[0].fingerprint))
    assert vendors.bought[LONG] == 1


def test_a_sample_is_told_as_it_comes_and_the_second_time_from_the_store(studio, vendors):
    for _ in range(2):
        ear = Ear()
        clip = asyncio.run(studio.hear(LONG, "en", EXACT, ear))
        assert np.array_equal(ear.samples, clip.samples)
    assert vendors.bought == {LONG: 1}
