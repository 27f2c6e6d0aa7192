"""One run: the notebook with its parameters in a kernel of its own, what it left, and how it ended.

It is done by whichever process is given it, and leaves two files in the batch's folder: the executed notebook and,
last, whole and of few bytes, its outcome.
"""

from __future__ import annotations

import getpass
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import nbformat
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from luma_studio.batch import orphan
from luma_studio.batch.forked import Forked, mother
from luma_studio.batch.runs import PROGRESS, RESULT, Outcome, Result, Run, Start, outcome_path
from luma_studio.errors import LumaError
from luma_studio.kernels import OwnPython, handed_on
from luma_studio.store import files

Tell = Callable[[Mapping[str, Any]], None]
"""Hears how far a run is: ``stage``, ``done`` and ``total``."""

_ENGINE = "luma-studio"
_TURN = 60  # seconds that a kernel's start may take
_WAIT = 120.0  # seconds that another worker may have the same run under way
_LISTEN = 0.5  # seconds
_TURNS = Path(gettempdir()) / f"luma-studio-{getpass.getuser()}.kernels.lock"  # of this computer
_WORDS = 400  # characters of an error

logging.getLogger("papermill").addHandler(logging.NullHandler())


def execute(run: Run, folder: Path, start: Start, tell: Tell) -> Outcome:
    """Run a notebook in a kernel of its own; keep, in the batch's ``folder``, and return how it ended.

    Waits for whoever has the same run under way, as a worker has that heard of no interruption. Raises BusyError.
    """
    busy = f"{run.label} is being done by another worker. Run the same again when that has ended."
    with files.locked(folder / "runs" / f".{run.id}.lock", wait=_WAIT, busy=busy):
        return _executed(run, folder, start, tell)


def _executed(run: Run, folder: Path, start: Start, tell: Tell) -> Outcome:
    executed = folder / "runs" / f"{run.id}.ipynb"
    began = time.time()
    error = ""
    files.remove(outcome_path(folder, run.id))  # of an earlier time: from now on it is not done
    try:
        execute_notebook(
            run.notebook,
            executed,
            dict(run.parameters),
            engine_name=_ENGINE,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            start=start,
            tell=tell,
        )
    except PapermillExecutionError as failure:
        error = _line(failure.evalue or failure.ename)
    except LumaError as failure:
        error = _line(str(failure))
    except Exception as failure:  # noqa: BLE001 - a kernel that dies or never starts is a run that failed
        error = _line(f"{type(failure).__name__}: {failure}")
    result = None if error else _result(nbformat.read(executed, as_version=4).cells)
    outcome = Outcome(
        run=run.id,
        label=run.label,
        parameters=dict(run.parameters),
        notebook=executed.name,
        status="failed" if error else "good",
        error=error,
        began=began,
        seconds=time.time() - began,
        result=result,
    )
    files.write(outcome_path(folder, run.id), outcome.model_dump_json(indent=1).encode())
    return outcome


def _result(cells: Iterable[Any]) -> Result | None:
    """The result that an executed notebook's cells hold, the last one; None where there is none."""
    found = [
        output["data"][RESULT]
        for cell in cells
        for output in cell.get("outputs", ())
        if RESULT in output.get("data", {})
    ]
    return Result.model_validate(found[-1]) if found else None


def _line(text: str) -> str:
    return " ".join(text.split())[:_WORDS]


class _Kernel(AsyncKernelClient):
    """The connection to a kernel, which waits no longer than it must for it to be ready."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until it has answered, and all that it published up to then is here. Raises RuntimeError."""
        until = time.monotonic() + (timeout or _TURN)
        while time.monotonic() < until:
            asked = self.kernel_info()
            if await self._is_answered(asked):
                return
            if self.parent is not None and not await self.parent.is_alive():
                raise RuntimeError("The kernel died while it started")
        raise RuntimeError("The kernel did not answer in time")

    async def _is_answered(self, asked: str) -> bool:
        """Whether a question is, in both ways; what it publishes is lost until it knows that somebody listens."""
        try:
            await self.get_shell_msg(timeout=_LISTEN)
            while True:
                told = await self.get_iopub_msg(timeout=_LISTEN)
                if told["parent_header"].get("msg_id") == asked and told["content"].get("execution_state") == "idle":
                    return True
        except Empty:
            return False


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Runs the cells: under this very Python, the kernels of a computer starting one after the other."""

    def __init__(self, *args: Any, start: Start, tell: Tell, **options: Any) -> None:
        super().__init__(*args, **options)
        self.extra_arguments = [] if sys.platform == "win32" else list(orphan.ARGUMENTS)
        self._start = start
        self._tell = tell
        self._turn = ExitStack()

    def create_kernel_manager(self) -> AsyncKernelManager:
        """A manager of the one kernel that there is, this Python."""
        self.km = AsyncKernelManager(kernel_spec_manager=OwnPython(), kernel_name=self.kernel_name)
        self.km.client_factory = _Kernel
        self.km.provisioner = Forked(parent=self.km, kernel_id=str(uuid4()), kernel_spec=self.km.kernel_spec)
        return self.km

    async def async_start_new_kernel(self, **options: Any) -> None:
        """Start the kernel when it is its turn: two that start at once may choose the same ports."""
        if there := mother():
            there.wait()
        self._turn.enter_context(files.locked(_TURNS, wait=_TURN, busy="No kernel could start: others take too long."))
        environment = {**os.environ, **handed_on(os.environ), **self._start.variables}
        try:
            quiet = {"stdout": DEVNULL, "stderr": DEVNULL}  # what a kernel has to say is in its notebook
            await super().async_start_new_kernel(**options, **quiet, env=environment, cwd=str(self._start.folder))
        except BaseException:
            self._turn.close()
            raise

    async def async_start_new_kernel_client(self) -> Any:
        """Connect, and wait until the kernel holds its ports; then it is the next one's turn."""
        with self._turn:
            return await super().async_start_new_kernel_client()

    start_new_kernel = run_sync(async_start_new_kernel)  # by which papermill calls them
    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Take out what only tells how far it is."""
        told = msg["content"].get("data", {}).get(PROGRESS) if msg["msg_type"] == "update_display_data" else None
        if told is None:
            return super().process_message(msg, cell, cell_index)
        self._tell(told)
        return None


class _Engine(NBClientEngine):  # type: ignore[misc]
    """Papermill's way of running a notebook, with our client."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        """Run it."""
        start, tell = options["start"], options["tell"]
        return _Client(nb_man, kernel_name=kernel_name, startup_timeout=_TURN, start=start, tell=tell).execute()


papermill_engines.register(_ENGINE, _Engine)
