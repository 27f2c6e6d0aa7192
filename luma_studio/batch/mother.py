"""A process that has imported what kernels need, and forks them: so a kernel is there at once.

It is told what to start on its standard input, a JSON line each, and tells the kernel's id on its standard output. It
ends with the process that started it; its kernels notice (``orphan``). It has no thread of its own, for these would not
be in its children.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

ROOMS = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "numpy.fft",
    "psutil",
    "tornado.platform.asyncio",
    "luma_studio.batch.drawing",
    "luma_studio.batch.narrating",
    "luma_studio.batch.orphan",
    "luma_studio.studio",
)
"""What kernels need sooner or later."""


def main() -> None:
    """Import; then fork a kernel for each line."""
    for room in ROOMS:
        import_module(room)
    gc.collect()
    gc.freeze()  # what is here stays, so that children share its memory
    orders, answers = sys.stdin.buffer, sys.stdout.buffer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for whoever has the batch done
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing stays of a child that ends
    answers.write(b"\n")  # that is, ready
    answers.flush()
    while line := orders.readline():
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
            return
        answers.write(b"%d\n" % child)
        answers.flush()


def _become(kernel: Mapping[str, Any]) -> None:
    """Be the kernel that is asked for, until it ends."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    mother = str(os.getppid())
    os.environ.clear()
    os.environ.update(kernel["environment"], JPY_PARENT_PID=mother)
    os.chdir(kernel["folder"])
    sys.argv = ["ipykernel_launcher", *kernel["arguments"]]
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()  # or all kernels would draw the same
    import_module("ipykernel.kernelapp").launch_new_instance()


if __name__ == "__main__":
    main()
