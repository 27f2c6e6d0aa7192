"""What all panels have in common: a session, and questions from the page that are answered."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import anywidget

from luma_studio.errors import LumaError
from luma_studio.panels.front import LOADER, module, styles
from luma_studio.panels.session import Session, Source, session_of

_log = logging.getLogger(__name__)

_OF_THE_PAGE = frozenset({"code", "ping", "report"})  # verbs that need no session

Buffers = list[bytes]
Answer = Any


class Panel(anywidget.AnyWidget):
    """A widget over a session. ``source`` is a session, a studio, a production, or nothing for a studio of its own.

    The page asks (``{"ask": id, "verb": "tune", "with": {...}}``) and each question is answered once, by the method
    ``do_tune(**with)``: with a value, or with the sentence of what went wrong. A value may be JSON and buffers, a pair;
    bytes that came with a question are its ``data``.
    What changes without having been asked for is told to every panel by the session (``{"topic": ..., "value": ...}``).
    """

    front: ClassVar[str]
    """The name of its ``.js`` and ``.css``."""
    topics: ClassVar[tuple[str, ...]] = ()
    """What of the session its page wants to be told, beside the sentences for the user."""
    slow: ClassVar[frozenset[str]] = frozenset()
    """Verbs that take their time: answered from a thread, so that the kernel goes on answering others."""

    _esm = LOADER
    _unlisten: Callable[[], None] = staticmethod(lambda: None)  # what was refused has nothing to let go of

    def __init__(self, source: Source = None, **unknown: object) -> None:
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no argument {next(iter(unknown))!r}. "
                "Give it one thing: a session, a studio or a production."
            )
        self.session: Session = session_of(source)
        super().__init__()
        self._unlisten = self.session.listen(self._told)
        self.on_msg(self._asked)

    def __repr__(self) -> str:
        shown = f"of {self.session.production.name!r}" if self.session.is_open else "without a production"
        return f"<{type(self).__name__} {shown}>"

    def close(self) -> None:
        """Take the panel off the page; the session goes on."""
        self._unlisten()
        super().close()

    def do_code(self) -> Answer:
        """The front end: an ES module and a style sheet."""
        return {"module": module(f"{self.front}.js"), "styles": styles(f"{self.front}.css")}

    def do_ping(self) -> str:
        """Answer that the kernel is alive."""
        return "here"

    def do_report(self, message: str) -> None:
        """Keep an error of the front end in the kernel's log, too; the page has shown it."""
        _log.error("%s in the page: %s", type(self).__name__, message[:2000])

    def _asked(self, _widget: object, content: dict[str, Any], sent: Sequence[memoryview]) -> None:
        if content.get("verb") in self.slow:
            threading.Thread(target=self._answer, args=(content, sent), name="luma-panel", daemon=True).start()
        else:
            self._answer(content, sent)

    def _answer(self, content: dict[str, Any], sent: Sequence[memoryview]) -> None:
        answer: dict[str, Any] = {"re": content.get("ask")}
        buffers: Buffers = []
        try:
            verb = str(content.get("verb"))
            if verb not in _OF_THE_PAGE:
                self.session.check_not_closed()
            given = {**(content.get("with") or {}), **({"data": bytes(sent[0])} if sent else {})}
            value = self._answered(verb, given)
            if isinstance(value, tuple):
                value, buffers = value
            answer["value"] = value
        except LumaError as error:
            answer |= {"error": str(error), "kind": type(error).__name__}
        except Exception as error:  # noqa: BLE001 - the page must hear of it, whatever it is
            _log.exception("%s could not answer", type(self).__name__)
            said = f"The studio made a mistake ({type(error).__name__}: {error})."
            answer |= {"error": f"{said} Nothing was lost; try again, or reload.", "kind": "mistake"}
        self.send(answer, buffers)

    def _answered(self, verb: str, given: dict[str, Any]) -> Answer:
        method = getattr(self, f"do_{verb}", None)
        if method is None:
            raise LookupError(f"{type(self).__name__} cannot {verb!r}")
        return method(**given)

    def _told(self, topic: str, value: object) -> None:
        if topic == "notice" or topic in self.topics:
            self.send({"topic": topic, "value": value})
