"""A listener may stop the work at any event: what was bought is kept, and every file is whole."""

from __future__ import annotations

import asyncio
import threading
import time
from decimal import Decimal

import pytest
from helpers.fakes import FakeVoice, give

from luma_studio.errors import Stopped, StoreError, VoiceError
from luma_studio.export import LOCK
from luma_studio.store import files
from luma_studio.studio import Studio
from luma_studio.timeline import master

SCRIPT = "Calm\nOne here. (12 sec)\nTwo here.\nThree here.\nOne here.\n\nRest\nFour here. (12 sec)\nFive here.\n"
MASTERS = ("calm.mp3", "calm.wav", "calm.m4a", "calm.flac")


class Stopping:
    """A listener that stops the work at event ``at`` (from 0), and at every one after it, and keeps what it heard."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.events = []

    def __call__(self, event) -> None:
        self.events.append(event)
        if len(self.events) > self.at:
            raise Stopped


def visible(folder):
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


def parts(folder):
    return list(folder.rglob(".*.part"))


@pytest.mark.parametrize("failing", [set(), {"Two here."}])
def test_speaking_that_is_stopped_at_any_event_keeps_what_arrived_and_buys_nothing_twice(workspace, failing):
    at = 0
    while True:
        with Studio(workspace / str(at)) as studio:
            voice = FakeVoice()
            voice.concurrency = 2
            voice.failing = failing
            give(studio, voice)
            production = studio.production("calm", SCRIPT)
            listener = Stopping(at)
            try:
                asyncio.run(production.speak(listener))
            except Stopped:
                stopped = True
            except VoiceError:
                stopped = False
                assert failing
            else:
                stopped = False
            arrived = set(voice.spoken) - failing
            kept = {
                clause.text for clause, take in zip(production.clauses, production.takes_in_use, strict=True) if take
            }
            assert kept == arrived
            assert studio.production("calm").takes_in_use.count(None) == production.takes_in_use.count(None)
            if stopped:
                began = [event.subject for event in listener.events[:at] if event.outcome == "began"]
                asked = {text for text in began if began.count(text) == SCRIPT.count(text)}
                assert asked - failing <= arrived
            voice.failing = set()
            asyncio.run(production.speak())
            assert all(voice.spoken[text] == 1 for text in voice.spoken if text not in failing)
            assert None not in production.takes_in_use
        if not stopped:
            assert at > 8
            return
        at += 1


def test_what_was_asked_for_arrives_after_a_stop_and_nothing_more_is_asked(studio):
    voice = FakeVoice()
    voice.concurrency = 2
    voice.price = Decimal(0)  # or the first clause would go ahead of the others
    both = asyncio.Event()
    let_go = asyncio.Event()
    asked = []
    speak = voice.speak

    async def waiting(utterance, account, hear=None):
        asked.append(utterance.text)
        if len(asked) == 2:
            both.set()
        if len(asked) > 1:
            await let_go.wait()
        else:
            await both.wait()
        return await speak(utterance, account)

    voice.speak = waiting
    give(studio, voice)
    production = studio.production("calm", SCRIPT)

    def listener(event):
        if event.outcome == "done":
            let_go.set()
            raise Stopped

    with pytest.raises(Stopped):
        asyncio.run(production.speak(listener))
    assert sorted(asked) == ["One here.", "Two here."]
    assert [take is not None for take in production.takes_in_use] == [True, True, False, True, False, False]


def test_an_error_of_the_disk_is_told_before_a_stop(studio, monkeypatch):
    voice = FakeVoice()
    voice.price = Decimal(0)  # or the first clause would go ahead of the others
    give(studio, voice)
    production = studio.production("calm", SCRIPT)
    put = production._takes.put

    def full(recipe, *arguments, **options):
        if recipe.text == "Two here.":
            raise StoreError("The disk is full.")
        return put(recipe, *arguments, **options)

    monkeypatch.setattr(production._takes, "put", full)

    def listener(event):
        if event.outcome == "done":
            raise Stopped

    with pytest.raises(StoreError, match="full"):
        asyncio.run(production.speak(listener))


def test_an_export_that_is_stopped_at_any_event_leaves_every_file_whole_and_the_next_one_makes_them_all(studio):
    give(studio, FakeVoice())
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    production.export(*MASTERS)
    before = visible(production.folder)
    production.tune({1: 3.0, 4: 2.0})
    production.export(*MASTERS)
    after = visible(production.folder)
    assert all(before[name] != after[name] for name in MASTERS)
    at = 0
    while True:
        production.undo()
        production.export(*MASTERS)
        production.redo()
        listener = Stopping(at)
        try:
            production.export(*MASTERS, listener=listener)
            stopped = False
        except Stopped:
            stopped = True
        for name, data in visible(production.folder).items():
            assert data in (before.get(name), after.get(name)), (at, name)
        assert parts(production.folder) == []
        assert set(MASTERS) <= set(visible(production.folder))
        if not stopped:
            break
        at += 1
    stages = {(event.stage, event.done < event.total) for event in listener.events}
    assert stages >= {("write", True), ("encode", True), ("encode", False), ("audit", True), ("audit", False)}
    assert visible(production.folder) == after


def test_a_first_export_that_is_stopped_while_it_encodes_goes_on_with_what_it_encoded(studio, monkeypatch):
    give(studio, FakeVoice())
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    with pytest.raises(Stopped):
        production.export(listener=Stopping(2))
    assert set(visible(production.folder)) == {"production.json"}
    assert parts(production.folder) == []
    kept = len(list((studio.folder / ".store" / "runs").rglob("*.mp3")))
    assert kept >= 2
    encoded = []
    encode_run = master.encode_run
    monkeypatch.setattr(master, "encode_run", lambda *arguments: encoded.append(1) or encode_run(*arguments))
    production.export(audit=False)
    runs = len(list((studio.folder / ".store" / "runs").rglob("*.mp3")))
    assert len(encoded) <= runs - 2


def test_a_long_run_is_not_waited_for_and_is_kept_when_it_is_done(studio, monkeypatch):
    give(studio, FakeVoice())
    production = studio.production("calm", "Calm\nOne here. (0 sec)\nTwo here.\n")
    asyncio.run(production.speak())
    let_go, done = threading.Event(), threading.Event()
    encode_run, put = master.encode_run, production._runs.put

    def long_run(*arguments):
        assert let_go.wait(20)
        return encode_run(*arguments)

    def kept(key, encoded):
        put(key, encoded)
        done.set()

    monkeypatch.setattr(master, "encode_run", long_run)
    monkeypatch.setattr(production._runs, "put", kept)
    with pytest.raises(Stopped):
        production.export(listener=Stopping(1))  # it hears of the run, which is not done
    assert not done.is_set()
    let_go.set()
    assert done.wait(20)
    monkeypatch.setattr(master, "encode_run", None)
    production.export(audit=False)


def test_waiting_for_another_export_can_be_stopped(studio):
    give(studio, FakeVoice())
    production = studio.production("calm", SCRIPT)
    asyncio.run(production.speak())
    held = files.hold(production.folder / LOCK)
    start = time.monotonic()
    with pytest.raises(Stopped):
        production.export(listener=Stopping(2))
    assert time.monotonic() - start < 10
    held.release()
    production.export(audit=False)
