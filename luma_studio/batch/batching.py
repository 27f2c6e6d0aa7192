"""A batch: runs that belong together, their folder, what they would buy, and having done what is not done yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from glob import has_magic
from pathlib import Path
from typing import Any, Literal

from luma_studio.batch import report
from luma_studio.batch.cluster import Workers, done, workers
from luma_studio.batch.jobs import NARRATION, Run, find_notebook, read
from luma_studio.batch.narration import narration
from luma_studio.batch.running import Outcome, Start, outcome_of
from luma_studio.errors import BudgetError, SettingError
from luma_studio.speaking import Quote
from luma_studio.store import files
from luma_studio.studio import Studio

_ENDING = ".batch"
_LOCK = ".batch.lock"
State = Literal["waiting", "running", "done before", "good", "failed"]


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


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs that belong together, and the folder that keeps how they ended."""

    name: str
    folder: Path
    runs: tuple[Run, ...]

    @classmethod
    def of(
        cls,
        studio: Studio,
        sources: Sequence[str],
        settings: Mapping[str, Any],
        *,
        name: str = "",
        notebook: str = NARRATION,
    ) -> Batch:
        """The batch that these scripts and files with a row a run stand for, all of it checked. Raises InputError."""
        runs = read(sources, settings, find_notebook(notebook))
        name = files.safe_name(name) if name else files.name_from(_usual_name(sources))
        return cls(name, files.confined(studio.folder, name + _ENDING), tuple(runs))

    def quote(self, studio: Studio) -> tuple[tuple[Run, Quote], ...]:
        """What each run that is not done yet would buy. Nothing is sent or begun."""
        return tuple((run, _quote(studio, run)) for run in self.waiting() if run.notebook.name == NARRATION)

    def waiting(self) -> tuple[Run, ...]:
        """The runs that have not ended well yet."""
        return tuple(run for run in self.runs if not self._is_good(run))

    def _is_good(self, run: Run) -> bool:
        """Whether it ended well, and what it made is there still."""
        outcome = outcome_of(self.folder, run.id)
        if outcome is None or outcome.status != "good":
            return False
        result = outcome.result
        return result is None or all((Path(result.folder) / name).exists() for name in result.masters)


@dataclass(slots=True)
class Ended:
    """How a batch ended: how many runs are good, those that were good ``before`` among them, and those that failed."""

    report: Path
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
    listener: Listener = lambda _: None,
    watched: Callable[[str], None] = lambda _: None,
) -> Ended:
    """Have the runs of a batch done that are not done yet, and all of them ``again`` if that is wanted.

    ``count`` processes of this computer do them, or the workers of a Dask ``scheduler``; ``watched`` is given the
    address at which one can look at them. What fails is told, and the others go on. ``budget`` is in US dollars for all
    of the batch. Raises InputError and BudgetError before anything runs, BusyError where the batch is being run.
    """
    if count < 1:
        raise SettingError(f"A batch needs a worker, so it cannot have {count}.")
    todo = batch.runs if again else batch.waiting()
    ended = Ended(batch.folder / report.HTML)
    for each in batch.runs:
        if each not in todo:
            ended.before += 1
            listener(Step(each, "done before"))
    ended.good = ended.before
    _check_budget(studio, batch, budget)
    busy = f"The batch {batch.name} is being run. Wait until that has ended, or give this one another name."
    with files.locked(batch.folder / _LOCK, wait=1.0, busy=busy):
        try:
            if todo:
                start = Start(studio.workspace.resolve(), _variables(studio, batch, budget))
                with workers(min(count, len(todo)), scheduler, start.variables) as there:
                    watched(there.dashboard)
                    _do(todo, batch, start, there, ended, listener)
        finally:  # also when it is stopped: what is done is told
            report.write(batch.folder, batch.name, batch.runs, ended.problems)
    return ended


def _do(todo: Sequence[Run], batch: Batch, start: Start, there: Workers, ended: Ended, listener: Listener) -> None:
    by_id = {each.id: each for each in todo}

    def hears(run: str, told: Mapping[str, Any]) -> None:
        if run in by_id:
            listener(Step(by_id[run], "running", str(told["stage"]), int(told["done"]), int(told["total"])))

    for each, found in done(todo, batch.folder, start, there, hears):
        if isinstance(found, Outcome) and found.status == "good":
            ended.good += 1
            listener(Step(each, "good"))
        else:
            error = found if isinstance(found, str) else found.error
            ended.failed += 1
            if isinstance(found, str):
                ended.problems[each.id] = error
            listener(Step(each, "failed", error=error))


def _variables(studio: Studio, batch: Batch, budget: Decimal | None) -> dict[str, str]:
    """What kernels are told by their environment, and nothing else: keys are each worker's own."""
    shared = {"LUMA_WORKSPACE": str(studio.workspace.resolve())}
    return shared if budget is None else {**shared, "LUMA_BATCH": batch.name, "LUMA_BATCH_BUDGET": str(budget)}


def _check_budget(studio: Studio, batch: Batch, budget: Decimal | None) -> None:
    """Raise BudgetError where what is known already does not fit; the rest is held to it call by call."""
    if budget is None:
        return
    quotes = batch.quote(studio)
    cost = sum((quote.cost for _, quote in quotes), Decimal(0))
    unknown = next((voice for _, quote in quotes for voice in quote.unknown), None)
    if unknown is not None:
        raise BudgetError(
            f"What {unknown} costs is not known, so the batch's budget cannot be kept. Give its price (LUMA_PRICES)."
        )
    spent = studio.ledger.spent(batch=batch.name)
    if spent + cost > budget:
        raise BudgetError(
            f"The batch would cost ${cost:.4f}, ${spent:.4f} are spent, and its budget is ${budget}. Nothing was run. "
            "Raise the budget, or run fewer."
        )


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
