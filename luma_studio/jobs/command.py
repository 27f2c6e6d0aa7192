"""The command ``luma-studio jobs``: what there is, how far it is, and how it ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import asdict, replace
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from luma_studio.jobs.worker import Do
from luma_studio.jobs.working import work
from luma_studio.settings import Settings
from luma_studio.store.jobs import Job, JobStore

_WIDTH = 160  # columns where there is no terminal to ask
_COLOURS = {"completed": "green", "failed": "red", "cancelled": "yellow"}


def list_jobs(jobs: list[Job], *, as_json: bool) -> None:
    """Show jobs in a table, or as JSON."""
    if as_json:
        print(json.dumps(list(map(asdict, jobs)), ensure_ascii=False, indent=1))
        return
    if not jobs:
        print("There are no such jobs.")
        return
    table = Table(box=None)
    for name, width in (("id", 16), ("kind", 4), ("state", 9), ("created", 19), ("took", 6)):
        table.add_column(name, no_wrap=True, min_width=width)
    table.add_column("about", overflow="fold", min_width=5)
    table.add_column("how far", overflow="fold", min_width=7)
    for job in jobs:
        cells = (job.id, job.kind, job.state, _clock(job.created), _took(job), job.subject, _how_far(job))
        table.add_row(*map(escape, cells))
    wide = Console(highlight=False)
    console = wide if wide.is_terminal else Console(highlight=False, width=_WIDTH)
    console.print(table)


def show_job(job: Job) -> None:
    """Show all that is known of a job."""
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"[bold]{escape(job.id)}[/] {escape(' '.join((job.kind, job.subject)))}: {_state(job)}")
    told = {
        "how far": _how_far(job),
        "created": _clock(job.created),
        "began": _clock(job.began),
        "ended": _clock(job.ended),
        "took": _took(job),
        "attempts": f"{job.attempts}, over {job.lost} of which a worker died" if job.lost else str(job.attempts),
        "held by": job.owner,
        "told": f"{job.notice.outcome}, after {job.notice.tries} tries" if job.notice else "",
        "parameters": json.dumps(dict(job.parameters), ensure_ascii=False),
        "result": "" if job.result is None else json.dumps(job.result, ensure_ascii=False),
        "error": job.error,
    }
    for name, value in told.items():
        if value:
            console.print(f"  {name:<11} {escape(value)}")


def watch_jobs(store: JobStore, job_id: str | None) -> Job | None:
    """Print a line whenever a job changes, until the one that was named has ended; that one. Raises NoJobError."""
    return asyncio.run(_watch(store, job_id))


def do_jobs(store: JobStore, kinds: Mapping[str, Do], settings: Settings, *, at_once: int, forever: bool) -> None:
    """Do jobs, and print a line whenever one is taken up or ends: see ``work``."""
    asyncio.run(_do(store, kinds, settings, at_once=at_once, forever=forever))


async def _do(store: JobStore, kinds: Mapping[str, Do], settings: Settings, *, at_once: int, forever: bool) -> None:
    console, shown = Console(soft_wrap=True, highlight=False), dict[str, str]()

    async def tell() -> None:
        async with aclosing(store.watch(mark)) as changes:
            async for job in changes:
                _tell_state(console, job, shown)

    mark = await asyncio.to_thread(store.mark)
    telling = asyncio.create_task(tell())
    try:
        await work(store, kinds, settings, at_once=at_once, forever=forever)
    finally:
        telling.cancel()
        await asyncio.wait([telling])
        for job in (await asyncio.to_thread(store.changes, mark))[0]:
            _tell_state(console, job, shown)


def _tell_state(console: Console, job: Job, shown: dict[str, str]) -> None:
    """Print that a job was taken up, or how it ended, once."""
    _tell(console, replace(job, progress="", share=0.0), shown)


async def _watch(store: JobStore, job_id: str | None) -> Job | None:
    console = Console(soft_wrap=True, highlight=False)
    mark = await asyncio.to_thread(store.mark)
    shown: dict[str, str] = {}
    if job_id is not None:
        job = await asyncio.to_thread(store.get, job_id)
        _tell(console, job, shown)
        if job.is_over:
            return job
    async with aclosing(store.watch(mark)) as changes:
        async for job in changes:
            if job_id in (None, job.id):
                _tell(console, job, shown)
                if job_id is not None and job.is_over:
                    return job
    return None


def _tell(console: Console, job: Job, shown: dict[str, str]) -> None:
    """Print how a job stands, unless that is what was printed before: a renewed lease is no news."""
    about = escape(" ".join(part for part in (job.kind, job.subject) if part))
    line = f"{escape(job.id)} {about}: {_state(job)} {escape(_how_far(job))}".rstrip()
    if shown.get(job.id) != line:
        shown[job.id] = line
        console.print(f"{_clock(job.changed)} {line}")


def _state(job: Job) -> str:
    state = f"{job.state}, to stop" if job.cancelling and not job.is_over else job.state
    return f"[{_COLOURS[state]}]{state}[/]" if state in _COLOURS else state


def _how_far(job: Job) -> str:
    if job.state == "failed":
        return job.error
    if job.state == "processing":
        return f"{job.share:.0%} {job.progress}".rstrip()
    return ""


def _took(job: Job) -> str:
    return "" if job.began is None else f"{(job.ended or job.changed) - job.began:.1f} s"


def _clock(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
