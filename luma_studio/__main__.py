"""Where the command begins and ends: Ctrl-C is one sentence, however early or late it comes."""

from __future__ import annotations

import os
import signal
import sys

_STOPPED = 130  # the exit code of what Ctrl-C ended


def main() -> None:
    """Run the command line."""
    try:
        from luma_studio.cli import main as command  # noqa: PLC0415 - takes a second, in which one may press Ctrl-C

        command()
    except KeyboardInterrupt:
        print("Stopped before it began.", file=sys.stderr, flush=True)
        os._exit(_STOPPED)  # Python's own way out ends by the signal where that came while a string was executed
    finally:
        signal.signal(signal.SIGINT, lambda *_: os._exit(_STOPPED))  # all is done but leaving


if __name__ == "__main__":
    main()
