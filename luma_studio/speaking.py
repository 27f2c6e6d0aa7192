"""Speaking: which clause is to be spoken by which voice, what that would buy, and having it done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from luma_studio.errors import BrokenAnswerError, LumaError, SettingError, Stopped, StoreError, VendorError, VoiceError
from luma_studio.progress import Event, Listener, Outcome
from luma_studio.script import Clause
from luma_studio.settings import Choices
from luma_studio.store.ledger import Account
from luma_studio.store.state import ClauseState, State, TakeRef
from luma_studio.store.takes import Recipe, TakeStore
from luma_studio.timeline.take import Take
from luma_studio.voices import Hear, Utterance, Voice, VoiceChoice, voice_for, voiced

Voices = Callable[[VoiceChoice], Voice]

# Characters a second, measured on espeak at 150 words a minute: the examples, and a paragraph in each of 38 languages.
_PACE = 14.0
_FIGURE = 0.35  # seconds that a figure takes beyond a letter: "123" is said as five words
_LANGUAGE_PACES = {"en": 16.5, "de": 16.0, "fr": 20.0, "es": 15.5, "it": 16.0, "ru": 17.0, "uk": 17.0, "el": 17.5}
_WRITING_PACES = (
    ("\u0590", "\u05ff", 13.0),  # Hebrew
    ("\u0600", "\u08ff", 11.0),  # Arabic
    ("\u0900", "\u0dff", 12.0),  # Devanagari to Sinhala
    ("\u0e00", "\u109f", 7.5),  # Thai, Lao, Tibetan, Burmese
    ("\u1200", "\u139f", 7.5),  # Ethiopic
    ("\u3040", "\u30ff", 6.5),  # kana
    ("\u3400", "\u9fff", 3.2),  # Han
    ("\uac00", "\ud7af", 6.0),  # Hangul
)


@dataclass(frozen=True, slots=True)
class Order:
    """A clause to be spoken: by which voice, from what recipe. ``pinned`` is a voice of this one clause's own."""

    index: int
    voice: Voice
    choice: str
    pinned: str | None
    recipe: Recipe
    utterance: Utterance
    line: int


@dataclass(frozen=True, slots=True)
class VoiceQuote:
    """What speaking would buy of one voice; ``cost`` in US dollars, None where its price is unknown."""

    voice: str
    clauses: int
    characters: int
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What speaking would buy, by voice, and how many clauses are here already."""

    voices: tuple[VoiceQuote, ...]
    here: int

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


def order(
    clauses: Sequence[Clause],
    index: int,
    choices: Choices,
    voices: Voices,
    *,
    pinned: str | None = None,
    seed: int = 0,
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
    return Order(index, voice, str(choice), pinned, recipe, utterance, clause.line)


def orders(clauses: Sequence[Clause], states: Sequence[ClauseState], choices: Choices, voices: Voices) -> list[Order]:
    """The order for each clause as it stands in a production."""
    return [
        order(clauses, index, choices, voices, pinned=state.voice, seed=state.seed)
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


@lru_cache(maxsize=8192)  # an edit changes few clauses
def estimated(text: str, language: str) -> float:
    """Seconds of speech that a clause will take, about, before anybody has spoken it.

    Characters at the pace that the embedded voice has at its default 150 words a minute: 14 a second, or its
    ``language``'s own; and by their writing where it is another than Latin, Greek or Cyrillic (Devanagari 12, Han 3).
    The examples' speech is met within 6 %, a paragraph of another language within 20 %. Other voices have other paces.
    """
    usual = _LANGUAGE_PACES.get(language.partition("-")[0].lower(), _PACE)
    figures = sum(map(str.isdigit, text)) * _FIGURE
    if text.isascii():
        return len(text) / usual + figures
    return sum(1 / (_writing_pace(character) or usual) for character in text) + figures


async def speak(
    wanted: Sequence[Order],
    takes: TakeStore,
    account: Account,
    listener: Listener,
    spoken: Callable[[Order], None],
    hear: Hear | None = None,
) -> None:
    """Have orders filled, several at once and the same recipe once; ``spoken`` is called for each whose take is here.

    ``hear`` is told the sound of an order, where it is the only one, as it comes.
    Raises VoiceError when clauses failed; the others are kept. Any other error, and Stopped from the listener, lets
    what was asked for arrive and be kept, asks for nothing more, and is raised then.
    """
    limits = {each.voice: asyncio.Semaphore(each.voice.concurrency) for each in wanted}
    failed: dict[int, LumaError] = {}
    hopeless: dict[Voice, VendorError] = {}
    broken: list[Exception] = []
    done = 0

    def tell(same: Sequence[Order], outcome: Outcome, reason: str = "") -> None:
        nonlocal done
        for each in same:
            done += outcome != "began"
            listener(Event("speak", done, len(wanted), each.recipe.text, outcome, each.index, reason))

    def failing(same: Sequence[Order], error: LumaError) -> tuple[Outcome, str]:
        failed.update({each.index: error for each in same})
        return "failed", str(error)

    async def answered(same: Sequence[Order]) -> tuple[Outcome, str]:
        here = await asyncio.to_thread(_here, same[0], takes)
        if here is not None:
            outcome: Outcome = "cached"
            await _told(here, takes, hear)
        elif (reason := hopeless.get(same[0].voice)) is not None:
            return failing(same, reason)
        else:
            tell(same, "began")
            outcome = "done"
            try:
                await bought(same[0], takes, account, hear)
            except (VoiceError, VendorError) as error:
                if isinstance(error, VendorError) and error.hopeless:
                    hopeless[same[0].voice] = error
                return failing(same, error)
        for each in same:
            spoken(each)
        return outcome, ""

    async def fill(same: Sequence[Order]) -> None:
        async with limits[same[0].voice]:
            if broken:
                return
            try:
                tell(same, *await answered(same))
            except Exception as error:  # noqa: BLE001 - raised below, when the others have arrived
                broken.append(error)

    scouts, rest = _scouts(_alike(wanted))
    await asyncio.gather(*map(fill, scouts))
    await asyncio.gather(*map(fill, rest))
    if broken:
        raise next((error for error in broken if not isinstance(error, Stopped)), broken[0])
    if failed:
        first = next(each for each in wanted if each.index in failed)
        raise VoiceError(
            f"{len(failed)} of {len(wanted)} clauses could not be spoken; the others are kept. "
            f"The first is on line {first.line}: {failed[first.index]}"
        ) from failed[first.index]


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


def _alike(wanted: Iterable[Order]) -> Iterator[list[Order]]:
    """Orders of the same recipe together: the same words are bought once."""
    by_fingerprint: dict[str, list[Order]] = {}
    for each in wanted:
        by_fingerprint.setdefault(each.recipe.fingerprint, []).append(each)
    yield from by_fingerprint.values()


def _scouts(wanted: Iterable[list[Order]]) -> tuple[list[list[Order]], list[list[Order]]]:
    """For each voice that is paid the first order, and then the others: a wrong key is asked for once."""
    first: dict[Voice, list[Order]] = {}
    rest = []
    for same in wanted:
        voice = same[0].voice
        if voice.price == 0 or voice in first:
            rest.append(same)
        else:
            first[voice] = same
    return list(first.values()), rest


@lru_cache(maxsize=8192)
def _writing_pace(character: str) -> float | None:
    """A character's own pace; None where its language's holds."""
    return next((pace for first, last, pace in _WRITING_PACES if first <= character <= last), None)


def _here(wanted: Order, takes: TakeStore) -> Take | None:
    """The take in the store; one that is damaged and cost nothing is spoken again."""
    try:
        is_here = takes.is_here(wanted.recipe.fingerprint)
        return takes.get(wanted.recipe.fingerprint) if is_here else None
    except StoreError:
        if wanted.voice.price != 0:
            raise
        return None


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
