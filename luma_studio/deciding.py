"""Deciding: what agents are asked about a production, and what their decisions change in its state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from luma_studio import agents
from luma_studio.agents import analysis, casting, cutting, planning, sanitizer, segmentation, splice
from luma_studio.agents.planning import Part
from luma_studio.errors import LumaError
from luma_studio.script import Clause, Pause, Script
from luma_studio.settings import Sound
from luma_studio.store.state import Cut, Decided, Role, State, edited
from luma_studio.timeline.arrange import SceneSpan
from luma_studio.timeline.take import Take
from luma_studio.timeline.tune import fit

_AUDIT = "audit.json"
_WORDS = 120  # characters of a scene that tell what it is about


@dataclass(frozen=True, slots=True)
class Subject:
    """A production as agents see it: the ``whole`` script, uncut and uncast; its state; its clauses as they stand."""

    whole: Script
    state: State
    clauses: tuple[Clause, ...]
    spans: tuple[SceneSpan, ...]
    folder: Path

    @property
    def cast(self) -> Script:
        """The whole script with the speakers that agents found."""
        return casting.cast(self.whole, self.state.roles)


def readied(script: Script, state: State) -> Script:
    """A script as agents left that of this state, where it is the same: cast, cut, with what they would not speak."""
    return sanitizer.doubted(cutting.cut(casting.cast(script, state.roles), state.cuts), state.doubts)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where an agent stands: its ``mind`` ("" for the rules) and what that ``lacks``; what it waits for; what it did.

    ``quote`` is what it would buy now (None: nothing, or it cannot be told); ``obstacle`` says in a sentence why it
    cannot decide yet. ``done`` counts what of its work is in the script: clauses cast or cut, stretches doubted.
    """

    agent: str
    mind: str
    lacks: str
    quote: agents.MindQuote | None
    obstacle: str
    done: int
    decided: tuple[Decided, ...]


_Cases = Callable[[], Sequence[agents.Case[Any]]]


def quoted(subject: Subject, thinking: agents.Thinking) -> Iterator[agents.MindQuote]:
    """What each agent that has a mind would buy now, as far as it can be asked now. Nothing is sent."""
    return _quotes(_asked(subject), thinking)


def quoted_before(
    whole: Script, roles: Mapping[str, tuple[Role, ...]], thinking: agents.Thinking
) -> Iterator[agents.MindQuote]:
    """What each agent that has a mind would buy before this script is spoken, cast so far in these ``roles``."""
    return _quotes(_asked_before(whole, casting.cast(whole, roles)), thinking)


def _quotes(asked: Mapping[agents.Agent[Any], _Cases], thinking: agents.Thinking) -> Iterator[agents.MindQuote]:
    for agent, cases in asked.items():
        if agents.mind_of(thinking.choices, agent.name) is not None:
            quote, _ = _quoted(agent, cases, thinking)
            if quote is not None:
                yield quote


def outlook(
    subject: Subject, thinking: agents.Thinking, takes: Callable[[], Sequence[Take]], total: float | None
) -> Iterator[Outlook]:
    """Where each agent stands; planning is quoted for a ``total`` in seconds. Nothing is sent.

    ``takes`` raises VoiceError while clauses are unspoken.
    """
    asked = {**_asked(subject), planning.AGENT: lambda: _planning_cases(subject, takes(), total)}
    done = _done(subject)
    for agent, cases in asked.items():
        mind = agents.mind_of(thinking.choices, agent.name)
        quote, obstacle = _quoted(agent, cases, thinking)
        yield Outlook(
            agent.name,
            "" if mind is None else str(mind),
            "" if mind is None else agents.lack(mind, thinking.wires),
            None if agent is planning.AGENT and total is None else quote,
            obstacle,
            done.get(agent.name, 0),
            tuple(each for each in subject.state.decisions if each.agent == agent.name),
        )


def _asked(subject: Subject) -> dict[agents.Agent[Any], _Cases]:
    """What each agent is asked of a production; what it cannot be asked yet raises LumaError."""
    return {
        **_asked_before(subject.whole, subject.cast),
        splice.AGENT: lambda: splice.cases(subject.clauses, subject.state.pauses, measured(subject)),
    }


def _asked_before(whole: Script, cast: Script) -> dict[agents.Agent[Any], _Cases]:
    """What those are asked that do their work before speaking."""
    return {
        analysis.AGENT: lambda: analysis.cases(whole),
        segmentation.AGENT: lambda: segmentation.cases(cast),
        sanitizer.AGENT: lambda: sanitizer.cases(whole),
    }


def _planning_cases(subject: Subject, takes: Sequence[Take], total: float | None) -> Sequence[agents.Case[Any]]:
    return () if total is None else planning.cases(parts_of(subject, takes), total)


def _quoted(agent: agents.Agent[Any], cases: _Cases, thinking: agents.Thinking) -> tuple[agents.MindQuote | None, str]:
    """What an agent would buy, or in a sentence why it cannot be asked yet."""
    try:
        return agents.quoted(agent, cases(), thinking), ""
    except LumaError as error:
        return None, str(error)


def _done(subject: Subject) -> dict[str, int]:
    """By agent what of its work is in the script as it stands."""
    whole, state = subject.whole, subject.state
    pairs = zip(whole.clauses, subject.cast.clauses, strict=True)
    return {
        analysis.AGENT.name: sum(clause != cast for clause, cast in pairs),
        segmentation.AGENT.name: sum(len(cutting.pieces_of(whole, each, state.cuts)) > 1 for each in whole.clauses),
        sanitizer.AGENT.name: len(sanitizer.doubted(whole, state.doubts).diagnostics) - len(whole.diagnostics),
    }


# What was decided, taken into the state


def analysed(state: State, found: analysis.Analysis) -> State:
    """The state with the speakers and tags that were found."""
    left = {text: roles for text, roles in state.roles.items() if text in found.left}
    return state.model_copy(update={"roles": {**left, **found.roles}})


def doubting(state: State, found: sanitizer.Doubts) -> State:
    """The state with the stretches that may not be meant to be spoken."""
    left = tuple(each for each in state.doubts if each.line in found.left)
    return state.model_copy(update={"doubts": (*left, *found.found)})


def segmented(state: State, whole: Script, found: segmentation.Segmentation) -> State:
    """The state with the whole script's clauses cut and timed; the times are one edit."""
    left = {text: cut for text, cut in state.cuts.items() if text in found.left}
    state = recut(state, whole, {**left, **found.cuts})
    clauses = tuple(whole.clauses)
    pieces = [cutting.pieces_of(whole, clause, state.cuts) for clause in clauses]
    seconds = segmentation.seconds_of(found, clauses, pieces)
    untouched = {
        index: length for index, length in seconds.items() if state.clauses[index].pause == state.clauses[index].written
    }
    return _timed(state, "segment", untouched, segmentation.bounds)


def recut(state: State, whole: Script, cuts: Mapping[str, Cut]) -> State:
    """The state with the whole script's clauses cut in this way; what is cut as it was stays as it is."""
    cuts = {text: _unless_same(state.cuts.get(text), cut) for text, cut in cuts.items()}
    before, after = (
        [cutting.pieces_of(whole, clause, each) for clause in whole.clauses] for each in (state.cuts, cuts)
    )
    return cutting.recut(state, before, after).model_copy(update={"cuts": cuts})


def measured(subject: Subject) -> dict[int, splice.Measured]:
    """The pauses as the last export's audit measured them. Raises SettingError where there is none, StoreError."""
    leads = {span.first - 1: span.lead_in_seconds for span in subject.spans}
    asked = [pause.seconds + leads.get(index, 0.0) for index, pause in enumerate(subject.state.pauses)]
    return splice.read_audit(subject.folder / _AUDIT, subject.clauses, asked)


def reviewed(state: State, before: State, found: splice.Reviewed) -> State:
    """The state with pauses adjusted that are as they were ``before`` the review, as one edit."""
    same = [now == then for now, then in zip(state.pauses, before.pauses, strict=True)]
    seconds = {each.clause: each.seconds for each in found.adjustments if same[each.clause]}
    return _timed(state, "review", seconds, splice.bounds)


def parts_of(subject: Subject, takes: Sequence[Take]) -> list[Part]:
    """The scenes as planning is told of them; what cannot be stretched counts as speech."""
    return [_part(subject, takes, span) for span in subject.spans]


def _part(subject: Subject, takes: Sequence[Take], span: SceneSpan) -> Part:
    clauses, pauses = range(span.first, span.last), subject.state.pauses
    free = sum(pauses[index].seconds for index in clauses if not pauses[index].locked)
    locked = sum(pauses[index].seconds for index in clauses if pauses[index].locked)
    speech = sum((takes[index].speech_end - takes[index].speech_start) / takes[index].rate for index in clauses)
    words = " ".join(subject.clauses[index].text for index in clauses)[:_WORDS]
    return Part(span.title, words, speech + locked + span.lead_in_seconds, free)


def planned(
    state: State,
    decision: agents.Decision[planning.Planned],
    takes: Sequence[Take],
    spans: Sequence[SceneSpan],
    sound: Sound,
    total: int,
) -> State:
    """The state with a total in samples shared out among the scenes, as one edit. Raises FitError."""
    pauses = list(state.pauses)
    factors = {} if decision.by == agents.RULES else {each.scene: each.factor for each in decision.value.scenes}
    for number, factor in factors.items():
        for index in range(spans[number].first, spans[number].last):
            pauses[index] = _stretched(pauses[index], factor)
    return edited(state, "plan", fit(takes, pauses, spans, sound, total))


def _stretched(pause: Pause, factor: float) -> Pause:
    """A free pause times a factor, within its bounds."""
    if pause.locked or pause.seconds == 0:
        return pause
    least, most = pause.least or 0.0, float("inf") if pause.most is None else pause.most
    seconds = min(max(pause.seconds * factor, min(least, pause.seconds)), max(most, pause.seconds))
    return replace(pause, seconds=seconds, source="fitted")


def decided(state: State, agent: str, decisions: Iterable[agents.Decision[Any]]) -> State:
    """The state that says who decided, each once, in place of what the agent did before."""
    when = time.time()
    new = tuple(
        Decided(agent=agent, by=by, why=why, when=when)
        for by, why in dict.fromkeys((each.by, each.why) for each in decisions)
    )
    others = tuple(each for each in state.decisions if each.agent != agent)
    return state.model_copy(update={"decisions": (*others, *new)})


def _timed(
    state: State, what: str, seconds: Mapping[int, float], bounds: Callable[[Pause], tuple[float, float] | None]
) -> State:
    """The state with an agent's length for the pauses that are free for it, as one edit."""
    pauses = list(state.pauses)
    for index, length in seconds.items():
        may = bounds(pauses[index])
        if may is not None and may[0] <= length <= may[1] and length != pauses[index].seconds:
            pauses[index] = replace(pauses[index], seconds=length, source="agent")
    return edited(state, what, pauses)


def _unless_same(old: Cut | None, cut: Cut) -> Cut:
    """A cut as it is already, where only the seconds in it differ: what was tuned since then stays."""
    return cut if old is None or old.pieces != cut.pieces else old
