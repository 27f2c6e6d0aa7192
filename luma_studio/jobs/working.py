"""Doing jobs as the settings say: here or by a Dask scheduler's workers, and with or without telling an address."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from luma_studio.jobs.webhook import Webhook
from luma_studio.jobs.worker import Do, How, Worker, here
from luma_studio.settings import Settings
from luma_studio.store.jobs import JobStore


async def work(
    store: JobStore, kinds: Mapping[str, Do], settings: Settings, *, at_once: int = 1, forever: bool = True
) -> None:
    """Do jobs until this is cancelled or, not ``forever``, until none waits: see ``Worker``.

    ``LUMA_SCHEDULER`` has them done there, ``LUMA_WEBHOOK`` is told when one ends. Raises SettingError where these
    cannot be used.
    """
    webhook = Webhook.of(settings)
    async with _way(settings.scheduler) as how:
        await Worker(store, kinds, at_once=at_once, webhook=webhook, how=how).run(forever=forever)


def _way(scheduler: str) -> AbstractAsyncContextManager[How]:
    if not scheduler:
        return nullcontext(here)
    from luma_studio.jobs.on_dask import on_dask  # noqa: PLC0415 - takes a second, which no other work should

    return on_dask(scheduler)
