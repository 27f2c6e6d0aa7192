"""Kernels forked from one process a worker, where that can be done: they are there at once. See ``mother``."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

_MOTHER = [sys.executable, "-m", "luma_studio.batch.mother"]
_LAUNCHER = "ipykernel_launcher"


class Forked(LocalProvisioner):
    """Starts a kernel by having it forked."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Start what would do the same as this command; it is run where nothing can be forked."""
        folder = str(options.get("cwd") or Path.cwd())
        arguments = cmd[cmd.index(_LAUNCHER) + 1 :]
        there = mother()
        child = there and there.fork(
            {"arguments": arguments, "environment": dict(options.get("env") or os.environ), "folder": folder}
        )
        if not child:
            return await super().launch_kernel(cmd, **options)
        self.process: Any = _Process(child)
        self.pid = self.pgid = child
        self.cwd = folder
        return self.connection_info


class Mother:
    """The process that forks the kernels of this one. It starts when this is made, and is replaced if it dies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start()
        atexit.register(self.close)

    def close(self) -> None:
        """Let it end; kernels that it forked take in what they are buying, and end."""
        with suppress(BrokenPipeError), self._process:  # which closes its pipes, and waits
            pass

    def wait(self) -> None:
        """Wait until it has imported all."""
        with self._lock:
            self._get_ready()

    def fork(self, kernel: Mapping[str, Any]) -> int | None:
        """The id of a kernel's process; None where it could not be forked."""
        order = json.dumps(kernel).encode() + b"\n"
        with self._lock:
            child = self._forked(order)
            if child is None:
                self.close()
                self._start()
                child = self._forked(order)
            return child

    def _start(self) -> None:
        self._process = Popen(_MOTHER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True)  # noqa: S603
        self._ready = False

    def _get_ready(self) -> None:
        if not self._ready:
            self._answer()
            self._ready = True

    def _forked(self, order: bytes) -> int | None:
        self._get_ready()
        try:
            self._process.stdin.write(order)  # type: ignore[union-attr] # it is a pipe
            self._process.stdin.flush()  # type: ignore[union-attr]
        except BrokenPipeError:
            return None
        return int(self._answer() or 0) or None

    def _answer(self) -> bytes:
        """A line of what it tells; empty where it has ended."""
        line: bytes = self._process.stdout.readline()  # type: ignore[union-attr]
        return line.strip()


_making = threading.Lock()  # runs that begin at the same time have the same


def mother() -> Mother | None:
    """This process's own; None where the system has no fork that is safe and no lasting handle of a process."""
    with _making:
        return _made() if sys.platform == "linux" else None


@cache
def _made() -> Mother:
    return Mother()


class _Process:
    """A process that is another's child, with what one needs of ``subprocess.Popen``; how it ended is not known."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle = os.pidfd_open(pid)
        self._ends = select.poll()
        self._ends.register(self._handle, select.POLLIN)

    def poll(self) -> int | None:
        return 0 if self._ends.poll(0) else None

    def wait(self) -> int:
        self._ends.poll()
        return 0

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        os.close(self._handle)
