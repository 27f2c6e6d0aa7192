"""Transcripts as OpenAI and Groq make them: ``vendors.spoken`` is heard, letter by letter, in whatever form it comes.

What can be heard are words of small letters and the digits 1 to 9, spoken by no special voice; all else is silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.vendors import STEP, TRANSCRIBERS, Answer, Refused, Request, json_answer, openai_error, pitch
from luma_studio.audio import codec
from luma_studio.errors import AudioError

LIMIT = 25 * 1024 * 1024
"""Bytes of a file, at most."""
_FORMS = {
    "whisper-1": ("json", "text", "srt", "verbose_json", "vtt"),
    "gpt-4o-transcribe": ("json",),
    "gpt-4o-mini-transcribe": ("json",),
    "gpt-4o-transcribe-diarize": ("json", "text", "diarized_json"),
    "whisper-large-v3": ("json", "text", "verbose_json"),
    "whisper-large-v3-turbo": ("json", "text", "verbose_json"),
}
_LONGEST = 1400  # seconds that a model of the 4o kind hears at once
_KINDS = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
_ALPHABET = {(pitch(each) - 250) // 20: each for each in "abcdefghijklmnopqrstuvwxyz123456789"}
_PITCHES = np.array([250.0 + 20 * number for number in range(37)])
_LOUD = 1500  # of which tones are well above, and echoes of codecs well below
_GAP = 0.02  # seconds; a letter's silence has three times as many
_EDGE = 0.012  # seconds at either end of a letter that are not listened to
_SENTENCE = 0.3  # seconds of silence between two segments


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: float
    end: float


def heard(samples: NDArray[np.int16], rate: int) -> list[Word]:
    """The words in a sound, with their times in seconds."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _LOUD)
    if len(loud) == 0:
        return []
    parted = np.flatnonzero(np.diff(loud) > _GAP * rate)
    starts = loud[np.concatenate([[0], parted + 1])]
    ends = loud[np.concatenate([parted, [len(loud) - 1]])] + 1
    return [
        Word(_letters(samples[start:end], rate), round(start / rate, 4), round(end / rate, 4))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


def _letters(samples: NDArray[np.int16], rate: int) -> str:
    count = max(1, round(len(samples) / rate / STEP))
    waves = _waves(rate)
    found = []
    for index in range(count):
        first = round((index * STEP + _EDGE) * rate)
        part = samples[first : first + waves.shape[1]].astype(float)
        strongest = int(np.argmax(np.abs(waves[:, : len(part)] @ part)))
        found.append(_ALPHABET.get(strongest, "?"))
    return "".join(found)


@lru_cache
def _waves(rate: int) -> NDArray[np.complex128]:
    """The tone of each pitch, as long as a letter is listened to."""
    time = np.arange(round((STEP - 2 * _EDGE) * rate)) / rate
    return np.exp(-2j * np.pi * np.outer(_PITCHES, time)) * np.hanning(len(time))


def answer(request: Request) -> Answer:
    """What POST /audio/transcriptions answers. Raises Refused."""
    form, file = _form(request)
    model = form.get("model", [""])[0]
    told = form.get("response_format", ["json"])[0]
    if len(file) > LIMIT:
        raise Refused(413, openai_error(f"413: Maximum content size limit ({LIMIT}) exceeded ({len(file)} bytes read)"))
    if model not in TRANSCRIBERS[request.vendor]:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Refused(404, openai_error(message, "model_not_found"))
    _check_form(model, told, form)
    samples, rate = _sound(file)
    seconds = len(samples) / rate
    _check_sound(model, seconds, form)
    words = heard(samples, rate)
    text = " ".join(word.text for word in words)
    usage: dict[str, Any] = {"type": "duration", "seconds": math.ceil(seconds)}
    if model.startswith("gpt"):
        asked, answered = round(seconds * 10), len(text) // 4
        usage = {"type": "tokens", "input_tokens": asked, "output_tokens": answered, "total_tokens": asked + answered}
    found: dict[str, Any] = {"text": text, "usage": usage}
    if told == "verbose_json":
        found |= _verbose(words, seconds, form.get("timestamp_granularities[]", ["segment"]))
    if told == "diarized_json":
        found |= {"task": "transcribe", "duration": seconds, "segments": list(_speakers(words))}
    return json_answer(found, charged=(text,))


def _form(request: Request) -> tuple[dict[str, list[str]], bytes]:
    """The fields of a form, and the bytes of its file."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    form: dict[str, list[str]] = {}
    file = None
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if name == "file":
            file = data
            if str(part.get_filename()).rpartition(".")[2] not in _KINDS:
                raise Refused(400, _no_format())
        else:
            form.setdefault(str(name), []).append(data.decode())
    if file is None:
        raise Refused(400, openai_error("Missing required parameter: 'file'.", param="file"))
    return form, file


def _check_form(model: str, told: str, form: dict[str, list[str]]) -> None:
    if told not in _FORMS[model]:
        message = f"response_format '{told}' is not compatible with model '{model}'. Use 'json' or 'text' instead."
        raise Refused(400, openai_error(message, "unsupported_value", param="response_format"))
    if "timestamp_granularities[]" in form and told != "verbose_json":
        raise Refused(400, openai_error("timestamp_granularities needs response_format verbose_json."))
    if model.endswith("diarize") and "prompt" in form:
        raise Refused(400, openai_error("Prompt is not supported for diarization models.", param="prompt"))


def _sound(file: bytes) -> tuple[NDArray[np.int16], int]:
    try:
        return codec.read(file)
    except AudioError:
        raise Refused(400, _no_format()) from None


def _check_sound(model: str, seconds: float, form: dict[str, list[str]]) -> None:
    if seconds < 0.1:
        message = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise Refused(400, openai_error(message, "audio_too_short", param="file"))
    if model.startswith("gpt") and seconds > _LONGEST:
        message = (
            f"audio duration {seconds} seconds is longer than {_LONGEST} seconds which is the maximum for this model"
        )
        raise Refused(400, openai_error(message, "invalid_value"))
    if model.endswith("diarize") and seconds > 30 and "chunking_strategy" not in form:
        raise Refused(400, openai_error("chunking_strategy is required for diarization models."))


def _no_format() -> Any:
    return openai_error(f"Invalid file format. Supported formats: {list(_KINDS)}", param="file")


def _verbose(words: list[Word], seconds: float, granularities: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"language": "english", "duration": round(seconds, 2)}
    if "segment" in granularities:
        found["segments"] = [
            {
                "id": number,
                "seek": 0,
                "start": each[0].start,
                "end": each[-1].end,
                "text": " " + " ".join(word.text for word in each),
                "tokens": [50364],
                "temperature": 0.0,
                "avg_logprob": -0.2,
                "compression_ratio": 1.1,
                "no_speech_prob": 0.01,
            }
            for number, each in enumerate(_segments(words))
        ]
    if "word" in granularities:
        found["words"] = [{"word": word.text, "start": word.start, "end": word.end} for word in words]
    return found


def _speakers(words: list[Word]) -> Iterator[dict[str, Any]]:
    """Segments of two who take turns."""
    for number, each in enumerate(_segments(words)):
        yield {
            "type": "transcript.text.segment",
            "id": f"seg_{number}",
            "start": each[0].start,
            "end": each[-1].end,
            "text": " ".join(word.text for word in each),
            "speaker": "AB"[number % 2],
        }


def _segments(words: list[Word]) -> list[list[Word]]:
    found: list[list[Word]] = []
    for word in words:
        if found and word.start - found[-1][-1].end < _SENTENCE:
            found[-1].append(word)
        else:
            found.append([word])
    return found


def said(request: Request) -> str:
    """What was sent to be transcribed, as it is heard."""
    samples, rate = _sound(_form(request)[1])
    return " ".join(word.text for word in heard(samples, rate))


def asked(request: Request) -> dict[str, list[str]]:
    """The fields of a request but for the file."""
    return _form(request)[0]


def file_of(request: Request) -> bytes:
    """The file that was sent."""
    return _form(request)[1]
