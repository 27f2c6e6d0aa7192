"""Whisper on this computer: embedded, and free, by faster-whisper (the extra ``luma-studio[whisper]``).

A model's files are fetched once by whoever wants it, and never by the studio in passing: they have up to some
gigabytes. https://github.com/SYSTRAN/faster-whisper
"""

from __future__ import annotations

import asyncio
import json
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from luma_studio.audio import codec
from luma_studio.errors import TranscriptError
from luma_studio.store.ledger import Account
from luma_studio.transcripts import answers, choices
from luma_studio.transcripts.base import Heard, Piece, TranscriberChoice

ENGINE = "whisper"
_SETTINGS = ("language", "times", "device", "compute", "prompt")
_EXAMPLE = "whisper:small,language=hi,compute=int8"
_LONGEST = 120.0  # seconds of a piece: a slow computer shows progress, and can be stopped, some times a minute
_INSTEAD = "Or choose a vendor's, such as openai:whisper-1 or groq:whisper-large-v3."


class WhisperTranscriber:
    """A Whisper model of this computer: ``whisper:small``, or a folder with one, ``whisper:/models/small``.

    Settings: ``language``, ``times`` (word or segment), ``device`` (cpu, cuda, auto), ``compute`` (default, int8,
    float16, …), ``prompt``. Raises SettingError for others. The model is loaded when it is first asked.
    """

    concurrency = 1
    price = Decimal(0)
    longest = _LONGEST

    def __init__(self, choice: TranscriberChoice) -> None:
        settings = choices.settings_of(choice, _SETTINGS, _EXAMPLE)
        self.choice = choice
        self._device = choices.one_of(settings, "device", "auto", ("auto", "cpu", "cuda"))
        self._compute = settings.get("compute", "default")
        self._times = choices.one_of(settings, "times", "word", ("word", "segment"))
        self._language = choices.spoken(settings)
        self._prompt = settings.get("prompt", "")
        self._loading = threading.Lock()
        self._model: Any = None
        self.identity = {
            "engine": ENGINE,
            "model": choice.model,
            "compute": self._compute,
            "times": self._times,
            "language": self._language,
            "prompt": self._prompt,
        }

    async def transcribe(self, piece: Piece, account: Account) -> bytes:
        """Hear a piece, in a thread; nothing is bought. Raises TranscriptError."""
        return await asyncio.to_thread(self._transcribed, piece)

    def read(self, answer: bytes) -> Heard:
        """What an answer says. Raises BrokenAnswerError."""
        return answers.heard(answer, str(self.choice))

    def close(self) -> None:
        """Let go of the model, which may have gigabytes."""
        with self._loading:
            self._model = None

    def _transcribed(self, piece: Piece) -> bytes:
        with self._loading:
            if self._model is None:
                self._model = self._loaded()
            model = self._model
        samples, _ = codec.read(piece.sound)
        try:
            segments, info = model.transcribe(
                samples.astype(np.float32) / 32768,
                language=self._language or None,
                initial_prompt=self._prompt or None,
                word_timestamps=self._times == "word",
                condition_on_previous_text=False,  # else one mistake goes on to the end
            )
            found = _found(list(segments), info.language)
        except (ValueError, RuntimeError) as error:  # of a language it does not have; of memory, and the device
            raise TranscriptError(f"{self.choice} could not transcribe: {_line(error)}. {_INSTEAD}") from error
        return json.dumps(found, ensure_ascii=False).encode()

    def _loaded(self) -> Any:
        try:
            from faster_whisper import WhisperModel  # noqa: PLC0415 - an extra, and slow to import
        except ImportError as error:
            raise TranscriptError(
                f"{self.choice} needs the extra luma-studio[whisper]: uv pip install 'luma-studio[whisper]'. {_INSTEAD}"
            ) from error
        model = self.choice.model
        if Path(model).is_absolute() and not Path(model).is_dir():
            raise TranscriptError(f"There is no folder {model} with a Whisper model in it. Correct {self.choice}.")
        try:
            return WhisperModel(model, device=self._device, compute_type=self._compute, local_files_only=True)
        except OSError as error:  # huggingface_hub's of files that are not here is one, too
            raise TranscriptError(
                f"The files of {ENGINE}:{model} are not on this computer. Fetch them once: python -c "
                f'"from faster_whisper import download_model; download_model({model!r})". {_INSTEAD}'
            ) from error
        except (ValueError, RuntimeError) as error:  # a name, device or kind of number that it does not know
            raise TranscriptError(f"{self.choice} cannot be loaded: {_line(error)}. {_INSTEAD}") from error


def _found(segments: list[Any], language: str) -> dict[str, Any]:
    """What it heard, in the form that vendors give it."""
    words = [word for each in segments for word in each.words or ()]
    return {
        "text": "".join(each.text for each in segments),
        "language": language,
        "segments": [{"text": each.text, "start": float(each.start), "end": float(each.end)} for each in segments],
        "words": [{"word": each.word, "start": float(each.start), "end": float(each.end)} for each in words],
    }


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
