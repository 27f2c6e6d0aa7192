"""Batches that really run: on a scheduler by its address, on processes of this computer, and what they leave."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import psutil
import pytest
from batch.conftest import VOICE, Cluster, cluster_in, scripts, wait_for
from click.testing import CliRunner
from helpers.vendors import KEYS, Fault, elevenlabs_error
from nbformat.v4 import new_code_cell, new_notebook

from luma_studio.audio import codec
from luma_studio.batch import Batch, batching, run
from luma_studio.batch import cluster as clusters
from luma_studio.batch.batching import BatchBudgetError
from luma_studio.batch.runs import outcome_of
from luma_studio.cli import main
from luma_studio.errors import BusyError
from luma_studio.store import files
from luma_studio.store.ledger import BatchBudget, Purchase
from luma_studio.studio import Studio

HOSTILE = f"<script>alert('x')</script> \u202egnp.exe 🙂 \"quoted\" & =1+1 {KEYS['elevenlabs']}"


class Steps(list):
    """What a batch told: its listener."""

    def __call__(self, step) -> None:
        self.append(step)

    def ended(self) -> dict[str, str]:
        return {step.run.label: step.state for step in self if step.state != "running"}


def do(cluster: Cluster, workspace: Path, *sources: str, listener=None, settings=None, **options):
    """Have a batch done by the cluster; how it ended, and what it told."""
    steps = Steps()
    batch = {name: options.pop(name) for name in ("name", "notebook") if name in options}
    with Studio(workspace) as studio:
        made = Batch.of(studio, [str(workspace / each) for each in sources], settings or {}, **batch)
        options = {"scheduler": cluster.address, "watched": lambda *_: None, **options}
        return run(studio, made, listener=steps if listener is None else listener, **options), steps


def command(cluster: Cluster, workspace: Path, *arguments: str, **options) -> subprocess.Popen[str]:
    """The command as a process of its own, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "luma_studio", "batch", *arguments],
        cwd=workspace, env={**cluster.variables, "LUMA_TEST_MARK": str(workspace)}, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True, **options,
    )  # fmt: skip


# One batch, looked at from all sides


@dataclass(frozen=True)
class Done:
    """A batch of four, one of which the vendor refused, and what its command said."""

    workspace: Path
    code: int
    out: str
    err: str

    @property
    def folder(self) -> Path:
        return self.workspace / "generated_audio" / "jobs.batch"


@pytest.fixture(scope="module")
def done(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Done:
    workspace = tmp_path_factory.mktemp("done")
    scripts(workspace / "scripts", "one", "two", "three")
    rows = (
        f'script,production,voice,formats\none.txt,,{VOICE},\ntwo.txt,zwei,{VOICE},"wav,mp3"\nthree.txt,🌙 शांति,hi,\n'
    )
    (workspace / "scripts" / "jobs.csv").write_text(rows + "three.txt,plain,,\n", "utf-8")
    refused = Fault(400, elevenlabs_error("bad_text", HOSTILE), charged=False)
    cluster.vendors.misbehave(refused, when=lambda request: "Breathe in one 1" in request.texts)
    process = command(cluster, workspace, "scripts/jobs.csv", "--scheduler", cluster.address, "--set", "loudness=-18")
    out, err = process.communicate(timeout=120)
    return Done(workspace, process.returncode, out, err)


class Page(HTMLParser):
    """A report's tags, its texts, and each run's status in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.statuses: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.add(tag)
        assert not any(name.startswith("on") for name in given)
        self.addresses += [given[name] for name in ("href", "src") if name in given]
        self.statuses += [given["data-status"]] if "data-status" in given else []

    def handle_data(self, data):
        self.texts.append(data.strip())


def test_a_batch_of_which_a_run_failed_ends_with_1_and_says_which_and_where_the_report_is(done):
    assert done.code == 1, done.err
    assert done.out.startswith("jobs: 3 of 4 runs good, in ")
    assert "1; the same command tries only these again" in done.out
    assert "generated_audio/jobs.batch/report.html" in done.out
    assert "workers   2" in done.err
    ended = [line.split(":")[0].split(maxsplit=1) for line in done.err.splitlines() if line[:4] in ("good", "fail")]
    assert sorted(ended) == sorted([["failed", "one"], ["good", "plain"], ["good", "zwei"], ["good", "🌙 शांति"]])


def test_the_report_is_one_page_with_failures_first_that_asks_nobody_and_whose_links_are_there(done):
    text = (done.folder / "report.html").read_text("utf-8")
    page = Page(text)
    assert page.statuses[0] == "failed"
    assert sorted(page.statuses[1:]) == ["good", "good", "good"]
    assert not {"script", "link", "iframe", "img", "object", "form"} & page.tags
    assert "://" not in text.replace("xmlns", "")
    assert page.addresses
    for address in page.addresses:
        assert (done.folder / unquote(address)).is_file(), address
    assert {"master.wav", "master.mp3", "captions.srt", "notebook"} <= set(page.texts)
    assert "🌙 शांति" in page.texts
    assert "luma-studio batch scripts/jobs.csv --set loudness=-18" in page.texts
    assert text.count("<audio ") == text.count("<path ") == 3


def test_a_hostile_error_is_shown_as_text_and_in_one_line(done):
    text = (done.folder / "report.html").read_text("utf-8")
    (error,) = [each for each in Page(text).texts if "alert" in each]
    assert "<script>alert('x')</script>" in error
    assert "🙂" in error
    assert "\n" not in error
    assert "<script" not in text


def test_the_table_has_a_row_a_run_and_no_cell_that_is_a_formula(done):
    data = (done.folder / "report.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [(row["production"], row["status"]) for row in rows] == [
        ("one", "failed"), ("zwei", "good"), ("🌙 शांति", "good"), ("plain", "good")
    ]  # fmt: skip
    assert rows[1]["masters"] == "master.wav master.mp3"
    assert float(rows[1]["cost"]) > 0 == float(rows[3]["cost"])
    assert float(rows[3]["loudness"]) == pytest.approx(-18, abs=1)
    assert not any(cell[:1] in ("=", "+", "@", "\t") for row in rows for cell in row.values())


def test_each_run_leaves_its_result_as_json_beside_its_master_and_in_its_notebook(done):
    folder = done.workspace / "generated_audio" / "zwei"
    result = json.loads((folder / "result.json").read_text("utf-8"))
    assert (result["production"], result["clauses"], result["bought"], result["findings"]) == ("zwei", 3, 3, 0)
    assert codec.probe(folder / "master.wav").samples == pytest.approx(result["seconds"] * 44100, abs=1)
    outcomes = [json.loads(path.read_text("utf-8")) for path in (done.folder / "runs").glob("*.json")]
    (outcome,) = [each for each in outcomes if each["label"] == "zwei"]
    assert outcome["result"] == result
    executed = nbformat.read(done.folder / "runs" / outcome["notebook"], as_version=4)
    nbformat.validate(executed)
    shown = json.dumps([cell.get("outputs") for cell in executed.cells])
    assert "image/svg+xml" in shown
    assert "vnd.luma-studio.result+json" in shown
    assert "luma-progress" not in shown


def test_no_key_of_the_environment_is_in_anything_that_a_batch_left(done):
    looked = [path for path in done.workspace.rglob("*") if path.is_file()]
    kinds = {path.suffix for path in looked}
    assert {".ipynb", ".json", ".html", ".csv", ".sqlite"} <= kinds
    assert len(list((done.folder / "runs").glob("*.ipynb"))) == 4
    for path in looked:
        assert KEYS["elevenlabs"].encode() not in path.read_bytes(), path
    assert KEYS["elevenlabs"] not in done.out + done.err


def test_a_master_of_a_batch_is_byte_for_byte_the_one_that_narrate_makes(done, workspace):
    arguments = [str(done.workspace / "scripts" / "three.txt"), "--name", "plain"]
    os.environ["LUMA_LOUDNESS"] = "-18"
    try:
        assert CliRunner().invoke(main, ["narrate", *arguments]).exit_code == 0
    finally:
        del os.environ["LUMA_LOUDNESS"]
    made, narrated = (each / "generated_audio" / "plain" for each in (done.workspace, workspace))
    for name in ("master.mp3", "captions.srt", "captions.vtt", "chapters.json"):
        assert (made / name).read_bytes() == (narrated / name).read_bytes()


def test_what_is_done_is_skipped_what_failed_is_tried_alone_and_again_does_all(done, cluster):
    ended, steps = do(cluster, done.workspace, "scripts/jobs.csv", settings={"loudness": "-18"})
    assert steps.ended() == {
        "one": "good", "zwei": "done before", "🌙 शांति": "done before", "plain": "done before"
    }  # fmt: skip
    assert (ended.good, ended.before, ended.failed) == (4, 3, 0)
    bought = dict(cluster.vendors.bought)
    assert {text: bought[text] for text in bought if " one " in text or " two " in text} == dict.fromkeys(
        [f"Breathe in {name} {number}" for name in ("one", "two") for number in range(3)], 1
    )
    asked = len(cluster.vendors.requests)
    ended, steps = do(cluster, done.workspace, "scripts/jobs.csv", settings={"loudness": "-18"}, again=True)
    assert set(steps.ended().values()) == {"good"}
    assert len(cluster.vendors.requests) == asked
    ended, steps = do(cluster, done.workspace, "scripts/jobs.csv", settings={"loudness": "-18"})
    assert set(steps.ended().values()) == {"done before"}
    assert Page(ended.report.read_text("utf-8")).statuses == ["good"] * 4


def waiting(done: Done, **settings: str) -> list[str]:
    with Studio(done.workspace) as studio:
        made = Batch.of(studio, [str(done.workspace / "scripts" / "jobs.csv")], {"loudness": "-18", **settings})
        return [each.label for each in made.waiting()]


def test_a_run_whose_master_or_outcome_is_gone_is_waiting_again(done):
    before = waiting(done)
    assert "zwei" not in before
    master = done.workspace / "generated_audio" / "zwei" / "master.wav"
    data = master.read_bytes()
    master.unlink()
    assert waiting(done) == sorted([*before, "zwei"], key=["one", "zwei", "🌙 शांति", "plain"].index)
    master.write_bytes(data)
    assert waiting(done) == before


def test_another_parameter_or_another_text_is_another_run(done):
    before = waiting(done)
    everything = ["one", "zwei", "🌙 शांति", "plain"]
    assert waiting(done, loudness="-19") == everything
    script = done.workspace / "scripts" / "two.txt"
    text = script.read_text("utf-8")
    script.write_text(text + "And rest.\n", "utf-8")
    assert waiting(done) == sorted({*before, "zwei"}, key=everything.index)
    script.write_text(text, "utf-8")
    assert waiting(done) == before


def test_a_batch_moves_with_its_workspace(done, tmp_path):
    moved = tmp_path / "moved"
    (tmp_path / "moved").symlink_to(done.workspace)
    with Studio(moved) as studio:
        made = Batch.of(studio, [str(done.workspace / "scripts" / "jobs.csv")], {"loudness": "-18"})
        assert [each.label for each in made.waiting()] == waiting(done)


def test_a_batch_that_is_being_run_is_not_run_a_second_time(done, cluster):
    with (
        files.locked(done.folder / ".batch.lock", wait=0, busy=""),
        pytest.raises(BusyError, match="jobs is being run"),
    ):
        do(cluster, done.workspace, "scripts/jobs.csv")


# Workers that die, people that stop


def test_three_workers_that_are_killed_in_the_middle_lose_nothing_and_nothing_is_bought_twice(cluster, workspace):
    scripts(workspace, "kill-a", "kill-b", "kill-c", clauses=6)
    killed: set[int] = set()
    steps = Steps()

    def kills(step) -> None:
        steps(step)
        if step.stage == "speak" and step.done and len(killed) < 3:
            for worker in cluster.workers():
                if worker.pid not in killed:
                    killed.add(worker.pid)
                    worker.send_signal(signal.SIGKILL)
                    return

    cluster.vendors.delay = 0.3  # so that there is always something on its way
    try:
        ended, _ = do(cluster, workspace, "*.txt", listener=kills, settings={"voice": VOICE}, name="killed")
    finally:
        cluster.vendors.delay = 0.0
    assert len(killed) == 3
    assert (ended.good, ended.failed) == (3, 0), ended.problems
    bought = {text: count for text, count in cluster.vendors.bought.items() if "kill-" in text}
    assert bought == {f"Breathe in kill-{name} {number}": 1 for name in "abc" for number in range(6)}
    for name in "abc":
        assert codec.probe(workspace / "generated_audio" / f"kill-{name}" / "master.mp3").samples > 44100
    assert Page(ended.report.read_text("utf-8")).statuses == ["good"] * 3


def test_workers_that_want_the_same_clauses_at_once_buy_each_once_and_share_whole_takes(cluster, workspace):
    scripts(workspace, "same-a", clauses=4)
    (workspace / "same-b.txt").write_text((workspace / "same-a.txt").read_text("utf-8"), "utf-8")
    cluster.vendors.delay = 0.3  # so that both are at it
    try:
        ended, _ = do(cluster, workspace, "*.txt", settings={"voice": VOICE, "formats": "wav"}, name="same")
    finally:
        cluster.vendors.delay = 0.0
    assert (ended.good, ended.failed) == (2, 0), ended.problems
    bought = {text: count for text, count in cluster.vendors.bought.items() if " same-" in text}
    assert bought == {f"Breathe in same-a {number}": 1 for number in range(4)}
    one, other = ((workspace / "generated_audio" / f"same-{name}" / "master.wav").read_bytes() for name in "ab")
    assert one == other


def left(workspace: Path) -> list[list[str]]:
    """The command lines of the processes that a command in this workspace started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("LUMA_TEST_MARK") == str(workspace):
                found.append(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_ctrl_c_leaves_whole_files_and_no_process_and_the_same_goes_on_later(cluster, workspace):
    scripts(workspace / "calm", "stop-a", "stop-b", "stop-c")
    cluster.vendors.misbehave(Fault(how="hang"), when=lambda request: "Breathe in stop-b 1" in request.texts)
    process = command(cluster, workspace, "calm/*.txt", "--set", f"voice={VOICE}", "--workers", "1")
    try:
        wait_for(lambda: cluster.vendors.bought["Breathe in stop-b 1"])  # it is being made, and on its way
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        cluster.vendors.release()
    assert process.returncode == 130, err
    assert "good      stop-a" in err
    assert "run the same command to go on" in err
    assert "Traceback" not in err
    folder = workspace / "generated_audio" / "calm.batch"
    assert sorted(Page((folder / "report.html").read_text("utf-8")).statuses) == ["good", "not run", "not run"]
    wait_for(lambda: not left(workspace))
    for path in workspace.rglob("*.json"):
        json.loads(path.read_text("utf-8"))
    for path in workspace.rglob("master.mp3"):
        assert codec.probe(path).samples > 44100
    _, steps = do(cluster, workspace, "calm/*.txt", settings={"voice": VOICE})
    assert steps.ended() == {"stop-a": "done before", "stop-b": "good", "stop-c": "good"}
    bought = {text: count for text, count in cluster.vendors.bought.items() if "stop-" in text}
    assert bought == {f"Breathe in stop-{name} {number}": 1 for name in "abc" for number in range(3)}


def test_a_scheduler_that_is_lost_in_the_middle_is_one_sentence_and_the_same_goes_on_later(
    cluster, workspace, tmp_path_factory
):
    scripts(workspace / "calm", "lost-a", "lost-b", "lost-c")
    cluster.vendors.misbehave(Fault(how="hang"), when=lambda request: "Breathe in lost-b 1" in request.texts)
    told = ["calm/*.txt", "--set", f"voice={VOICE}"]
    with cluster_in(tmp_path_factory.mktemp("lost"), cluster.vendors, 1) as lost:
        process = command(lost, workspace, *told, "--scheduler", lost.address)
        wait_for(lambda: cluster.vendors.bought["Breathe in lost-b 1"])  # it is on its way
        lost.scheduler.kill()
        _, err = process.communicate(timeout=120)
    cluster.vendors.release()
    assert process.returncode == 1, err
    assert "good      lost-a" in err
    (line,) = [each for each in err.splitlines() if each.startswith("error")]
    assert f"The scheduler at {lost.address} was lost" in line
    assert "Traceback" not in err
    folder = workspace / "generated_audio" / "calm.batch"
    assert sorted(Page((folder / "report.html").read_text("utf-8")).statuses) == ["good", "not run", "not run"]
    _, steps = do(cluster, workspace, "calm/*.txt", settings={"voice": VOICE})
    assert steps.ended() == {"lost-a": "done before", "lost-b": "good", "lost-c": "good"}
    bought = {text: count for text, count in cluster.vendors.bought.items() if "lost-" in text}
    assert bought == {f"Breathe in lost-{name} {number}": 1 for name in "abc" for number in range(3)}


# Money


def test_a_batch_that_would_pass_its_budget_does_not_begin(cluster, workspace):
    scripts(workspace, "dear-a", "dear-b")
    asked = len(cluster.vendors.requests)
    with pytest.raises(
        BatchBudgetError, match=r"would cost \$0\.\d{4}, \$0\.0000 are spent, and its budget is \$0\.001"
    ):
        do(cluster, workspace, "*.txt", settings={"voice": VOICE}, budget=Decimal("0.001"))
    assert len(cluster.vendors.requests) == asked
    assert sorted(path.name for path in workspace.iterdir()) == ["dear-a.txt", "dear-b.txt"]


def test_the_budget_of_a_batch_is_kept_call_by_call_among_its_processes(cluster, workspace):
    scripts(workspace, "thin-a", "thin-b")
    with Studio(workspace) as studio:
        made = Batch.of(studio, [str(workspace / "*.txt")], {"voice": VOICE}, name="thin")
        (one, _), (other, _) = [(quote.cost, quote) for _, quote in made.quote(studio)]
        clause = one / 3
        rest = one + other - clause * Decimal("1.5")  # what others spend meanwhile: there is enough for one clause

        def spends(*_: object) -> None:
            purchase = Purchase("Fake", "other", "Meanwhile", 1, rest)
            studio.ledger.settle(
                studio.ledger.intend("other", "k", purchase, None, BatchBudget("thin", one + other)), "arrived"
            )

        ended = run(
            studio, made, scheduler=cluster.address, budget=one + other, listener=Steps(), watched=spends
        )  # fmt: skip
        assert studio.ledger.spent(batch="thin") <= one + other
    assert (ended.good, ended.failed) == (0, 2)
    assert sum(count for text, count in cluster.vendors.bought.items() if "thin-" in text) == 1
    outcomes = [outcome_of(made.folder, each.id) for each in made.runs]
    assert all("The budget of the batch thin is" in outcome.error for outcome in outcomes)


# Notebooks of one's own, clusters that are not there


def test_a_notebook_of_ones_own_with_a_parameters_cell_runs_too(cluster, workspace):
    cells = [
        new_code_cell('count = 1\nname = "nobody"\nloud = False\nparts = []', metadata={"tags": ["parameters"]}),
        new_code_cell("import os\n\nprint(repr((count, name, loud, parts)), os.getcwd())"),
        new_code_cell("assert count != 13, 'unlucky <b>&'"),
    ]
    nbformat.write(new_notebook(cells=cells), workspace / "own.ipynb")
    (workspace / "jobs.csv").write_text('name,count,loud,parts\nAsha,7,TRUE,"[1, 2]"\nRavi,13,,\n', "utf-8")
    ended, steps = do(cluster, workspace, "jobs.csv", notebook=str(workspace / "own.ipynb"))
    assert (ended.good, ended.failed) == (1, 1)
    errors = [step.error for step in steps if step.state == "failed"]
    assert errors == ["unlucky <b>&"]
    printed = "".join(
        output.get("text", "")
        for path in (workspace / "generated_audio" / "jobs.batch" / "runs").glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", ())
    )
    assert f"(7, 'Asha', True, [1, 2]) {workspace}" in printed
    assert Page(ended.report.read_text("utf-8")).statuses == ["failed", "good"]


def test_an_address_at_which_there_is_no_scheduler_is_one_sentence(workspace, monkeypatch):
    monkeypatch.setattr(clusters, "_CONNECT", "300ms")
    scripts(workspace, "calm")
    for address in ("tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1:9", "tcp://127.0.0.1:99999999"):
        result = CliRunner().invoke(main, ["batch", "calm.txt", "--scheduler", address])
        assert result.exit_code == 2, (address, result.output, result.exception)
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr
        assert result.stderr.startswith("error: There is no scheduler at")


def test_what_a_batch_runs_on_is_not_reached_from_another_computer():
    with clusters.workers(1, None, {}) as there:
        assert there.client.scheduler.address.startswith("tcp://127.0.0.1:")
        assert there.dashboard.startswith("http://127.0.0.1:")
        addresses = [*there.client.nthreads()]
        assert addresses
        assert all(address.startswith("tcp://127.0.0.1:") for address in addresses)


def test_it_is_batching_that_the_package_offers():
    assert (Batch, run) == (batching.Batch, batching.run)
