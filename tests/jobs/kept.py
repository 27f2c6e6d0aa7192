"""The stores of jobs that tests run on: where one is opened, by this process or another, and a Redis of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from luma_studio.store.jobs import JobStore
from luma_studio.store.jobs.memory import MemoryShelf
from luma_studio.store.jobs.redis import RedisShelf
from luma_studio.store.jobs.sqlite import SqliteShelf

Keeping = Literal["memory", "sqlite", "redis"]


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port: int = free.getsockname()[1]
        return port


@dataclass(frozen=True)
class Place:
    """Where jobs are kept; may be sent to other processes, unless it is memory."""

    keeping: Keeping
    at: str = ""

    def open(self, *, tells: bool = False) -> JobStore:
        if self.keeping == "redis":
            return JobStore(RedisShelf(self.at), tells=tells)
        return JobStore(SqliteShelf(Path(self.at)) if self.keeping == "sqlite" else MemoryShelf(), tells=tells)


@dataclass
class RedisServer:
    """A redis-server of the tests' own, which writes down each change at once; can be stopped and started again."""

    folder: Path
    port: int = field(default_factory=_free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "appendonly": "yes", "save": ""}
        arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        self.process = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < until, "redis-server does not answer"
            assert self.process.poll() is None, "redis-server ended"
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(20)

    def _answers(self) -> bool:
        try:
            with closing(socket.create_connection(("127.0.0.1", self.port), timeout=1)) as asked:
                asked.sendall(b"PING\r\n")
                return asked.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def need_redis() -> None:
    """Skip where there is no redis-server; in CI that is a failure."""
    if shutil.which("redis-server") is None:
        reason = "There is no redis-server; install the package redis-server."
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
