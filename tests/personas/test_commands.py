"""``luma-studio personas``."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from personas.conftest import png

from luma_studio.audio import codec
from luma_studio.cli import main
from luma_studio.persona import Personas

RACHEL = "21m00Tcm4TlvDq8ikWAM"


def run(*arguments: object):
    return CliRunner().invoke(main, ["personas", *map(str, arguments)])


@pytest.fixture
def prompt(workspace):
    (workspace / "bo.txt").write_text("You are Bo. Short sentences.", encoding="utf-8")
    (workspace / "bo.png").write_bytes(png())
    return workspace / "bo.txt"


def test_those_there_are_are_listed_and_what_is_wrong_is_told(written):
    written(bo={}, bad={"voice": "nobody"})
    result = run("list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines() if not line.startswith(" ")] == [
        "bo", "asha", "otto", "juno",
    ]  # fmt: skip
    assert result.stderr.startswith("problem: Persona 'bad': voice")


def test_one_is_shown_with_its_prompt_its_picture_and_what_a_key_would_add():
    result = run("show", "asha")
    assert "Asha Samaypal" in result.output
    assert "720 × 1280" in result.output
    assert "railway junction where nine lines meet" in result.output
    assert "ELEVENLABS_API_KEY" in result.output
    assert json.loads(run("show", "asha", "--json").output)["asha"]["language"] == "hi"


def test_one_is_added_changed_and_removed(prompt, workspace):
    added = run(
        "add", "bo", "--name", "Bo", "--prompt", prompt, "--picture", "bo.png", "--colour", "#112233",
        "--elevenlabs-voice", RACHEL, "--elevenlabs-setting", "model=eleven_v3",
        "--elevenlabs-setting", "stability=0.5", "--temperature", "0", "--effort", "low", "--bio", "A hen.",
    )  # fmt: skip
    assert added.exit_code == 0, added.output
    bo = Personas(workspace).get("bo")
    assert (bo.bought, bo.mind_options.temperature) == (f"elevenlabs:{RACHEL},model=eleven_v3,stability=0.5", 0)
    assert (bo.colours, bo.picture.width) == (("#112233",), 720)
    assert run("change", "bo", "--bio", "", "--greeting", "Cluck.").exit_code == 0
    bo = Personas(workspace).get("bo")
    assert (bo.bio, bo.greeting, bo.name) == ("", "Cluck.", "Bo")
    assert "personas/.trash" in run("remove", "bo").output
    assert "There is no persona 'bo'" in run("show", "bo").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nobody"),
        ("hear", "nobody"),
        ("remove", "asha"),
        ("change", "nobody", "--bio", "x"),
        ("change", "asha", "--voice", "nobody"),
        ("change", "../asha", "--bio", "x"),
        ("change", "asha", "--picture", "bo.txt"),
        ("change", "asha", "--elevenlabs-setting", "model"),
        ("add", "bo", "--prompt", "bo.txt"),
        ("add", "asha/..", "--prompt", "bo.txt", "--name", "x"),
    ],
)
def test_what_cannot_be_is_one_error_code_2_and_nothing_written(prompt, workspace, arguments):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (workspace / "personas" / "personas.json").exists()


def test_all_is_well_or_the_exit_code_is_1_with_each_problem(written):
    assert (run("validate").exit_code, run("validate").output) == (0, "All is well with 3 personas.\n")
    written(bo={"voice": "nobody"}, ann={"nmae": "x"})
    result = run("validate")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 2


def test_one_is_heard_in_a_file(workspace):
    result = run("hear", "asha")
    assert result.exit_code == 0, result.output
    assert codec.probe(workspace / "asha.wav").samples > 22050
    assert run("hear", "otto", "--text", "No.", "--to", "short.wav").exit_code == 0
    assert 0 < codec.probe(workspace / "short.wav").samples < 2 * 22050


def test_narrate_takes_personas_by_speaker(workspace):
    (workspace / "meeting.txt").write_text('[Scene 1 – Hello]\nDialogue (Woman): "Hello."', encoding="utf-8")
    result = CliRunner().invoke(main, ["narrate", "meeting.txt", "--speaker", "Woman=persona:juno"])
    assert result.exit_code == 0, result.output
    kept = json.loads((workspace / "generated_audio" / "meeting" / "production.json").read_bytes())
    assert kept["choices"]["speakers"] == {"Woman": "espeak:en-us+f4,pitch=58,rate=168"}


def test_a_batch_takes_them_too(workspace):
    (workspace / "calm.txt").write_text("Breathe in.", encoding="utf-8")
    dry = CliRunner().invoke(main, ["batch", "calm.txt", "--set", "voice=persona:asha", "--dry-run"])
    assert dry.exit_code == 0, dry.output
