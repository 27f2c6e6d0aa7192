"""From a recording to its transcript: pieces are heard while the next ones are read, and no piece is bought twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from luma_studio.errors import BrokenAnswerError, LumaError, Stopped
from luma_studio.progress import Event, Listener, Outcome, unheard
from luma_studio.store import files
from luma_studio.store.ledger import Account
from luma_studio.transcripts import incoming
from luma_studio.transcripts.base import Heard, Piece, Span, Transcriber, Transcript
from luma_studio.transcripts.incoming import Reading, Recording
from luma_studio.transcripts.joining import joined

_KEPT = "transcripts"


@dataclass(frozen=True, slots=True)
class Quote:
    """What transcribing a recording takes at most: ``seconds`` of sound, and US dollars (None: unknown).

    Long silences are not bought, and neither is what was transcribed before.
    """

    seconds: float
    cost: Decimal | None


def quote(path: Path | str, transcriber: Transcriber) -> Quote:
    """What it would cost; nothing is sent. Slow only where a file does not tell how long it lasts.

    Raises FileTooLargeError, UnreadableError, NoSoundError, StoreError.
    """
    recording = incoming.look(Path(path))
    seconds = recording.seconds
    if seconds is None:
        reading = Reading(recording)
        for _ in reading.pieces(transcriber.longest):
            pass
        seconds = reading.seconds
    price = transcriber.price
    return Quote(seconds, None if price is None else price * Decimal(seconds) / 60)


async def transcribe(
    path: Path | str, transcriber: Transcriber, account: Account, listener: Listener = unheard
) -> Transcript:
    """The transcript of an audio or video file; what has to be paid for is bought on the account, each piece once.

    What an engine answered is kept in the account's store: transcribing the same again, or going on after a crash, asks
    only for what is not there. Any error, and Stopped from the listener, lets what was asked for arrive and be kept.

    Raises FileTooLargeError, UnreadableError, NoSoundError, SilentError; TranscriptError, VendorError, BudgetError,
    StoreError.
    """
    recording = await asyncio.to_thread(incoming.look, Path(path))
    work = _Work(recording, transcriber, account, listener)
    await work.done()
    return joined(work.in_order, transcriber.choice, work.reading.seconds)


@dataclass(slots=True)
class _Work:
    """The transcribing of one recording, and what went wrong with it so far."""

    recording: Recording
    transcriber: Transcriber
    account: Account
    listener: Listener
    reading: Reading = field(init=False)
    heard: dict[int, tuple[tuple[Span, ...], Heard]] = field(default_factory=dict)
    broken: list[Exception] = field(default_factory=list)
    _seconds: float = 0.0

    def __post_init__(self) -> None:
        self.reading = Reading(self.recording)

    @property
    def in_order(self) -> list[tuple[tuple[Span, ...], Heard]]:
        """What was heard, as it follows in the recording."""
        return [self.heard[index] for index in sorted(self.heard)]

    async def done(self) -> None:
        """Have all pieces heard. Raises what went wrong first, once what was asked for is here."""
        places = asyncio.Semaphore(self.transcriber.concurrency)
        reader = ThreadPoolExecutor(1, "luma-reader")  # one thread: what it lets go of, it has for the next piece
        pieces = self.reading.pieces(self.transcriber.longest)
        hearing: list[asyncio.Task[None]] = []
        reading: asyncio.Future[Piece | None] | None = None
        try:
            while True:
                await places.acquire()
                if self.broken:
                    break
                reading = asyncio.get_running_loop().run_in_executor(reader, self._next, pieces)
                piece = await asyncio.shield(reading)
                if piece is None:
                    break
                hearing.append(asyncio.create_task(self._hear(len(hearing), piece, places)))
                reading = piece = None  # or they would hold it while the next is read
        finally:
            await _all_of([*hearing, reading] if reading else hearing)
            pieces.close()
            reader.shutdown()
        fatal = [error for each in hearing if (error := each.exception()) is not None]
        if fatal:  # what is no Exception, such as an interruption
            raise fatal[0]
        if self.broken:
            raise next((error for error in self.broken if not isinstance(error, Stopped)), self.broken[0])
        self._tell("done", self.reading.seconds - self._seconds)

    def _next(self, pieces: Iterator[Piece]) -> Piece | None:
        try:
            return next(pieces, None)
        except LumaError as error:
            self.broken.append(error)
            return None

    async def _hear(self, index: int, piece: Piece, places: asyncio.Semaphore) -> None:
        try:
            answer, outcome = await self._answer(piece)
            self.heard[index] = piece.spans, self.transcriber.read(answer)
            self._tell(outcome, piece.seconds)
        except Exception as error:  # noqa: BLE001 - raised when the others have arrived
            self.broken.append(error)
            with suppress(Stopped):
                self._tell("failed", reason=str(error))
        finally:
            places.release()

    async def _answer(self, piece: Piece) -> tuple[bytes, Outcome]:
        """What the engine hears in a piece: as it is kept, or else asked for by one process at a time, and kept."""
        key = piece.key(self.transcriber.identity)
        path = self.account.store / _KEPT / f"{key}.json"
        here = await asyncio.to_thread(self._kept, path)
        if here is not None:
            return here, "cached"
        self._tell("began")
        async with self.account.claim(key) as claimed:
            here = await asyncio.to_thread(self._kept, path)  # another may have asked meanwhile
            if here is None:
                here = await self.transcriber.transcribe(piece, claimed)
                try:
                    self.transcriber.read(here)
                except BrokenAnswerError:
                    await claimed.forget()
                    raise
                await asyncio.to_thread(files.write, path, here, durable=True)
            await claimed.forget()
        return here, "done"

    def _kept(self, path: Path) -> bytes | None:
        """An answer that is kept and whole."""
        with files.explained(path):
            try:
                answer = path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            self.transcriber.read(answer)
        except BrokenAnswerError:
            return None
        return answer

    def _tell(self, outcome: Outcome, seconds: float = 0.0, reason: str = "") -> None:
        self._seconds += seconds
        total = max(self.recording.seconds or 0.0, self.reading.seconds)
        counted = round(self._seconds), round(total)
        self.listener(Event("transcribe", *counted, self.recording.name, outcome, reason=reason))


async def _all_of(under_way: Sequence[asyncio.Future[Any]]) -> None:
    """Wait until all have ended, and for what is paid for also where somebody cancels meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    while pending := [each for each in under_way if not each.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
