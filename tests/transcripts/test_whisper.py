"""Whisper on this computer, with faster-whisper faked at its edge: what it is asked, and what is missing."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.recordings import record, words
from helpers.transcripts import heard

from luma_studio.errors import TranscriptError
from luma_studio.transcripts.base import RATE

LINES = [(0.2, "hello there"), (2.5, "one more thing")]
MANY = [(float(second), f"line {second % 9 + 1}") for second in range(250)]


@dataclass
class Faked:
    """What stands for the module: ``made`` are the arguments of each model, ``asked`` of each piece."""

    made: list[dict[str, Any]]
    asked: list[dict[str, Any]]
    error: Exception | None = None


@pytest.fixture
def whisper(monkeypatch) -> Faked:
    faked = Faked([], [])
    busy = threading.Lock()

    class WhisperModel:
        def __init__(self, model: str, **options: Any) -> None:
            faked.made.append({"model": model, **options})
            if faked.error is not None:
                raise faked.error

        def transcribe(self, audio: np.ndarray, **options: Any) -> Any:
            assert busy.acquire(blocking=False), "two at once"
            assert audio.dtype == np.float32
            assert np.abs(audio).max() <= 1
            faked.asked.append({"seconds": len(audio) / RATE, **options})
            found = heard((audio * 32768).astype(np.int16), RATE)
            return self._segments(found, timed=options["word_timestamps"]), SimpleNamespace(language="en")

        def _segments(self, found: Any, *, timed: bool) -> Any:
            """Told one by one, as the real one does, while it still listens."""
            try:
                for each in found:
                    word = SimpleNamespace(word=f" {each.text}", start=np.float64(each.start), end=np.float64(each.end))
                    words = [word] if timed else None
                    yield SimpleNamespace(text=f" {each.text}", start=each.start, end=each.end, words=words)
            finally:
                busy.release()

    module = ModuleType("faster_whisper")
    module.WhisperModel = WhisperModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", module)
    return faked


def test_it_hears_with_times_and_nothing_is_bought_or_sent(whisper, hears, studio):
    path = record(Path("pitch.mp4"), LINES, 5.0)
    transcript = hears(path, "whisper:small")
    assert (transcript.text, transcript.language, transcript.times) == ("hello there one more thing", "en", "word")
    for word, known in zip(transcript.words, words(LINES), strict=True):
        assert (word.text, word.start, word.end) == (
            known.text,
            pytest.approx(known.start, abs=0.004),
            pytest.approx(known.end, abs=0.004),
        )
    assert whisper.made == [
        {"model": "small", "device": "auto", "compute_type": "default", "local_files_only": True}
    ]  # which fetches nothing
    assert studio.ledger.entries() == []


def test_what_was_chosen_is_what_it_is_asked(whisper, hears):
    path = record(Path("pitch.wav"), LINES, 5.0)
    hears(path, "whisper:small,language=en-GB,times=segment,device=cpu,compute=int8,prompt=Luma, Series A")
    assert (whisper.made[0]["device"], whisper.made[0]["compute_type"]) == ("cpu", "int8")
    (asked,) = whisper.asked
    assert (asked["language"], asked["initial_prompt"], asked["word_timestamps"]) == ("en", "Luma, Series A", False)


def test_a_long_recording_is_heard_in_pieces_by_one_model_and_what_was_heard_is_kept(whisper, hears):
    path = record(Path("pitch.wav"), MANY, 251.0)
    transcript = hears(path, "whisper:small")
    assert transcript.text == " ".join(text for _, text in MANY)
    assert len(whisper.made) == 1
    assert len(whisper.asked) == 3
    assert all(asked["seconds"] <= 120 for asked in whisper.asked)
    assert hears(path, "whisper:small") == transcript
    assert len(whisper.asked) == 3


def test_without_the_extra_it_says_how_to_get_it(monkeypatch, hears):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    path = record(Path("pitch.wav"), LINES, 5.0)
    with pytest.raises(
        TranscriptError,
        match=r"^whisper:small needs the extra luma-studio\[whisper\]: uv pip install 'luma-studio\[whisper\]'\. Or",
    ):
        hears(path, "whisper:small")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (FileNotFoundError("no snapshot"), r"files of whisper:small are not on this computer. Fetch them once: python"),
        (OSError("offline"), r"files of whisper:small are not on this computer"),
        (
            ValueError("Invalid model size 'small',\n expected tiny."),
            r"cannot be loaded: Invalid model size 'small', e",
        ),
        (RuntimeError("CUDA driver is too old"), r"whisper:small cannot be loaded: CUDA driver is too old\. Or choose"),
    ],
)
def test_a_model_that_cannot_be_loaded_says_why(whisper, hears, error, says):
    whisper.error = error
    path = record(Path("pitch.wav"), LINES, 5.0)
    with pytest.raises(TranscriptError, match=says):
        hears(path, "whisper:small")
    whisper.error = None
    assert hears(path, "whisper:small").words


def test_a_folder_without_a_model_says_so(whisper, hears, workspace):
    path = record(Path("pitch.wav"), LINES, 5.0)
    with pytest.raises(TranscriptError, match=r"There is no folder /nowhere/small with a Whisper model in it"):
        hears(path, "whisper:/nowhere/small")
    assert hears(path, f"whisper:{workspace}").words


def test_nothing_of_it_is_imported_before_it_is_asked(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    assert make("whisper:small").price == 0
