"""What panels have in common whose page plays sound while it comes."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import suppress

from luma_studio.panels.heard import Heard
from luma_studio.panels.panel import Answer, Buffers, Panel
from luma_studio.panels.session import Source


class HearingPanel(Panel):
    """A panel whose page plays sound while it comes: a verb of its own begins it and answers with a key.

    The page asks ``hear_more`` with that key, which is slow, again and again until the end.
    """

    def __init__(self, source: Source = None, **unknown: object) -> None:
        self._heard: dict[str, Heard] = {}
        super().__init__(source, **unknown)

    def do_hear_more(self, key: str) -> tuple[Answer, Buffers]:
        """What has come of a sound since it was last asked for. One that nobody asked for in a while has ended."""
        heard = self._heard.get(key)
        if heard is None:
            return {"rate": 0, "ended": True}, [b""]
        try:
            answer, buffers = heard.more()
        except BaseException:
            self._heard.pop(key, None)
            raise
        if answer["ended"]:
            self._heard.pop(key, None)
        return answer, buffers

    def _hearing(self, begin: Callable[[Heard], object]) -> str:
        """The key of a sound that ``begin`` begins and goes on telling. Raises what that raises."""
        heard = Heard()
        begin(heard)
        self._heard = {key: each for key, each in self._heard.items() if not each.is_left}
        key = secrets.token_hex(8)
        self._heard[key] = heard
        return key

    def _hearing_aside(self, work: Callable[[Heard], object]) -> str:
        """As ``_hearing``, of work that goes on in a thread of its own until the sound has ended."""

        def done(heard: Heard) -> None:
            with suppress(Exception), heard.until_its_end():  # who listens is told
                work(heard)

        return self._hearing(
            lambda heard: threading.Thread(target=done, args=(heard,), name="luma-hear", daemon=True).start()
        )
