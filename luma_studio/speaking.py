"""Speaking: which clause is to be spoken by which voice, what that would buy, and having it done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

from luma_studio.agents import MindQuote
from luma_studio.errors import (
    BadRequestError,
    BrokenAnswerError,
    LumaError,
    NotAllowedError,
    NotFoundError,
    SettingError,
    Stopped,
    StoreError,
    VendorError,
    VoiceError,
    counted,
)
from luma_studio.progress import Event, Listener, Outcome
from luma_studio.script import Clause
from luma_studio.settings import Choices
from luma_studio.store import shares, tally
from luma_studio.store.ledger import Account
from luma_studio.store.state import ClauseState, State, TakeRef
from luma_studio.store.takes import Recipe, TakeStore
from luma_studio.timeline.arrange import SceneSpan
from luma_studio.timeline.take import Take
from luma_studio.voices import Company, Hear, Utterance, Voice, VoiceChoice, dialogue, voice_for, voiced
from luma_studio.voices.in_order import InOrder

Voices = Callable[[VoiceChoice], Voice]

_NO_DIALOGUE = (BadRequestError, NotAllowedError, NotFoundError)  # nothing was spoken; one by one it may be

Same = Sequence["Order"]
"""Orders of one recipe: the same words are bought once."""
Group = Sequence[Same]
"""What is asked for at once: the clauses of a dialogue, or a clause alone."""


@dataclass(frozen=True, slots=True)
class Order:
    """A clause to be spoken: by which voice, from what recipe. ``pinned`` is a voice of this one clause's own.

    ``scene`` is the index of its scene's first clause; None where the clause is spoken outside of any.
    """

    index: int
    voice: Voice
    choice: str
    pinned: str | None
    recipe: Recipe
    utterance: Utterance
    line: int
    scene: int | None = None

    @property
    def company(self) -> Company | None:
        """Those whom it may be spoken together with; None where it is spoken alone, as another reading is."""
        own = self.scene is None or self.pinned is not None or self.recipe.seed != 0
        return None if own else self.voice.company


@dataclass(frozen=True, slots=True)
class VoiceQuote:
    """What speaking would buy of one voice; ``cost`` in US dollars, None where its price is unknown."""

    voice: str
    clauses: int
    characters: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What speaking would buy, by voice, and how many clauses are here already; ``minds``: what each agent would."""

    voices: tuple[VoiceQuote, ...]
    here: int
    minds: tuple[MindQuote, ...] = ()

    @property
    def to_speak(self) -> int:
        """Clauses to be spoken."""
        return sum(each.clauses for each in self.voices)

    @property
    def characters(self) -> int:
        """Characters to be spoken."""
        return sum(each.characters for each in self.voices)

    @property
    def cost(self) -> Decimal:
        """US dollars, as far as prices are known."""
        return sum((each.cost for each in self.voices if each.cost is not None), Decimal(0))

    @property
    def unknown(self) -> tuple[str, ...]:
        """The voices whose price nobody knows: what they cost comes on top."""
        return tuple(each.voice for each in self.voices if each.cost is None)

    @property
    def minds_cost(self) -> Decimal:
        """US dollars for agents, about, as far as prices are known."""
        return sum((each.cost for each in self.minds if each.cost is not None), Decimal(0))

    @property
    def unknown_minds(self) -> tuple[str, ...]:
        """The minds that would be asked and whose price nobody knows."""
        return tuple(dict.fromkeys(each.mind for each in self.minds if each.calls and each.cost is None))

    @property
    def summary(self) -> str:
        """All that in a line."""
        speech = f"{counted(self.to_speak, 'clause')} to speak, {self.here} here{_price(self.cost, self.unknown)}"
        questions = sum(each.calls for each in self.minds)
        if not questions:
            return speech
        return f"{speech}; {counted(questions, 'question')} to minds{_price(self.minds_cost, self.unknown_minds)}"


def _price(cost: Decimal, unknown: Sequence[str]) -> str:
    price = f", about ${cost:.4f}" if cost or unknown else ""
    return price + (f", and {', '.join(unknown)} at a price that is not known" if unknown else "")


def order(
    clauses: Sequence[Clause],
    index: int,
    choices: Choices,
    voices: Voices,
    *,
    pinned: str | None = None,
    seed: int = 0,
    scene: int | None = None,
) -> Order:
    """The order for one clause: by its speaker's voice, or by ``pinned``, another for this clause alone."""
    clause = clauses[index]
    choice = VoiceChoice.parse(pinned) if pinned else speaker_voice(clause.speaker, choices)
    voice = voices(choice)
    tags = clause.tags if voice.tags else ()
    recipe = Recipe(voice.identity, clause.language, voiced(clause.text), tags, seed)
    before = voiced(clauses[index - 1].text) if index else ""
    after = voiced(clauses[index + 1].text) if index + 1 < len(clauses) else ""
    utterance = Utterance(recipe.text, clause.language, tags, before, after, seed)
    return Order(index, voice, str(choice), pinned, recipe, utterance, clause.line, scene)


def orders(
    clauses: Sequence[Clause],
    states: Sequence[ClauseState],
    choices: Choices,
    voices: Voices,
    scenes: Iterable[SceneSpan] = (),
) -> list[Order]:
    """The order for each clause as it stands in a production."""
    scene = {index: span.first for span in scenes for index in range(span.first, span.last)}
    return [
        order(clauses, index, choices, voices, pinned=state.voice, seed=state.seed, scene=scene.get(index))
        for index, state in enumerate(states)
    ]


def speaker_voice(speaker: str | None, choices: Choices) -> VoiceChoice:
    """The voice of a speaker: their own if they were given one, else one by the production's voice."""
    own = {name.casefold(): voice for name, voice in choices.speakers.items()}
    if speaker is not None and speaker.casefold() in own:
        return VoiceChoice.parse(own[speaker.casefold()])
    return voice_for(speaker, VoiceChoice.parse(choices.voice))


def check_voices(clauses: Sequence[Clause], choices: Choices, voices: Voices) -> None:
    """Raise SettingError for a voice that does not exist, or not in a clause's language."""
    first = {(clause.speaker, clause.language): clause for clause in reversed(clauses)}
    for (speaker, language), clause in first.items():
        choice = speaker_voice(speaker, choices)
        if not voices(choice).speaks(language):
            raise SettingError(
                f"The voice {choice} does not speak {language!r}, the language of line {clause.line}. "
                "Choose another voice or language."
            )


def quoted(wanted: Sequence[Order], takes: TakeStore) -> Quote:
    """What these orders would buy. Nothing is sent."""
    different = {each.recipe.fingerprint: each for each in wanted}.values()
    missing = [each for each in different if _here(each, takes) is None]
    by_voice: dict[str, list[Order]] = {}
    for each in missing:
        by_voice.setdefault(each.choice, []).append(each)
    return Quote(tuple(_quoted(voice, each) for voice, each in by_voice.items()), len(different) - len(missing))


def _quoted(voice: str, missing: Sequence[Order]) -> VoiceQuote:
    characters = sum(len(each.recipe.text) for each in missing)
    price = missing[0].voice.price
    return VoiceQuote(voice, len(missing), characters, None if price is None else price * characters)


async def speak(
    wanted: Sequence[Order],
    takes: TakeStore,
    account: Account,
    listener: Listener,
    spoken: Callable[[Order], None],
    hear: Hear | None = None,
    pauses: Sequence[float] = (0.0,),
) -> None:
    """Have orders filled, several at once and the same recipe once; ``spoken`` is called for each whose take is here.

    Clauses that follow on one another in a scene and can be spoken together are asked for together. ``hear`` is told
    the sound as it comes, one order after the other, with silence of ``pauses`` (seconds after each) between them.

    Raises VoiceError when clauses failed; the others are kept. Any other error, and Stopped from the listener, lets
    what was asked for arrive and be kept, asks for nothing more, and is raised then.
    """
    groups = await asyncio.to_thread(_grouped, _alike(wanted), takes, account)
    ears = None if hear is None else _Ears(InOrder(hear, pauses), wanted)
    filling = _Filling(len(wanted), takes, account, listener, spoken, ears)
    try:
        for each in _scouts(groups):
            await asyncio.gather(*map(filling.fill, each))
    finally:
        await asyncio.to_thread(tally.add, account.store, "take", filling.outcomes)
    if filling.broken:
        raise next((error for error in filling.broken if not isinstance(error, Stopped)), filling.broken[0])
    failed = filling.failed
    if failed:
        first = next(each for each in wanted if each.index in failed)
        raise VoiceError(
            f"{len(failed)} of {len(wanted)} clauses could not be spoken; the others are kept. "
            f"The first is on line {first.line}: {failed[first.index]}"
        ) from failed[first.index]


class _Ears:
    """Who hears orders while they are filled."""

    def __init__(self, in_order: InOrder, wanted: Sequence[Order]) -> None:
        self._in_order = in_order
        self._place = {each.index: place for place, each in enumerate(wanted)}

    def of(self, same: Same) -> Hear:
        return self._in_order.of(self._places(same))

    def end(self, same: Same) -> None:
        self._in_order.end(self._places(same))

    def _places(self, same: Same) -> list[int]:
        return [self._place[each.index] for each in same]


@dataclass(slots=True)
class _Filling:
    """The filling of ``total`` orders, and what went wrong with it so far.

    ``failed`` has clauses by index, ``hopeless`` voices that nothing more is asked of; anything ``broken`` ends it all.
    """

    total: int
    takes: TakeStore
    account: Account
    listener: Listener
    spoken: Callable[[Order], None]
    ears: _Ears | None
    done: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failed: dict[int, LumaError] = field(default_factory=dict)
    hopeless: dict[Voice, VendorError] = field(default_factory=dict)
    broken: list[Exception] = field(default_factory=list)
    limits: dict[Voice, asyncio.Semaphore] = field(default_factory=dict)

    async def fill(self, group: Group) -> None:
        """Fill what is asked for at once; it takes one of a voice's places."""
        voice = group[0][0].voice
        async with self.limits.setdefault(voice, asyncio.Semaphore(voice.concurrency)):
            if not self.broken:
                await self._noting(self._alone(group[0]) if len(group) == 1 else self._together(group))

    async def _noting(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - raised when the others have arrived
            self.broken.append(error)

    async def _alone(self, same: Same) -> None:
        here = await asyncio.to_thread(_here, same[0], self.takes)
        if here is not None:
            await _told(here, self.takes, self._hear(same))
            self._end(same, "cached")
        elif (reason := self._hopeless([same])) is not None:
            self._fail([same], reason)
        else:
            self._tell(same, "began")
            await self._take(same)

    async def _together(self, group: Group) -> None:
        if (reason := self._hopeless(group)) is not None:
            self._fail(group, reason)
            return
        for same in group:
            self._tell(same, "began")
        try:
            await _asked_together([same[0] for same in group], self.takes, self.account)
        except _NO_DIALOGUE:
            pass
        except (VoiceError, VendorError) as error:
            self._fail(group, error)
            return
        await asyncio.gather(*(self._noting(self._after(same)) for same in group))

    async def _after(self, same: Same) -> None:
        """What has arrived becomes a take whatever happened meanwhile; what has not is asked for if nothing did."""
        if not await asyncio.to_thread(_is_bought, same[0], self.takes, self.account):
            if self.broken:
                return
            if (reason := self._hopeless([same])) is not None:
                self._fail([same], reason)
                return
        await self._take(same)

    async def _take(self, same: Same) -> None:
        try:
            await bought(same[0], self.takes, self.account, self._hear(same))
        except (VoiceError, VendorError) as error:
            self._fail([same], error)
        else:
            self._end(same, "done")

    def _hear(self, same: Same) -> Hear | None:
        return None if self.ears is None else self.ears.of(same)

    def _hopeless(self, group: Group) -> VendorError | None:
        """Why nothing more is asked of a voice in it."""
        return next((self.hopeless[same[0].voice] for same in group if same[0].voice in self.hopeless), None)

    def _fail(self, group: Group, error: LumaError) -> None:
        for same in group:
            if isinstance(error, VendorError) and error.hopeless:
                self.hopeless[same[0].voice] = error
            self.failed.update({each.index: error for each in same})
        for same in group:
            self._tell(same, "failed", str(error))

    def _end(self, same: Same, outcome: Outcome) -> None:
        for each in same:
            self.spoken(each)
        self._tell(same, outcome)

    def _tell(self, same: Same, outcome: Outcome, reason: str = "") -> None:
        if self.ears is not None and outcome != "began":
            self.ears.end(same)
        for each in same:
            if outcome != "began":
                self.done += 1
                self.outcomes[outcome] += 1
            self.listener(Event("speak", self.done, self.total, each.recipe.text, outcome, each.index, reason))


def with_take(state: State, filled: Iterable[Order]) -> State:
    """The state with the takes of these orders in use; earlier ones stay in each clause's history."""
    clauses = list(state.clauses)
    for each in filled:
        clause = clauses[each.index]
        take = TakeRef(fingerprint=each.recipe.fingerprint, voice=each.choice, seed=each.recipe.seed)
        known = {other.fingerprint for other in clause.takes}
        takes = clause.takes if take.fingerprint in known else (*clause.takes, take)
        update = {"takes": takes, "take": take.fingerprint, "voice": each.pinned, "seed": take.seed}
        clauses[each.index] = clause.model_copy(update=update)
    return state.model_copy(update={"clauses": tuple(clauses)})


def without_others(state: State, wanted: Sequence[Order]) -> State:
    """The state in which no clause has a take in use that is not the one it wants, of each its order."""
    clauses = (
        clause if clause.take == each.recipe.fingerprint else clause.model_copy(update={"take": None})
        for clause, each in zip(state.clauses, wanted, strict=True)
    )
    return state.model_copy(update={"clauses": tuple(clauses)})


def with_earlier(
    state: State, clauses: Sequence[Clause], choices: Choices, index: int, fingerprint: str | None = None
) -> State:
    """The state with an earlier take of a clause in use: the one before the take in use, or the one asked for.

    Raises SettingError when there is none.
    """
    clause = state.clauses[index]
    known = [take.fingerprint for take in clause.takes]
    if fingerprint is None and clause.take in known[1:]:
        fingerprint = known[known.index(clause.take) - 1]
    if fingerprint not in known:
        raise SettingError(f"Clause {index} has no such earlier take; it has {len(known)}.")
    take = clause.takes[known.index(fingerprint)]
    usual = str(speaker_voice(clauses[index].speaker, choices))
    voice = None if take.voice == usual else take.voice
    return state.with_clause(
        index, clause.model_copy(update={"take": take.fingerprint, "voice": voice, "seed": take.seed})
    )


def _alike(wanted: Iterable[Order]) -> list[Same]:
    """Orders of the same recipe together: the same words are bought once."""
    by_fingerprint: dict[str, list[Order]] = {}
    for each in wanted:
        by_fingerprint.setdefault(each.recipe.fingerprint, []).append(each)
    return list(by_fingerprint.values())


def _grouped(wanted: Sequence[Same], takes: TakeStore, account: Account) -> list[Group]:
    missing = [same[0] for same in wanted if same[0].company and not _is_bought(same[0], takes, account)]
    first_of = {each.index: group[0].index for group in _dialogues(missing) for each in group}
    groups: dict[int, list[Same]] = {}
    for same in wanted:
        groups.setdefault(first_of.get(same[0].index, same[0].index), []).append(same)
    return [*groups.values()]


def _dialogues(missing: Iterable[Order]) -> list[list[Order]]:
    """Of orders that nothing has been bought for, those that are asked for together.

    A clause between that is here, or speaks alone, ends a dialogue: nobody answers what was not heard just before.
    """
    runs: list[list[Order]] = []
    for each in missing:
        last = runs[-1][-1] if runs else None
        if last and (each.index - 1, each.scene, each.company) == (last.index, last.scene, last.company):
            runs[-1].append(each)
        else:
            runs.append([each])
    return [run[part] for run in runs for part in dialogue.parts(_lines(run))]


def _lines(together: Iterable[Order]) -> list[dialogue.Line]:
    return [dialogue.Line.of(each.voice, each.utterance) for each in together]


def _scouts(wanted: Iterable[Group]) -> tuple[list[Group], list[Group]]:
    """For each voice that is paid what asks for it first, and then the others: a wrong key is asked for once."""
    known: set[Voice] = set()
    scouts: list[Group] = []
    rest: list[Group] = []
    for group in wanted:
        voices = {same[0].voice for same in group if same[0].voice.price != 0}
        (rest if voices <= known else scouts).append(group)
        known |= voices
    return scouts, rest


def _here(wanted: Order, takes: TakeStore) -> Take | None:
    """The take in the store; one that is damaged and cost nothing is spoken again."""
    try:
        is_here = takes.is_here(wanted.recipe.fingerprint)
        return takes.get(wanted.recipe.fingerprint) if is_here else None
    except StoreError:
        if wanted.voice.price != 0:
            raise
        return None


def _is_bought(wanted: Order, takes: TakeStore, account: Account) -> bool:
    """Whether its take is here, or what it is to be made of; one that is damaged is told where it is taken up."""
    try:
        return replace(account, key=wanted.recipe.fingerprint).has_arrived() or _here(wanted, takes) is not None
    except StoreError:
        return True


async def _asked_together(wanted: Sequence[Order], takes: TakeStore, account: Account) -> None:
    """Have clauses that are asked for together arrive, each as if it had been asked for alone: ``bought`` finds it.

    What another has bought meanwhile, or had bought when it died, is not asked for. Raises VendorError, BudgetError,
    StoreError.
    """
    async with shares.claims(account, [each.recipe.fingerprint for each in wanted]) as claimed:
        missing = []
        for each in wanted:
            own = claimed[each.recipe.fingerprint]
            await _take_up(each, own)
            if await asyncio.to_thread(_here, each, takes) is not None:
                await own.forget()
            elif not await asyncio.to_thread(own.has_arrived):
                missing.append(each)
        for together in _dialogues(missing):
            await _bought_together(together, account)


async def _bought_together(wanted: Sequence[Order], account: Account) -> None:
    company = wanted[0].company
    assert company is not None  # noqa: S101 - or they would not be asked for together
    body = dialogue.asked(company, _lines(wanted))
    keys = [each.recipe.fingerprint for each in wanted]
    await shares.buy(account, keys, body, partial(dialogue.bought, company, body), partial(dialogue.parted, company))


async def _take_up(wanted: Order, claimed: Account) -> None:
    """Take up what had arrived for a clause and others together."""
    company = wanted.voice.company
    if company is not None:
        await shares.take_up(claimed, partial(dialogue.parted, company))


async def bought(wanted: Order, takes: TakeStore, account: Account, hear: Hear | None = None) -> Take:
    """The take of one order, from the store or else spoken; ``hear`` is told its sound either way, as it comes.

    What costs money is bought by one process at a time, and kept from when it arrives. Raises VoiceError, VendorError,
    BudgetError, StoreError.
    """
    here = await asyncio.to_thread(_here, wanted, takes)
    if here is not None:
        return await _told(here, takes, hear)
    if wanted.voice.price == 0:
        return await _spoken(wanted, takes, account, hear)
    async with account.claim(wanted.recipe.fingerprint) as claimed:
        await _take_up(wanted, claimed)
        take = await asyncio.to_thread(_here, wanted, takes)  # another may have bought it meanwhile
        try:
            take = await (_spoken(wanted, takes, claimed, hear) if take is None else _told(take, takes, hear))
        except BrokenAnswerError:
            await claimed.forget()
            raise
        await claimed.forget()
        return take


async def _told(here: Take, takes: TakeStore, hear: Hear | None) -> Take:
    """A take from the store, which a listener hears at once."""
    if hear is not None:
        hear(await asyncio.to_thread(takes.samples, here), here.rate)
    return here


async def _spoken(wanted: Order, takes: TakeStore, account: Account, hear: Hear | None) -> Take:
    speech = await wanted.voice.speak(wanted.utterance, account, hear)
    paid = wanted.voice.price != 0
    return await asyncio.to_thread(
        takes.put, wanted.recipe, speech.samples, speech.rate, speech.words, speech.bounds, paid=paid
    )
