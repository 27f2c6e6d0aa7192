"""Which engines are ready, which lack something, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict

from luma_studio.health import health
from luma_studio.panels.panel import Answer, Panel


class Health(Panel):
    """Which engines are ready and which lack something, each tried when the panel is first seen and on request.

    >>> Health(studio)                                     # doctest: +SKIP
    """

    front = "health"
    slow = frozenset({"check"})

    def do_check(self) -> Answer:
        """Try every engine; the answer is a row each."""
        return [asdict(engine) for engine in health(self.session.studio)]
