"""``luma-studio animate`` and ``talk``: on the embedded engines, and what they say of what cannot be."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from click.testing import CliRunner
from helpers.filming import picture, sound

from luma_studio.cli import main


def run(*arguments: object):
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def photo(workspace: Path) -> Path:
    return picture(workspace / "beach.png", (640, 800)).path


def test_a_still_moves_for_as_long_as_asked_by_prompts_that_are_shown(photo, workspace):
    result = run("animate", photo, "--about", "A calm beach.", "--orientation", "landscape")
    assert result.exit_code == 0, result.output
    assert "prompt    A calm beach." in result.output
    (video,) = (workspace / "generated_audio" / "animated").glob("*.mp4")
    with av.open(video) as container:
        assert container.streams.video[0].width == 1280
        assert container.duration / av.time_base == pytest.approx(5, abs=0.05)


def test_a_dry_run_shows_the_prompts_and_makes_nothing(photo, workspace):
    result = run("animate", photo, "--dry-run", "--seconds", "10")
    assert result.exit_code == 0, result.output
    assert "prompt    " in result.output
    assert not (workspace / "generated_audio" / "animated").exists()


def test_a_photo_says_a_recording(photo, workspace):
    recording = sound(workspace / "hello.wav", 8000).path
    result = run("talk", photo, "Hello there.", "--sound", recording)
    assert result.exit_code == 0, result.output
    assert "title     Hello there." in result.output
    assert len(list((workspace / "generated_audio" / "talking").glob("*.mp4"))) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("animate", "nobody"), "There is no photo 'nobody'"),
        (("animate", "beach.png", "--engine", "hollywood"), "There is no engine 'hollywood'"),
        (("animate", "beach.png", "--engine", "freepik", "--prompt", "It moves."), "FREEPIK_API_KEY"),
        (("talk", "beach.png", "Hello."), "speaks no words"),
        (("talk", "beach.png", "Hello.", "--engine", "heygen", "--voice", "Anna"), "HEYGEN_API_KEY"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(photo, arguments, says):
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert says in result.output
    assert "Traceback" not in result.output
