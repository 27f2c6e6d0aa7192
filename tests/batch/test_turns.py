"""What does runs: kernels that start one after the other, and a scheduler that is given a few runs at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from batch.conftest import wait_for
from jupyter_core.utils import ensure_event_loop
from nbformat.v4 import new_code_cell, new_notebook
from papermill.clientwrap import PapermillNotebookClient

from luma_studio.batch import cluster, forked, mother, running
from luma_studio.batch.jobs import read
from luma_studio.batch.running import execute
from luma_studio.batch.runs import Outcome, Run, Start
from luma_studio.errors import BusyError
from luma_studio.store import files


@pytest.fixture
def run(workspace: Path) -> Run:
    """A run of a notebook that does nothing."""
    cells = [new_code_cell("count = 1", metadata={"tags": ["parameters"]}), new_code_cell("count += 1")]
    nbformat.write(new_notebook(cells=cells), workspace / "own.ipynb")
    (workspace / "jobs.jsonl").write_text('{"count": 1}\n')
    return read([str(workspace / "jobs.jsonl")], {}, workspace / "own.ipynb")[0]


def did(run: Run, folder: Path) -> Outcome:
    try:
        return execute(run, folder, Start(folder, {}), lambda _: None)
    finally:
        ensure_event_loop().close()  # which Jupyter keeps for each thread


def test_kernels_start_one_after_the_other_and_each_holds_its_ports_before_the_next_begins(workspace, run, monkeypatch):
    monkeypatch.setattr(running, "_TURNS", workspace / "turns.lock")
    starting: list[str] = []
    seen: list[tuple[str, ...]] = []
    start, connect = (
        PapermillNotebookClient.async_start_new_kernel,
        PapermillNotebookClient.async_start_new_kernel_client,
    )

    async def starts(self, **options):
        assert files.hold(workspace / "turns.lock") is None  # it is held
        starting.append(threading.current_thread().name)
        seen.append(tuple(starting))
        await start(self, **options)

    async def connects(self):
        assert files.hold(workspace / "turns.lock") is None
        found = await connect(self)
        starting.pop()
        return found

    monkeypatch.setattr(PapermillNotebookClient, "async_start_new_kernel", starts)
    monkeypatch.setattr(PapermillNotebookClient, "async_start_new_kernel_client", connects)
    with ThreadPoolExecutor(3) as threads:
        outcomes = list(threads.map(did, [run] * 3, [workspace / str(number) for number in range(3)]))
    assert [outcome.status for outcome in outcomes] == ["good"] * 3, outcomes
    assert [len(each) for each in seen] == [1, 1, 1]


def test_a_kernel_waits_for_its_turn_and_one_that_waits_too_long_is_a_run_that_failed(workspace, run, monkeypatch):
    monkeypatch.setattr(running, "_TURNS", workspace / "turns.lock")
    held = files.hold(workspace / "turns.lock")
    monkeypatch.setattr(running, "_TURN", 0)
    outcome = did(run, workspace)
    assert (outcome.status, outcome.error) == ("failed", "No kernel could start: others take too long.")
    held.release()
    monkeypatch.setattr(running, "_TURN", 60)
    assert did(run, workspace).status == "good"


def test_a_run_that_another_worker_has_under_way_is_not_done_beside_it(workspace, run, monkeypatch):
    held = files.hold(workspace / "runs" / f".{run.id}.lock")
    monkeypatch.setattr(running, "_WAIT", 0)
    with pytest.raises(BusyError, match="is being done by another worker"):
        execute(run, workspace, Start(workspace, {}), lambda _: None)
    assert not list(workspace.rglob(f"{run.id}.*"))
    held.release()
    assert did(run, workspace).status == "good"


def test_a_kernel_that_dies_is_a_run_that_failed_and_says_so(workspace, run):
    notebook = nbformat.read(run.notebook, as_version=4)
    notebook.cells[1].source = "import os\n\nos._exit(3)"
    nbformat.write(notebook, run.notebook)
    outcome = did(run, workspace)
    assert outcome.status == "failed"
    assert "died" in outcome.error.lower()
    assert "\n" not in outcome.error


def test_a_process_that_forks_kernels_has_no_thread_which_its_children_would_miss():
    rooms = "; ".join(f"import {room}" for room in mother.ROOMS)
    code = f"import threading; {rooms}; print(threading.active_count())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "1\n"


def test_what_forks_kernels_is_replaced_where_it_was_killed(workspace, run):
    assert did(run, workspace).status == "good"
    there = forked.mother()
    there._process.kill()
    there._process.wait()
    assert did(run, workspace).status == "good"


def test_a_kernel_starts_by_itself_where_none_can_be_forked(workspace, run, monkeypatch):
    monkeypatch.setattr(forked, "mother", lambda: None)
    monkeypatch.setattr(running, "mother", lambda: None)
    assert did(run, workspace).status == "good"


def test_forked_kernels_know_what_they_are_told_and_draw_other_numbers_by_chance(workspace, run):
    notebook = nbformat.read(run.notebook, as_version=4)
    notebook.cells[1].source = "import os, random\n\nimport numpy.random\n\nprint(os.environ['LUMA_TOLD'], os.getcwd())"
    notebook.cells[1].source += "\nprint(random.random(), numpy.random.random(), os.environ.get('LUMA_OTHER'))"
    nbformat.write(notebook, run.notebook)
    printed = []
    for told in ("one", "two"):
        variables = {"LUMA_TOLD": told, **({"LUMA_OTHER": "x"} if told == "one" else {})}
        outcome = execute(run, workspace / told, Start(workspace, variables), lambda _: None)
        ensure_event_loop().close()
        assert outcome.status == "good", outcome.error
        (cell,) = nbformat.read(workspace / told / "runs" / outcome.notebook, as_version=4).cells[-1:]
        printed.append(cell.outputs[0].text.split())
    (one, at, *chances, other), (two, _, *others, none) = printed
    assert (one, two, other, none, at) == ("one", "two", "x", "None", str(workspace))
    assert not set(chances) & set(others)


def test_a_kernel_that_works_elsewhere_knows_what_this_folders_env_says_and_nothing_of_it_is_kept(workspace, run):
    (workspace / ".env").write_text("LUMA_VOICE=hi\nOPENAI_API_KEY=sk-of-this-folder\n")
    notebook = nbformat.read(run.notebook, as_version=4)
    told = "(os.environ['LUMA_VOICE'], len(os.environ['OPENAI_API_KEY']))"
    notebook.cells[1].source = f"import os\n\nassert {told} == ('hi', 17), {told}"
    nbformat.write(notebook, run.notebook)
    (workspace / "elsewhere").mkdir()
    outcome = did(run, workspace / "elsewhere")
    assert (outcome.status, outcome.error) == ("good", "")
    for path in (workspace / "elsewhere").rglob("*.*"):
        assert b"sk-of-this-folder" not in path.read_bytes()


class Given:
    """A client that does at once what it is given, and counts what it was asked for and has not let go of."""

    def __init__(self) -> None:
        self.held = self.most = 0

    def submit(self, _do, run, *_arguments, **_options):
        self.held += 1
        self.most = max(self.most, self.held)
        future: Future = Future()
        future.set_result(run)
        future.release = self._released  # type: ignore[attr-defined]
        return future

    def _released(self) -> None:
        self.held -= 1

    def subscribe_topic(self, *_: object) -> None:
        pass


class Ending(list):
    """Futures in the order in which they were given."""

    def __init__(self, **_: object) -> None:
        super().__init__()

    add = list.append

    def __next__(self):
        return self.pop(0)


@pytest.mark.parametrize("count", [20, 2000])
def test_the_scheduler_holds_no_more_runs_the_more_there_are(monkeypatch, count):
    monkeypatch.setattr(cluster, "as_completed", Ending)
    client = Given()
    there = SimpleNamespace(client=client, count=3)
    runs = (Run(f"{number:016x}", str(number), Path("x.ipynb"), {}, "") for number in range(count))
    done = [each.label for each, _ in cluster.done(runs, Path(), Start(Path(), {}), there, lambda *_: None)]
    assert done == [str(number) for number in range(count)]
    assert client.most == 3 * cluster._AHEAD
    assert client.held == 0


def test_the_last_purchase_of_a_process_ends_before_it_does_and_no_other_begins(monkeypatch):
    from luma_studio.errors import Stopped  # noqa: PLC0415
    from luma_studio.store import ledger  # noqa: PLC0415

    counter = ledger._Counter()
    monkeypatch.setattr(ledger, "_COUNTER", counter)
    buying, paid = threading.Event(), threading.Event()

    def buys() -> None:
        with counter.served():
            buying.set()
            paid.wait(20)

    with ThreadPoolExecutor(2) as threads:
        purchase = threads.submit(buys)
        assert buying.wait(20)
        ended = threads.submit(ledger.end_buying)
        wait_for(lambda: not counter._open)
        with pytest.raises(Stopped), counter.served():
            pass
        assert not ended.done()
        paid.set()
        ended.result(20)
        purchase.result(20)
