"""``luma-studio film``: a script in, a film out, on the embedded engines."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest
from click.testing import CliRunner
from helpers.camera import Camera, given
from PIL import Image

from luma_studio.cli import main
from luma_studio.errors import JobFailedError

SCRIPT = "Calm\nClose your eyes.\n\nClear\nBreathe in.\n"


@pytest.fixture
def script(workspace: Path) -> Path:
    path = workspace / "calm.txt"
    path.write_text(SCRIPT, "utf-8")
    return path


def run(*arguments: object):
    return CliRunner().invoke(main, ["film", *map(str, arguments)])


def test_a_script_becomes_a_film_without_any_key_and_a_second_time_nothing_is_filmed(script, workspace):
    Image.new("RGB", (640, 800), "#b06040").save(workspace / "mira.png")
    result = run(script, "--photo", workspace / "mira.png", "--orientation", "landscape", "--captions", "track")
    assert result.exit_code == 0, result.output
    folder = workspace / "generated_audio" / "calm"
    manifest = json.loads((folder / "film.json").read_text("utf-8"))
    assert (manifest["status"], manifest["film"]) == ("success", "film.mp4")
    assert {each["photo"] for each in manifest["results"]} == {"mira"}
    assert (workspace / "photos" / "mira.png").exists()
    with av.open(folder / "film.mp4") as container:
        picture = container.streams.video[0]
        assert (picture.width, picture.height) == (1280, 720)
        assert len(container.streams.subtitles) >= 1
        assert container.duration / av.time_base == pytest.approx(manifest["seconds"], abs=0.03)
    videos = {path: path.stat().st_mtime_ns for path in folder.glob("scene_*.mp4")}
    assert len(videos) == 2
    again = run("calm")
    assert again.exit_code == 0, again.output
    assert {path: path.stat().st_mtime_ns for path in folder.glob("scene_*.mp4")} == videos


def test_a_dry_run_says_what_would_be_bought_and_buys_nothing(script, monkeypatch):
    camera = given(Camera(), monkeypatch)
    result = run(script, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "buying    2 scenes by preview, about $1.00" in result.stderr
    assert not camera.bought


def test_a_changed_pause_is_told_before_its_scene_is_filmed_anew(script, monkeypatch):
    given(Camera(), monkeypatch)
    assert run(script).exit_code == 0
    script.write_text(SCRIPT.replace("eyes.", "eyes. (3 sec)"), "utf-8")
    result = run(script)
    assert "scene_1 has changed since it was filmed" in result.stderr
    assert "buying    1 scene by preview" in result.stderr


def test_a_scene_that_fails_ends_the_command_with_1_and_says_why(script, monkeypatch):
    camera = given(Camera(), monkeypatch)
    camera.failing["scene_2"] = JobFailedError("The camera could not make the video. Try again.")
    result = run(script)
    assert result.exit_code == 1
    assert "scene_2: The camera could not make the video." in result.output
    assert "scene_1   scene_1__" in result.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--engine", "hollywood"], "There is no engine 'hollywood'"),
        (["--engine", "heygen:avatar_ix"], "avatar_ix"),
        (["--assembly", "moviola"], "There is no engine 'moviola'"),
        (["--background", "teal-ish"], "background"),
        (["--crossfade", "99"], "crossfade"),
    ],
)
def test_bad_input_is_told_in_a_sentence(script, options, says):
    result = run(script, *options)
    assert result.exit_code in (1, 2)
    assert says in result.output
    assert "Traceback" not in result.output


def test_a_vendor_without_a_key_is_told_scene_by_scene_and_nothing_is_lost(script, workspace):
    Image.new("RGB", (640, 800), "#b06040").save(workspace / "mira.png")
    result = run(script, "--engine", "heygen", "--photo", workspace / "mira.png")
    assert result.exit_code == 1
    assert "HeyGen needs a key. Put HEYGEN_API_KEY=… into .env, or choose the preview engine" in result.output


def test_scenes_without_a_photo_are_listed_with_what_to_do(script, monkeypatch):
    monkeypatch.setenv("HEYGEN_API_KEY", "key")
    result = run(script, "--engine", "heygen")
    assert result.exit_code == 1
    assert "a photo of scene_1, scene_2: put a picture into photos/" in " ".join(result.output.split())


def test_a_production_that_is_not_there_is_told(workspace):
    result = run("nowhere")
    assert result.exit_code == 2
    assert "There is no production 'nowhere' yet" in result.output
