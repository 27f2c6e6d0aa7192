"""What a batch is asked to run: read, checked and told apart before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from batch.conftest import VOICE, scripts
from click.testing import CliRunner, Result
from helpers.vendors import KEYS
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from luma_studio.batch import Batch, narration
from luma_studio.batch.jobs import find_notebook, read, settings_of
from luma_studio.batch.narrating import check_no_key
from luma_studio.batch.runs import Run
from luma_studio.cli import main
from luma_studio.errors import InputError, SettingError
from luma_studio.studio import Studio

MIND = "openai:gpt-5.4-mini"

NARRATION = find_notebook("batch_narration.ipynb")


def batch(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["batch", *arguments])


def rows(workspace: Path, name: str, text: str, **settings: str) -> list[Run]:
    (workspace / name).write_text(text, "utf-8")
    return read([str(workspace / name)], settings, NARRATION)


@pytest.fixture(autouse=True)
def _scripts(workspace: Path) -> None:
    scripts(workspace / "scripts", "one", "two")


# Rows


CSV = 'script,fit,formats,production\nscripts/one.txt,10:00,"mp3,wav",\nscripts/two.txt,,,zwei\n'
JSONL = """{"script": "scripts/one.txt", "fit": "10:00", "formats": "mp3,wav"}

{"script": "scripts/two.txt", "production": "zwei", "fit": null}
"""
YAML = """- script: scripts/one.txt
  fit: 10:00
  formats: mp3,wav
- {script: scripts/two.txt, production: zwei}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("jobs.csv", CSV),
        ("jobs.csv", "\ufeff" + CSV.replace(",fit,", " , fit,").replace("\n", "\r\n\r\n")),
        ("jobs.jsonl", JSONL),
        ("jobs.yaml", YAML),
        ("jobs.YML", "jobs:\n" + YAML),
    ],
)
def test_a_row_is_a_run_in_each_kind_of_table(workspace, name, text):
    one, two = rows(workspace, name, text)
    where = str(workspace / "scripts")
    assert one.parameters == {"script": f"{where}/one.txt", "fit": "10:00", "formats": one.parameters["formats"]}
    assert narration(**one.parameters).masters == ("master.mp3", "master.wav")
    assert two.parameters == {"script": f"{where}/two.txt", "production": "zwei"}
    assert (one.label, two.label, one.where, two.where) == ("one", "zwei", f"{name}, row 1", f"{name}, row 2")


def test_globs_make_rows_in_order_and_settings_hold_where_a_row_says_nothing(workspace):
    found = read([str(workspace / "scripts" / "*.txt")], settings_of(["fit=10:00", "voice = hi"]), NARRATION)
    assert [each.label for each in found] == ["one", "two"]
    assert all((each.parameters["fit"], each.parameters["voice"]) == ("10:00", "hi") for each in found)
    one, two = rows(workspace, "jobs.csv", "script,fit\nscripts/one.txt,5:00\nscripts/two.txt,\n", fit="9:00")
    assert (one.parameters["fit"], two.parameters["fit"]) == ("5:00", "9:00")


def test_the_examples_that_come_with_the_studio_are_found_by_their_names():
    assert narration("examples/chai-break.txt").name == "chai-break"


TWICE = r"row 1 and jobs\.csv, row 2 both make 'one'"
HEAD = "script,voice\nscripts/one.txt,"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("jobs.csv", "script,fit\nscripts/one.txt,\nscripts/two.txt,soon\n", r"jobs\.csv, row 2: .*soon"),
        ("jobs.csv", HEAD + "\nscripts/two.txt,nobody\n", r"row 2: There is no voice engine 'nobody'"),
        ("jobs.csv", HEAD + "espeak:xx\n", r"row 1: espeak has no language 'xx'"),
        ("jobs.csv", HEAD + "openai:nova\n", r"row 1: Name a voice and a model of OpenAI"),
        ("jobs.csv", "script,speed\nscripts/one.txt,2\n", r"row 1: batch_narration\.ipynb has no parameter 'speed'\."),
        ("jobs.csv", "script,speed\nscripts/one.txt,2\n", r"There are: script, production, voice"),
        ("jobs.csv", "script\nscripts/one.txt\nscripts/none.txt\n", r"row 2: There is no file '.*none\.txt'"),
        ("jobs.csv", "fit\n10:00\n", r"row 1 names no script"),
        ("jobs.csv", "script,fit\nscripts/one.txt,1,2\n", r"jobs\.csv cannot be read as CSV: row 1 has more cells"),
        ("jobs.csv", "script,fit,fit\nscripts/one.txt,1,2\n", r"cannot be read as CSV: it has two columns 'fit'"),
        ("jobs.csv", 'script\n"scripts/one.txt\n', r"cannot be read as CSV"),
        ("jobs.csv", "", r"nothing to run"),
        ("jobs.csv", "script\n\0", r"jobs\.csv"),
        ("jobs.jsonl", '{"script": "scripts/one.txt"}\n{"script": \n', r"read as JSONL: row 2 is no JSON"),
        ("jobs.jsonl", '{"script": "scripts/one.txt"}\n[1]\n', r"jobs\.jsonl, row 2 is no row of parameters"),
        ("jobs.jsonl", '{"script": 5}\n', r"row 1: Give the parameter script"),
        ("jobs.yaml", "script: scripts/one.txt\n", r"cannot be read as YAML: it must be a list"),
        ("jobs.yaml", "- [", r"cannot be read as YAML"),
        ("jobs.yaml", "- scripts/one.txt\n", r"row 1 is no row of parameters"),
        ("jobs.csv", "script\nscripts/one.txt\nscripts/one.txt\n", TWICE),
        ("jobs.csv", "script,production\nscripts/one.txt,\nscripts/two.txt,one\n", TWICE),
        ("jobs.csv", HEAD + f"\nscripts/two.txt,{KEYS['groq']}0123456789abcdef\n", r"voice looks like a key"),
    ],
)
def test_a_wrong_table_is_told_with_its_file_and_row_and_nothing_runs(workspace, name, text, told):
    with pytest.raises(InputError, match=told):
        rows(workspace, name, text)
    before = sorted(workspace.rglob("*"))
    result = batch(name)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1
    assert sorted(workspace.rglob("*")) == before


# Parameters


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"script": ""}, "Give the parameter script"),
        ({"script": "nowhere.txt"}, r"There is no file 'nowhere\.txt'\. Correct the parameter script"),
        ({"production": "../out"}, "The name '../out' holds what a file name cannot have"),
        ({"voice": "nobody"}, "no voice engine 'nobody'"),
        ({"voice": "persona:nobody"}, "There is no persona 'nobody'"),
        ({"voice": "hi,rate=1"}, "espeak's rate is 1"),
        ({"voice": "elevenlabs:Rachel,stability=7"}, "stability"),
        ({"speakers": "Woman"}, r"The parameter speakers cannot be 'Woman'\. Write JSON"),
        ({"speakers": {"Woman": "nobody"}}, "no voice engine 'nobody'"),
        ({"granularity": "word"}, "The parameter granularity cannot be 'word': it must be one of sentence, clause"),
        ({"sentence_pause": "-1"}, "The parameter sentence_pause cannot be '-1'"),
        ({"comma_pause": "soon"}, "The parameter comma_pause cannot be 'soon'"),
        ({"fit": "soon"}, "soon"),
        ({"formats": "ogg"}, "ogg"),
        ({"formats": 5}, "The parameter formats cannot be 5"),
        ({"formats": [5]}, "The parameter formats cannot be"),
        ({"loudness": "loud"}, "The parameter loudness cannot be 'loud'"),
        ({"loudness": 3}, "The parameter loudness cannot be 3: it must be a number from -40 to -5"),
        ({"budget": "much"}, "The parameter budget cannot be 'much': it must be an amount in US dollars"),
        ({"mind": "nobody:x"}, "nobody"),
        ({"minds": {"poet": "openai:x"}}, "There is no agent 'poet'"),
    ],
)
def test_each_parameter_is_checked_with_one_clear_error(workspace, given, told):
    with pytest.raises(InputError, match=told) as caught:
        narration(**{"script": "scripts/one.txt", **given})
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in workspace.iterdir()) == ["scripts"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("scripts/*.md",),
        ("nowhere.txt",),
        ("scripts",),
        ("scripts/one.txt", "--set", "fit"),
        ("scripts/one.txt", "--set", "=1"),
        ("scripts/one.txt", "--workers", "0"),
        ("scripts/one.txt", "--budget", "much"),
        ("scripts/one.txt", "--budget", "-1"),
        ("scripts/one.txt", "--name", "../out"),
        ("scripts/one.txt", "--notebook", "nowhere.ipynb"),
        ("scripts/one.txt", "--notebook", "scripts/one.txt"),
        ("scripts/one.txt", "--notebook", "studio.ipynb", "--set", "script="),
        ("scripts/one.txt", "--set", f"voice={VOICE}", "--budget", "0"),
        ("scripts/one.txt", "--set", "api_key=abc"),
        (),
    ],
)
def test_bad_input_ends_with_2_and_writes_nothing(workspace, arguments):
    before = sorted(workspace.rglob("*"))
    result = batch(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "rror: " in result.stderr
    assert sorted(workspace.rglob("*")) == before


@pytest.mark.parametrize(
    "value",
    [
        "sk-proj-AbCd1234efgh5678IJKL",
        "sk_0123456789abcdef0123456789abcdef",
        "gsk_abcdefghij1234567890",
        "Bearer abc",
    ],
)
def test_what_looks_like_a_key_is_refused_wherever_it_stands(value):
    for held in (value, [value], {"Woman": value}, f"openai:nova,key={value}"):
        with pytest.raises(SettingError, match="looks like a key") as caught:
            check_no_key("voice", held)
        assert value not in str(caught.value)


@pytest.mark.parametrize("name", ["api_key", "OPENAI_API_KEY", "key", "password", "token"])
def test_what_is_called_like_a_key_is_refused(name):
    with pytest.raises(SettingError, match=f"{name} looks like a key"):
        check_no_key(name, "x")


def test_a_key_that_there_is_is_refused_whatever_it_looks_like(workspace, monkeypatch):
    monkeypatch.setenv("ELEVENLABS_API_KEY", "not-like-others")
    (workspace / ".env").write_text("OPENAI_API_KEY=nor-this-one\n")
    for value in ("not-like-others", "nor-this-one"):
        with pytest.raises(SettingError, match="looks like a key"):
            check_no_key("voice", f"elevenlabs:{value}")


@pytest.mark.parametrize(
    "value", ["scripts/task-1.txt", "desk-lamp", "sk-2026-dobrý-večer.txt", "risk-free", "monkey", 5, None]
)
def test_what_only_begins_like_a_key_is_none(value):
    check_no_key("script", value)


@given(st.text(max_size=60))
def test_any_setting_is_a_parameter_or_a_clear_error(text):
    try:
        assert set(map(type, settings_of([text]).values())) <= {str}
    except InputError as error:
        assert "name=value" in str(error)


# Who is who


def test_a_run_is_known_by_its_notebook_its_parameters_and_its_scripts_text(workspace):
    def name(**settings: str) -> str:
        (run,) = read([str(workspace / "scripts" / "one.txt")], settings, notebook)
        return run.id

    notebook = workspace / "own.ipynb"
    notebook.write_bytes(NARRATION.read_bytes())
    first = name()
    assert name() == first
    assert name(voice="hi") != first
    notes = nbformat.read(notebook, as_version=4)
    notes.cells[0].source += "\nMore words."
    notes.cells[1].outputs = []
    nbformat.write(notes, notebook)
    assert name() == first  # what people read is not what is run
    notes.cells[-1].source += "\nprint(result)"
    nbformat.write(notes, notebook)
    changed = name()
    assert changed != first
    script = workspace / "scripts" / "one.txt"
    script.write_text(script.read_text("utf-8") + "Rest.\n", "utf-8")
    assert name() != changed


def test_rows_without_a_script_are_told_apart_by_where_they_stand(workspace):
    cells = [new_code_cell("count = 1", metadata={"tags": ["parameters"]})]
    nbformat.write(new_notebook(cells=cells), workspace / "own.ipynb")
    (workspace / "jobs.jsonl").write_text('{"count": 1}\n{"count": "2"}\n{"count": "many"}\n')
    found = read([str(workspace / "jobs.jsonl")], {}, workspace / "own.ipynb")
    assert [each.parameters["count"] for each in found] == [1, 2, "many"]
    assert [each.label for each in found] == [f"jobs.jsonl, row {number}" for number in (1, 2, 3)]


@pytest.mark.parametrize("code", ["", "x = (", "x = 1"])
def test_a_notebook_that_has_no_parameters_cell_is_told(workspace, code):
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), workspace / "own.ipynb")
    with pytest.raises(SettingError, match=r"own\.ipynb has no cell tagged parameters"):
        read([str(workspace / "scripts" / "one.txt")], {}, workspace / "own.ipynb")


def test_a_parameters_cell_that_is_no_python_is_told(workspace):
    cells = [new_code_cell("x = (", metadata={"tags": ["parameters"]})]
    nbformat.write(new_notebook(cells=cells), workspace / "own.ipynb")
    with pytest.raises(SettingError, match=r"own\.ipynb.*line 1"):
        read([str(workspace / "scripts" / "one.txt")], {}, workspace / "own.ipynb")


# What it would cost


def test_a_dry_run_tells_the_quote_of_each_and_all_and_sends_and_makes_nothing(workspace, vendors):
    before = sorted(workspace.rglob("*"))
    result = batch("scripts/*.txt", "--set", f"voice={VOICE}", "--dry-run")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["one", "two", "2"]
    with Studio(workspace) as studio:
        made = Batch.of(studio, ["scripts/*.txt"], {"voice": VOICE})
        costs = [quote.cost for _, quote in made.quote(studio)]
    assert all(
        f"3 clauses to speak, 0 here, about ${cost:.4f}" in line for line, cost in zip(lines, costs, strict=False)
    )
    assert lines[2] == f"2 runs of 2 to do, about ${sum(costs):.4f} to buy; nothing was run."
    assert vendors.requests == []
    assert sorted(workspace.rglob("*")) == before


def test_a_price_that_is_not_known_is_told_and_a_budget_cannot_be_kept(workspace):
    voice = "voice=openai:nova,model=gpt-4o-mini-tts"
    assert "at a price that is not known" in batch("scripts/*.txt", "--set", voice, "--dry-run").stdout
    result = batch("scripts/*.txt", "--set", voice, "--budget", "5")
    assert result.exit_code == 2
    assert "the batch's budget cannot be kept" in result.stderr


def test_what_minds_would_cost_is_told_and_counts_in_the_budget(workspace, vendors, monkeypatch):
    monkeypatch.setenv("LUMA_MIND", MIND)
    lines = batch("scripts/*.txt", "--dry-run").stdout.splitlines()
    with Studio(workspace) as studio:
        made = Batch.of(studio, ["scripts/*.txt"])
        quotes = [quote for _, quote in made.quote(studio)]
        own = studio.production("one", (workspace / "scripts" / "one.txt").read_text("utf-8")).quote()
    assert [quote.cost for quote in quotes] == [0, 0]
    assert quotes[0].minds == own.minds
    questions = sum(each.calls for each in own.minds)
    assert questions >= 2
    assert all(quote.minds_cost > 0 for quote in quotes)
    for line, quote in zip(lines, quotes, strict=False):
        assert line.endswith(
            f"3 clauses to speak, 0 here; {questions} questions to minds, about ${quote.minds_cost:.4f}"
        )
    cost = sum(quote.minds_cost for quote in quotes)
    assert lines[2] == f"2 runs of 2 to do, about ${cost:.4f} to buy; nothing was run."
    result = batch("scripts/*.txt", "--budget", "0.0000001")
    assert result.exit_code == 2
    assert f"The batch would cost ${cost:.4f}" in result.stderr
    result = batch("scripts/*.txt", "--set", "mind=openai:unheard-of", "--budget", "5")
    assert "What openai:unheard-of costs is not known" in result.stderr
    assert vendors.requests == []


def test_what_one_types_to_go_on_is_what_one_typed(workspace):
    (workspace / "a b").mkdir()
    scripts(workspace / "a b", "three")
    with Studio(workspace) as studio:
        made = Batch.of(
            studio, ["scripts/one.txt", "a b/three.txt"], {"fit": "10:00", "speakers": '{"A": "hi"}'}, name="x"
        )
    assert made.command == (
        "luma-studio batch scripts/one.txt 'a b/three.txt' --set fit=10:00 --set 'speakers={\"A\": \"hi\"}' --name x"
    )


def test_the_example_of_the_help_is_read_and_the_help_says_what_each_code_means():
    result = batch("--help")
    assert result.exit_code == 0
    assert "--set fit=10:00 --set voice=hi --workers 2" in result.stdout
    for line in ("0  every run is good", "1  some failed", "2  bad input"):
        assert line in result.stdout
    for line in json.loads(NARRATION.read_text("utf-8"))["cells"][1]["source"]:
        assert line.split(" ")[0] in result.stdout


def test_a_workspace_that_cannot_be_written_is_told(workspace):
    (workspace / "generated_audio").write_text("in the way")
    result = batch("scripts/one.txt")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "in the way" in result.stderr
