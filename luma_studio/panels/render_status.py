"""How far speaking, exporting and agents are: each clause and scene, what failed and why, what was bought."""

from __future__ import annotations

from typing import Any

from luma_studio.panels.panel import Answer, Panel
from luma_studio.production import Production


class RenderStatus(Panel):
    """Each clause and scene on its way to being spoken, each export: how far, how long still, what failed and why.

    >>> RenderStatus(session)                              # doctest: +SKIP
    """

    front = "render_status"
    topics = ("production", "work")
    slow = frozenset({"state"})

    def do_state(self) -> Answer:
        """The clauses and scenes, what speaking would cost and what the last speaking did cost, and the work."""
        works = self.session.works()
        production = self.session.production if self.session.is_open else None
        return {"production": None if production is None else _shown(production), "works": works}

    def do_speak(self) -> None:
        """Speak what is not spoken yet: after a failure, only that is tried again."""
        self.session.speak()

    def do_stop(self, kind: str) -> None:
        """Stop speaking ("speak"), exporting ("export") or an agent ("think")."""
        self.session.stop(kind)


def _shown(production: Production) -> dict[str, Any]:
    quote = production.quote()
    return {
        "name": production.name,
        "scenes": [{"title": span.title, "first": span.first, "last": span.last} for span in production.spans],
        "texts": [clause.text for clause in production.clauses],
        "lines": [clause.line for clause in production.clauses],
        "spoken": [take is not None for take in production.takes_in_use],
        "to_speak": quote.to_speak,
        "cost": str(quote.cost),
        "unknown": quote.unknown,
        "spent": str(production.spent),
    }
