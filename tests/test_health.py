from __future__ import annotations

import asyncio
import os
import shutil
import threading

import pytest
from helpers.fakes import FakeVoice, give
from helpers.filming import no_fonts

from luma_studio import Studio
from luma_studio import health as health_module
from luma_studio.errors import AudioError
from luma_studio.health import engines as module
from luma_studio.health import health, places

NAMES = ["espeak-ng", "LAME", "FFmpeg", "H.264", "Workspace", "Disk space", "Jobs"]
VENDORS = ("ElevenLabs", "OpenAI", "Groq", "HeyGen", "Freepik", "Creatomate")


def states(studio):
    return {engine.name: engine for engine in health(studio)}


def test_every_engine_is_tried_and_ready(studio):
    engines = health(studio)
    assert [engine.name for engine in engines if engine.needed] == NAMES
    assert all(
        engine.ready and engine.detail and engine.what_for and not engine.remedy for engine in engines[: len(NAMES)]
    )
    assert int(engines[0].detail.split()[1]) > 100  # languages


def test_no_file_is_left_behind(studio):
    health(studio)
    assert [path for path in studio.folder.rglob("*") if path.is_file()] == []


def test_it_may_be_called_where_a_loop_is_running(studio):
    async def in_a_notebook():
        return health(studio)

    assert all(engine.ready for engine in asyncio.run(in_a_notebook()) if engine.needed)


def test_a_vendor_without_a_key_is_told_kindly_and_is_not_asked(studio):
    found = [engine for engine in health(studio) if engine.name in VENDORS]
    assert [engine.name for engine in found] == list(VENDORS)
    assert not any(engine.needed for engine in found)
    assert {(engine.ready, engine.detail) for engine in found} == {(False, "No key is set.")}
    assert found[0].remedy == "To use it, put ELEVENLABS_API_KEY=… into .env."


def test_a_key_is_tried_and_what_is_left_is_told(studio, vendors):
    found = {engine.name: engine for engine in health(studio)}
    assert all(found[name].ready for name in VENDORS)
    assert "plan pro" in found["ElevenLabs"].detail
    assert "characters left" in found["ElevenLabs"].detail
    assert "models can be used" in found["OpenAI"].detail
    assert found["HeyGen"].detail == "The key works: $42.50 left."
    assert found["Freepik"].detail == "The key works."
    assert found["Creatomate"].detail == "The key works: 2 templates."
    assert not vendors.bought


def test_a_wrong_key_and_a_vendor_that_is_away_are_told_with_what_to_do(studio, vendors, monkeypatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "sk-wrong")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    found = {engine.name: engine for engine in health(studio)}
    assert "does not accept the key. Correct ELEVENLABS_API_KEY" in found["ElevenLabs"].detail
    assert "cannot be reached" in found["OpenAI"].detail
    assert "sk-wrong" not in repr(found)


def test_a_voice_that_cannot_speak_says_so_and_the_others_are_tried_all_the_same(studio):
    voice = FakeVoice()
    voice.failing = {"Hello."}
    give(studio, voice)
    found = states(studio)
    assert not found["espeak-ng"].ready
    assert found["espeak-ng"].detail == "The fake voice could not speak 'Hello.'."
    assert "again" in found["espeak-ng"].remedy
    assert [name for name in NAMES if not found[name].ready] == ["espeak-ng"]


@pytest.mark.parametrize("error", [AudioError("It broke."), ImportError("It broke."), OSError("It broke.")])
def test_an_encoder_that_is_missing_says_so(studio, monkeypatch, error):
    def broken(*arguments):
        raise error

    monkeypatch.setattr(module, "encode_run", broken)
    engine = states(studio)["LAME"]
    assert (engine.ready, engine.detail) == (False, "It broke.")
    assert engine.remedy


def test_a_mistake_of_ours_is_not_taken_for_a_missing_engine(studio, monkeypatch):
    monkeypatch.setattr(module, "encode_run", None)
    with pytest.raises(TypeError):
        health(studio)


def test_sound_in_which_nothing_is_heard_is_not_taken_for_sound(studio, monkeypatch):
    tone = module._tone
    monkeypatch.setattr(module, "_tone", lambda: tone() * 0)
    found = states(studio)
    assert [name for name in NAMES if not found[name].ready] == ["LAME", "FFmpeg"]
    assert "nothing is to be heard" in found["LAME"].detail


@pytest.mark.skipif(os.name == "nt", reason="folders are not read-only there")
def test_a_workspace_that_may_not_be_written_says_so(studio, workspace):
    workspace.chmod(0o555)
    root = os.geteuid() == 0  # who may write anywhere
    if root:
        os.seteuid(65534)
    try:
        found = states(studio)
    finally:
        if root:
            os.seteuid(0)
    assert not found["Workspace"].ready
    assert "may not be written" in found["Workspace"].detail
    assert "LUMA_WORKSPACE" in found["Workspace"].remedy


def test_little_space_on_the_disk_is_a_warning(studio, monkeypatch):
    usage = shutil.disk_usage(studio.workspace)
    monkeypatch.setattr(places.shutil, "disk_usage", lambda path: usage._replace(free=120_000_000))
    engine = states(studio)["Disk space"]
    assert (engine.ready, engine.detail) == (False, "Only 0.12 GB are free.")
    assert "Free some space" in engine.remedy


def test_a_job_store_that_is_away_is_told_with_what_to_do(studio, monkeypatch):
    monkeypatch.setenv("JOB_STORAGE", "redis")
    monkeypatch.setenv("REDIS_URL", "redis://:secret@127.0.0.1:9/0")
    engine = states(studio)["Jobs"]
    assert (engine.ready, engine.needed) == (False, True)
    assert "127.0.0.1:9" in engine.detail
    assert "secret" not in repr(engine)
    assert "REDIS_URL" in engine.remedy


def test_where_jobs_are_kept_and_how_many_go_on_is_told(studio):
    studio.jobs.create("film")
    assert states(studio)["Jobs"].detail == "Kept in SQLite; 1 job not ended."


def test_writings_that_no_font_has_are_named(studio):
    with no_fonts():
        engine = states(studio)["Fonts"]
    assert (engine.ready, engine.needed) == (False, False)
    assert "Devanagari" in engine.detail
    assert "Noto" in engine.remedy


def test_a_persona_that_cannot_be_used_is_told(studio, workspace):
    assert states(studio)["Personas and photos"].ready
    (workspace / "personas").mkdir()
    (workspace / "personas" / "personas.json").write_text("{")
    assert "personas.json" in states(studio)["Personas and photos"].detail


def test_models_that_are_chosen_are_looked_for_with_their_vendor(workspace, vendors, monkeypatch):
    monkeypatch.setenv("LUMA_MIND", "openai:gpt-5.5,effort=low")
    monkeypatch.setenv("LUMA_MINDS", '{"splice": "groq:gone"}')
    monkeypatch.setenv("LUMA_TRANSCRIBER", "groq:whisper-large-v3")
    with Studio(workspace) as studio:
        found = states(studio)
    assert found["openai:gpt-5.5,effort=low"].ready
    assert found["groq:whisper-large-v3"].ready
    assert found["groq:gone"].detail == "Groq has no model 'gone' for this key."
    assert not vendors.bought


def test_what_does_not_answer_is_told_in_time_and_the_others_all_the_same(studio, monkeypatch):
    monkeypatch.setattr(health_module, "_LONGEST", 0.5)
    asked = threading.Event()
    monkeypatch.setattr(module, "encode_run", lambda *_: asked.wait(30))
    found = states(studio)
    asked.set()
    assert found["LAME"].detail == "It did not answer within 0.5 seconds."
    assert "Workspace" in found
