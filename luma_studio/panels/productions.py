"""The productions of the studio: which one is open, the ones one worked on last, and a way to begin another."""

from __future__ import annotations

from luma_studio.panels.panel import Answer, Panel


class Productions(Panel):
    """The head of a page: which production is open, those one worked on last, and a new script.

    >>> Productions(session)                               # doctest: +SKIP
    """

    front = "productions"
    topics = ("production", "files")
    slow = frozenset({"open"})

    def do_state(self) -> Answer:
        """The name of the open production, and all there are, the one saved last first."""
        recent = self.session.studio.recent()
        return {
            "name": self.session.production.name if self.session.is_open else None,
            "recent": [{"name": each.name, "changed": each.changed} for each in recent],
        }

    def do_open(self, name: str) -> bool:
        """Open a production; answers whether there is one of that name."""
        if name not in self.session.studio.productions():
            return False
        if not (self.session.is_open and self.session.production.name == name):
            self.session.open(name)
        return True

    def do_leave(self) -> None:
        """Close the production that is open; its folder keeps it."""
        self.session.leave()
