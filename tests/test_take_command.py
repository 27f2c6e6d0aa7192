"""``luma-studio take``: a pitch in, a hot take out; what is wrong is told in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.camera import Camera, given
from helpers.recordings import record
from helpers.vendors import Vendors

from luma_studio.cli import main

WORDS = "It is a charming thought. Show me one owner who pays twice."
GOOD = (
    "It is a charming thought, and somebody has costed the bowl and not the cat. A cat has no pocket, no thumb and no "
    "interest. Show me one owner who pays twice."
)


def run(*arguments: object):
    return CliRunner().invoke(main, ["take", *map(str, arguments)])


@pytest.fixture
def mind(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> Vendors:
    vendors.mind = lambda _request: json.dumps({"text": GOOD})
    monkeypatch.setenv("LUMA_MIND", "openai:gpt-5.5")
    return vendors


def the_only(workspace: Path) -> Path:
    (path,) = (workspace / "generated_audio").glob("*/hot_take.json")
    return path.parent


def test_typed_words_are_spoken_and_are_said_not_to_be_a_models(workspace):
    result = run("--persona", "otto", "--text", WORDS)
    assert result.exit_code == 0, result.output
    assert WORDS in result.output
    assert "words     typed, not a model's" in result.output
    assert (the_only(workspace) / "hot take.mp3").exists()
    assert not (the_only(workspace) / "film.mp4").exists()
    listed = run("--history")
    assert "write skipped, speak done, film waiting" in listed.output


def test_typed_words_are_filmed(workspace, monkeypatch):
    given(Camera("0"), monkeypatch)
    result = run("--persona", "otto", "--text", WORDS, "--film")
    assert result.exit_code == 0, result.output
    assert (the_only(workspace) / "film.mp4").exists()


def test_a_pitch_in_words_or_in_a_text_file_is_answered_in_words(workspace, mind):
    result = run("An app for cats.", "--persona", "otto", "--seconds", 10, "--text-only")
    assert result.exit_code == 0, result.output
    assert GOOD in result.output
    assert "by openai:gpt-5.5" in result.output
    assert not mind.bought
    (workspace / "pitch.txt").write_text("An app for cats.\n", "utf-8")
    assert run("pitch.txt", "--persona", "otto", "--seconds", 10, "--text-only").exit_code == 0


def test_a_recording_is_heard_first(workspace, mind):
    record(workspace / "pitch.wav", [(0.2, "we sell water to cats")], 3.0)
    given_ = ("--persona", "otto", "--seconds", 10, "--text-only", "--transcriber", "openai:whisper-1")
    result = run("pitch.wav", *given_)
    assert result.exit_code == 0, result.output
    assert json.loads((the_only(workspace) / "hot_take.json").read_text("utf-8"))["heard"] == "we sell water to cats"


def test_a_dry_run_says_what_would_be_bought_and_buys_nothing(workspace, mind):
    result = run("An app for cats.", "--persona", "otto", "--seconds", 10, "--film", "--engine", "heygen", "--dry-run")
    assert result.exit_code == 0, result.output
    for step in ("write by openai:gpt-5.5", "speak by elevenlabs:", "film by heygen"):
        assert f"buying    {step}" in result.stderr
    assert not mind.requests
    assert not list(workspace.glob("generated_audio/*/hot_take.json"))


@pytest.mark.parametrize(
    ("options", "says", "code"),
    [
        ([], "Name who answers: --persona ID", 2),
        (["--persona", "otto"], "There is no pitch", 2),
        (["A pitch.", "--persona", "nobody"], "There is no persona 'nobody'", 2),
        (["A pitch.", "--persona", "otto"], "Or type the words yourself", 1),
        (["--text", WORDS, "--persona", "otto", "--budget", "lots"], "--budget cannot be 'lots'", 2),
        (["--text", WORDS, "--persona", "otto", "--voice-setting", "rate"], "is not of the form setting=value", 2),
        (["--text", WORDS, "--persona", "otto", "--voice-setting", "colour=red"], "colour", 2),
        (["--text", WORDS, "--persona", "otto", "--heygen-voice"], "has no voice of HeyGen", 2),
        (["--text", WORDS, "--persona", "otto", "--engine", "heygen"], "HEYGEN_API_KEY", 1),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(workspace, options, says, code):
    result = run(*options)
    assert result.exit_code == code, result.output
    assert says in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert not list(workspace.glob("generated_audio/*/hot_take.json"))
