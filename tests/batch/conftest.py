"""A cluster that is there already: a real scheduler with two workers, each a process, that know the fake vendors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client
from helpers import contracts
from helpers.vendors import KEYS, Vendors

import luma_studio

ROOT = str(Path(luma_studio.__file__).parents[1])
PATIENCE = 60.0  # seconds that a server may take, on a machine that others use, too
VOICE = "elevenlabs:21m00Tcm4TlvDq8ikWAM"
_NOT_OURS = ("LUMA_", "ELEVENLABS_", "OPENAI_", "GROQ_", "PYTEST", "JUPYTER")


@dataclass(frozen=True)
class Cluster:
    """The address of a scheduler, its workers' variables, the vendors they buy from, and the processes."""

    address: str
    variables: dict[str, str]
    vendors: Vendors
    scheduler: subprocess.Popen[bytes]
    nannies: psutil.Process

    def workers(self) -> list[psutil.Process]:
        """The processes that do runs now: those that have one that has a kernel."""
        return [each.parent() for each in self.nannies.children(recursive=True) if has_kernel(each)]


def has_kernel(process: psutil.Process) -> bool:
    """Whether it is a process that forks kernels, and has forked one."""
    try:
        return "luma_studio.batch.mother" in process.cmdline() and bool(process.children())
    except psutil.Error:
        return False


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Vendors(contracts.check) as vendors, cluster_in(tmp_path_factory.mktemp("cluster"), vendors, 2) as found:
        yield found
    assert vendors.violations == []


@contextmanager
def cluster_in(folder: Path, vendors: Vendors, count: int) -> Iterator[Cluster]:
    """A cluster of so many workers whose files lie in a folder."""
    with ExitStack() as servers:
        variables = {name: told for name, told in os.environ.items() if not name.startswith(_NOT_OURS)}
        variables["PYTHONPATH"] = os.pathsep.join([ROOT, variables.get("PYTHONPATH", "")])
        variables["ELEVENLABS_API_KEY"] = KEYS["elevenlabs"]
        variables["ELEVENLABS_BASE_URL"] = vendors.address("elevenlabs")
        told = folder / "scheduler.json"
        here = ["--host", "127.0.0.1", "--scheduler-file", str(told)]
        free = ["--port", "0", "--dashboard-address", "127.0.0.1:0"]
        scheduler = servers.enter_context(_serving("scheduler", [*here, *free], folder, variables))
        address = wait_for(lambda: told.exists() and json.loads(told.read_text() or "{}").get("address"))
        plain = ["--no-dashboard", "--nworkers", str(count), "--nthreads", "1", "--memory-limit", "0"]
        place = ["--local-directory", str(folder)]
        nannies = servers.enter_context(_serving("worker", [*here, *plain, *place], folder, variables))
        with Client(address) as client:
            client.wait_for_workers(count, timeout=PATIENCE)
        yield Cluster(address, variables, vendors, scheduler, psutil.Process(nannies.pid))


@contextmanager
def _serving(
    name: str, options: list[str], folder: Path, variables: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A server of dask's, and whatever it starts in its session, until the block ends."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{name}", *options],
            cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(look: Callable[[], Any]) -> Any:
    """What one waits for, as soon as it is there."""
    until = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)
    return found


def scripts(folder: Path, *names: str, clauses: int = 3) -> None:
    """Scripts of some clauses each, no two alike, and without full stops, which the fakes speak as silence."""
    folder.mkdir(exist_ok=True)
    for name in names:
        lines = [f"Breathe in {name} {number} (1 sec)" for number in range(clauses)]
        (folder / f"{name}.txt").write_text("\n".join(["Calm", *lines]) + "\n", "utf-8")
