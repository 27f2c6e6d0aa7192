"""The studio: a workspace, its settings, its voices and its productions."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

from luma_studio import animating, deciding, speaking, talking
from luma_studio.agents import Decision, Thinking
from luma_studio.agents.avatar import Filmed
from luma_studio.agents.motion import Bundle, Described, bundled
from luma_studio.animating import Animation, AnimationQuote
from luma_studio.audio.clip import Clip
from luma_studio.errors import ScriptError, SettingError
from luma_studio.film import Equipment
from luma_studio.persona import Personas
from luma_studio.production import Means, Production
from luma_studio.progress import Listener, unheard
from luma_studio.script import Clause, decode, parse
from luma_studio.settings import AUDIO, Choices, Settings, chosen, load_settings
from luma_studio.speaking import Quote
from luma_studio.store import drafts, files
from luma_studio.store.drafts import Left
from luma_studio.store.jobs import JobStore, open_jobs
from luma_studio.store.ledger import Account, BatchBudget, Ledger
from luma_studio.store.state import FILE
from luma_studio.store.takes import Recipe, TakeStore
from luma_studio.store.videos import VideoStore
from luma_studio.talking import Talk, Talking
from luma_studio.video import engines
from luma_studio.video.base import Motion
from luma_studio.video.engines import Kit
from luma_studio.video.photos import Photos
from luma_studio.voices import Hear, Names, Utterance, Voice, VoiceChoice, make_voice, preview, server_of, voiced
from luma_studio.wire import Wires

STORE = ".store"
_DRAFT = ".draft.txt"
_MOST_BYTES = 32 * 2**20  # of a script


@dataclass(frozen=True, slots=True)
class Recent:
    """A production, and when it was saved last: seconds since the epoch."""

    name: str
    changed: float


def read_script(path: Path) -> str:
    """The text of a script's file. Raises ScriptError for what is no text, StoreError for what cannot be read."""
    with files.explained(path), path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ScriptError(f"{path} is larger than {_MOST_BYTES // 2**20} MB: that is no script. Choose a text file.")
    return decode(data)


class Studio:
    """What a notebook or a program begins with.

    ``ledger`` has what was bought in its workspace, ``wires`` are the ways to vendors, ``names`` has what their voices
    are called, ``personas`` the shipped personas and the workspace's own.

    >>> with Studio() as studio:                                  # doctest: +SKIP
    ...     calm = studio.production("evening-calm", script)

    Settings come from the environment and ``.env``; ``workspace`` is the folder that holds ``generated_audio/``.
    """

    def __init__(self, workspace: Path | str | None = None, settings: Settings | None = None) -> None:
        if not isinstance(workspace, str | Path | None):
            raise SettingError(f"A workspace is the path of a folder; {workspace!r} is none.")
        self.settings = settings or load_settings()
        self.workspace = Path(self.settings.workspace if workspace is None else workspace).expanduser()
        self.ledger = Ledger(self.folder)
        self.wires = Wires()
        self.personas = Personas(self.workspace)
        self.names = Names(self.wires, self.personas.voice)
        self._voices: dict[tuple[VoiceChoice, str], Voice] = {}  # and the server of one's own that is set
        self._stores: dict[int, TakeStore] = {}
        self._open: WeakValueDictionary[Path, Production] = WeakValueDictionary()
        self._swept = False  # of what killed processes left in the store

    def __repr__(self) -> str:
        return f"<Studio of the workspace {self.workspace.resolve()}>"

    @classmethod
    def of(cls, production: Production) -> Studio:
        """A studio of the workspace in which a production lies, which gives this very object for it."""
        studio = cls(production.folder.parent.parent)
        studio._open[production.folder] = production
        return studio

    @property
    def folder(self) -> Path:
        """Where productions and the store lie."""
        return self.workspace / AUDIO

    def production(self, name: str, script: str | Path | None = None, **changes: Any) -> Production:
        """Open a production, or begin it with a script, its text or its file; a changed one keeps every take it can.

        ``changes`` are settings for this production: ``voice="espeak:hi"``, ``granularity="clause"``, … A voice may be
        given by its vendor's name for it, ``elevenlabs:Rachel``; that is asked for, and the voice's id is kept.
        While a production is in use, opening it again gives the same object, up to date.
        Raises ScriptError, SettingError, UnsafeNameError or, where a name cannot be asked for, VendorError before
        anything is written, and BusyError where another script or setting is given while it is being spoken.
        """
        if isinstance(script, Path):
            script = read_script(script)
        if not isinstance(script, str | None):
            raise ScriptError(f"A script is given as its text or as the Path of its file; {script!r} is neither.")
        folder, store = files.confined(self.folder, name), self.folder / STORE
        if not self._swept:
            files.sweep(store)
            self._swept = True
        known = self._open.get(folder)
        if known is not None and (changes or script not in (None, known.text)):
            known.check_free()
        if known is None or changes or script is not None:
            made = Production(folder, self._means, script, chosen(self.settings, {}), changes)
            known = self._open.setdefault(folder, made)
        if known.saved_elsewhere():
            known.reload()
        return known

    @cached_property
    def jobs(self) -> JobStore:
        """The jobs of this workspace, or of all machines that share a Redis. Raises SettingError."""
        return open_jobs(self.folder, self.settings)

    def quote(self, name: str, script: str, **changes: Any) -> Quote:
        """What speaking this script as this production would buy, and agents before it.

        Nothing is sent, begun or changed. Raises as that.
        """
        folder = files.confined(self.folder, name)
        known = self.production(name) if (folder / FILE).exists() else None
        choices = self.names.chosen(known.choices if known else None, self.settings, changes)
        whole = parse(script.encode("utf-8", "replace").decode(), choices)
        clauses = tuple((known.readied(whole) if known else whole).clauses)
        voices = cache(self.voice)
        speaking.check_voices(clauses, choices, voices)
        here = _spoken(known, choices).intersection(map(_said, clauses)) if known else set()
        orders = [
            speaking.order(clauses, index, choices, voices)
            for index, clause in enumerate(clauses)
            if _said(clause) not in here
        ]
        quote = speaking.quoted(orders, self._takes(choices.sample_rate))
        thinking = self._means.thinking(choices, self.account(name))
        minds = known.quoted_before(whole, thinking) if known else tuple(deciding.quoted_before(whole, {}, thinking))
        return replace(quote, here=quote.here + len(here), minds=minds)

    async def hear(self, text: str, language: str, voice: str, hear: Hear | None = None) -> Clip:
        """A few words as a voice speaks them, bought once. ``hear`` is told them as they come. Raises as speaking."""
        voice = await asyncio.to_thread(self.names.written, voice)
        choice = VoiceChoice.parse(voice)
        speaks = self.voice(choice)
        recipe = Recipe(speaks.identity, language, voiced(text))
        if speaks.price == 0:
            speech = await speaks.speak(Utterance(recipe.text, language), self.account("samples"), hear)
            return Clip(speech.samples, speech.rate)
        order = speaking.Order(0, speaks, voice, voice, recipe, Utterance(recipe.text, language), 1)
        takes = self._takes(self.settings.sample_rate)
        take = await speaking.bought(order, takes, self.account("samples"), hear)
        return Clip(takes.samples(take), take.rate)

    async def preview(self, address: str) -> Clip:
        """A voice's ready-made sample (``Listed.preview``), fetched once and free. Raises VendorError, StoreError."""
        return await preview(address, self.folder / STORE)

    def productions(self) -> list[str]:
        """The names of the productions in this workspace."""
        return sorted(recent.name for recent in self.recent())

    def recent(self) -> list[Recent]:
        """The productions in this workspace, the one that was saved last first. Reads none of them."""
        found = []
        with files.explained(self.folder):
            for path in self.folder.glob(f"*/{FILE}"):
                if not path.parent.name.startswith("."):
                    with suppress(FileNotFoundError):  # removed just now
                        found.append(Recent(path.parent.name, path.stat().st_mtime))
        return sorted(found, key=lambda each: (-each.changed, each.name))

    @property
    def draft(self) -> str | None:
        """What stands in the editor of a script that has no production yet; None where nothing does."""
        return drafts.draft(self.folder / _DRAFT)

    @property
    def standing(self) -> str:
        """What stands in that editor: the draft, or nothing."""
        return self.draft or ""

    @property
    def draft_mark(self) -> str:
        """What changes whenever that draft does, in whichever window. Costs a look at a file."""
        return drafts.mark(self.folder / _DRAFT)

    def keep_draft(self, text: str | None, seen: str | None = None) -> None:
        """Keep that draft, so that no typing is lost; None removes it.

        ``seen`` is what was ``standing`` when the writer last looked. Raises ChangedError, and overwrites nothing, if
        another window wrote since; without it the one that wrote last wins.
        """
        drafts.keep_draft(self.folder / _DRAFT, text, seen)

    def left_texts(self) -> list[Left]:
        """The texts that made room for others in an editor, the last one first; each stays for some weeks."""
        return drafts.left(self.folder / drafts.LEFT)

    def leave_text(self, text: str, key: str | None = None) -> str:
        """Keep a text that makes room for another; returns its key. With a ``key`` it takes the place of that one."""
        return drafts.leave(self.folder / drafts.LEFT, text, key)

    def left_text(self, key: str) -> str:
        """A text that was left. Raises StoreError if it is not there any more."""
        return drafts.left_text(self.folder / drafts.LEFT, key)

    def forget_text(self, key: str) -> None:
        """Remove a text that was left; none there is fine."""
        drafts.forget(self.folder / drafts.LEFT, key)

    def voice(self, choice: VoiceChoice) -> Voice:
        """A voice, made once for each server that it is set to. Raises SettingError if it does not exist."""
        key = choice, server_of(choice)
        if key not in self._voices:
            self._voices[key] = make_voice(choice, self.wires, self.settings.price)
        return self._voices[key]

    async def animate(self, motion: Motion, engine: str = "preview", listener: Listener = unheard) -> Animation:
        """Have a still move for 5 or 10 seconds; the clip lies in ``generated_audio/animated``, and is made once.

        One that a vendor still makes is ``processing``: the next call takes it up. Raises SettingError for what the
        engine cannot do, NoKeyError, VendorError, VideoError, BudgetError, and Stopped from the listener.
        """
        made_by, account = engines.image_to_video(engine, self._kit()), self.budgeted(animating.FOLDER)
        return await animating.animated(motion, engine, made_by, self._videos, account, self._animated, listener)

    async def write_motion(self, described: Described) -> Decision[Bundle]:
        """How a still could move, as a bundle to be seen and changed first: by a mind, or the rules."""
        return await bundled(described, self.thinking(animating.FOLDER))

    def animation_quote(self, motion: Motion, engine: str = "preview") -> AnimationQuote:
        """What having a still move would buy. Nothing is sent. Raises SettingError, NoKeyError as ``animate`` does."""
        return animating.quoted(motion, engines.image_to_video(engine, self._kit()), self._videos)

    def animations(self) -> tuple[Animation, ...]:
        """The stills that were had move, the newest first."""
        return animating.animations(self._animated)

    async def talk_as(self, talk: Talk, engine: str = "preview") -> Decision[Filmed]:
        """How a photo that talks would be filmed, to be seen and changed first: by a mind, or the rules."""
        return await talking.decided(talk, engine, self.filming(), self.thinking(talking.FOLDER))

    async def talk(
        self,
        talk: Talk,
        engine: str = "preview",
        decision: Decision[Filmed] | None = None,
        listener: Listener = unheard,
        *,
        force_upload: bool = False,
    ) -> Talking:
        """Have one photo talk, by itself; the video lies in ``generated_audio/talking``, and is made once.

        Without a ``decision`` it is asked for. Raises SettingError, UnreadableError, VendorError, VideoError,
        BudgetError, and Stopped from the listener.
        """
        decision = decision or await self.talk_as(talk, engine)
        equipment, account = self.filming(force_upload), self.budgeted(talking.FOLDER)
        folder = self.folder / talking.FOLDER
        return await talking.filmed(talk, decision, engine, equipment, account, folder, listener)

    def talks(self) -> tuple[Talking, ...]:
        """The photos that were had talk by themselves, the newest first."""
        return talking.talks(self.folder / talking.FOLDER)

    def account(self, name: str) -> Account:
        """Where what is bought under this name, which need not be a production's, is written down."""
        return Account(self.ledger, self.folder / STORE, name)

    def thinking(self, name: str, budget: Decimal | None = None, **changes: Any) -> Thinking:
        """What a mind writes with outside of any production, by the settings; it is bought under this name.

        ``changes`` are settings that differ. Raises SettingError.
        """
        means, choices = self._means, chosen(self.settings, changes)
        return Thinking(choices, self.wires, self.budgeted(name, budget), means.token_prices, means.prompts)

    def budgeted(self, name: str, budget: Decimal | None = None) -> Account:
        """As ``account``, within a budget in US dollars, or else the settings' own, and that of the batch."""
        dollars = self.settings.budget if budget is None else budget
        return replace(self.account(name), budget=dollars, within=self._means.within)

    def close(self) -> None:
        """Let go of voices and their processes."""
        for voice in self._voices.values():
            voice.close()
        self._voices.clear()
        self.wires.close()
        if "jobs" in self.__dict__:
            self.jobs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _means(self) -> Means:
        store, prompts, settings = self.folder / STORE, self.workspace / "prompts", self.settings
        within = None if settings.batch_budget is None else BatchBudget(settings.batch, settings.batch_budget)
        return Means(
            store, prompts, self.voice, self.ledger, self.wires, settings.token_prices, self.names, self.filming, within
        )

    def filming(self, force_upload: bool = False) -> Equipment:
        """What productions are filmed with; ``force_upload`` has vendors given anew what they have."""
        return Equipment(self._videos, self.photos, self._kit(force_upload))

    def _kit(self, force_upload: bool = False) -> Kit:
        """What engines work with."""
        return Kit(self.wires, self.settings.minute_price, self.folder, force_upload)

    @property
    def photos(self) -> Photos:
        """The photos of this workspace, which lie in its folder ``photos/``."""
        return Photos(self.workspace / "photos", self.folder / STORE / "cards", self.personas)

    @property
    def _videos(self) -> VideoStore:
        return VideoStore(self.folder / STORE / "videos")

    @property
    def _animated(self) -> Path:
        """Where clips of stills lie."""
        return self.folder / animating.FOLDER

    def _takes(self, rate: int) -> TakeStore:
        """The store of takes at a rate, kept because it knows what it has read."""
        if rate not in self._stores:
            self._stores[rate] = TakeStore(self.folder / STORE / "takes", rate)
        return self._stores[rate]


def _said(clause: Clause) -> tuple[str | None, str, str]:
    return clause.speaker, clause.language, clause.text


def _spoken(production: Production, choices: Choices) -> set[tuple[str | None, str, str]]:
    """What a production has spoken, some of it perhaps by a voice of one clause's own, and would not speak again."""
    if (choices.voice, choices.speakers) != (production.choices.voice, production.choices.speakers):
        return set()
    pairs = zip(production.clauses, production.spoken, strict=True)
    return {_said(clause) for clause, spoken in pairs if spoken}
