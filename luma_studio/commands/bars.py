"""Progress on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from luma_studio.progress import Event, Listener, unheard

_STAGES = {
    "think": "Thinking",
    "speak": "Speaking",
    "encode": "Encoding",
    "write": "Writing",
    "audit": "Auditing",
    "transcribe": "Listening",
    "film": "Filming",
    "join": "Joining",
}


@contextmanager
def bars() -> Iterator[Listener]:
    """Progress bars on the terminal, one a stage; nothing where there is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield unheard
        return
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[subject]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        shown: dict[str, TaskID] = {}

        def listen(event: Event) -> None:
            if event.stage not in shown:
                shown[event.stage] = progress.add_task(_STAGES[event.stage], subject="")
            subject = escape(event.subject[:40])
            done = event.done + (event.share or 0)
            progress.update(shown[event.stage], completed=done, total=event.total, subject=subject)

        yield listen
