"""A server that a test has started, and how the test talks to it."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import nbformat
import psutil
from nbformat.v4 import new_notebook


def until(so: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def write_notebook(path: Path, cells: list[nbformat.NotebookNode]) -> None:
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


@dataclass
class Answer:
    status: int
    text: str
    url: str
    headers: dict[str, str]

    @property
    def kernel(self) -> str:
        """The kernel of the page that was answered."""
        return re.search(r'"kernelId": "([\w-]+)"', self.text)[1]


@dataclass
class Served:
    """A running server: its address, its process, and a browser without a window."""

    process: subprocess.Popen[str]
    folder: Path
    printed: str = ""

    @property
    def url(self) -> str:
        return re.search(r"http://\S+", self.printed)[0]

    @property
    def base(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def token(self) -> str:
        return urlsplit(self.url).query.removeprefix("token=")

    def read_until(self, text: str) -> None:
        while text not in self.printed:
            line = self.process.stdout.readline()
            assert line, f"ended with {self.process.wait()}: {self.printed}"
            self.printed += line

    def get(self, path: str, *, known: bool = True, method: str = "GET", **headers: str) -> Answer:
        """Ask for a path, with the token or as somebody who does not know it."""
        if known:
            headers["Authorization"] = f"token {self.token}"
        request = Request(self.base + path, headers=headers, method=method)  # noqa: S310 - ours
        try:
            with urlopen(request, timeout=30) as response:  # noqa: S310
                return Answer(response.status, response.read().decode(), response.url, dict(response.headers))
        except HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode(), error.url, dict(error.headers))

    def kernels(self) -> dict[int, psutil.Process]:
        """The processes of the kernels that run, by their ids."""
        children = psutil.Process(self.process.pid).children()
        return {child.pid: child for child in children if child.status() != psutil.STATUS_ZOMBIE}

    def process_of(self, kernel: str) -> psutil.Process:
        """The process of one kernel."""
        return next(process for process in self.kernels().values() if kernel in " ".join(process.cmdline()))

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit code, when it has ended by itself; what it printed is read by then."""
        rest, _ = self.process.communicate(timeout=30)
        self.printed += rest
        return self.process.returncode


Serve = Callable[..., Served]
