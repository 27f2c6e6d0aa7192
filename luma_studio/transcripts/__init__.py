"""Transcripts: what is said in an audio or video file, and when. ``make_transcriber`` makes an engine from its choice.

>>> transcriber = make_transcriber(choice_of(settings), studio.wires, settings.minute_price)    # doctest: +SKIP
>>> transcript = await transcribe("pitch.mp4", transcriber, studio.account("pitch"))            # doctest: +SKIP
"""

from __future__ import annotations

from luma_studio.errors import SettingError
from luma_studio.settings import Settings
from luma_studio.transcripts.base import Segment, TimedWord, Transcriber, TranscriberChoice, Transcript
from luma_studio.transcripts.openai import HOMES, OpenAITranscriber, Price
from luma_studio.transcripts.transcribing import Quote, quote, transcribe
from luma_studio.transcripts.whisper import ENGINE as WHISPER
from luma_studio.transcripts.whisper import WhisperTranscriber
from luma_studio.wire import Wires

__all__ = [
    "ENGINES",
    "Quote",
    "Segment",
    "TimedWord",
    "Transcriber",
    "TranscriberChoice",
    "Transcript",
    "choice_of",
    "make_transcriber",
    "quote",
    "transcribe",
]

ENGINES = (*HOMES, WHISPER)


def choice_of(settings: Settings) -> TranscriberChoice:
    """Who transcribes where nothing else is said (``LUMA_TRANSCRIBER``). Raises SettingError where nobody does."""
    if not settings.transcriber.strip():
        raise SettingError(
            "No transcriber is chosen. Put LUMA_TRANSCRIBER=openai:whisper-1, groq:whisper-large-v3 or, on this "
            "computer, whisper:small into .env; or type what is said."
        )
    return TranscriberChoice.parse(settings.transcriber)


def make_transcriber(choice: TranscriberChoice, wires: Wires, price: Price) -> Transcriber:
    """The transcriber that was chosen. Raises SettingError for an engine or setting that does not exist."""
    if choice.engine == WHISPER:
        return WhisperTranscriber(choice)
    if choice.engine in HOMES:
        return OpenAITranscriber(choice, wires, price)
    raise SettingError(f"There is no transcriber {choice.engine!r}. There are: {', '.join(ENGINES)}.")
