"""The agents: what each does, with which mind and for how much, what it decided last, and a way back."""

from __future__ import annotations

from typing import Any

from luma_studio import agents
from luma_studio.deciding import Outlook
from luma_studio.panels.panel import Answer, Panel
from luma_studio.production import Production
from luma_studio.store.drafts import plain

_ORDER = ("analysis", "sanitizer", "segmentation", "planning", "splice")  # in which one works
_BY_RULES = "rules"  # what one types for an agent that is to have no mind


class Agents(Panel):
    """What agents can do for the script: each with its mind or the rules, its cost, and what it decided last.

    >>> Agents(session)                                    # doctest: +SKIP
    """

    front = "agents"
    topics = ("production", "pauses", "work", "draft")
    slow = frozenset({"state", "quote", "choose", "choose_own", "take_back"})

    def do_state(self) -> Answer:
        """The open production's agents and minds, the minds that are known, and the work."""
        works = self.session.works()
        production = self.session.production if self.session.is_open else None
        known = self.session.studio.settings.priced_minds
        return {"production": None if production is None else _shown(production), "known": known, "works": works}

    def do_quote(self, total: str) -> Answer:
        """What planning would buy for a total as one writes it; None where the rules would do it."""
        found = {each.agent: each for each in self.session.production.outlook(plain(total))}
        return _quoted(found["planning"])

    def do_choose(self, mind: str) -> None:
        """Have this mind do what no agent has a mind of its own for, or the rules if it is empty."""
        self.session.choose(mind=plain(mind).strip())

    def do_choose_own(self, agent: str, mind: str) -> None:
        """Have an agent use this mind, or the rules if that is what it says, or the mind of all if it is empty."""
        wanted = plain(mind).strip()
        others = {name: each for name, each in self.session.production.choices.minds.items() if name != agent}
        own = {agent: "" if wanted.casefold() == _BY_RULES else wanted} if wanted else {}
        self.session.choose(minds={**others, **own})

    def do_think(self, agent: str, total: str | None = None) -> None:
        """Have an agent decide, planning for a total."""
        self.session.think(agent, **({} if total is None else {"total": plain(total)}))

    def do_stop(self) -> None:
        """Stop the agent that decides; nothing of what it would have done is done, and its answers are kept."""
        self.session.stop("think")

    def do_take_back(self, agent: str) -> None:
        """Take back what an agent did to the script."""
        self.session.take_back_of(agent)

    def do_begin(self) -> None:
        """Have the editor begin a production with what stands in it, without speaking it."""
        self.session.tell("wanted", "begin")


def _shown(production: Production) -> dict[str, Any]:
    choices = production.choices
    found = {each.agent: each for each in production.outlook()}
    rate, spoken = choices.sample_rate, None not in production.takes_in_use
    return {
        "name": production.name,
        "unspoken": production.draft is not None,
        "timed": sum(pause.source == "agent" for pause in production.pauses),
        "seconds": production.timeline.length / rate if spoken else None,
        "mind": choices.mind,
        "agents": [_described(found[name], choices.minds.get(name)) for name in _ORDER],
    }


def _described(outlook: Outlook, own: str | None) -> dict[str, Any]:
    return {
        "agent": outlook.agent,
        "mind": outlook.mind,
        "own": _BY_RULES if own is not None and not own.strip() else own or "",
        "lacks": outlook.lacks,
        "quote": _quoted(outlook),
        "obstacle": outlook.obstacle,
        "done": outlook.done,
        "decided": [
            {"by": "" if each.by == agents.RULES else each.by, "why": each.why, "when": each.when}
            for each in outlook.decided
        ],
    }


def _quoted(outlook: Outlook) -> Answer:
    quote = outlook.quote
    return quote and {"calls": quote.calls, "cost": None if quote.cost is None else str(quote.cost)}
