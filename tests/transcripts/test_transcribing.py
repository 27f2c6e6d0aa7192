"""What is bought of a recording: each piece once, whatever happens, and what vendors do is told as it is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import contracts, transcripts
from helpers.fakes import DyingDisk, Killed
from helpers.recordings import record, words, write
from helpers.transcripts import asked, file_of, said
from helpers.vendors import Fault, Vendors, openai_error

from luma_studio.errors import (
    BadKeyError,
    BrokenAnswerError,
    BudgetError,
    LumaError,
    NoCreditError,
    NoKeyError,
    NotFoundError,
    OutcomeUnknownError,
    SettingError,
    Stopped,
    TooLargeError,
    TranscriptError,
)
from luma_studio.progress import Event
from luma_studio.settings import load_settings
from luma_studio.store import files
from luma_studio.store.ledger import BatchBudget
from luma_studio.studio import Studio
from luma_studio.transcripts import (
    TranscriberChoice,
    choice_of,
    make_transcriber,
    transcribe,
)

SHORT = "openai:whisper-1,seconds=10"
LINES = [(second + 0.5, f"line {text} here") for second, text in enumerate("abcdefghijklmnopqrstuvwxyz123456789")]
SECONDS = 36.0


@pytest.fixture
def pitch() -> Path:
    """A recording that is cut into four pieces."""
    return record(Path("pitch.flac"), LINES, SECONDS)


def heard_by(workspace: Path, path: Path, choice: str = SHORT):
    with Studio(workspace) as studio:
        made = make_transcriber(TranscriberChoice.parse(choice), studio.wires, studio.settings.minute_price)
        return asyncio.run(transcribe(path, made, studio.account("pitch")))


def is_transcription(request) -> bool:
    return request.path == "/audio/transcriptions"


def holds(word: str):
    """Whether a request is that of the piece in which a line is spoken first."""
    return lambda request: is_transcription(request) and f"line {word} here" in said(request)


# Bought once


def test_a_recording_is_bought_in_pieces_and_joined_as_if_it_were_one(vendors, hears, pitch):
    transcript = hears(pitch, SHORT)
    assert transcript.text == " ".join(text for _, text in LINES)
    assert transcript.seconds == SECONDS
    known = words(LINES)
    assert [word.text for word in transcript.words] == [word.text for word in known]
    for word, expected in zip(transcript.words, known, strict=True):
        assert (word.start, word.end) == pytest.approx((expected.start, expected.end), abs=0.002)
    assert [segment.text for segment in transcript.segments] == [text for _, text in LINES]
    assert len(vendors.bought) == len(vendors.requests) == 4
    assert hears(pitch).words == transcript.words


def test_what_was_transcribed_is_not_bought_again(vendors, hears, pitch, workspace, studio):
    first = hears(pitch, SHORT)
    bought = vendors.bought.copy()
    events: list[Event] = []
    assert hears(pitch, SHORT, events.append) == first
    assert {event.outcome for event in events[:-1]} == {"cached"}
    copy = workspace / "copy.flac"
    copy.write_bytes(pitch.read_bytes())
    assert heard_by(workspace, copy) == first
    assert vendors.bought == bought
    assert {entry.outcome for entry in studio.ledger.entries("pitch")} == {"arrived"}
    hears(pitch, f"{SHORT},language=en")
    assert sum(vendors.bought.values()) == 2 * sum(bought.values())


def test_several_pieces_are_asked_for_at_once_and_not_more_than_memory_has_room_for(vendors, hears, pitch):
    vendors.delay = 0.3
    hears(pitch, SHORT)
    assert 2 <= vendors.busiest["openai"] <= 4


def test_the_same_piece_is_bought_once_by_two_at_the_same_time(vendors, make, account, pitch):
    async def twice():
        vendors.delay = 0.1
        return await asyncio.gather(*(transcribe(pitch, make(SHORT), account) for _ in range(2)))

    first, second = asyncio.run(twice())
    assert first == second
    assert set(vendors.bought.values()) == {1}


def test_purchases_are_written_down_with_what_they_cost(vendors, hears, pitch, studio):
    hears(pitch)
    (entry,) = studio.ledger.entries("pitch")
    assert (entry.purchase.vendor, entry.purchase.what) == ("OpenAI", "whisper-1")
    assert (entry.purchase.subject, entry.purchase.units) == ("sound from 0:00:00 to 0:00:36", 36)
    assert float(entry.cost) == pytest.approx(0.0036)
    hears(pitch, "openai:gpt-4o-mini-transcribe")
    assert studio.ledger.entries("pitch")[1].cost is None


def test_prices_of_ones_own_count(vendors, pitch, workspace, monkeypatch):
    monkeypatch.setenv("LUMA_PRICES", '{"openai:gpt-4o-mini-transcribe": 0.6}')
    with Studio(workspace) as studio:
        choice = TranscriberChoice.parse("openai:gpt-4o-mini-transcribe")
        made = make_transcriber(choice, studio.wires, studio.settings.minute_price)
        asyncio.run(transcribe(pitch, made, studio.account("pitch")))
        assert float(studio.ledger.spent("pitch")) == pytest.approx(0.36)


def test_a_budget_is_not_passed(vendors, make, studio, pitch):
    account = studio.account("pitch")
    batch = BatchBudget("night", choice_budget := 2 * make().price / 6)
    within = type(account)(account.ledger, account.store, "pitch", within=batch)
    with pytest.raises(BudgetError):
        asyncio.run(transcribe(pitch, make(SHORT), within))
    assert studio.ledger.spent(batch="night") <= choice_budget


# Killed in between


def test_dying_at_any_operation_on_the_disk_loses_nothing_that_had_arrived(vendors, workspace, monkeypatch):
    path = record(workspace / "two.flac", LINES[:12], 12.5)
    dies_at, died = 0, True
    while died:
        here = workspace / str(dies_at)
        here.mkdir()
        vendors.bought.clear()
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", DyingDisk(dies_at))
            try:
                heard_by(here, path)
                died = False
            except (Killed, LumaError):
                died = True
        arrived = {each.name for each in (here / "generated_audio").rglob("arrived/[!.]*")}
        kept = list((here / "generated_audio").rglob("transcripts/[!.]*"))
        before = vendors.bought.copy()
        assert heard_by(here, path).text == " ".join(text for _, text in LINES[:12])
        bought = sum((vendors.bought - before).values())
        assert bought == 2 - len({each.split(".")[0] for each in arrived} | {each.stem for each in kept})
        dies_at += 2  # quicker, and of each kind of operation there are several
    assert dies_at > 8


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_a_process_that_is_killed_in_between_is_gone_on_with_and_buys_nothing_twice(vendors, workspace, pitch):
    vendors.misbehave(Fault(how="hang", charged=False), times=99, when=holds("p"))
    script = (
        "import asyncio, sys\n"
        "from luma_studio.studio import Studio\n"
        "from luma_studio.transcripts import TranscriberChoice, make_transcriber, transcribe\n"
        "with Studio() as studio:\n"
        "    made = make_transcriber(TranscriberChoice.parse(sys.argv[2]), studio.wires, lambda *_: None)\n"
        "    asyncio.run(transcribe(sys.argv[1], made, studio.account('pitch')))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(pitch), SHORT], cwd=workspace)
    store, until = workspace / "generated_audio" / ".store", time.monotonic() + 60
    while len(list(store.glob("transcripts/*.json"))) < 3:  # one of them comes after the hanging one
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    vendors.calm_down()
    assert heard_by(workspace, pitch).text == " ".join(text for _, text in LINES)
    assert set(vendors.bought.values()) == {1}


def test_stopping_lets_what_was_asked_for_arrive(vendors, hears, pitch):
    vendors.delay = 0.2

    def listener(event: Event) -> None:
        if event.outcome == "done":
            raise Stopped

    with pytest.raises(Stopped):
        hears(pitch, SHORT, listener)
    before = sum(vendors.bought.values())
    assert 0 < before <= 4
    hears(pitch, SHORT)
    assert set(vendors.bought.values()) == {1}


@pytest.mark.parametrize("asked", [1, 4])  # while it still reads, and when it only waits
def test_a_cancelled_transcript_keeps_what_it_was_asking_for(vendors, make, account, pitch, asked):
    async def cancelled():
        vendors.delay = 0.3
        work = asyncio.create_task(transcribe(pitch, make(SHORT), account))
        while len(vendors.requests) < asked:
            await asyncio.sleep(0.01)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(cancelled())
    assert sum(vendors.bought.values()) >= asked
    asyncio.run(transcribe(pitch, make(SHORT), account))
    assert set(vendors.bought.values()) == {1}


# Progress


def test_progress_is_told_in_seconds_of_the_recording(vendors, hears, pitch):
    events: list[Event] = []
    hears(pitch, SHORT, events.append)
    assert {event.stage for event in events} == {"transcribe"}
    assert {event.subject for event in events} == {"pitch.flac"}
    counts = [event.done for event in events]
    assert counts == sorted(counts)
    assert (events[-1].done, events[-1].total) == (36, 36)
    assert Counter(event.outcome for event in events)["began"] == len(vendors.requests)


# What models tell


@pytest.mark.parametrize(
    ("choice", "times", "form"),
    [
        ("openai:whisper-1", "word", {"response_format": ["verbose_json"]}),
        ("groq:whisper-large-v3-turbo", "word", {"timestamp_granularities[]": ["word", "segment"]}),
        ("openai:whisper-1,times=segment", "segment", {"timestamp_granularities[]": ["segment"]}),
        ("openai:whisper-1,times=none", "piece", {"response_format": ["json"]}),
        ("openai:gpt-4o-mini-transcribe", "piece", {"response_format": ["json"]}),
        ("openai:gpt-4o-transcribe-diarize", "segment", {"chunking_strategy": ["auto"]}),
        (
            "groq:whisper-large-v3,language=en-GB,temperature=0.2,prompt=Luma, Series A",
            "word",
            {"language": ["en"], "temperature": ["0.2"], "prompt": ["Luma, Series A"]},
        ),
    ],
)
def test_each_model_is_asked_for_what_it_has(vendors, hears, choice, times, form):
    path = record(Path("pitch.wav"), [(0.2, "hello there"), (2.0, "bye")], 3.0)
    transcript = hears(path, choice)
    assert (transcript.text, transcript.times, transcript.engine) == ("hello there bye", times, choice)
    sent = asked(vendors.requests[0])
    assert sent.items() >= form.items()
    assert sent["model"] == [choice.partition(":")[2].partition(",")[0]]
    if choice.endswith("diarize"):
        assert [(each.text, each.speaker) for each in transcript.segments] == [("hello there", "A"), ("bye", "B")]


def test_a_model_that_nobody_knows_is_tried_plainly(vendors, hears, pitch):
    with pytest.raises(NotFoundError, match=r"OpenAI does not have what was asked for.*my-model"):
        hears(pitch, "openai:my-model")
    assert asked(vendors.requests[0]) == {"model": ["my-model"], "response_format": ["json"]}


def test_a_server_of_ones_own_is_another_engine(vendors, workspace, pitch, monkeypatch):
    first = heard_by(workspace, pitch)
    with Vendors() as other:
        monkeypatch.setenv("OPENAI_BASE_URL", other.address("openai"))
        assert heard_by(workspace, pitch).words == first.words
        assert other.bought == vendors.bought


def test_nothing_is_bought_from_a_server_that_was_set_after_the_order(vendors, make, account, pitch, monkeypatch):
    made = make(SHORT)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(TranscriptError, match=r"OPENAI_BASE_URL was changed meanwhile, so this was not bought"):
        asyncio.run(transcribe(pitch, made, account))


# What vendors do


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault(401, openai_error("Incorrect API key provided: sk-***.")), BadKeyError, "OPENAI_API_KEY"),
        (Fault(429, openai_error("You exceeded your quota.", "insufficient_quota")), NoCreditError, "no credit left"),
        (Fault(400, openai_error("audio duration 1500 seconds is longer than 1400")), LumaError, "longer than 1400"),
        (Fault(413, openai_error("413: Maximum content size limit")), TooLargeError, "too large"),
        (Fault(502, "<html>"), OutcomeUnknownError, "was not there behind its gateway"),
        (Fault(how="cut", charged=True), OutcomeUnknownError, "may have done the work and charged"),
        (Fault(how="cut in body", charged=True), OutcomeUnknownError, "may have done the work and charged"),
        (Fault(body="no JSON"), BrokenAnswerError, "not the JSON that it should be"),
        (Fault(body={"segments": []}), BrokenAnswerError, "no transcript"),
        (Fault(body={"text": None}), BrokenAnswerError, "no transcript"),
        (Fault(body=[1]), BrokenAnswerError, "no transcript"),
        (Fault(body="[" * 100_000), BrokenAnswerError, "not the JSON that it should be"),
        (Fault(how="endless", body="{"), TooLargeError, "larger than 32 MB"),
    ],
)
def test_what_goes_wrong_is_told_and_the_rest_is_kept(vendors, hears, pitch, fault, error, says):
    vendors.misbehave(fault, when=holds("k"))
    with pytest.raises(error, match=says):
        hears(pitch, SHORT)
    before = vendors.bought.copy()
    assert hears(pitch, SHORT).text == " ".join(text for _, text in LINES)
    again = {text for text, number in vendors.bought.items() if number > 1}
    assert all("line k here" in text for text in again)
    assert sum(before.values()) > 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(vendors, hears, pitch, status):
    vendors.misbehave(Fault(status, openai_error("Slow down."), {"retry-after": "0"}), times=2, when=holds("k"))
    assert hears(pitch, SHORT).text == " ".join(text for _, text in LINES)
    assert set(vendors.bought.values()) == {1}


def test_a_vendor_that_does_not_answer_in_time_is_not_waited_for(vendors, hears, pitch):
    vendors.misbehave(Fault(how="hang"), when=is_transcription)
    with pytest.raises(OutcomeUnknownError, match=r"OpenAI did not answer in time"):
        hears(pitch, "openai:whisper-1,timeout=1")
    vendors.release()


def test_without_a_key_it_says_what_else_there_is(hears, pitch):
    with pytest.raises(NoKeyError, match=r"OPENAI_API_KEY=… into .env, or choose a transcriber on this computer: wh"):
        hears(pitch)


def test_what_is_kept_needs_no_key(vendors, workspace, pitch, monkeypatch):
    first = heard_by(workspace, pitch)
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("OPENAI_BASE_URL", vendors.address("openai"))
    assert heard_by(workspace, pitch) == first


def test_an_answer_that_was_damaged_on_disk_is_asked_for_again(vendors, hears, pitch, account):
    first = hears(pitch)
    (kept,) = (account.store / "transcripts").glob("*.json")
    kept.write_bytes(kept.read_bytes()[:40])
    assert hears(pitch) == first
    assert set(vendors.bought.values()) == {2}


def answered(vendors, hears, **found):
    vendors.misbehave(Fault(body=json.dumps({"text": "hello there", **found}), charged=True), when=is_transcription)
    return hears(record(Path("hello.wav"), [(0.2, "hello there")], 1.5))


@pytest.mark.parametrize(
    "entry",
    [
        {"word": "hello", "start": None, "end": 1.0},
        {"word": "hello", "start": "0", "end": 1.0},
        {"word": "hello", "start": float("nan"), "end": 1.0},
        {"word": "hello", "start": -1.0, "end": 1.0},
        {"word": "hello", "start": 10**400, "end": 1.0},
        {"word": "hello", "start": True, "end": 1.0},
        {"word": None, "start": 0.0, "end": 1.0},
        {"start": 0.0, "end": 1.0},
        "hello",
        None,
    ],
)
def test_times_that_cannot_be_are_left_away_and_the_text_is_not(vendors, hears, entry):
    transcript = answered(vendors, hears, words=[entry], segments=[{"text": "hello there", "start": 0, "end": 99.0}])
    assert (transcript.text, transcript.words, transcript.times) == ("hello there", (), "segment")
    assert (transcript.segments[0].start, transcript.segments[0].end) == (0.0, 1.5)


@pytest.mark.parametrize("words", ["none", {}, 5, None])
def test_words_that_are_no_list_are_none(vendors, hears, words):
    assert answered(vendors, hears, words=words, segments=words).times == "piece"


def test_what_cannot_be_shown_is_not_in_a_text_and_joiners_are(vendors, hears):
    transcript = answered(vendors, hears, text="क्\u200dष \x1b[31mred\ud800\n line")
    assert transcript.text == "क्\u200dष [31mred line"


@pytest.mark.parametrize(
    ("language", "tag"), [("english", "en"), ("Hindi", "hi"), ("hi", "hi"), ("klingon!", ""), (7, ""), (None, "")]
)
def test_the_language_is_told_as_a_tag(vendors, hears, language, tag):
    assert answered(vendors, hears, language=language).language == tag


# Choices


@pytest.mark.parametrize(
    "text",
    [
        "openai:whisper-1",
        "groq:whisper-large-v3,language=hi,temperature=0.2",
        "openai:whisper-1,timeout=20,prompt=Luma, Series A, a=b",
        "whisper:/models/small",
        "openai:org/model:tag",
    ],
)
def test_a_choice_is_written_as_it_is_read(text):
    assert str(TranscriberChoice.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"names no transcriber. Write it as openai:whisper-1"),
        ("whisper", r"names no transcriber"),
        ("openai:", r"names no transcriber"),
        ("deepgram:nova", r"no transcriber 'deepgram'. There are: openai, groq, whisper"),
        ("openai:whisper-1,language", r"'language' is not of the form setting=value"),
        ("openai:whisper-1,voice=nova", r"no setting 'voice'; it has language, times"),
        ("openai:whisper-1,language=Hindi!", r"must be a code such as en or hi"),
        ("openai:whisper-1,temperature=2", r"temperature is '2'; a transcriber's must be a number from 0 to 1"),
        ("openai:whisper-1,timeout=soon", r"timeout is 'soon'"),
        ("openai:whisper-1,seconds=nan", r"seconds is 'nan'"),
        ("openai:whisper-1,seconds=900", r"seconds is '900'; .* from 10 to 765"),
        ("openai:whisper-1,times=all", r"times is 'all'; .* word, segment, none, speaker"),
        ("openai:gpt-4o-transcribe-diarize,prompt=x", r"takes no prompt"),
        ("whisper:small,seconds=20", r"no setting 'seconds'"),
        ("whisper:small,device=abacus", r"device is 'abacus'"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(make, text, says):
    with pytest.raises(SettingError, match=says):
        make(text)


def test_who_transcribes_is_a_setting(monkeypatch):
    with pytest.raises(SettingError, match=r"No transcriber is chosen. Put LUMA_TRANSCRIBER=openai:whisper-1"):
        choice_of(load_settings())
    monkeypatch.setenv("LUMA_TRANSCRIBER", "groq:whisper-large-v3,language=hi")
    assert choice_of(load_settings()).model == "whisper-large-v3"


def test_the_longest_piece_is_never_too_large_for_a_vendor(vendors, hears):
    noise = np.random.default_rng(3).integers(-32768, 32767, 16000 * 40).astype(np.int16)
    write(Path("noise.wav"), noise, 16000, "pcm_s16le", "")
    hears("noise.wav")
    (request,) = vendors.requests
    assert len(file_of(request)) / 40 * 765 < 25_000_000


# The fake


@pytest.mark.skipif(contracts.missing() != "", reason=contracts.missing() or "the contracts are here")
@pytest.mark.parametrize(
    "choice",
    ["openai:whisper-1", "openai:gpt-4o-transcribe", "openai:gpt-4o-transcribe-diarize", "groq:whisper-large-v3"],
)
def test_the_fake_answers_as_the_contract_has_it_and_a_request_outside_of_it_is_seen(vendors, hears, choice):
    hears(record(Path("hello.wav"), [(0.2, "hello there")], 1.5), choice)
    (request,) = vendors.requests
    answer = transcripts.answer(request)
    assert contracts.check_answer(request, answer.status, answer.headers, answer.pieces[0]) is None
    misspelt = replace(request, body=request.body.replace(b'name="response_format"', b'name="response_from"'))
    assert "response_from" in str(contracts.check(misspelt))
