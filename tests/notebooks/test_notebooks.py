"""The notebooks: documents that run unchanged in papermill, in nbval and as pages, each in a kernel of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from luma_studio import Studio
from luma_studio.persona import Personas

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
WIDGET = "application/vnd.jupyter.widget-view+json"
SECRETS = {"OPENAI_API_KEY": "sk-secret-openai-3c97", "ELEVENLABS_API_KEY": "secret-elevenlabs-81fe"}
NOWHERE = {f"{vendor}_BASE_URL": "http://127.0.0.1:9" for vendor in ("ELEVENLABS", "OPENAI", "GROQ")}
KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}

Run = Callable[..., nbformat.NotebookNode]


@pytest.fixture
def environment(workspace: Path) -> Iterator[dict[str, str]]:
    """Variables for a process that works in the test's workspace and knows keys; nothing of it is left at the end."""
    own = {name: str(workspace / f".{name}") for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTEST"))}
    yield inherited | own | SECRETS | NOWHERE | {"LUMA_WORKSPACE": str(workspace)}
    until = time.monotonic() + 10  # a kernel's own processes notice its end
    while left := processes_in(workspace):
        assert time.monotonic() < until, f"still running: {left}"
        time.sleep(0.05)


def processes_in(workspace: Path) -> list[list[str]]:
    """The command lines of the processes that work in a workspace."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("LUMA_WORKSPACE") == str(workspace) and process.pid != os.getpid():
                found.append(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # ended just now, or somebody else's
            continue
    return found


@pytest.fixture
def papermill(workspace: Path, environment: dict[str, str]) -> Run:
    """Run a notebook with parameters, as the command does, and give what it wrote."""

    def run(notebook: Path, **parameters: str) -> nbformat.NotebookNode:
        given = [part for name, value in parameters.items() for part in ("-p", name, value)]
        written = workspace / f"{notebook.stem}-run.ipynb"
        subprocess.run(
            [sys.executable, "-m", "papermill", str(notebook), str(written), "--no-progress-bar", *given],
            env=environment, check=True, timeout=120,
        )  # fmt: skip
        return nbformat.read(written, as_version=4)

    return run


def written(path: Path, cells: Sequence[str]) -> Path:
    """The path of a notebook, which is written there: its cells are called cell-0, cell-1, …"""
    notebook = new_notebook(cells=[new_code_cell(cell, id=f"cell-{at}") for at, cell in enumerate(cells)])
    notebook.metadata.kernelspec = KERNELSPEC
    nbformat.write(notebook, path)
    return path


def outputs(notebook: nbformat.NotebookNode, cell: str) -> list[Any]:
    (found,) = (each for each in notebook.cells if each.id == cell)
    return list(found.outputs)


def printed(notebook: nbformat.NotebookNode, cell: str) -> str:
    return "".join(output.text for output in outputs(notebook, cell) if output.output_type == "stream")


def kinds(notebook: nbformat.NotebookNode, cell: str) -> set[str]:
    """The types of what a cell shows."""
    return {kind for output in outputs(notebook, cell) for kind in output.get("data", {})}


def assert_no_key(notebook: nbformat.NotebookNode) -> None:
    assert not [key for key in SECRETS.values() if key in json.dumps(notebook)]


def assert_nothing_private(notebook: nbformat.NotebookNode) -> None:
    shown = json.dumps([[cell.get("outputs") for cell in notebook.cells], notebook.metadata.get("widgets")])
    for private in (*SECRETS.values(), str(Path.home()), str(ROOT), sys.prefix):
        assert private not in shown


def panels_of(notebook: nbformat.NotebookNode) -> list[str]:
    """The kinds of the panels whose state a notebook keeps."""
    state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    return [model["state"]["_anywidget_id"] for model in state.values() if "_anywidget_id" in model["state"]]


# What they are


def test_there_are_the_nine_notebooks() -> None:
    assert list(NOTEBOOKS) == [
        "batch_hot_takes", "batch_narration", "batch_video", "image_to_video", "narration_studio", "persona_studio",
        "studio", "tutorial_pauses", "video_studio",
    ]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_a_notebook_is_a_document_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].source.startswith("# ")
    assert notebook.metadata.title
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
            assert len(cell.source.splitlines()) < 20
    assert [cell.metadata for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])] == [
        {"tags": ["parameters"]}
    ]


@pytest.mark.parametrize("path", NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_the_cells_of_a_notebook_are_named_by_hand_so_that_they_stay(path: Path) -> None:
    names = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)
    assert len(set(names)) == len(names)


# papermill


@pytest.mark.parametrize("name", ["studio", "narration_studio", "video_studio"])
def test_papermill_opens_another_production_in_the_panels(papermill: Run, workspace: Path, name: str) -> None:
    with Studio(workspace) as studio:
        folder = studio.production("evening", "Breathe in. (2 sec)\n").folder
    notebook = papermill(NOTEBOOKS[name], production="evening")
    shown = [cell.id for cell in notebook.cells if cell.cell_type == "code" and WIDGET in kinds(notebook, cell.id)]
    assert (
        shown
        == {
            "studio": ["productions", "tabs"],
            "narration_studio": ["productions", "script", "render-status", "agents", "pauses", "master"],
            "video_studio": ["productions", "script", "render-status", "film", "pauses"],
        }[name]
    )
    assert (folder / ".open.lock").exists()  # it was held by the session
    assert printed(notebook, "session") == f"Workspace: {workspace.resolve()}\n"
    assert len(json.dumps(notebook.metadata.widgets)) < 4000 * len(panels_of(notebook))  # their code is not in it
    assert_nothing_private(notebook)


def test_papermill_runs_the_tutorial_with_other_parameters_and_twice_it_comes_to_the_same(
    papermill: Run, workspace: Path
) -> None:
    before, notebook = (
        papermill(NOTEBOOKS["tutorial_pauses"], name="short", voice="espeak:en+f3", total="0:45") for _ in range(2)
    )
    for cell in ("clauses", "tuning", "fitting", "exporting"):
        assert printed(notebook, cell) == printed(before, cell)
    assert "1,984,500 samples at 44,100 a second: 45.0 s" in printed(notebook, "fitting")
    assert "all 6 pauses as asked" in printed(notebook, "exporting")
    assert kinds(notebook, "waveform") == kinds(notebook, "lengths") == {"image/png", "text/plain"}
    assert WIDGET in kinds(notebook, "by-hand")
    folder = workspace / "generated_audio" / "short"
    assert json.loads((folder / "production.json").read_text("utf-8"))["choices"]["voice"] == "espeak:en+f3"
    assert {"tutorial.mp3", "tutorial.wav", "captions.srt", "audit.json"} <= {path.name for path in folder.iterdir()}
    assert_nothing_private(notebook)


def test_plain_papermill_makes_a_narration_of_a_script_and_records_it(papermill: Run, workspace: Path) -> None:
    script = workspace / "calm.txt"
    script.write_text("Calm\nBreathe in. (2 sec)\nAnd out.\n", "utf-8")
    notebook = papermill(NOTEBOOKS["batch_narration"], script=str(script), voice="hi+f3", fit="0:20", formats="wav,mp3")
    folder = workspace / "generated_audio" / "calm"
    result = json.loads((folder / "result.json").read_text("utf-8"))
    assert (result["production"], result["masters"], result["clauses"]) == ("calm", ["master.wav", "master.mp3"], 2)
    assert result["seconds"] == 20.0
    assert all((folder / name).exists() for name in (*result["masters"], *result["beside"]))
    assert json.loads((folder / "production.json").read_text("utf-8"))["choices"]["voice"] == "espeak:hi+f3"
    assert "all 2 pauses as asked" in printed(notebook, "exporting")
    assert "image/svg+xml" in kinds(notebook, "picture")
    (recorded,) = outputs(notebook, "recording")
    assert recorded.data["application/vnd.luma-studio.result+json"] == result
    assert_no_key(notebook)


def test_plain_papermill_makes_a_film_of_a_script_and_records_it(papermill: Run, workspace: Path) -> None:
    script = workspace / "calm.txt"
    script.write_text("Calm\nBreathe in. (1 sec)\n\nHome\nWelcome back.\n", "utf-8")
    notebook = papermill(NOTEBOOKS["batch_video"], script=str(script), captions="none", crossfade="0.2")
    folder = workspace / "generated_audio" / "calm"
    result = json.loads((folder / "result.json").read_text("utf-8"))
    assert (result["film"], len(result["videos"]), result["masters"]) == ("film.mp4", 2, ["master.mp3"])
    assert all((folder / name).exists() for name in (result["film"], *result["videos"]))
    assert json.loads((folder / "film.json").read_text("utf-8"))["status"] == "success"
    choices = json.loads((folder / "production.json").read_text("utf-8"))["choices"]
    assert (choices["captions"], choices["crossfade"]) == ("none", 0.2)
    assert printed(notebook, "filming").strip() == "success"
    assert_no_key(notebook)


def test_plain_papermill_makes_a_hot_take_of_typed_words(papermill: Run, workspace: Path) -> None:
    Personas(workspace).change("juno", elevenlabs_voice_id=None)
    notebook = papermill(NOTEBOOKS["batch_hot_takes"], persona="juno", text="Show me one owner. Who pays twice?")
    (path,) = (workspace / "generated_audio").glob("*/hot_take.json")
    made = json.loads(path.read_text("utf-8"))
    assert (made["brief"]["persona"], made["text"], made["mind"]) == ("juno", "Show me one owner. Who pays twice?", "")
    assert (made["steps"]["speak"]["state"], (path.parent / "hot take.mp3").exists()) == ("done", True)
    assert "typed, not a model's" in printed(notebook, "recording")
    assert_no_key(notebook)


WATCHED = [
    "from luma_studio import Studio, batch\n\nstudio = Studio()",
    "made = batch.Batch.of(studio, ['?.txt'], {'fit': '0:10'})",
    """import os, signal

def stop(step):
    if step.state == "good":
        os.kill(os.getpid(), signal.SIGINT)

try:
    batch.run(studio, made, count=1, listener=stop)
except KeyboardInterrupt:
    print("stopped", len(made.waiting()), len(list(made.folder.glob("runs/*.json"))))""",
    "ended = batch.run(studio, made, count=1)",
    "print(ended.good, ended.before, ended.failed, len(made.waiting()), batch.narration(script='a.txt').name)",
]


def test_an_analyst_watches_a_batch_in_a_cell_stops_it_and_goes_on(
    workspace: Path, environment: dict[str, str]
) -> None:
    for name in "abcd":
        (workspace / f"{name}.txt").write_text(f"Calm\nBreathe in, {name}. (1 sec)\nAnd out.\n", "utf-8")
    done = workspace / "done.ipynb"
    subprocess.run(
        [sys.executable, "-m", "papermill", str(written(workspace / "watched.ipynb", WATCHED)), str(done)],
        env=environment, cwd=workspace, check=True, timeout=120,
    )  # fmt: skip
    notebook = nbformat.read(done, as_version=4)
    said, waiting, ended = printed(notebook, "cell-2").split()
    assert (said, int(waiting) + int(ended)) == ("stopped", 4)
    assert int(waiting) >= 2  # what no worker had been given
    assert printed(notebook, "cell-4").split() == ["4", ended, "0", "0", "a"]
    told = json.dumps(outputs(notebook, "cell-3"))
    assert "good      d" in told
    assert "to be watched at http://127.0.0.1:" in told
    assert_no_key(notebook)


def test_a_production_at_the_end_of_a_cell_is_shown_as_its_pause_timeline(papermill: Run, workspace: Path) -> None:
    cells = [
        "import sys\n\nfrom luma_studio import Studio\n\nprint(sys.executable)",
        "calm = Studio().production('calm', 'Breathe in. (2 sec)\\nAnd out.')",
        "calm",
        "await calm.speak()\ncalm",
        "from luma_studio.panels import PauseTimeline\n\nPauseTimeline(calm)",
        "repr(calm)",
    ]
    notebook = papermill(written(workspace / "calm.ipynb", cells))
    assert printed(notebook, "cell-0").strip() == sys.executable
    for cell in ("cell-2", "cell-3", "cell-4"):
        assert kinds(notebook, cell) == {WIDGET, "text/plain"}
    state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    shown = [state[outputs(notebook, cell)[0].data[WIDGET]["model_id"]] for cell in ("cell-2", "cell-3", "cell-4")]
    assert {model["model_module"] for model in shown} == {"anywidget"}
    assert all(model["state"]["_anywidget_id"].endswith(".PauseTimeline") for model in shown)
    assert [outputs(notebook, cell)[0].data["text/plain"] for cell in ("cell-2", "cell-3", "cell-4")] == [
        "<PauseTimeline of 'calm'>"
    ] * 3
    assert kinds(notebook, "cell-5") == {"text/plain"}


# nbval


# One films for minutes, and of the other the persona has a voice that is bought where there is a key, as here.
@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name not in ("batch_video", "batch_hot_takes")])
def test_nbval_runs_a_notebook_with_the_projects_own_configuration(environment: dict[str, str], name: str) -> None:
    path = NOTEBOOKS[name].relative_to(ROOT)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "-p", "no:cacheprovider", str(path)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    code = [cell for cell in nbformat.read(ROOT / path, as_version=4).cells if cell.cell_type == "code"]
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(code)} passed" in run.stdout


def test_nbval_finds_the_same_outputs_again(papermill: Run, workspace: Path, environment: dict[str, str]) -> None:
    cells = [
        "from luma_studio import Studio, panels",
        "studio = Studio()\ncalm = studio.production('calm', 'Breathe in. (2 sec)\\nAnd out.')\nstudio",
        "panels.Session(studio, calm)",
        "panels.PauseTimeline(calm)",
        "calm.pauses",
    ]
    shown = written(workspace / "shown.ipynb", cells)
    nbformat.write(papermill(shown), shown)
    widget = ["--nbval-sanitize-with", str(workspace / "sanitize.cfg")]
    (workspace / "sanitize.cfg").write_text('[models]\nregex: "model_id": "[0-9a-f]{32}"\nreplace: MODEL\n')
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", *widget, "-p", "no:cacheprovider", "shown.ipynb"],
        cwd=workspace, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


# Pages


def test_every_notebook_is_a_page(workspace: Path, environment: dict[str, str]) -> None:
    command = "from luma_studio.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "open", "narration_studio", "--no-browser", "--port", "0"],
        cwd=workspace, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        lines = iter(process.stdout.readline, "")
        base, token = next(
            found.groups() for line in lines if (found := re.search(r"(http://\S+)/\?(token=\S+)", line))
        )
        for name, cells in (
            ("narration_studio", 6),
            ("studio", 2),
            ("tutorial_pauses", 1),
            ("batch_narration", 0),
            ("image_to_video", 1),
            ("persona_studio", 1),
        ):
            with urlopen(f"{base}/voila/render/{name}.ipynb?{token}", timeout=120) as answer:  # noqa: S310
                page = answer.read().decode()
            assert "luma-page-error" not in page.partition("<main")[2]
            assert "lumaFailed(" not in page.partition("<main")[2]
            assert page.count(WIDGET) == cells
            assert "Run all cells" not in page
            assert ("image/png" in page) == (name == "tutorial_pauses")
            assert ("image/svg+xml" in page.partition("<main")[2]) == (name == "batch_narration")
            assert ("Workspace:" in page) == (name == "tutorial_pauses")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
