"""The vendors as far as the studio asks them, on one loopback port, with bad manners on request.

ElevenLabs, OpenAI and Groq are here; those of film have a module each beside this one, and answer through it.

A vendor is a path prefix, so each has an address of its own. What is spoken is real audio whose character times are
known exactly: ``spoken`` is the pure function behind it, for tests that compare. Shapes and rules follow VENDORS.md
and the vendors' OpenAPI files; where these are at hand ``violations`` holds what a request did outside of them.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import itertools
import json
import re
import threading
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import av
import lameenc
import numpy as np
from numpy.typing import NDArray

from luma_studio.audio import codec, mp3

PREFIXES = {
    "elevenlabs": "/elevenlabs",
    "openai": "/openai/v1",
    "groq": "/groq/openai/v1",
    "heygen": "/heygen",
    "freepik": "/freepik",
    "creatomate": "/creatomate",
    "results": "/results",  # where film vendors keep what they made: no key is shown there
}
KEYS = {name: f"sk-test-{name}-0123456789" for name in PREFIXES if name != "results"}
_HEADERS = {"elevenlabs": "xi-api-key", "heygen": "x-api-key", "freepik": "x-freepik-api-key"}  # others: authorization

VOICES = {
    "21m00Tcm4TlvDq8ikWAM": "Rachel",
    "29vD33N1CtxCmqQRPOHJ": "Drew",
    "2EiwWnXFnvU5JabPnv8n": "Clyde",
    "5Q0t7uMcjvnagumLfvZi": "Paul",
    "9BWtsMINqrJLrRacOk9x": "Aria",
    "AZnzlk1XvdvUeBnXmlld": "Domi",
    "CYw3kZ02Hs0563khs1Fj": "Dave",
    "CwhRBWXzGAHq8TQ4Fs17": "Roger",
    "D38z5RcWu1voky8WS1ja": "Fin",
    "EXAVITQu4vr4xnSDxMaL": "Sarah",
    "ErXwobaYiN019PkySvjV": "Antoni",
    "GBv7mTt0atIp3Br8iCZE": "Thomas",
}
"""The ElevenLabs voices of the account, by id."""

OPENAI_VOICES = ("alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse")

TRANSCRIBERS = {
    "openai": ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"),
    "groq": ("whisper-large-v3", "whisper-large-v3-turbo"),
}
"""The models that transcribe."""

MODELS = {
    "openai": ("gpt-5.5", "gpt-5.4-mini", "gpt-4o-mini-tts", "tts-1", "tts-1-hd", *TRANSCRIBERS["openai"]),
    "groq": ("llama-3.3-70b-versatile", "openai/gpt-oss-120b", "playai-tts", *TRANSCRIBERS["groq"]),
}

_PAGE = 8  # voices on a page, however many were asked for, so that there are two
_PIECE = 0.1  # seconds of audio in a streamed piece
_LINE = 8  # characters in a line of a streamed answer with times

_NO_KEY = {
    "elevenlabs": ("missing_api_key", "No API key was provided. Send it as the xi-api-key header."),
    "openai": (
        None,
        "You didn't provide an API key. You need to provide it in an Authorization header using Bearer auth.",
    ),
    "groq": ("invalid_api_key", "Invalid API Key"),
}


# What is spoken

LEAD = 0.04
"""Seconds of silence before the first character and after the last."""
STEP = 0.06
"""Seconds of a character: a tone for a letter, a mark or a digit, silence for all else."""

_BREAK = re.compile(r'<break time="([\d.]+)s"\s*/>')
_TAG = re.compile(r"\[[^\]\n]*\]")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Sound, int16 of shape (n,), and the samples at which each character of the text begins and ends."""

    text: str
    samples: NDArray[np.int16]
    rate: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def alignment(self) -> dict[str, list[Any]]:
        """Characters with their times in seconds, as ElevenLabs tells them."""
        return _alignment(self.text, self.starts, self.ends, self.rate)


def pitch(character: str, voice: str = "", seed: int = 0) -> float:
    """The tone of a character in Hz, between 250 and 1,200."""
    return 250.0 + ord(character) % 37 * 20 + zlib.crc32(voice.encode()) % 10 * 20 + seed % 19


@lru_cache(maxsize=256)
def spoken(
    text: str, rate: int = 44100, *, voice: str = "", seed: int = 0, speed: float = 1.0, model: str = ""
) -> Spoken:
    """Speak a text: ``LEAD`` of silence, ``STEP`` a character (divided by ``speed``), ``LEAD`` of silence.

    A v3 model does not speak ``[tags]``, all others do not speak ``<break time="1s"/>`` but are silent for that long;
    the characters of what is not spoken take no time, but for the last of a break, which takes it all.
    """
    lengths = _lengths(text, rate, speed, v3=model.startswith("eleven_v3"))
    lead = round(LEAD * rate)
    edges = list(itertools.accumulate(lengths, initial=lead))
    samples = np.zeros(edges[-1] + lead, np.int16)
    for character, start, end in zip(text, edges, edges[1:], strict=False):
        if end > start and _sounds(character):
            samples[start:end] = _tone(pitch(character, voice, seed), end - start, rate)
    samples.flags.writeable = False
    return Spoken(text, samples, rate, tuple(edges[:-1]), tuple(edges[1:]))


def _lengths(text: str, rate: int, speed: float, *, v3: bool) -> list[int]:
    lengths = [round(STEP * rate / speed)] * len(text)
    for unspoken in (_TAG if v3 else _BREAK).finditer(text):
        lengths[slice(*unspoken.span())] = [0] * len(unspoken[0])
        if not v3:
            lengths[unspoken.end() - 1] = round(float(unspoken[1]) * rate)
    return lengths


def _sounds(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


@lru_cache(maxsize=1024)
def _tone(hertz: float, length: int, rate: int) -> NDArray[np.int16]:
    """A cosine: it begins at its peak, so that the first sample of a character can be told from silence."""
    return np.int16(9000 * np.cos(2 * np.pi * hertz * np.arange(length) / rate))


def _alignment(text: str, starts: tuple[int, ...], ends: tuple[int, ...], rate: int) -> dict[str, list[Any]]:
    return {
        "characters": list(text),
        "character_start_times_seconds": [round(sample / rate, 6) for sample in starts],
        "character_end_times_seconds": [round(sample / rate, 6) for sample in ends],
    }


def encoded(samples: NDArray[np.int16], form: str) -> bytes:
    """The samples in a format of ElevenLabs such as mp3_44100_128, pcm_24000 or wav_44100, whose rate they have."""
    kind, rate, *kbps = form.split("_")
    match kind:
        case "pcm":
            return samples.astype("<i2").tobytes()
        case "wav":
            file = BytesIO()
            codec.encode([samples], file, "wav", int(rate))
            return file.getvalue()
        case "mp3":
            return _mp3(samples, int(rate), int(kbps[0]))
        case "opus":
            return _opus(samples, int(rate), int(kbps[0]))
    raise LookupError(f"the fake does not speak {form}")


def _mp3(samples: NDArray[np.int16], rate: int, kbps: int) -> bytes:
    if rate in mp3.RATES and kbps >= 64:
        run = mp3.encode_run(samples, rate, kbps)
        return b"".join(mp3.write_stream([mp3.Run(0, len(run), lambda: run)], len(samples), rate, kbps))
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    encoder.set_bit_rate(kbps)
    encoder.set_quality(7)
    return bytes(encoder.encode(samples.astype("<i2").tobytes())) + bytes(encoder.flush())


def _opus(samples: NDArray[np.int16], rate: int, kbps: int) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48000, layout="mono")
        stream.bit_rate = kbps * 1000
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


def _openai_audio(samples: NDArray[np.int16], form: str) -> bytes:
    """OpenAI's formats, at 24,000 Hz (Opus 48,000). Its WAV is streamed: the sizes in its header are not known."""
    match form:
        case "pcm":
            return encoded(samples, "pcm_24000")
        case "mp3":
            return encoded(samples, "mp3_24000_128")
        case "opus":
            return encoded(samples, "opus_24000_64")
        case "wav":
            known = encoded(samples, "wav_24000")
            return known[:4] + b"\xff" * 4 + known[8:40] + b"\xff" * 4 + known[44:]
        case "flac" | "aac":
            file = BytesIO()
            codec.encode([samples], file, form, 24000)
            return file.getvalue()
    raise LookupError(f"the fake does not speak {form}")


# What is asked and answered


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the vendor got it: ``path`` is without the vendor's prefix, ``headers`` have small letters."""

    vendor: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    at: float
    """When it had come whole, by ``time.monotonic()``."""

    @property
    def json(self) -> Any:
        """What the body says; None where there is none, or it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that it asks to be spoken."""
        match self.json:
            case {"inputs": [*lines]}:
                return tuple(line["text"] for line in lines)
            case {"text": str() as text} | {"input": str() as text}:
                return (text,)
        return ()


@dataclass(frozen=True, slots=True)
class Fault:
    """How an answer goes wrong.

    ``status``, ``body`` (bytes as they are, a str in UTF-8, anything else as JSON) and ``headers`` stand in place of
    the good answer's; what is None stays good. ``how`` says what becomes of it: it is sent, nothing comes, only
    its first half comes, the connection is cut, or it is ``endless``: its body and then two gigabytes of zeros.
    What hangs goes on after ``Vendors.release()``. ``charged``: whether the work was done and is paid for;
    None means that all is paid for that is not refused. ``at`` is the piece of a streamed body before which it hangs
    or is cut; None is the middle one.
    """

    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    how: Literal["sent", "hang", "hang in body", "cut", "cut in body", "endless"] = "sent"
    charged: bool | None = None
    at: int | None = None

    @property
    def is_charged(self) -> bool:
        """Whether the vendor does the work of the request, and has it paid."""
        return (self.status or 200) < 300 if self.charged is None else self.charged


@dataclass(frozen=True, slots=True)
class Said:
    """A mind's answer that is not just its content; ``finish`` is length, content_filter, …"""

    content: str | None = None
    refusal: str | None = None
    finish: str = "stop"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: ``pieces`` are sent one after the other, ``pace`` apart: more than one makes a streamed answer."""

    status: int
    pieces: tuple[bytes, ...]
    headers: Mapping[str, str]
    charged: tuple[str, ...] = ()


def json_answer(found: Any, status: int = 200, *, charged: tuple[str, ...] = ()) -> Answer:
    body = json.dumps(found, ensure_ascii=False).encode()
    return Answer(status, (body,), {"content-type": "application/json"}, charged)


class Refused(Exception):  # noqa: N818 - it is an answer
    """Raised where an endpoint finds that the vendor would refuse."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.answer = json_answer(body, status)


def elevenlabs_error(code: str, message: str, kind: str = "validation_error", param: str | None = None) -> Any:
    """The body of an ElevenLabs error in its newest shape."""
    return {"detail": {"type": kind, "code": code, "message": message, "status": code, "param": param}}


def openai_error(
    message: str, code: str | None = None, kind: str = "invalid_request_error", param: str | None = None
) -> Any:
    """The body of an error of OpenAI, and of Groq."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


class Film(Protocol):
    """A vendor of film: its module is beside this one."""

    def answer(self, request: Request) -> Answer:
        """The answer to a request with the right key. Raises Refused."""
        ...

    def result(self, name: str) -> Answer:
        """What it made, by the last part of its address."""
        ...

    def refusal(self, status: int, code: str, message: str) -> Any:
        """The body of an error in its shape."""
        ...


def _nobody_thinks(_request: Request) -> str:
    raise AssertionError("A mind was asked, and the test set none: vendors.mind = lambda request: ...")


@dataclass(slots=True)
class _Misbehaviour:
    fault: Fault
    times: int
    when: Callable[[Request], bool]


class Vendors:
    """The vendors, from ``start`` (or ``with``) to ``stop``; attributes may be set and read at any time.

    ``bought`` counts what was spoken and charged, by text; ``thought`` the answers of minds, by vendor. ``requests``
    are all that came, ``busiest`` is how many were worked on at once, at most, by vendor, and ``left`` counts clients
    that went before they had their answer. ``sent`` has, for each answer, when its pieces were, by
    ``time.monotonic()``. GET requests and refusals take no ``delay``, and count for no bound.
    """

    def __init__(self, check: Callable[[Request], str | None] = lambda _request: None) -> None:
        self.delay = 0.0
        """Seconds that a call takes, until the answer begins."""
        self.pace = 0.0
        """Seconds between two pieces of a streamed answer."""
        self.at_once: int | None = 10
        """How many calls a vendor bears; None bears any number and tells no limit."""
        self.elsewhere = 0
        """How many calls of the same account others have under way."""
        self.mind: Callable[[Request], str | Said] = _nobody_thinks
        """What a model answers; it is called on the server's thread."""
        self.tier = "pro"
        self.voices = dict(VOICES)
        """The names of the ElevenLabs voices, by id."""
        self.character_limit = 1_000_000
        self.limits = {"eleven_multilingual_v2": 10_000, "eleven_flash_v2_5": 40_000, "eleven_v3": 3_000}
        """The most characters of a request, by ElevenLabs model; the models that there are."""

        self.film: dict[str, Film] = {}
        """The vendors of film, by name."""
        self.requests: list[Request] = []
        self.bought: Counter[str] = Counter()
        self.thought: Counter[str] = Counter()
        self.busiest: Counter[str] = Counter()
        self.left = 0
        self.sent: list[list[float]] = []
        self._busy: Counter[str] = Counter()
        self._ids = itertools.count(1)
        self._faults: list[_Misbehaviour] = []
        self._check = check
        self._unchecked: list[Request] = []
        self._violations: list[str] = []
        self._thread: threading.Thread | None = None
        self._connections: dict[asyncio.StreamWriter, bool] = {}  # whether one waits for its next request

    # for tests

    @property
    def port(self) -> int:
        """Where they listen on 127.0.0.1."""
        return self._port

    def address(self, vendor: str) -> str:
        """The base address of a vendor: elevenlabs, openai or groq."""
        return f"http://127.0.0.1:{self.port}{PREFIXES[vendor]}"

    def misbehave(self, fault: Fault, times: int = 1, when: Callable[[Request], bool] = lambda _request: True) -> None:
        """Let the next requests of which ``when`` is true go wrong, ``times`` of them; several are used up in order."""
        self._faults.append(_Misbehaviour(fault, times, when))

    def calm_down(self) -> None:
        """Misbehave no more."""
        self._faults.clear()

    def release(self) -> None:
        """Let all go on that hangs now or, where nothing does yet, what hangs next."""
        self._loop.call_soon_threadsafe(self._release)

    def hang_up(self) -> None:
        """Close the connections on which nothing is under way, as servers do after a while; returns when it is done."""

        async def closed() -> None:
            for writer in [writer for writer, idle in self._connections.items() if idle]:
                writer.close()
                await writer.wait_closed()

        asyncio.run_coroutine_threadsafe(closed(), self._loop).result()

    def seen(self, ending: str = "", vendor: str = "") -> list[Request]:
        """The requests whose path ends like this, to one vendor or all."""
        return [each for each in self.requests if each.path.endswith(ending) and vendor in ("", each.vendor)]

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    @property
    def violations(self) -> list[str]:
        """What requests did outside their vendor's contract, and where the fake itself failed."""
        while self._unchecked:
            if problem := self._check(self._unchecked.pop(0)):
                self._violations.append(problem)
        return self._violations

    # life

    def start(self) -> None:
        """Listen; returns when they do."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="fake-vendors")
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the fake vendors did not start")

    def stop(self) -> None:
        """Cut all connections, and wait for the thread's end."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(10)
            assert not self._thread.is_alive(), "the fake vendors did not stop"
            self._thread = None

    def __enter__(self) -> Vendors:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._released = asyncio.Event()
        self._hanging = 0
        self._is_owed = False  # a release for which nothing hung
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=512)
        self._port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._ended.wait()
        server.close()
        for writer in self._connections:
            writer.transport.abort()  # which ends whatever is done for it
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    def _release(self) -> None:
        self._is_owed = not self._hanging
        self._released.set()
        self._released = asyncio.Event()

    async def _hang(self) -> None:
        if self._is_owed:
            self._is_owed = False
            return
        self._hanging += 1
        try:
            await self._released.wait()
        finally:
            self._hanging -= 1

    # a connection

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun = b""
        try:
            while not self._ended.is_set():
                self._connections[writer] = True
                head = begun + await reader.readuntil(b"\r\n\r\n")
                self._connections[writer] = False
                begun = await self._served(await _received(head, reader), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, _Cut):
            pass  # the end of a connection, wherever it comes
        except Exception as error:  # noqa: BLE001 - it fails the test at its end
            self._violations.append(f"The fake failed: {error!r}")
        finally:
            self._connections.pop(writer, None)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _served(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Answer, unless the client goes first; gives what was read ahead of the next request."""
        self.requests.append(request)
        self._unchecked.append(request)
        answering = asyncio.ensure_future(self._answered(request, writer))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if _left(answering, leaving):
                self.left += 1
                raise _Cut
            await answering
            return leaving.result() if leaving.done() else b""
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def _answered(self, request: Request, writer: asyncio.StreamWriter) -> None:
        fault = self._due(request)
        answer = self._decided(request, fault)
        works = request.method == "POST" and (fault is not None or answer.status < 400)  # a refusal takes no time
        self._busy[request.vendor] += works
        self.busiest[request.vendor] = max(self.busiest[request.vendor], self._busy[request.vendor])
        try:
            answer = self._with_headers(answer, request)
            if works:
                await asyncio.sleep(request.at + self.delay - time.monotonic())
            await self._sent(answer, fault or Fault(), writer)
        finally:
            self._busy[request.vendor] -= works

    def _due(self, request: Request) -> Fault | None:
        for each in self._faults:
            if each.times > 0 and each.when(request):
                each.times -= 1
                return each.fault
        return None

    def _decided(self, request: Request, fault: Fault | None) -> Answer:
        """The answer, with what it costs counted."""
        if fault is not None and not fault.is_charged:
            good = Answer(200, (b"",), {})
        else:
            good = self._good(request)
            self.bought.update(good.charged)
        if fault is None:
            return good
        pieces, kind = good.pieces, dict(good.headers)
        if fault.body is not None or good.pieces == (b"",):
            pieces = (_bytes_of(fault.body),)
            kind["content-type"] = "application/json" if isinstance(fault.body, dict | list) else "text/plain"
        return replace(
            good,
            status=fault.status or good.status,
            pieces=pieces,
            headers={**kind, **{name.lower(): told for name, told in fault.headers.items()}},
        )

    def _good(self, request: Request) -> Answer:
        try:
            self._check_key(request)
            self._check_busy(request)
            if request.vendor == "results":
                _, vendor, name = request.path.split("/")
                return self.film[vendor].result(name)
            if request.vendor in self.film:
                return self.film[request.vendor].answer(request)
            if request.vendor == "elevenlabs":
                return self._elevenlabs(request)
            return self._openai(request)
        except Refused as refused:
            return refused.answer
        except Exception as error:  # noqa: BLE001 - it fails the test at its end
            self._violations.append(f"The fake failed at {request.method} {request.path}: {error!r}")
            return json_answer(openai_error(f"The fake failed: {error!r}"), 500)

    def _with_headers(self, answer: Answer, request: Request) -> Answer:
        number = f"req_{next(self._ids)}"
        headers = {"x-request-id": number}
        if request.vendor == "elevenlabs":
            headers = {"request-id": number}
            if answer.charged:
                headers["character-cost"] = str(sum(map(len, answer.charged)))
            if self.at_once is not None and request.method == "POST":
                headers["current-concurrent-requests"] = str(
                    min(self._busy[request.vendor] + self.elsewhere, self.at_once)
                )
                headers["maximum-concurrent-requests"] = str(self.at_once)
        return replace(answer, headers={**headers, **answer.headers})

    async def _sent(self, answer: Answer, fault: Fault, writer: asyncio.StreamWriter) -> None:
        """Put the answer on the wire, as well as the fault allows."""
        how = fault.how
        if how == "hang":
            await self._hang()
        if how == "cut":
            raise _Cut
        streamed = len(answer.pieces) > 1 or how == "endless"
        pieces = answer.pieces if streamed or not how.endswith("in body") else _halves(answer.pieces[0])
        writer.write(_head(answer, streamed=streamed))
        wrap = _chunk if streamed else bytes
        self.sent.append(sent := [])
        middle = len(pieces) // 2 if fault.at is None else fault.at
        for index, piece in enumerate(pieces):
            if index and self.pace:
                await asyncio.sleep(self.pace)
            if index == middle and how == "hang in body":
                await self._hang()
            if index == middle and how == "cut in body":
                raise _Cut
            sent.append(time.monotonic())
            writer.write(wrap(piece))
            await writer.drain()
        if how == "endless":
            await _flood(writer)
        if streamed:
            writer.write(b"0\r\n\r\n")
        await writer.drain()

    def _check_busy(self, request: Request) -> None:
        busy = self._busy[request.vendor] + self.elsewhere
        if request.method == "POST" and self.at_once is not None and busy >= self.at_once:
            told = _TOO_MANY.get(request.vendor)
            raise Refused(429, told or self.film[request.vendor].refusal(429, "rate_limit_exceeded", "Slow down."))

    def _check_key(self, request: Request) -> None:
        if request.path.startswith("/previews/") or request.vendor == "results":
            return
        if not request.vendor:
            raise LookupError("this is no vendor's address")
        header = _HEADERS.get(request.vendor, "authorization")
        shown = request.headers.get(header, "").removeprefix("Bearer ")
        if shown == KEYS[request.vendor]:
            return
        if request.vendor in self.film:
            raise Refused(401, self.film[request.vendor].refusal(401, "unauthorized", "Invalid API key"))
        if not shown:
            code, message = _NO_KEY[request.vendor]
        elif request.vendor == "openai":
            code, message = "invalid_api_key", f"Incorrect API key provided: {shown[:7]}***{shown[-4:]}."
        else:
            code, message = "invalid_api_key", "Invalid API key"
        if request.vendor == "elevenlabs":
            raise Refused(401, elevenlabs_error(str(code), message, "authentication_error"))
        raise Refused(401, openai_error(message, code))

    # ElevenLabs

    def _elevenlabs(self, request: Request) -> Answer:
        match request.method, *request.path.strip("/").split("/"):
            case "POST", "v1", "text-to-speech", voice, *rest:
                return self._speech(request, voice, "/".join(rest))
            case "POST", "v1", "text-to-dialogue", *rest:
                return self._dialogue(request, "/".join(rest))
            case "GET", "v2", "voices":
                return self._voices(request)
            case "GET", "v1", "models":
                return json_answer([_model(name, most) for name, most in self.limits.items()])
            case "GET", "v1", "user":
                return json_answer(self._user())
            case "GET", "previews", name:
                sound = encoded(spoken("preview", voice=name.removesuffix(".mp3")).samples, "mp3_44100_128")
                return Answer(200, (sound,), {"content-type": "audio/mpeg"})
        raise Refused(404, {"detail": "Not Found"})

    def _speech(self, request: Request, voice: str, rest: str) -> Answer:
        asked = request.json
        if not isinstance(asked, dict) or not isinstance(asked.get("text"), str):
            raise Refused(422, {"detail": [{"loc": ["body", "text"], "msg": "Field required", "type": "missing"}]})
        model = asked.get("model_id") or "eleven_multilingual_v2"
        self._check_speech(asked, model, [voice], [asked["text"]])
        if model.startswith("eleven_v3") and (asked.get("previous_request_ids") or asked.get("next_request_ids")):
            message = (
                f"Providing previous_request_ids or next_request_ids is not yet supported with the '{model}' model."
            )
            raise Refused(400, elevenlabs_error("unsupported_model", message, param="model_id"))
        form, rate = self._format(request)
        speed = (asked.get("voice_settings") or {}).get("speed") or 1.0
        said = spoken(asked["text"], rate, voice=voice, seed=asked.get("seed") or 0, speed=speed, model=model)
        return _speech_answer(said, form, rest, None)

    def _dialogue(self, request: Request, rest: str) -> Answer:
        asked = request.json
        if not isinstance(asked, dict) or not asked.get("inputs"):
            raise Refused(422, {"detail": [{"loc": ["body", "inputs"], "msg": "Field required", "type": "missing"}]})
        model = asked.get("model_id") or "eleven_v3"
        lines = [(line["text"], line["voice_id"]) for line in asked["inputs"]]
        self._check_speech(asked, model, [voice for _, voice in lines], [text for text, _ in lines])
        if len({voice for _, voice in lines}) > 10:
            raise Refused(400, elevenlabs_error("too_many_voices", "A dialogue may have at most 10 voices."))
        if sum(len(text) for text, _ in lines) > 2000:
            raise Refused(400, elevenlabs_error("text_too_long", "The text of all inputs exceeds 2000 characters."))
        form, rate = self._format(request)
        parts = [spoken(text, rate, voice=voice, seed=asked.get("seed") or 0, model=model) for text, voice in lines]
        said, segments = _joined(parts, [voice for _, voice in lines])
        return replace(_speech_answer(said, form, rest, segments), charged=tuple(text for text, _ in lines))

    def _check_speech(self, asked: Mapping[str, Any], model: str, voices: list[str], texts: list[str]) -> None:
        """What is refused for speech and dialogue alike."""
        for voice in voices:
            if voice not in self.voices:
                raise Refused(
                    404,
                    elevenlabs_error("voice_not_found", f"A voice with voice_id {voice} was not found.", "not_found"),
                )
        if model not in self.limits:
            raise Refused(404, elevenlabs_error("model_not_found", f"Model {model} does not exist.", "not_found"))
        count, most = sum(map(len, texts)), self.limits[model]
        if not all(text.strip() for text in texts):
            raise Refused(400, elevenlabs_error("empty_text", "The text must not be empty.", param="text"))
        if count > most:
            message = f"A text with a maximum of {most} characters is allowed for this model; you sent {count}."
            raise Refused(400, elevenlabs_error("text_too_long", message, param="text"))
        for name in ("previous_request_ids", "next_request_ids"):
            if len(asked.get(name) or ()) > 3:
                raise Refused(400, elevenlabs_error("too_many_request_ids", f"At most 3 {name} are allowed."))
        if sum(len(text) * number for text, number in self.bought.items()) + count > self.character_limit:
            message = "Your account does not have enough credits for this operation."
            raise Refused(402, elevenlabs_error("insufficient_credits", message, "payment_required"))

    def _format(self, request: Request) -> tuple[str, int]:
        form = request.query.get("output_format", "mp3_44100_128")
        if not re.fullmatch(r"(mp3|pcm|wav|opus)(_\d+)+", form):
            problem = {"loc": ["query", "output_format"], "msg": f"{form!r} is not a permitted value", "type": "enum"}
            raise Refused(422, {"detail": [problem]})
        if re.fullmatch(r"(pcm|wav)_(44100|48000)", form) and self.tier in ("free", "starter", "creator"):
            message = f"Your subscription does not allow the output format {form}; it needs Pro or above."
            raise Refused(403, elevenlabs_error("output_format_not_allowed", message, "authorization_error"))
        if form.endswith("_192") and self.tier in ("free", "starter"):
            message = f"Your subscription does not allow the output format {form}; it needs Creator or above."
            raise Refused(403, elevenlabs_error("output_format_not_allowed", message, "authorization_error"))
        return form, int(form.split("_")[1])

    def _voices(self, request: Request) -> Answer:
        wanted = request.query.get("search", "").casefold()
        found = [(key, name) for key, name in self.voices.items() if wanted in name.casefold()]
        first = int(request.query.get("next_page_token") or 0)
        size = min(_PAGE, int(request.query.get("page_size", 10)))
        more = first + size < len(found)
        return json_answer(
            {
                "voices": [self._voice(key, name) for key, name in found[first : first + size]],
                "has_more": more,
                "total_count": len(found),
                "next_page_token": str(first + size) if more else None,
            }
        )

    def _voice(self, key: str, name: str) -> dict[str, Any]:
        return {
            "voice_id": key,
            "name": name,
            "category": "premade",
            "labels": {"accent": "american", "gender": "female" if name[-1] in "ai" else "male", "language": "en"},
            "description": f"{name} speaks in tones.",
            "preview_url": f"{self.address('elevenlabs')}/previews/{key}.mp3",
            "available_for_tiers": [],
            "settings": None,
            "high_quality_base_model_ids": ["eleven_multilingual_v2"],
            "verified_languages": [{"language": "hi", "model_id": "eleven_multilingual_v2", "locale": "hi-IN"}],
        }

    def _user(self) -> dict[str, Any]:
        used = sum(len(text) * number for text, number in self.bought.items())
        return {
            "user_id": "user_1",
            "is_new_user": False,
            "can_use_delayed_payment_methods": False,
            "is_onboarding_completed": True,
            "is_onboarding_checklist_completed": True,
            "created_at": 1753999199,
            "seat_type": "workspace_member",
            "subscription": {
                "tier": self.tier,
                "status": "active",
                "character_count": used,
                "character_limit": self.character_limit,
                "next_character_count_reset_unix": 1798761600,
                "max_character_limit_extension": None,
                "max_credit_limit_extension": 0,
                "can_extend_character_limit": False,
                "allowed_to_extend_character_limit": False,
                "voice_slots_used": 1,
                "professional_voice_slots_used": 0,
                "professional_voice_slots_used_in_workspace": 0,
                "voice_limit": 160,
                "voice_add_edit_counter": 0,
                "professional_voice_limit": 1,
                "can_extend_voice_limit": False,
                "can_use_instant_voice_cloning": True,
                "can_use_professional_voice_cloning": True,
                "currency": "usd",
                "current_overage": {"amount": "0", "currency": "usd"},
                "billing_period": "monthly_period",
                "character_refresh_period": "monthly_period",
            },
        }

    # OpenAI and Groq

    def _openai(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/models":
                listed = [
                    {"id": name, "object": "model", "created": 1741569952, "owned_by": request.vendor}
                    for name in MODELS[request.vendor]
                ]
                return json_answer({"object": "list", "data": listed})
            case "POST", "/audio/speech":
                return self._openai_speech(request)
            case "POST", "/audio/transcriptions":
                from helpers import transcripts  # noqa: PLC0415 - which is made of what is here

                return transcripts.answer(request)
            case "POST", "/chat/completions":
                return self._completion(request)
        raise Refused(404, openai_error(f"Invalid URL ({request.method} {request.path})"))

    def _openai_speech(self, request: Request) -> Answer:
        asked = request.json
        for name in ("model", "input", "voice"):
            if not isinstance(asked, dict) or not asked.get(name):
                raise Refused(400, openai_error(f"Missing required parameter: '{name}'.", param=name))
        if asked["model"] not in MODELS[request.vendor]:
            message = f"The model `{asked['model']}` does not exist or you do not have access to it."
            raise Refused(404, openai_error(message, "model_not_found"))
        if request.vendor == "openai" and asked["voice"] not in OPENAI_VOICES:
            raise Refused(400, openai_error(f"Invalid voice: '{asked['voice']}'.", "invalid_value", param="voice"))
        if len(asked["input"]) > 4096:
            problem = {
                "type": "string_too_long",
                "loc": ("body", "input"),
                "msg": "At most 4096 characters are allowed",
            }
            raise Refused(400, openai_error(str([problem])))
        form = asked.get("response_format", "mp3")
        said = spoken(asked["input"], 24000, voice=asked["voice"], speed=asked.get("speed", 1.0))
        body = _openai_audio(said.samples, form)
        kind = {"mp3": "audio/mpeg", "pcm": "audio/pcm"}.get(form, f"audio/{form}")
        return Answer(200, tuple(_cut_up(body, 4096)), {"content-type": kind}, (asked["input"],))

    def _completion(self, request: Request) -> Answer:
        asked = request.json
        if not isinstance(asked, dict) or not asked.get("messages"):
            raise Refused(400, openai_error("Missing required parameter: 'messages'.", param="messages"))
        if request.vendor == "groq":
            _check_groq(asked)
        said = self.mind(request)
        said = Said(said) if isinstance(said, str) else said
        self.thought[request.vendor] += 1
        prompt = sum(len(str(message.get("content"))) for message in asked["messages"]) // 4
        answer = len(said.content or "") // 4
        message = {"role": "assistant", "content": said.content, "refusal": said.refusal, "annotations": []}
        return json_answer(
            {
                "id": f"chatcmpl-{sum(self.thought.values())}",
                "object": "chat.completion",
                "created": 1741569952,
                "model": asked["model"],
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": said.finish}],
                "usage": {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer},
            }
        )


_TOO_MANY = {
    "elevenlabs": {
        "detail": {
            "type": "rate_limit_error",
            "code": "concurrent_limit_exceeded",
            "message": "Maximum number of concurrent requests exceeded.",
            "status": "too_many_concurrent_requests",
        }
    },
    "openai": openai_error("Rate limit reached for requests.", "rate_limit_exceeded", "requests"),
    "groq": openai_error("Rate limit reached for model.", "rate_limit_exceeded", "requests"),
}


def _check_groq(asked: Mapping[str, Any]) -> None:
    """What Groq does not take, although OpenAI does."""
    unknown = [name for name in ("logprobs", "logit_bias", "top_logprobs") if asked.get(name) is not None]
    if asked.get("n") not in (None, 1):
        unknown.append("n")
    if any("name" in message for message in asked["messages"]):
        unknown.append("messages[].name")
    if unknown:
        raise Refused(400, openai_error(f"property '{unknown[0]}' is unsupported", param=unknown[0]))


def _model(name: str, most: int) -> dict[str, Any]:
    return {
        "model_id": name,
        "name": name.replace("_", " ").title(),
        "can_be_finetuned": False,
        "can_do_text_to_speech": True,
        "can_do_voice_conversion": False,
        "can_use_style": True,
        "can_use_speaker_boost": True,
        "serves_pro_voices": False,
        "token_cost_factor": 0.5 if "flash" in name else 1.0,
        "description": "Speaks in tones.",
        "requires_alpha_access": False,
        "max_characters_request_free_user": 2500,
        "max_characters_request_subscribed_user": 5000,
        "maximum_text_length_per_request": most,
        "languages": [{"language_id": "en", "name": "English"}, {"language_id": "hi", "name": "Hindi"}],
        "model_rates": {
            "character_cost_multiplier": 0.5 if "flash" in name else 1.0,
            "cost_discount_multiplier": 1.0,
        },
        "concurrency_group": "turbo" if "flash" in name else f"standard_{name}",
    }


def _joined(parts: list[Spoken], voices: list[str]) -> tuple[Spoken, list[dict[str, Any]]]:
    """Several lines as one sound, and which part of it is whose."""
    rate, at, index = parts[0].rate, 0, 0
    starts: list[int] = []
    ends: list[int] = []
    segments = []
    for line, (part, voice) in enumerate(zip(parts, voices, strict=True)):
        starts += [at + sample for sample in part.starts]
        ends += [at + sample for sample in part.ends]
        segments.append(
            {
                "voice_id": voice,
                "start_time_seconds": round(at / rate, 6),
                "end_time_seconds": round((at + len(part.samples)) / rate, 6),
                "character_start_index": index,
                "character_end_index": index + len(part.text),
                "dialogue_input_index": line,
            }
        )
        at, index = at + len(part.samples), index + len(part.text)
    sound = np.concatenate([part.samples for part in parts])
    return Spoken("".join(part.text for part in parts), sound, rate, tuple(starts), tuple(ends)), segments


def _speech_answer(said: Spoken, form: str, rest: str, segments: list[dict[str, Any]] | None) -> Answer:
    """Speech as each of the four endpoints gives it: bytes or JSON, at once or in pieces."""
    sound = encoded(said.samples, form)
    kind = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg"}.get(form.partition("_")[0], "audio/pcm")
    charged = (said.text,)
    match rest:
        case "":
            return Answer(200, (sound,), {"content-type": kind}, charged)
        case "stream":
            size = max(1, round(len(sound) * _PIECE * said.rate / len(said.samples)) & ~1)
            return Answer(200, tuple(_cut_up(sound, size)), {"content-type": kind}, charged)
        case "with-timestamps":
            found = {"audio_base64": _base64(sound), **_times(said, 0, len(said.text))}
            return json_answer(found if segments is None else {**found, "voice_segments": segments}, charged=charged)
        case "stream/with-timestamps":
            lines = _lines(said, sound, segments)
            return Answer(200, tuple(lines), {"content-type": "application/json"}, charged)
    raise Refused(404, {"detail": "Not Found"})


def _times(said: Spoken, first: int, last: int) -> dict[str, Any]:
    """The times of characters ``first`` up to ``last``; the normalised text is one space longer."""
    part = slice(first, last)
    normal = (f" {said.text[part]}", (said.starts[first], *said.starts[part]), (said.starts[first], *said.ends[part]))
    return {
        "alignment": _alignment(said.text[part], said.starts[part], said.ends[part], said.rate),
        "normalized_alignment": _alignment(*normal, said.rate),
    }


def _lines(said: Spoken, sound: bytes, segments: list[dict[str, Any]] | None) -> Iterator[bytes]:
    """A JSON object a line: some characters with their sound, and the silence at the end without any.

    Times count from the beginning of all. A line comes in two pieces, cut where it may be inside a character.
    """
    share = len(sound) / len(said.samples)
    begun = 0
    for first in range(0, len(said.text) + _LINE, _LINE):
        last = min(first + _LINE, len(said.text))
        silent = first >= len(said.text)
        end = len(sound) if silent else round(said.ends[last - 1] * share) & ~1
        found: dict[str, Any] = {"audio_base64": _base64(sound[begun:end])}
        found |= {"alignment": None, "normalized_alignment": None} if silent else _times(said, first, last)
        if segments is not None:
            found["voice_segments"] = [
                each
                for each in segments
                if first < each["character_end_index"] and each["character_start_index"] < last
            ]
        line = json.dumps(found, ensure_ascii=False).encode() + b"\n"
        middle = max(1, len(line) - 5)
        yield line[:middle]
        yield line[middle:]
        begun = end


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class LeftTheMachineError(BaseException):
    """A test tried to reach another machine, and not this fake. Nothing that handles errors hides it."""


# HTTP


class _Cut(Exception):  # noqa: N818 - it is meant
    """The connection ends here."""


def _left(answering: asyncio.Future[None], leaving: asyncio.Future[bytes]) -> bool:
    """Whether the client went before it had its answer: seen by what it sends, or when more was sent to it."""
    if answering.done():
        return isinstance(answering.exception(), ConnectionError)
    return leaving.exception() is not None or not leaving.result()


async def _received(head: bytes, reader: asyncio.StreamReader) -> Request:
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    url = urlsplit(target)
    vendor, prefix = next(
        ((name, prefix) for name, prefix in PREFIXES.items() if url.path.startswith(prefix + "/")), ("", "")
    )
    path = unquote(url.path.removeprefix(prefix))
    return Request(vendor, method, path, dict(parse_qsl(url.query)), headers, body, time.monotonic())


def _head(answer: Answer, *, streamed: bool) -> bytes:
    length = {"transfer-encoding": "chunked"} if streamed else {"content-length": str(len(answer.pieces[0]))}
    lines = [f"{name}: {value}\r\n" for name, value in {**answer.headers, **length}.items()]
    reason = http.client.responses.get(answer.status, "")
    return f"HTTP/1.1 {answer.status} {reason}\r\n{''.join(lines)}\r\n".encode("latin-1")


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""


async def _flood(writer: asyncio.StreamWriter) -> None:
    """Two gigabytes, no more than the client takes."""
    chunk = _chunk(bytes(1 << 18))
    for _ in range(2_000_000_000 // (1 << 18)):
        writer.write(chunk)
        await writer.drain()


def _bytes_of(body: Any) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()


def _halves(body: bytes) -> tuple[bytes, ...]:
    return body[: len(body) // 2], body[len(body) // 2 :]


def _cut_up(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
