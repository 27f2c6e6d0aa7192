"""Workers: processes that do runs, of a cluster on this computer or of one that is there, over ``dask.distributed``."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask.config
from distributed import Client, Future, LocalCluster, as_completed, get_worker
from distributed.scheduler import KilledWorker
from distributed.utils import silence_logging_cmgr

from luma_studio.batch.forked import mother
from luma_studio.batch.runs import Outcome, Run, Start
from luma_studio.errors import LumaError, SettingError

Hears = Callable[[str, Mapping[str, Any]], None]
"""Hears of a run, by its id, how far it is: ``stage``, ``done``, ``total``; or that it ``began``."""

_TOPIC = "luma-studio-runs"
_CONNECT = "10s"
_END = getattr(signal, "SIGKILL", signal.SIGTERM)  # of which Windows has no other
_LIVES = 5  # workers that may die over a run
_AHEAD = 2  # runs a worker is given beyond the one that it does


class SchedulerLostError(LumaError):
    """The scheduler of a batch is there no more; the batch can be gone on with."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Workers that are there: ``address`` is their scheduler's, ``dashboard`` where one can watch them."""

    client: Client
    address: str
    dashboard: str

    @property
    def count(self) -> int:
        """How many runs they do at once."""
        return sum(self.client.nthreads().values())


@contextmanager
def workers(count: int, scheduler: str | None, variables: Mapping[str, str]) -> Iterator[Workers]:
    """A cluster of so many processes on this computer, or the one whose ``scheduler`` has this address.

    Raises SettingError for an address at which there is none.
    """
    if scheduler is None:
        with (
            dask.config.set({"distributed.scheduler.allowed-failures": _LIVES}),
            _local(count) as cluster,
            Client(cluster) as client,
            _ending_at_once(cluster),
        ):
            yield Workers(client, cluster.scheduler_address, cluster.dashboard_link)
        return
    try:
        client = Client(scheduler, timeout=_CONNECT)
    except (OSError, ValueError) as error:
        raise SettingError(
            f"There is no scheduler at {scheduler!r} ({' '.join(str(error).split())[:200]}). Start one, or correct the "
            "address."
        ) from error
    with silence_logging_cmgr(logging.CRITICAL), client:  # that it is lost is told in a sentence
        _check_same(client, scheduler)
        yield Workers(client, scheduler, client.dashboard_link or "")


def _check_same(client: Client, scheduler: str) -> None:
    """Raise SettingError for a scheduler that does not know what it is given: every run would fail."""
    try:
        client.run_on_scheduler(_nothing)
    except Exception as error:
        raise SettingError(
            f"The scheduler at {scheduler!r} does not know luma_studio. Install this version of it where the scheduler "
            "and its workers run."
        ) from error


def _nothing() -> None:
    """Can be found where this version is."""


@contextmanager
def _local(count: int) -> Iterator[LocalCluster]:
    """One thread each, so that a run has a process; nothing can be reached from another computer."""
    with _interrupts_held():
        cluster = LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )
    with cluster:
        yield cluster


@contextmanager
def _ending_at_once(cluster: LocalCluster) -> Iterator[None]:
    """End the workers where they are when what is done with them is stopped, for closing waits for what they do.

    A kernel outlives its worker for as long as it takes in what it is buying.
    """
    try:
        yield
    except BaseException:
        for nanny in cluster.workers.values():
            nanny.close_gracefully()  # that is, it starts no other
            if nanny.pid:
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, _END)
        raise


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back a terminal's Ctrl-C; what is begun within, threads and their processes, never hears of it.

    It is for us alone: we end the workers.
    """
    if sys.platform == "win32":  # which cannot
        yield
        return
    resource_tracker.ensure_running()  # whose start would let them through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def done(
    runs: Iterable[Run], folder: Path, start: Start, there: Workers, hears: Hears
) -> Iterator[tuple[Run, Outcome | str]]:
    """Have runs done; each as it ends, with its outcome or, in a sentence, why it has none.

    A run whose worker dies is done again by another. The scheduler is given a few runs at a time, so that what is held
    in memory does not grow with their number. Raises SchedulerLostError.
    """
    try:
        yield from _done(runs, folder, start, there, hears)
    except (OSError, CancelledError) as error:
        raise SchedulerLostError(
            f"The scheduler at {there.address} was lost, and with it what was being done; nothing is bought twice. "
            "Start one, and run the same to go on."
        ) from error


def _done(
    runs: Iterable[Run], folder: Path, start: Start, there: Workers, hears: Hears
) -> Iterator[tuple[Run, Outcome | str]]:
    there.client.subscribe_topic(_TOPIC, lambda event: _told(event, hears))
    waiting = iter(runs)
    under_way: dict[Future[Outcome], Run] = {}
    ending = as_completed(with_results=False)

    def give() -> None:
        while len(under_way) < max(1, there.count) * _AHEAD and (run := next(waiting, None)) is not None:
            future = there.client.submit(_do, run, folder, start, key=f"{run.label}-{run.id}", pure=False)
            under_way[future] = run
            ending.add(future)

    give()
    while under_way:
        future = next(ending)
        run = under_way.pop(future)
        yield run, _ended(future)
        future.release()
        give()


def _do(run: Run, folder: Path, start: Start) -> Outcome:
    """Do a run here, in a worker."""
    mother()  # which gets ready while this process does
    from luma_studio.batch.running import execute  # noqa: PLC0415 - it takes two seconds, and only workers need it

    worker = get_worker()

    def tell(message: Mapping[str, Any]) -> None:
        worker.log_event(_TOPIC, {"run": run.id, **message})

    tell({"stage": "began", "done": 0, "total": 1})
    return execute(run, folder, start, tell)


def _told(event: tuple[float, Mapping[str, Any]], hears: Hears) -> None:
    _, message = event
    if isinstance(message, Mapping) and "run" in message:
        hears(str(message["run"]), message)


def _ended(future: Future[Outcome]) -> Outcome | str:
    try:
        outcome: Outcome = future.result()
    except KilledWorker as error:
        return f"{error.allowed_failures + 1} workers died over it. See whether the memory suffices, and try again."
    except CancelledError:  # by nobody: it is lost
        raise
    except Exception as error:  # noqa: BLE001 - of whatever kind it is: it is told, and the other runs go on
        return f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
    return outcome
