"""A kernel whose worker died: it takes what it is buying in, buys nothing more, and ends."""

from __future__ import annotations

import os
import sys
import threading
import time

_BEAT = 0.2  # seconds between two looks
ARGUMENTS = (
    "--IPKernelApp.parent_handle=0",  # or it would end at once, whatever is on its way
    f"--IPKernelApp.exec_lines=__import__({__name__!r}, fromlist=['']).watch()",
)
"""What a kernel is started with to be such a one. (Not on Windows, where it ends at once.)"""


def watch() -> None:
    """Watch, in a kernel, whether the process that started it lives."""
    parent = int(os.environ["JPY_PARENT_PID"])
    threading.Thread(target=_outlive, args=(parent,), name="luma-orphan", daemon=True).start()


def _outlive(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_BEAT)
    ledger = sys.modules.get("luma_studio.store.ledger")
    if ledger is not None:
        ledger.end_buying()
    os._exit(1)
