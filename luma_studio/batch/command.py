"""The command ``luma-studio batch``: what would be run and bought, how far each run is, and how the batch ended."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from rich.console import Console
from rich.markup import escape

from luma_studio.batch.batching import Batch, Ended, run
from luma_studio.batch.jobs import settings_of
from luma_studio.errors import SettingError, counted
from luma_studio.studio import Studio


def batch(  # noqa: PLR0913 - the command's options
    studio: Studio,
    sources: Sequence[str],
    pairs: Sequence[str],
    *,
    count: int,
    scheduler: str | None,
    again: bool,
    dry_run: bool,
    budget: str | None,
    name: str | None,
    notebook: str,
) -> int:
    """Run a batch; the exit code is 0 where all is well, 1 where runs failed. Raises InputError before any runs."""
    console = Console(soft_wrap=True, highlight=False)
    dollars = None if budget is None else _dollars(budget)
    made = Batch.of(studio, sources, settings_of(pairs), name=name or "", notebook=notebook)
    if dry_run:
        _tell_plan(console, studio, made, again=again)
        return 0
    ended = run(studio, made, count=count, scheduler=scheduler, again=again, budget=dollars)
    _tell_end(console, made, ended)
    return 1 if ended.failed else 0


def _dollars(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or found < 0:
        raise SettingError(f"--budget cannot be {text!r}: it must be an amount in US dollars, from 0.")
    return found


def _tell_plan(console: Console, studio: Studio, made: Batch, *, again: bool) -> None:
    """What would be run, and what each run would buy."""
    waiting = made.runs if again else made.waiting()
    quotes = dict(made.quote(studio, again=again))
    for each in made.runs:
        told = quotes[each].summary if each in quotes else "" if each in waiting else "done"
        console.print(f"{escape(each.label):32} {escape(told)}")
    cost = sum((quote.cost + quote.minds_cost for quote in quotes.values()), Decimal(0))
    console.print(
        f"{counted(len(waiting), 'run')} of {len(made.runs)} to do, about ${cost:.4f} to buy; nothing was run."
    )


def _tell_end(console: Console, made: Batch, ended: Ended) -> None:
    runs = counted(len(made.runs), "run")
    before = f", {ended.before} of them before" if ended.before else ""
    console.print(f"[bold]{escape(made.name)}[/]: {ended.good} of {runs} good{before}, in {ended.seconds:.0f} s")
    if ended.failed:
        console.print(f"  failed    {ended.failed}; the same command tries only these again")
    console.print(f"  report    {escape(str(ended.report))}")
