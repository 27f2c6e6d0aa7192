from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from luma_studio.audio import codec
from luma_studio.cli import main

EXAMPLES = sorted((Path(__file__).parent.parent / "notebooks" / "examples").glob("*.txt"))
SCRIPT = "Calm\nClose your eyes. (4 sec)\nBreathe in, and out.\n"


def run(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def script(workspace):
    path = workspace / "my script.txt"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def test_narrate_makes_a_whole_production_and_says_where_it_is(script, workspace):
    result = run("narrate", script)
    assert result.exit_code == 0, result.output
    folder = workspace / "generated_audio" / "my script"
    for name in ("master.mp3", "captions.srt", "captions.vtt", "chapters.json", "audit.json", "production.json"):
        assert (folder / name).stat().st_size > 0
    assert json.loads((folder / "scene_audio_map.json").read_bytes()).keys() == {"scene_1"}
    assert "generated_audio/my script/master.mp3" in result.output
    assert "all 2 pauses as asked" in result.output


def test_narrate_takes_name_voice_fit_and_formats(script, workspace):
    result = run(
        "narrate", script, "--name", "calm", "--voice", "espeak:en+f3,rate=130", "--fit", "0:20",
        "--to", "calm.wav", "--to", "calm.flac", "--granularity", "clause",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    for name in ("calm.wav", "calm.flac"):
        assert codec.probe(workspace / "generated_audio" / "calm" / name).samples == 20 * 44100


def test_the_workspace_is_where_the_environment_says(script, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setenv("LUMA_WORKSPACE", str(elsewhere))
    assert run("narrate", script, "--name", "calm").exit_code == 0
    assert (elsewhere / "generated_audio" / "calm" / "master.mp3").exists()


@pytest.mark.parametrize(
    "data",
    [b"", b"\xef\xbb\xbf", b"\xff caf\xe9", b"   \n\n", b"(5 sec)\n[pause]", b"# Only a header", b"caf\xe9."],
)
def test_a_script_that_cannot_be_spoken_is_one_error_code_2_and_nothing_written(workspace, data):
    (workspace / "bad.txt").write_bytes(data)
    for command in ("narrate", "outline"):
        result = run(command, "bad.txt")
        assert result.exit_code == 2
        assert result.stderr.startswith("error: ")
        assert len(result.stderr.strip().splitlines()) == 1
        assert result.stdout == ""
    assert [path.name for path in workspace.iterdir()] == ["bad.txt"]


@pytest.mark.parametrize(
    "options",
    [
        ("--voice", "nobody"),
        ("--voice", "espeak:xx"),
        ("--name", "../out"),
        ("--to", "x.ogg"),
        ("--speaker", "Woman"),
        ("--language", "qq"),
        ("--kbps", "7"),
        ("--fit", "soon"),
        ("--to", "../x.mp3"),
    ],
)
def test_bad_options_are_one_error_code_2_and_nothing_written(script, workspace, options):
    result = run("narrate", script, *options)
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert [path.name for path in workspace.iterdir()] == [script.name]


def test_a_total_out_of_reach_names_those_that_can_be_reached(script):
    result = run("narrate", script, "--fit", "0:01")
    assert result.exit_code == 2
    assert "cannot be reached" in result.stderr
    assert "the pauses allow 0:0" in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--kbps", "7"), "error: --kbps cannot be 7: it must be one of 64, 96,"),
        (("--to", "out/x.mp3"), "error: 'out/x.mp3' is a path. A master lies in its production's folder"),
    ],
)
def test_an_option_is_told_by_its_name_with_what_it_may_be(script, options, told):
    assert run("narrate", script, *options).stderr.startswith(told)


def test_a_variable_is_told_by_its_name_with_what_it_may_be(script, monkeypatch):
    monkeypatch.setenv("LUMA_MP3_KBPS", "7")
    assert run("narrate", script).stderr.startswith("error: LUMA_MP3_KBPS cannot be 7: it must be one of 64,")


def test_the_help_says_where_masters_go():
    assert "named in the production's folder" in " ".join(run("narrate", "--help").output.split())


def test_one_scene_is_one_and_a_master_that_is_asked_for_twice_is_one(script):
    output = run("narrate", script, "--to", "a.wav", "--to", "a.wav").output
    assert "1 scene, 2 clauses" in output
    assert output.count("master    ") == 1


def test_a_missing_script_is_told(workspace):
    result = run("narrate", "nowhere.txt")
    assert result.exit_code == 2
    assert "nowhere.txt" in result.stderr


def test_a_damaged_production_is_told_and_kept(script, workspace):
    state = workspace / "generated_audio" / "calm" / "production.json"
    state.parent.mkdir(parents=True)
    state.write_text("{")
    result = run("narrate", script, "--name", "calm")
    assert result.exit_code == 1
    assert "Put back a copy" in result.stderr
    assert state.read_text() == "{"


def test_outline_prints_a_tree_and_as_json_the_scenes(script):
    tree = run("outline", script)
    assert tree.exit_code == 0
    assert "Close your eyes." in tree.output
    printed = json.loads(run("outline", script, "--json").stdout)
    (scene,) = printed["scenes"]
    assert (scene["id"], scene["title"], scene["line"], scene["lead_in_seconds"]) == ("scene_1", "Calm", 1, 0)
    assert scene["clauses"][0] == {
        "text": "Close your eyes.", "speaker": None, "tags": [], "line": 2,
        "pause": {"seconds": 4.0, "source": "written", "least": None, "most": None},
    }  # fmt: skip


def test_voices_lists_languages_and_variants():
    output = run("voices").output
    assert "hi" in output.split()
    assert "f3" in output.split()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_narrated_without_a_finding(example, workspace):
    result = run("narrate", example, "--name", "example")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert "pauses as asked" in result.output


def test_there_are_four_examples_and_the_english_one_lasts_ten_minutes(workspace):
    assert {path.stem for path in EXAMPLES} == {"shuruaat", "body-scan", "product-video", "chai-break"}
    run("narrate", next(path for path in EXAMPLES if path.stem == "body-scan"), "--name", "scan")
    assert codec.probe(workspace / "generated_audio" / "scan" / "master.mp3").samples >= 600 * 44100


def test_a_voice_for_nobody_is_told(script):
    result = run("narrate", script, "--speaker", "Wman=espeak:+f2")
    assert result.exit_code == 0
    assert "'Wman'" in result.stderr
    assert "It names no speakers. Run again with the right --speaker" in result.stderr
    assert run("narrate", script).stderr == ""  # who it was told once


def test_what_is_no_script_is_not_read_whole(workspace):
    with (workspace / "big.wav").open("wb") as file:
        file.truncate(2**30)
    result = run("outline", "big.wav")
    assert result.exit_code == 2
    assert "larger than 32 MB" in result.stderr


def test_an_environment_file_that_is_not_utf_8_is_told(script, workspace):
    (workspace / ".env").write_bytes("LUMA_VOICE=espeak".encode("utf-16"))
    result = run("outline", script)
    assert result.exit_code == 2
    assert ".env is not UTF-8" in result.stderr


def test_a_table_that_is_not_json_is_told_by_its_name(script, monkeypatch):
    monkeypatch.setenv("LUMA_SPEAKERS", "not-json")
    assert "LUMA_SPEAKERS is not the JSON" in run("outline", script).stderr


@pytest.mark.skipif(os.name == "nt", reason="no process groups there")
def test_ctrl_c_is_one_sentence_and_keeps_what_was_spoken(workspace):
    (workspace / "long.txt").write_text("Long\n" + "".join(f"Sentence number {n} of many.\n" for n in range(4000)))
    narrating = subprocess.Popen(
        [sys.executable, "-c", "from luma_studio.cli import main; main()", "narrate", "long.txt"],
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    takes = workspace / "generated_audio" / ".store" / "takes"
    while not any(takes.rglob("*.wav")):
        assert narrating.poll() is None
    os.killpg(narrating.pid, signal.SIGINT)
    _, errors = narrating.communicate(timeout=60)
    assert narrating.returncode == 130
    assert errors.decode().strip() == "Stopped. What was spoken is kept; run the same command to go on."


_IMPATIENT = """
import os, signal, sys

class Impatient:
    def find_spec(self, name, *rest):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
from luma_studio.__main__ import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="no such signal there")
@pytest.mark.parametrize("module", ["luma_studio.cli", "numpy", "luma_studio.studio"])
def test_ctrl_c_is_one_sentence_also_while_the_command_is_still_being_loaded(workspace, module):
    ended = subprocess.run([sys.executable, "-c", _IMPATIENT, module], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (130, "Stopped before it began.\n")


def test_the_command_is_there_as_a_module():
    ended = subprocess.run([sys.executable, "-m", "luma_studio", "--help"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert "narrate" in ended.stdout
