"""``luma-studio jobs``, ``clean`` and ``metrics``: for those who run the studio for others."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import click

from luma_studio import cleaning, kinds
from luma_studio.commands.explained import explained
from luma_studio.errors import counted
from luma_studio.jobs import command as job_command
from luma_studio.jobs import presence
from luma_studio.store.jobs import ENDED, Job
from luma_studio.studio import STORE, Studio


@click.group("jobs")
def jobs_command() -> None:
    """Long work that goes on by itself: do it, list, show, cancel, watch."""


@jobs_command.command("work")
@click.option("--at-once", default=2, show_default=True, type=click.IntRange(1, 100), help="Jobs beside each other.")
@click.option("--once", is_flag=True, help="End when none waits any more.")
@click.option("--while-told", is_flag=True, hidden=True, help="End when the standard input does.")
@explained
def jobs_work(at_once: int, once: bool, while_told: bool) -> None:
    """Do jobs, and print how they change, until Ctrl-C; what is not done by then is given back."""
    kinds.check_shared()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if while_told:
        threading.Thread(target=_end_with_input, name="luma-told", daemon=True).start()
    with Studio() as studio, presence.present(studio.folder / STORE):
        try:
            job_command.do_jobs(studio.jobs, kinds.kinds(studio), studio.settings, at_once=at_once, forever=not once)
        except KeyboardInterrupt:
            return


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    signal.raise_signal(signal.SIGINT)


def as_job(command: Callable[..., None]) -> Callable[..., None]:
    """The option of a command that can be a job: ``later``."""
    about = "Only print the id of a job that does it, in an open studio or by luma-studio jobs work."
    return click.option("--as-job", "later", is_flag=True, help=about)(command)


def tell_job(studio: Studio, job: Job) -> None:
    """Print a job's id, and where nobody here does jobs, how to have it done."""
    click.echo(job.id)
    if not presence.is_anybody(studio.folder / STORE):
        click.echo("Nobody on this machine does jobs now. Have them done: luma-studio jobs work", err=True)


@jobs_command.command("list")
@click.option("--state", type=click.Choice(["created", "processing", *sorted(ENDED)]), help="Only jobs in this state.")
@click.option("--kind", help="Only jobs of this kind.")
@click.option("--about", "subject", metavar="PRODUCTION", help="Only jobs of this production.")
@click.option(
    "--most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many, the newest first."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@explained
def jobs_list(as_json: bool, **options: Any) -> None:
    """The jobs, the newest first."""
    with Studio() as studio:
        job_command.list_jobs(studio.jobs.listed(**options), as_json=as_json)


@jobs_command.command("show")
@click.argument("job")
@explained
def jobs_show(job: str) -> None:
    """All that is known of a job."""
    with Studio() as studio:
        job_command.show_job(studio.jobs.get(job))


@jobs_command.command("cancel")
@click.argument("job")
@explained
def jobs_cancel(job: str) -> None:
    """Have a job stop. What it bought is kept."""
    with Studio() as studio:
        found = studio.jobs.cancel(job)
    click.echo(
        f"{found.id} is {found.state}." if found.is_over else f"{found.id} stops as soon as its worker hears of it."
    )


@jobs_command.command("watch")
@click.argument("job", required=False)
@explained
def jobs_watch(job: str | None) -> None:
    """Print how jobs change, as it happens; of JOB until it has ended (code 1 if it did not end well)."""
    with Studio() as studio:
        try:
            ended = job_command.watch_jobs(studio.jobs, job)
        except KeyboardInterrupt:
            return
    if ended is not None and ended.state != "completed":
        sys.exit(1)


@click.command("clean")
@click.option(
    "--days", type=click.FloatRange(min=0), help="Keep what is younger than so many days (LUMA_KEEP_DAYS, 7)."
)
@explained
def clean_command(days: float | None) -> None:
    """Remove ended jobs, temporary files and the trash that are some days old; nothing that a production needs."""
    with Studio() as studio:
        found = cleaning.clean(studio, days)
    removed = f"{counted(found.jobs, 'job')}, {counted(found.folders, 'folder')} of temporary files"
    click.echo(f"Removed {removed}; {found.bytes / 1e6:.1f} MB are free again.")


@click.command("metrics")
@explained
def metrics_command() -> None:
    """Print counts and times of jobs, vendors' calls and takes for Prometheus; the studio's /metrics has them, too."""
    from luma_studio.metrics import metrics  # noqa: PLC0415 - imports that no other command needs

    with Studio() as studio:
        click.echo(metrics(studio), nl=False)
