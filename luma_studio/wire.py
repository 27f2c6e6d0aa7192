"""The one HTTP client under all vendors: bounds, waits, tries again where that is safe, and says what went wrong.

Requests run on a thread with an event loop of its own, whichever loop asks: a notebook, its panels and a batch have
several, and a vendor's bound holds for all of them together.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import ssl
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar
from urllib.parse import urlsplit

import httpx
import stamina

from luma_studio.errors import (
    BadKeyError,
    BadRequestError,
    BrokenAnswerError,
    NoCreditError,
    NoKeyError,
    NotAllowedError,
    NotFoundError,
    OutcomeUnknownError,
    OverloadedError,
    RateLimitError,
    TooLargeError,
    UnreachableError,
    VendorError,
)
from luma_studio.settings import access
from luma_studio.store import files

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
logging.getLogger("stamina").addHandler(logging.NullHandler())  # else its warnings go to stderr, into notebooks

_CONNECT = 10.0  # seconds
_FIRST_WAIT = 0.5  # seconds, doubled at each try, with as much jitter
_LONGEST_WAIT = 20.0
_PATIENCE = 60.0  # seconds that a vendor may ask us to wait
_CALM = 20  # answers in a row without a refusal after which one more request is allowed at once
_SMALL = 64 * 1024  # bytes of an error's body that are read
_WORDS = 5.0  # seconds that an error's body may take
_MASK = "***"  # stands for a key, also for one of which a vendor shows some letters all the same
_VALUE = re.compile(r"\s*(?=\S)")  # up to where a value begins
_CUT = frozenset({502, 504, 520, 524})  # a gateway (the last two: Cloudflare's) gave up: what is behind it is unknown
HERE = ("127.0.0.1", "::1", "localhost")
"""This computer, as addresses name it."""
_POOR = ("quota_exceeded", "insufficient_quota", "insufficient_credit", "billing_hard_limit")  # whatever the status

_TROUBLE = (OverloadedError, "{name} has trouble of its own ({status}). Try again in a while.")
_GATEWAY = (
    OutcomeUnknownError,
    "{name} was not there behind its gateway ({status}). It may have done the work and charged for it, so it was not "
    "asked again. Look at your account there if that matters; then try again.",
)
_MAYBE_BEGUN = (
    OutcomeUnknownError,
    "{name} has trouble of its own ({status}). It may have begun the work all the same, so it was not asked again. Try "
    "again in a while: it is looked for there first.",
)
_MEANINGS: dict[int, tuple[type[VendorError], str]] = {
    300: (
        BadRequestError,
        "{name} sends us to another address ({status}), where the key must not go. Correct {base} if you set it.",
    ),
    400: (BadRequestError, "{name} refuses the request ({status})."),
    401: (BadKeyError, "{name} does not accept the key. Correct {variable}."),
    402: (NoCreditError, "{name} has no credit left for this. Add some there, or choose another voice or model."),
    403: (NotAllowedError, "{name} does not allow this to your key or plan. Choose another model, or change the plan."),
    404: (NotFoundError, "{name} does not have what was asked for. Look at the name of the voice or model."),
    408: _TROUBLE,
    413: (TooLargeError, "{name} finds the request too large. Send less at once."),
    429: (RateLimitError, "{name} is being asked too much at once. Try again in a while."),
    500: _TROUBLE,
    **dict.fromkeys(_CUT, _GATEWAY),
}


def unheard(_piece: bytes) -> None:
    """Nobody hears the pieces."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """Where a vendor is and how one shows it who asks.

    ``key`` is the secret and never shown; ``variable`` the setting that holds it; ``header`` how it is sent, as
    ``xi-api-key`` or ``Authorization`` with the ``scheme`` Bearer; without one nobody is shown who asks. ``at_once`` is
    how many requests may be under way until the vendor tells its own limit; ``jobs`` is how many of its jobs may, until
    it refuses one.
    """

    name: str
    variable: str
    address: str
    key: str = field(repr=False)
    header: str
    scheme: str = ""
    at_once: int = 4
    jobs: int = 10

    @property
    def credentials(self) -> dict[str, str]:
        """The header that shows who asks. Raises BadKeyError for a key that no header can hold."""
        if not (self.key.isascii() and self.key.isprintable()):
            raise BadKeyError(
                f"The key of {self.name} has characters that no key has. Correct {self.variable}.", vendor=self.name
            )
        return {self.header: f"{self.scheme} {self.key}".strip()} if self.header else {}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``paid`` is not sent a second time where the vendor may have done the work of the first.

    A ``job`` is paid work that the vendor begins and does later: where it is refused for too much at once, that means
    the jobs under way (see ``Wire.jobs``), and where the vendor has trouble of its own, it may have begun it all the
    same.

    ``content`` are the bytes to send where they are neither JSON nor a form. ``patience`` is how many seconds may pass
    without a byte, ``deadline`` how many a try may take in all, ``largest`` how many bytes the answer may have,
    ``tries`` how often it is sent where another try is safe.
    """

    method: Literal["GET", "POST", "DELETE", "PATCH"]
    path: str
    json: Any = None
    params: Mapping[str, str | int] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    data: Mapping[str, Any] | None = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    paid: bool = False
    job: bool = False
    patience: float = 60.0
    deadline: float = 300.0
    largest: int = 64 * 1024 * 1024
    tries: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: ``body`` is empty where it was written into a file."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        """The vendor's own name for the request, "" if it gave none."""
        return _request_id(self.headers)


class Wire:
    """The way to one vendor.

    >>> wire = Wire(Vendor("ElevenLabs", "ELEVENLABS_API_KEY", address, key, "xi-api-key"))    # doctest: +SKIP
    >>> answer = await wire.send(Call("GET", "/v1/user"))                                      # doctest: +SKIP
    """

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self._gate = Gate(vendor.at_once)
        self.jobs = Gate(vendor.jobs)
        """Through which jobs of the vendor go, from when they are begun to their end, whoever has them done."""
        self._client: httpx.AsyncClient | None = None
        self._hopeless: tuple[float, VendorError] | None = None  # when, and what, all that wait would meet, too
        self._told: dict[tuple[Any, ...], asyncio.Future[Answer]] = {}  # what was asked once

    async def send(self, call: Call, into: Path | None = None, hear: Callable[[bytes], None] = unheard) -> Answer:
        """Send a request and have its answer, whole; ``into`` has the body written there instead, whole or not at all.

        ``hear`` is told the body's pieces as they come, on the wire's thread: it returns at once and raises nothing.
        Once it was told one, there is no other try. Raises VendorError: what happened, and what to do.
        """
        return await _on_the_line(self._hoped(call, into, hear))

    async def once(self, call: Call) -> Answer:
        """The answer to a question that buys nothing, asked once for as long as the wire is open.

        What went wrong is no answer: whoever asks next asks anew. Raises as ``send``.
        """
        return await _on_the_line(self._once(call))

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            asyncio.run_coroutine_threadsafe(self._closed(), _line()).result()

    async def _closed(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _once(self, call: Call) -> Answer:
        question = (call.path, *sorted(call.params.items()))
        if question not in self._told:
            self._told[question] = asyncio.ensure_future(self._hoped(call, None, unheard))
        asked = self._told[question]
        try:
            return await asyncio.shield(asked)
        except Exception:
            if self._told.get(question) is asked:
                del self._told[question]
            raise

    async def _hoped(self, call: Call, into: Path | None, hear: Callable[[bytes], None]) -> Answer:
        """Send; what all others would meet, too, is remembered for those that wait."""
        try:
            return await self._send(call, into, hear)
        except VendorError as error:
            if error.hopeless:
                self._hopeless = time.monotonic(), error
            raise

    async def _send(self, call: Call, into: Path | None, hear: Callable[[bytes], None]) -> Answer:
        heard = False
        since = time.monotonic()

        def again(error: Exception) -> bool | float:
            if not isinstance(error, VendorError) or heard or not error.can_try_again:
                return False
            if call.job and isinstance(error, RateLimitError):
                return False  # another job must end first
            if error.retry_after is None:
                return True
            return error.retry_after if error.retry_after <= _PATIENCE else False

        def hears(piece: bytes) -> None:
            nonlocal heard
            heard = hear is not unheard
            hear(piece)

        async for attempt in stamina.retry_context(
            on=again,
            attempts=call.tries,
            timeout=None,
            wait_initial=_FIRST_WAIT,
            wait_jitter=_FIRST_WAIT,
            wait_max=_LONGEST_WAIT,
        ):
            with attempt:
                async with self._gate.passed(learns=not call.job):
                    self._check_hope(since)
                    return await self._tried(call, into, hears)
        raise AssertionError("stamina tries or raises")  # pragma: no cover

    def _check_hope(self, since: float) -> None:
        """Raise what another request met while this one waited, if it would meet the same: a wrong key, no credit."""
        if self._hopeless is not None and self._hopeless[0] >= since:
            raise self._hopeless[1]

    async def _tried(self, call: Call, into: Path | None, hear: Callable[[bytes], None]) -> Answer:
        """One try. Raises VendorError."""
        sent = _Sent()
        try:
            async with asyncio.timeout(call.deadline):
                return await self._exchanged(call, into, hear, sent)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise UnreachableError(
                f"The address of {self.vendor.name} cannot be used: {error}. Correct {_base(self.vendor)}.",
                vendor=self.vendor.name,
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._unreachable(error) from error
        except (httpx.TransportError, TimeoutError) as error:
            raise self._broken_off(call, sent, error) from error
        except httpx.DecodingError as error:
            raise broken(self.vendor, "cannot be unpacked", Answer({}, b"")) from error

    async def _exchanged(self, call: Call, into: Path | None, hear: Callable[[bytes], None], sent: _Sent) -> Answer:
        request = self._requested(call)
        request.extensions["trace"] = sent.trace
        response = await self._opened().send(request, stream=True)
        try:
            self._gate.learn(response.headers)
            if not response.is_success:
                raise await self._refused(response, call)
            with _keeping(into) as kept:
                async for piece in response.aiter_bytes():
                    self._check_size(kept.tell() + len(piece), call, response)
                    kept.write(piece)
                    hear(piece)
                body = kept.getvalue() if isinstance(kept, io.BytesIO) else b""
        finally:
            await asyncio.shield(response.aclose())  # which a cancellation would leave half done
        return Answer({name.lower(): value for name, value in response.headers.items()}, body)

    def _check_size(self, size: int, call: Call, response: httpx.Response) -> None:
        if size > call.largest:
            raise TooLargeError(
                f"The answer of {self.vendor.name} is larger than {call.largest / 1e6:.0f} MB, which cannot be right; "
                "it was not kept. Ask for less at once.",
                vendor=self.vendor.name,
                request_id=_request_id(response.headers),
            )

    def _requested(self, call: Call) -> httpx.Request:
        timeout = httpx.Timeout(call.patience, connect=_CONNECT, pool=None)
        return self._opened().build_request(
            call.method,
            self.vendor.address.rstrip("/") + call.path,
            json=call.json,
            params=dict(call.params) or None,
            files=dict(call.files) if call.files else None,
            data=dict(call.data) if call.data else None,
            content=call.content,
            headers=dict(call.headers) or None,
            timeout=timeout,
        )

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                headers={**self.vendor.credentials, "user-agent": "luma-studio"},
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
                follow_redirects=False,  # a key goes to the vendor and to nobody else
                verify=_trust(),
            )
        return self._client

    async def _refused(self, response: httpx.Response, call: Call) -> VendorError:
        body = b""
        with suppress(httpx.HTTPError, TimeoutError):  # the status says enough
            async with asyncio.timeout(_WORDS):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) >= _SMALL:
                        break
        error = refusal(
            self.vendor, response.status_code, response.headers, body[:_SMALL], paid=call.paid, job=call.job
        )
        _log.info("%s answered %s: %s", self.vendor.name, response.status_code, error)
        return error

    def _unreachable(self, error: Exception) -> VendorError:
        return UnreachableError(
            f"{self.vendor.name} cannot be reached at {_host(self.vendor)} ({_why(error)}). Nothing was sent. Look at "
            f"the network, and at {_base(self.vendor)} if you set it, and try again.",
            vendor=self.vendor.name,
            can_try_again=True,
        )

    def _broken_off(self, call: Call, sent: _Sent, error: Exception) -> VendorError:
        if not sent.whole:
            return self._unreachable(error)
        slow = isinstance(error, httpx.TimeoutException | TimeoutError)
        what = "did not answer in time" if slow else "broke the connection off"
        if call.paid:
            return OutcomeUnknownError(
                f"{self.vendor.name} {what}. It may have done the work and charged for it, so it was not asked again. "
                "Look at your account there if that matters; then try again.",
                vendor=self.vendor.name,
            )
        return OverloadedError(
            f"{self.vendor.name} {what}. Try again in a while.", vendor=self.vendor.name, can_try_again=True
        )


@dataclass(frozen=True, slots=True)
class Home:
    """Where a vendor usually is, the prefix of its variables, and how it is shown who asks.

    ``instead`` is what one may choose where there is no key.
    """

    name: str
    prefix: str
    address: str
    header: str = "Authorization"
    scheme: str = "Bearer"
    at_once: int = 4
    jobs: int = 10
    instead: str = "the embedded voice: espeak"

    @property
    def variable(self) -> str:
        """The setting that holds its key."""
        return f"{self.prefix}_API_KEY"


OPENAI = Home("OpenAI", "OPENAI", "https://api.openai.com/v1", at_once=8)
"""Voices, minds and transcripts; or a server of one's own that speaks its API."""
GROQ = Home("Groq", "GROQ", "https://api.groq.com/openai/v1")
"""Minds and transcripts, by OpenAI's API."""
HEYGEN = Home("HeyGen", "HEYGEN", "https://api.heygen.com", "x-api-key", "", instead="the preview engine: preview")
"""Talking photos."""
FREEPIK = Home(
    "Freepik", "FREEPIK", "https://api.freepik.com", "x-freepik-api-key", "", instead="the preview engine: preview"
)
"""Stills that move."""
CREATOMATE = Home("Creatomate", "CREATOMATE", "https://api.creatomate.com", instead="the preview engine: preview")
"""Films put together from templates."""


class Wires:
    """The way to each vendor, opened when it is first needed."""

    def __init__(self) -> None:
        self._wires: dict[Vendor, Wire] = {}

    def to(self, home: Home) -> Wire:
        """The wire to a vendor. Raises NoKeyError where there is no key."""
        vendor = _vendor(home)
        if not vendor.key:
            raise NoKeyError(
                f"{home.name} needs a key. Put {vendor.variable}=… into .env, or choose {home.instead}.",
                vendor=home.name,
            )
        if vendor not in self._wires:
            self._wires[vendor] = Wire(vendor)
        return self._wires[vendor]

    def close(self) -> None:
        """Let go of connections."""
        for wire in self._wires.values():
            wire.close()
        self._wires.clear()


def led(who: str, address: str) -> tuple[Wire, str]:
    """The way to where a vendor's answer leads, without a key, and the path there; whoever asked closes it.

    Raises UnreachableError for an address that is not asked: by https only, or on this computer.
    """
    try:
        there = urlsplit(address)
        there.port  # noqa: B018 - which raises for one that cannot be
        if there.scheme == "https" or (there.scheme == "http" and there.hostname in HERE):
            host = there.netloc.rpartition("@")[2]
            path = there.path + (f"?{there.query}" if there.query else "")
            return Wire(Vendor(host, "", f"{there.scheme}://{host}", key="", header="")), path
    except ValueError:
        pass
    raise UnreachableError(f"The address that {who} gives is none that may be asked, by https.", vendor=who)


def has_key(home: Home) -> bool:
    """Whether a vendor can be asked at all: there is a key, or a server of one's own in its place."""
    return bool(_vendor(home).key)


def own_server(home: Home) -> str:
    """The server of one's own that is set in a vendor's place, by host and path; "" where it is the vendor's own."""
    return elsewhere(home, access(home.prefix).base_url or home.address)


def elsewhere(home: Home, address: str) -> str:
    """Where an address is, by host and path without name and password; "" where that is the vendor's own."""
    try:
        there = urlsplit(address.strip() if "//" in address else f"//{address.strip()}")
    except ValueError:  # asking it tells
        return "nowhere"
    host = there.netloc.rpartition("@")[2].lower().removesuffix({"https": ":443", "http": ":80"}.get(there.scheme, ":"))
    own = urlsplit(home.address).netloc
    return "" if host == own or host.endswith(f".{own}") else host + there.path.rstrip("/")


def _vendor(home: Home) -> Vendor:
    given = access(home.prefix)
    address = given.base_url or home.address
    key = given.api_key.get_secret_value()
    if not key and given.base_url:
        key = "none"  # a server of one's own often wants none
    return Vendor(
        home.name, home.variable, address, key, home.header, home.scheme, home.at_once, given.jobs or home.jobs
    )


def refusal(
    vendor: Vendor, status: int, headers: Mapping[str, str], body: bytes, *, paid: bool, job: bool = False
) -> VendorError:
    """The error that a vendor's answer stands for, in words for a user: what happened, and what to do."""
    code, said = (_fit(each, vendor.key) for each in _told(body))
    kind, sentence = _meaning(status, code, paid=paid, job=job)
    words = f" {vendor.name} says: {said}" if said else ""
    return kind(
        sentence.format(name=vendor.name, variable=vendor.variable, base=_base(vendor), status=status) + words,
        vendor=vendor.name,
        status=status,
        code=code,
        request_id=_fit(_request_id(headers) or _told_id(body), vendor.key),
        retry_after=_retry_after(headers),
        can_try_again=kind in (RateLimitError, OverloadedError) or status in (409, 425),
    )


def _meaning(status: int, code: str, *, paid: bool, job: bool) -> tuple[type[VendorError], str]:
    """The kind of error, and what is told of it."""
    if any(word in code.lower() for word in _POOR):
        status = 402
    if "missing_permission" in code.lower():
        status = 403
    if status in _CUT and not paid:
        status = 503
    if status >= 500 and job:
        return _MAYBE_BEGUN
    return _MEANINGS.get(status) or _MEANINGS[500 if status >= 500 else 400 if status >= 400 else 300]


def complaint(body: bytes) -> tuple[str, str]:
    """The code and the words of a vendor's error, in whichever of their shapes; "" for what is not there."""
    code, said = _told(body)
    return _fit(code), _fit(said)


def _told(body: bytes) -> tuple[str, str]:
    try:
        return _complaint(json.loads(body))
    except ValueError:
        text = body.decode("utf-8", "replace").strip()
        return "", "" if text.startswith("<") else text
    except RecursionError:
        return "", ""


def _complaint(found: Any) -> tuple[str, str]:
    match found:
        case {"detail": [*problems]}:  # FastAPI
            return "validation", "; ".join(_problem(each) for each in problems)
        case {"detail": dict() | str() as inner} | {"error": dict() | str() as inner} | {"problem": dict() as inner}:
            return _complaint(inner)
        case {"invalid_params": [*problems]}:
            return "validation", "; ".join(_problem(each) for each in problems)
        case dict():
            code = next((str(found[name]) for name in ("code", "status", "type") if found.get(name)), "")
            return code, next((str(found[name]) for name in ("message", "hint", "msg") if found.get(name)), "")
        case str():
            return "", found
    return "", ""


def _fit(text: str, key: str = "") -> str:
    """A vendor's text as it may be shown: in one line, not long, and without the key that some of them quote."""
    shown = (text.replace(key, _MASK) if key else text)[:2000]
    words = "".join(each if each.isprintable() else " " for each in shown).split()
    return " ".join(_MASK if _MASK in word else word for word in words)[:500]


def _told_id(body: bytes) -> str:
    """A request's id where the body alone tells it."""
    found = re.search(rb'"request_id"\s*:\s*"([\w-]{1,80})"', body)
    return found[1].decode() if found else ""


def _problem(problem: Any) -> str:
    if not isinstance(problem, dict):
        return str(problem)
    where = problem.get("loc") or problem.get("name") or ""
    if isinstance(where, list):
        where = ".".join(str(part) for part in where if part != "body")
    return f"{where}: {problem.get('msg') or problem.get('reason') or ''}".strip(": ")


def json_of(answer: Answer, vendor: Vendor) -> Any:
    """An answer that should be JSON. Raises BrokenAnswerError where it is not, or is an error under a good status."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise broken(vendor, "is not the JSON that it should be", answer) from error
    _check_good(found, vendor, answer)
    return found


def json_values_of(answer: Answer, vendor: Vendor) -> list[Any]:
    """An answer that should be JSON values one after another, as in lines; at least one. Raises as ``json_of``."""
    decoder, found, at = json.JSONDecoder(), [], 0
    try:
        text = answer.body.decode()
        while begins := _VALUE.match(text, at):
            value, at = decoder.raw_decode(text, begins.end())
            found.append(value)
    except (ValueError, RecursionError) as error:
        raise broken(vendor, "is not the JSON that it should be", answer) from error
    if not found:
        raise broken(vendor, "is empty", answer)
    for each in found:
        _check_good(each, vendor, answer)
    return found


def _check_good(found: Any, vendor: Vendor, answer: Answer) -> None:
    """Raise BrokenAnswerError for an error under a good status."""
    if isinstance(found, dict) and (found.get("error") or found.get("detail")):
        _, said = _complaint(found)
        raise broken(vendor, f"holds an error: {_fit(said, vendor.key)}", answer)


def broken(vendor: Vendor, what: str, answer: Answer) -> BrokenAnswerError:
    """The error of an answer that came and is not what it should be; nothing of it is kept."""
    return BrokenAnswerError(
        f"The answer of {vendor.name} {what}. It was not kept; try again.",
        vendor=vendor.name,
        request_id=answer.request_id,
    )


# The bound


class Gate:
    """Lets as many requests, or jobs, of a vendor through as it bears, in the order they came.

    It learns from answers and refusals. Any thread and event loop may go through.
    """

    def __init__(self, at_once: int) -> None:
        self._limit = self._usual = at_once
        self._busy = 0
        self._calm = 0
        self._until = 0.0
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    @asynccontextmanager
    async def passed(self, *, learns: bool = True) -> AsyncIterator[None]:
        """Wait for one's turn, and hold it. What the vendor refuses meanwhile is taken to heart if it ``learns``."""
        await self._turn()
        try:
            while (left := self._until - time.monotonic()) > 0:
                await asyncio.sleep(left)
            yield
            self._went_well()
        except (RateLimitError, OverloadedError) as error:
            if learns:
                self._went_badly(error)
            raise
        finally:
            self._leave()

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take over the bound that a vendor tells, unless it refused that many: others may use the same account.

        How many it says are under way is not looked at: it is what it counted before, and by then others had gone.
        """
        most = headers.get("maximum-concurrent-requests", "")
        if most.isdecimal():
            told = max(1, int(most))
            with self._lock:
                self._limit = min(self._limit, told) if self._limit < self._usual else told
                self._usual = told
                self._call_next()

    async def _turn(self) -> None:
        turn: Future[None] = Future()
        with self._lock:
            self._waiting.append(turn)
            self._call_next()
            if turn.done():
                return
        try:
            await asyncio.wrap_future(turn)
        except asyncio.CancelledError:
            if not turn.cancel():  # called, and called off before it could go
                self._leave()
            raise

    def _leave(self) -> None:
        with self._lock:
            self._busy -= 1
            self._call_next()

    def _call_next(self) -> None:
        while self._waiting and self._busy < self._limit:
            turn = self._waiting.popleft()
            if turn.set_running_or_notify_cancel():
                self._busy += 1
                turn.set_result(None)

    def _went_badly(self, error: VendorError) -> None:
        """Refused for asking too much: one fewer at once than now. Asked to wait: everybody does, if it is not long."""
        with self._lock:
            if isinstance(error, RateLimitError):
                self._calm = 0
                self._limit = max(1, min(self._limit, self._busy - 1))
            if error.retry_after is not None and error.retry_after <= _PATIENCE:
                self._until = max(self._until, time.monotonic() + error.retry_after)

    def _went_well(self) -> None:
        """After a row of good answers one more is let through, up to the usual bound."""
        with self._lock:
            self._calm += 1
            if self._calm >= _CALM and self._limit < self._usual:
                self._calm = 0
                self._limit += 1


class _Sent:
    """Whether a request has left whole, as the transport traces it: only then may the vendor have done the work."""

    def __init__(self) -> None:
        self.whole = False

    async def trace(self, event: str, _info: object) -> None:
        if event.endswith("send_request_body.complete"):
            self.whole = True


def _keeping(into: Path | None) -> AbstractContextManager[BinaryIO]:
    """Where a body is kept: a file that appears when it is whole, or memory."""
    return io.BytesIO() if into is None else files.replacing(into, durable=True)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a vendor asks us to wait: a number, or a date; None if it asks for nothing that can be read."""
    told = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None


def _request_id(headers: Mapping[str, str]) -> str:
    return headers.get("request-id") or headers.get("x-request-id") or ""


def _host(vendor: Vendor) -> str:
    """Where it is, without a name and password that an address may have."""
    return urlsplit(vendor.address).netloc.rpartition("@")[2]


def _base(vendor: Vendor) -> str:
    return vendor.variable.replace("_API_KEY", "_BASE_URL")


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """What the system trusts, read once: it takes 20 ms."""
    return ssl.create_default_context()


# The thread


_starting = threading.Lock()  # two threads that ask first at the same time have the same loop


def _line() -> asyncio.AbstractEventLoop:
    """The event loop that all requests run on, in a thread of its own."""
    with _starting:
        return _started()


@lru_cache(maxsize=1)
def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="luma-wire", daemon=True).start()
    return loop


def waited(task: Coroutine[Any, Any, _T]) -> _T:
    """What a task of the wire gives, for a caller that cannot await, whether an event loop runs in its thread or not.

    The wire's own thread must not call it: it would wait for itself.
    """
    coming = asyncio.run_coroutine_threadsafe(task, _line())
    try:
        return coming.result()
    except BaseException:  # interrupted: nobody waits for it any more
        coming.cancel()
        raise


async def _on_the_line(task: Coroutine[Any, Any, _T]) -> _T:
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(task, _line()))
