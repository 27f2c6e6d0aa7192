"""Which engines are ready, which lack something, and what to do about it."""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict
from typing import Any

from luma_studio.errors import SettingError
from luma_studio.health import health
from luma_studio.panels.panel import Answer, Panel
from luma_studio.studio import Studio

_log = logging.getLogger(__name__)


class Health(Panel):
    """Which engines are ready and which lack something, each tried when the panel is first seen and on request.

    >>> Health(studio)                                     # doctest: +SKIP
    """

    front = "health"
    topics = ("notice",)

    _known: list[dict[str, Any]] | None = None
    _checking = False

    def do_state(self) -> Answer:
        """What was found last; None where the engines are being tried now, which ``health`` then tells."""
        if self._known is None:
            self.do_check()
        return self._known

    def do_check(self) -> None:
        """Try every engine, in the background."""
        if not self._checking:
            self._checking, self._known = True, None
            threading.Thread(target=self._check, name="luma-health", daemon=True).start()

    def _check(self) -> None:
        told: dict[str, Any]
        try:
            self._known = [asdict(engine) for engine in health(self._studio())]
            told = {"engines": self._known}
        except Exception as error:  # noqa: BLE001 - the page waits for it
            _log.exception("The engines could not be tried")
            told = {"error": f"The engines could not be tried ({type(error).__name__}: {error}). Check again."}
        self._checking = False
        self.send({"topic": "health", "value": told})

    def _studio(self) -> Studio:
        try:
            return self.session.studio
        except SettingError:  # it was given a production alone, which lies in a workspace all the same
            return Studio(self.session.production.folder.parent.parent)
