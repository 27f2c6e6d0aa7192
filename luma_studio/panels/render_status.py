"""How far speaking and exporting are: each clause and scene, what failed and why, what was bought."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from luma_studio.panels.panel import Answer, Panel
from luma_studio.production import Production
from luma_studio.studio import Studio
from luma_studio.voices import VoiceChoice


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
        return {"production": None if production is None else self._shown(production, works), "works": works}

    def do_speak(self) -> None:
        """Speak what is not spoken yet: after a failure, only that is tried again."""
        self.session.speak()

    def do_stop(self, kind: str) -> None:
        """Stop speaking ("speak") or exporting ("export")."""
        self.session.stop(kind)

    def _told(self, topic: str, value: object) -> None:
        """Of a production that is another one now, only that: the page then asks for what it shows of it."""
        super()._told(topic, None if topic == "production" else value)

    def _shown(self, production: Production, works: Iterable[dict[str, Any]]) -> dict[str, Any]:
        quote = production.quote()
        return {
            "name": production.name,
            "scenes": [{"title": span.title, "first": span.first, "last": span.last} for span in production.spans],
            "texts": [clause.text for clause in production.clauses],
            "lines": [clause.line for clause in production.clauses],
            "spoken": [take is not None for take in production.takes_in_use],
            "to_speak": quote.to_speak,
            "cost": str(quote.cost),
            "paid": self._paid(production, works),
        }

    def _paid(self, production: Production, works: Iterable[dict[str, Any]]) -> str:
        """What the last speaking cost, in US dollars."""
        spoken = {
            index
            for work in works
            if work["kind"] == "speak"
            for index, outcome, _ in work["clauses"]
            if outcome == "done"
        }
        return str(_cost(self.session.studio, production, spoken))


def _cost(studio: Studio, production: Production, spoken: Iterable[int]) -> Decimal:
    """What the takes in use of these clauses cost, US dollars; for clauses with the same words one was bought."""
    takes = production.takes_in_use
    bought = {}
    for index in spoken:
        take = takes[index]
        for ref in production.takes(index):
            if take is not None and ref.fingerprint == take.fingerprint:
                price = studio.voice(VoiceChoice.parse(ref.voice)).price
                bought[ref.fingerprint] = price * len(production.clauses[index].text)
    return sum(bought.values(), Decimal(0))
