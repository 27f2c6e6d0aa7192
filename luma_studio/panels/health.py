"""Which engines are ready, which lack something, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict

from luma_studio.errors import SettingError
from luma_studio.health import health
from luma_studio.panels.panel import Answer, Panel
from luma_studio.studio import Studio


class Health(Panel):
    """Which engines are ready and which lack something, each tried when the panel is first seen and on request.

    >>> Health(studio)                                     # doctest: +SKIP
    """

    front = "health"
    slow = frozenset({"check"})

    def do_check(self) -> Answer:
        """Try every engine; the answer is a row each."""
        return [asdict(engine) for engine in health(self._studio())]

    def _studio(self) -> Studio:
        try:
            return self.session.studio
        except SettingError:  # it was given a production alone, which lies in a workspace all the same
            return Studio(self.session.production.folder.parent.parent)
