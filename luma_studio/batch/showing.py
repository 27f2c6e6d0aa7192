"""How a batch comes along, as one sees it: bars in a terminal or a notebook, and a line for each run that ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from luma_studio.batch.runs import Run
from luma_studio.progress import STAGES

State = Literal["running", "done before", "good", "failed"]


@dataclass(frozen=True, slots=True)
class Step:
    """News of a batch: of a ``run`` its ``state`` and, while it is done, its ``stage`` with ``done`` of ``total``."""

    run: Run
    state: State
    stage: str = ""
    done: int = 0
    total: int = 0
    error: str = ""


Listener = Callable[[Step], None]

_BEFORE = "Starting workers"
_STAGES: Mapping[str, str] = {"began": "Starting", **{str(stage): words for stage, words in STAGES.items()}}


@contextmanager
def shown(name: str, count: int) -> Iterator[Listener]:
    """A bar for a batch of so many runs, and one for each that is under way; a line stays of each that has ended.

    Where there is neither a terminal nor a notebook there are only the lines.
    """
    console = _console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[stage]}"),
    )
    moving = console.is_terminal or console.is_jupyter
    with Progress(*columns, console=console, transient=True, disable=not moving) as bars:
        whole = bars.add_task(escape(name), total=count, stage=_BEFORE)
        under_way: dict[str, TaskID] = {}

        def listen(step: Step) -> None:
            if step.state == "running":
                if step.run.id not in under_way:
                    bars.update(whole, stage="")
                    under_way[step.run.id] = bars.add_task(f"  {escape(step.run.label)}", stage="")
                stage = _STAGES.get(step.stage, step.stage)
                bars.update(under_way[step.run.id], completed=step.done, total=step.total, stage=stage)
                return
            if step.run.id in under_way:
                bars.remove_task(under_way.pop(step.run.id))
            bars.advance(whole)
            if step.state != "done before":
                said = f": {step.error}" if step.error else ""
                console.print(f"{step.state:9} {escape(step.run.label)}{escape(said)}")

        yield listen


def tell_workers(count: int, dashboard: str) -> None:
    """Say how many runs are done at once, and where one can watch that."""
    there = str(count) if count else "none yet: the runs wait for one"
    _console().print(f"workers   {there}" + (f", to be watched at {escape(dashboard)}" if dashboard else ""))


def _console() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)
