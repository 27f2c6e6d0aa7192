"""Jobs on the command line, what is cleaned away and what is not, and metrics."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from prometheus_client.parser import text_string_to_metric_families

from luma_studio.cleaning import clean
from luma_studio.cli import main
from luma_studio.metrics import metrics
from luma_studio.store import temporary
from luma_studio.studio import STORE

LONG_AGO = time.time() - 30 * 86_400


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def old(path: Path) -> Path:
    """A file, or folder, as it would be after a month."""
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


@pytest.mark.parametrize("command", [("jobs", "list"), ("clean",), ("metrics",)])
def test_where_there_are_no_jobs_nothing_is_written(workspace, command):
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert list(workspace.iterdir()) == []


def test_jobs_are_listed_shown_and_cancelled(studio):
    done, waiting = studio.jobs.create("narrate", {"fit": "10:00"}, "calm"), studio.jobs.create("film", {}, "ad")
    held = studio.jobs.claim("us", ["narrate"])
    studio.jobs.progress(held, "Speaking 3 of 4", 0.75)
    listed = run("jobs", "list").output
    assert listed.index(waiting.id) < listed.index(done.id)  # the newest first
    assert "75% Speaking 3 of 4" in listed
    assert waiting.id not in run("jobs", "list", "--about", "calm").output
    studio.jobs.fail(held, "The disk is full.")
    assert [each["id"] for each in json.loads(run("jobs", "list", "--state", "failed", "--json").output)] == [done.id]
    shown = run("jobs", "show", done.id).output
    assert "narrate calm: failed" in shown
    assert "The disk is full." in shown
    assert '{"fit": "10:00"}' in shown
    assert run("jobs", "cancel", waiting.id).output == f"{waiting.id} is cancelled.\n"
    again = studio.jobs.create("film")
    studio.jobs.claim("us")
    assert "stops as soon as its worker hears" in run("jobs", "cancel", again.id).output


@pytest.mark.parametrize("command", ["show", "cancel", "watch"])
def test_a_job_that_is_not_there_is_one_sentence(workspace, command):
    result = run("jobs", command, "nothing")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: There is no job 'nothing'")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("end", "code"), [("complete", 0), ("stopped", 1)])
def test_a_job_is_watched_to_its_end(studio, end, code):
    studio.jobs.create("narrate")
    job = studio.jobs.claim("us")
    getattr(studio.jobs, end)(job)
    result = run("jobs", "watch", job.id)
    assert result.exit_code == code
    assert f"narrate: {'completed' if end == 'complete' else 'cancelled'}" in result.output


def test_a_wrong_store_is_told_by_its_remedy(workspace, monkeypatch):
    monkeypatch.setenv("JOB_STORAGE", "memory")
    monkeypatch.setenv("WORKERS", "4")
    result = run("jobs", "list")
    assert result.exit_code == 2
    assert "Cannot use in-memory job storage with 4 workers" in result.stderr


def test_what_nobody_needs_is_cleaned_after_its_time_and_nothing_else(studio, workspace):
    calm = studio.production("calm", "Breathe in. Breathe out.")
    store = studio.folder / STORE
    ended, going_on, young = (studio.jobs.create(kind) for kind in ("ended", "going on", "young"))
    studio.jobs.cancel(ended.id)
    for job in ("gone", ended.id, going_on.id, young.id):
        place = temporary.folder(store, job)
        place.mkdir(parents=True)
        (place / "pitch.mp4").write_bytes(b"video")
        if job != young.id:
            old(place)
    part = store / "takes" / ".take.wav.0123456789ab.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(b"half")
    old(part)
    keep = [
        calm.folder / "production.json",
        *(store / name for name in ("arrived/key.0", "answers/a.json", "takes/aa/take.wav", "shares/s.json")),
        studio.folder / ".drafts" / "text.txt",
    ]
    for path in keep[1:]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"needed")
    for path in keep:
        old(path)
        old(path.parent)
    assert clean(studio).jobs == 0  # it ended just now
    assert not temporary.folder(store, "gone").exists()
    found = clean(studio, days=0)
    assert (found.jobs, found.folders, found.bytes) == (1, 0, 0)
    assert not part.exists()
    assert all(path.exists() for path in keep)
    assert temporary.folder(store, going_on.id).exists()
    assert temporary.folder(store, young.id).exists()
    assert {job.id for job in studio.jobs.every()} == {going_on.id, young.id}


def test_clean_tells_what_it_did(studio):
    studio.jobs.cancel(studio.jobs.create("narrate").id)
    assert run("clean", "--days", "0").output.startswith("Removed 1 job, 0 folders of temporary files; 0.0 MB")


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_tell_of_jobs_calls_and_takes(studio, vendors):
    calm = studio.production("calm", "Breathe in. Breathe out.", voice="elevenlabs:Rachel")
    asyncio.run(calm.speak())
    asyncio.run(calm.speak())
    studio.jobs.create("narrate")
    held = studio.jobs.claim("us")
    studio.jobs.complete(held)
    studio.jobs.create("film")
    told = samples(metrics(studio))
    assert told["luma_jobs", "narrate", "completed"] == 1
    assert told["luma_jobs", "film", "created"] == 1
    assert told["luma_jobs_seconds", "narrate", "completed"] >= 0
    calls = {key[1:]: value for key, value in told.items() if key[0] == "luma_vendor_calls_total"}
    assert sum(calls.values()) == len(studio.ledger.entries()) == 2
    assert {key[1:] for key in calls} == {("arrived", "ElevenLabs")}  # model, outcome, vendor
    assert sum(value for key, value in told.items() if key[0] == "luma_vendor_dollars_total") == pytest.approx(
        float(studio.ledger.spent())
    )
    assert (told["luma_takes_total", "done"], told["luma_takes_total", "cached"]) == (2, 2)
    assert run("metrics").output == metrics(studio)
