"""A batch: runs that belong together, their folder, what they would buy, and having done what is not done yet."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from glob import has_magic
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from luma_studio.batch import report
from luma_studio.batch.cluster import Workers, done, workers
from luma_studio.batch.jobs import NARRATION, SPEAKING, find_notebook, read
from luma_studio.batch.narrating import narration
from luma_studio.batch.runs import Outcome, Run, Start, folder_of, outcome_of
from luma_studio.batch.showing import Listener, Step, shown, tell_workers
from luma_studio.errors import BudgetError, InputError, SettingError
from luma_studio.speaking import Quote
from luma_studio.store import files
from luma_studio.studio import Studio

_ENDING = ".batch"
_LOCK = ".batch.lock"


class BatchBudgetError(BudgetError, InputError):
    """A batch that would pass its budget; nothing of it was run."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs that belong together, and the folder that keeps how they ended; ``command`` is what goes on with them."""

    name: str
    folder: Path
    runs: tuple[Run, ...]
    command: str

    @classmethod
    def of(
        cls,
        studio: Studio,
        sources: Sequence[str],
        settings: Mapping[str, Any] = MappingProxyType({}),
        *,
        name: str = "",
        notebook: str = NARRATION,
    ) -> Batch:
        """The batch that these scripts and files with a row a run stand for, all of it checked. Raises InputError.

        ``settings`` are parameters of every run whose row does not say otherwise.
        """
        runs = read(sources, settings, find_notebook(notebook))
        command = _command(sources, settings, name, notebook)
        name = files.safe_name(name) if name else files.name_from(_usual_name(sources))
        return cls(name, files.confined(studio.folder.resolve(), name + _ENDING), tuple(runs), command)

    def quote(self, studio: Studio, *, again: bool = False) -> tuple[tuple[Run, Quote], ...]:
        """What each run that is not done yet, or each ``again``, would buy of voices, and of minds before it speaks.

        Nothing is sent or begun.
        """
        todo = self.runs if again else self.waiting()
        return tuple((run, _quote(studio, run)) for run in todo if run.notebook.name in SPEAKING)

    def waiting(self) -> tuple[Run, ...]:
        """The runs that have not ended well yet."""
        return tuple(run for run in self.runs if not self._is_good(run))

    def _is_good(self, run: Run) -> bool:
        """Whether it ended well, and what it made is there still."""
        outcome = outcome_of(self.folder, run.id)
        if outcome is None or outcome.status != "good":
            return False
        result = outcome.result
        return result is None or all((folder_of(self.folder, result) / name).exists() for name in result.masters)


@dataclass(slots=True)
class Ended:
    """How a batch ended: how many runs are good, those that were good ``before`` among them, and those that failed.

    ``seconds`` is how long it took, ``problems`` are why runs left no outcome, by their ids.
    """

    report: Path
    seconds: float = 0.0
    good: int = 0
    before: int = 0
    failed: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def run(  # noqa: PLR0913 - each is an option of the command
    studio: Studio,
    batch: Batch,
    *,
    count: int = 2,
    scheduler: str | None = None,
    again: bool = False,
    budget: Decimal | None = None,
    listener: Listener | None = None,
    watched: Callable[[int, str], None] = tell_workers,
) -> Ended:
    """Have the runs of a batch done that are not done yet, and all of them ``again`` if that is wanted.

    ``count`` processes of this computer do them, or the workers of a Dask ``scheduler``; ``watched`` is told how many
    they are and the address at which one can watch them. What fails is told, and the others go on. ``budget`` is in US
    dollars for all of the batch. Without a ``listener`` the progress is shown, in a terminal or a notebook. What
    interrupts it ends the workers; the same call goes on then. Raises InputError and BudgetError before anything runs,
    BusyError where the batch is being run.
    """
    if count < 1:
        raise SettingError(f"A batch needs a worker, so it cannot have {count}.")
    todo = batch.runs if again else batch.waiting()
    if budget is not None:
        _check_budget(studio, batch, batch.quote(studio, again=again), budget)
    busy = f"The batch {batch.name} is being run. Wait until that has ended, or give this one another name."
    ended, began = Ended(batch.folder / report.HTML), time.time()
    with ExitStack() as open_now:
        open_now.enter_context(files.locked(batch.folder / _LOCK, wait=1.0, busy=busy))
        hear = open_now.enter_context(shown(batch.name, len(batch.runs))) if listener is None else listener
        try:
            _tell_done(batch, todo, ended, hear)
            if todo:
                start = Start(studio.workspace.resolve(), _variables(studio, batch, budget))
                with workers(min(count, len(todo)), scheduler, start.variables) as there:
                    watched(there.count, there.dashboard)
                    _do(todo, batch, start, there, ended, hear)
        finally:  # also when it is stopped: what is done is told
            ended.seconds = time.time() - began
            command = batch.command if budget is None else f"{batch.command} --budget {budget}"
            about = report.About(batch.name, command, began, ended.seconds)
            report.write(batch.folder, about, batch.runs, ended.problems)
    return ended


def _tell_done(batch: Batch, todo: Sequence[Run], ended: Ended, hear: Listener) -> None:
    waiting = {each.id for each in todo}
    for each in batch.runs:
        if each.id not in waiting:
            ended.before += 1
            hear(Step(each, "done before"))
    ended.good = ended.before


def _do(todo: Sequence[Run], batch: Batch, start: Start, there: Workers, ended: Ended, hear: Listener) -> None:
    one_at_a_time = Lock()  # for news comes on a thread of its own, and may come late
    under_way = {each.id: each for each in todo}

    def hears(run: str, told: Mapping[str, Any]) -> None:
        with one_at_a_time:
            if run in under_way:
                hear(Step(under_way[run], "running", str(told["stage"]), int(told["done"]), int(told["total"])))

    for each, found in done(todo, batch.folder, start, there, hears):
        with one_at_a_time:
            del under_way[each.id]
            hear(_ended(each, found, ended))


def _ended(run: Run, found: Outcome | str, ended: Ended) -> Step:
    """Count a run that ended, and say how."""
    if isinstance(found, Outcome) and found.status == "good":
        ended.good += 1
        return Step(run, "good")
    ended.failed += 1
    if isinstance(found, Outcome):
        return Step(run, "failed", error=found.error)
    ended.problems[run.id] = found
    return Step(run, "failed", error=found)


def _variables(studio: Studio, batch: Batch, budget: Decimal | None) -> dict[str, str]:
    """What kernels are told by their environment, and nothing else: keys are each worker's own."""
    shared = {"LUMA_WORKSPACE": str(studio.workspace.resolve())}
    return shared if budget is None else {**shared, "LUMA_BATCH": batch.name, "LUMA_BATCH_BUDGET": str(budget)}


def _check_budget(studio: Studio, batch: Batch, quotes: Sequence[tuple[Run, Quote]], budget: Decimal) -> None:
    """Raise BudgetError where what is known already does not fit; the rest is held to it call by call."""
    cost = sum((quote.cost + quote.minds_cost for _, quote in quotes), Decimal(0))
    unknown = [each for _, quote in quotes for each in (*quote.unknown, *quote.unknown_minds)]
    if unknown:
        raise BatchBudgetError(
            f"What {unknown[0]} costs is not known, so the batch's budget cannot be kept. Give its price (LUMA_PRICES)."
        )
    spent = studio.ledger.spent(batch=batch.name)
    if spent + cost > budget:
        raise BatchBudgetError(
            f"The batch would cost ${cost:.4f}, ${spent:.4f} are spent, and its budget is ${budget}. Nothing was run. "
            "Raise the budget, or run fewer."
        )


def _command(sources: Sequence[str], settings: Mapping[str, Any], name: str, notebook: str) -> str:
    """What one types to have a batch done."""
    pairs = [part for setting, value in settings.items() for part in ("--set", f"{setting}={value}")]
    named = ["--name", name] if name else []
    other = ["--notebook", notebook] if notebook != NARRATION else []
    return shlex.join(["luma-studio", "batch", *sources, *pairs, *named, *other])


def _usual_name(sources: Sequence[str]) -> str:
    """A batch's name where nobody gave one: its file's or, of several scripts, that of the folder they lie in."""
    if len(sources) == 1 and not has_magic(sources[0]):
        return Path(sources[0]).stem
    folders = {Path(source).resolve().parent for source in sources}
    name = folders.pop().name if len(folders) == 1 else ""
    return "batch" if not name or has_magic(name) else name


def _quote(studio: Studio, run: Run) -> Quote:
    asked = narration(**run.parameters)
    return studio.quote(asked.name, asked.text, **asked.changes)
