"""How every command ends when something goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from rich.console import Console
from rich.markup import escape

from luma_studio.errors import LumaError


def explained(command: Callable[..., None]) -> Callable[..., None]:
    """End with one clear sentence and the right exit code when something goes wrong."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except LumaError as error:
            Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            Console(stderr=True).print("Stopped. What was spoken is kept; run the same command to go on.")
            sys.exit(130)

    return run
