"""Recordings as they come: any audio or video file, looked at, and streamed as the pieces that an engine is given."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from luma_studio.audio import codec
from luma_studio.audio.clip import Samples
from luma_studio.errors import AudioError, FileTooLargeError, NoSoundError, SilentError, StoreError, UnreadableError
from luma_studio.settings import recordings
from luma_studio.store import files
from luma_studio.transcripts.base import RATE, Piece
from luma_studio.transcripts.cutting import Part, parts

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that has sound in it: its ``name`` as it can be shown, and how many ``seconds`` it says that it lasts."""

    path: Path
    name: str
    seconds: float | None


def look(path: Path) -> Recording:
    """Look at a file before anything is done with it; nothing is decoded.

    Raises FileTooLargeError (``MAX_FILE_SIZE_MB``), UnreadableError, NoSoundError, StoreError where it may not be read.
    """
    name = files.name_from(path.name)
    try:
        size = path.stat().st_size if path.is_file() else None
    except (OSError, ValueError) as error:
        raise StoreError(f"{name} cannot be looked at: {error}.") from error
    if size is None:
        raise UnreadableError(f"{name} is no file that is here. Choose an audio or video file.")
    if size == 0:
        raise UnreadableError(f"{name} is empty: its upload or recording was broken off. Give it once more.")
    most = recordings().max_file_size_mb
    if size > most * _MB:
        raise FileTooLargeError(
            f"{name} has {size / _MB:.1f} MB, and {most:g} MB may be. Give its sound alone, as an MP3, or raise "
            "MAX_FILE_SIZE_MB."
        )
    try:
        return Recording(path, name, codec.lasts(path))
    except NoSoundError as error:
        raise _soundless(name) from error
    except AudioError as error:
        raise UnreadableError(
            f"{name} is no audio or video that can be read here, or it is damaged at its beginning. Save it anew as "
            "MP4, MP3 or WAV, and give that."
        ) from error


class Reading:
    """A recording while it is read. ``seconds`` is how much of it was decoded so far."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._decoded = 0

    @property
    def seconds(self) -> float:
        """How much was decoded so far."""
        return self._decoded / RATE

    def pieces(self, longest: float) -> Generator[Piece, None, None]:
        """Its pieces, each of at most ``longest`` seconds, without long silences, read as they are asked for.

        Raises UnreadableError where it is damaged, NoSoundError, SilentError where nothing is heard in all of it.
        """
        heard = False
        for part in parts(self._sound(), longest):
            heard = True
            yield packed(part)
        if not heard:
            raise SilentError(
                f"In {self._recording.name} nothing is heard: it is silent. Choose another recording, or look at the "
                "microphone."
            )

    def _sound(self) -> Iterator[Samples]:
        name = self._recording.name
        try:
            for samples in codec.decode(self._recording.path, RATE, timed=True):
                self._decoded += len(samples)
                yield samples
        except NoSoundError as error:
            raise _soundless(name) from error
        except AudioError as error:
            raise UnreadableError(
                f"{name} is damaged after {clock(self.seconds)}. Save it anew, or cut it there; what was transcribed "
                "of it is kept and is not bought again."
            ) from error


def packed(part: Part) -> Piece:
    """The part as it is given to an engine: without loss, in a third to a half of its size."""
    sound = io.BytesIO()
    codec.encode([part.samples], sound, "flac", RATE)
    digest = hashlib.sha256(part.samples.astype("<i2", copy=False).data).hexdigest()
    return Piece(sound.getvalue(), len(part.samples) / RATE, digest, part.spans)


def _soundless(name: str) -> NoSoundError:
    return NoSoundError(f"{name} has no sound in it. Choose a recording with a sound track, or type what is said.")


def clock(seconds: float) -> str:
    """A time as players show it, such as 1:02:03."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"
