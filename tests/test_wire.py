"""The wire, against vendors that behave and that do not: nothing is bought twice, and what went wrong is told."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any, NamedTuple

import httpx
import httpx2
import numpy as np
import openai
import pytest
import stamina
from helpers import contracts
from helpers.vendors import (
    KEYS,
    LEAD,
    MODELS,
    STEP,
    VOICES,
    Fault,
    LeftTheMachineError,
    Request,
    Said,
    Vendors,
    elevenlabs_error,
    openai_error,
    pitch,
    spoken,
)

from luma_studio.audio import codec
from luma_studio.errors import (
    BadKeyError,
    BadRequestError,
    BrokenAnswerError,
    NoCreditError,
    NotAllowedError,
    NotFoundError,
    OutcomeUnknownError,
    OverloadedError,
    RateLimitError,
    StoreError,
    TooLargeError,
    UnreachableError,
    VendorError,
)
from luma_studio.wire import Answer, Call, Vendor, Wire, complaint, json_of, json_values_of

KEY = KEYS["elevenlabs"]
RACHEL, DREW = list(VOICES)[:2]
SPEAK = f"/v1/text-to-speech/{RACHEL}"
TRIES = 5
TEXT = "Hello there."
PCM = {"output_format": "pcm_24000"}
SOUND = spoken(TEXT, 24000, voice=RACHEL).samples.astype("<i2").tobytes()


def speech(path: str = SPEAK, text: str = TEXT, **options: Any) -> Call:
    """A call that buys speech."""
    return Call("POST", path, json={"text": text}, params=PCM, **{"paid": True, "patience": 20, **options})


def patience(fault: Fault) -> float:
    """Seconds: little where nothing will come, much where a slow machine must not be taken for a hang."""
    return 0.3 if fault.how.startswith("hang") else 20


def elevenlabs(vendors: Vendors, **changes: Any) -> Vendor:
    there = Vendor("ElevenLabs", "ELEVENLABS_API_KEY", vendors.address("elevenlabs"), KEY, "xi-api-key")
    return replace(there, **changes)


def openai_vendor(vendors: Vendors, **changes: Any) -> Vendor:
    address = vendors.address("openai")
    return replace(Vendor("OpenAI", "OPENAI_API_KEY", address, KEYS["openai"], "Authorization", "Bearer"), **changes)


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    """Tries follow at once, as many as there are without a test; what a vendor asks to wait is waited for."""
    with stamina.set_testing(True, attempts=TRIES, cap=True):
        yield


@pytest.fixture
def open_wire() -> Iterator[Callable[[Vendor], Wire]]:
    """Opens wires, and closes them at the end."""
    opened: list[Wire] = []

    def open_one(vendor: Vendor) -> Wire:
        opened.append(Wire(vendor))
        return opened[-1]

    yield open_one
    for wire in opened:
        wire.close()


@pytest.fixture
def wire(vendors: Vendors, open_wire: Callable[[Vendor], Wire]) -> Wire:
    return open_wire(elevenlabs(vendors))


def run(task: Coroutine[Any, Any, Any]) -> Any:
    async def within() -> Any:
        async with asyncio.timeout(30):
            return await task

    return asyncio.run(within())


def failed(wire: Wire, call: Call, **options: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        run(wire.send(call, **options))
    return caught.value


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


async def settled(value: Callable[[], int]) -> None:
    """Wait until a count has begun, and has not changed for a while."""
    last, since = 0, time.monotonic()
    while last == 0 or time.monotonic() - since < 0.3:
        if value() != last:
            last, since = value(), time.monotonic()
        await asyncio.sleep(0.005)


# What goes wrong


class Row(NamedTuple):
    """A fault that lasts: what it is told as, with which words, and how often the vendor is asked."""

    fault: Fault
    kind: type[VendorError]
    words: str
    paid: int
    free: int


def said(status: int, code: str, **headers: str) -> Fault:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status, elevenlabs_error(code, "The vendor's own words."), told)


LONG_AGO = formatdate(0, usegmt=True)
CORRECT_KEY = "Correct ELEVENLABS_API_KEY"
TABLE = {
    "400": Row(said(400, "unsupported_model"), BadRequestError, "refuses", 1, 1),
    "401": Row(said(401, "invalid_api_key"), BadKeyError, CORRECT_KEY, 1, 1),
    "401, older, no credit": Row(said(401, "quota_exceeded"), NoCreditError, "Add some", 1, 1),
    "402": Row(said(402, "insufficient_credits"), NoCreditError, "Add some", 1, 1),
    "403": Row(said(403, "feature_not_available"), NotAllowedError, "change the plan", 1, 1),
    "404": Row(said(404, "voice_not_found"), NotFoundError, "Look at the name", 1, 1),
    "408": Row(said(408, "timeout"), OverloadedError, "Try again", TRIES, TRIES),
    "409": Row(said(409, "conflict"), BadRequestError, "refuses", TRIES, TRIES),
    "413": Row(said(413, "payload_too_large"), TooLargeError, "Send less", 1, 1),
    "418": Row(said(418, "teapot"), BadRequestError, "refuses", 1, 1),
    "422": Row(
        Fault(422, {"detail": [{"loc": ["body", "text"], "msg": "The vendor's own words.", "type": "missing"}]}),
        BadRequestError,
        "text: The vendor's own words.",
        1,
        1,
    ),
    "429": Row(said(429, "rate_limit_exceeded"), RateLimitError, "Try again", TRIES, TRIES),
    "429 and seconds": Row(said(429, "system_busy", retry_after="0.02"), RateLimitError, "Try again", TRIES, TRIES),
    "429 and a date": Row(said(429, "system_busy", retry_after=LONG_AGO), RateLimitError, "Try again", TRIES, TRIES),
    "429 and nonsense": Row(said(429, "system_busy", retry_after="soon"), RateLimitError, "Try again", TRIES, TRIES),
    "429 for an hour": Row(said(429, "system_busy", retry_after="3600"), RateLimitError, "Try again", 1, 1),
    "429, no credit": Row(
        Fault(429, openai_error("The vendor's own words.", "insufficient_quota")), NoCreditError, "Add some", 1, 1
    ),
    "500": Row(said(500, "internal_error"), OverloadedError, "Try again", TRIES, TRIES),
    "503": Row(said(503, "service_unavailable", retry_after="0"), OverloadedError, "Try again", TRIES, TRIES),
    "501": Row(said(501, "not_implemented"), OverloadedError, "Try again", TRIES, TRIES),
    "502": Row(said(502, "bad_gateway", paid="1"), OutcomeUnknownError, "may have", 1, TRIES),
    "504": Row(said(504, "gateway_timeout"), OutcomeUnknownError, "may have", 1, TRIES),
    "520": Row(said(520, "unknown"), OutcomeUnknownError, "may have", 1, TRIES),
    "524": Row(said(524, "timeout"), OutcomeUnknownError, "may have", 1, TRIES),
    "hang": Row(Fault(how="hang"), OutcomeUnknownError, "did not answer in time", 1, TRIES),
    "hang in the body": Row(Fault(how="hang in body"), OutcomeUnknownError, "did not answer in time", 1, TRIES),
    "cut": Row(Fault(how="cut"), OutcomeUnknownError, "broke the connection off", 1, TRIES),
    "cut in the body": Row(Fault(how="cut in body"), OutcomeUnknownError, "broke the connection off", 1, TRIES),
    "endless": Row(Fault(how="endless"), TooLargeError, "larger than 1 MB", 1, 1),
    "not the gzip it says": Row(
        Fault(headers={"content-encoding": "gzip"}), BrokenAnswerError, "cannot be unpacked", 1, 1
    ),
}


@pytest.mark.parametrize("paid", [True, False], ids=["paid", "free"])
@pytest.mark.parametrize("name", TABLE)
def test_what_goes_wrong_is_told_for_what_it_is(
    name: str, paid: bool, vendors: Vendors, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fault, kind, words, tries_paid, tries_free = TABLE[name]
    vendors.misbehave(fault, times=99)
    error = failed(wire, speech(paid=paid, largest=1_000_000, patience=patience(fault)))
    assert len(vendors.requests) == (tries_paid if paid else tries_free)
    if kind is OutcomeUnknownError and not paid:  # what costs nothing may be asked again, and its outcome matters less
        kind, words = OverloadedError, "Try again"
    assert type(error) is kind
    assert str(error).startswith(("ElevenLabs", "The answer of ElevenLabs"))
    assert words in str(error)
    if fault.status:
        assert "The vendor's own words." in str(error)
        assert (error.vendor, error.status) == ("ElevenLabs", fault.status)
        assert error.request_id == f"req_{len(vendors.requests)}"
    assert KEY not in str(error) + repr(error) + repr(vars(error)) + caplog.text


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.paid == TRIES])
def test_what_was_refused_is_tried_again_until_it_is_taken(name: str, vendors: Vendors, wire: Wire) -> None:
    vendors.misbehave(TABLE[name].fault, times=TRIES - 1)
    assert run(wire.send(speech())).body == SOUND
    assert len(vendors.requests) == TRIES
    assert vendors.bought == {TEXT: 1}


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.free == TRIES > row.paid])
def test_what_costs_nothing_is_asked_again_when_its_outcome_is_unknown(name: str, vendors: Vendors, wire: Wire) -> None:
    vendors.misbehave(TABLE[name].fault)
    assert run(wire.send(speech(paid=False, patience=patience(TABLE[name].fault)))).body == SOUND
    assert len(vendors.requests) == 2


def test_a_body_that_trickles_for_ever_ends_at_the_deadline(vendors: Vendors, wire: Wire) -> None:
    vendors.pace = 0.05
    error = failed(wire, speech(f"{SPEAK}/stream", text="Hello. " * 100, deadline=0.4))
    assert type(error) is OutcomeUnknownError
    assert len(vendors.requests) == 1


@pytest.mark.parametrize("how", ["hang in body", "cut in body"])
def test_a_refusal_whose_words_do_not_come_is_a_refusal_all_the_same(how: Any, vendors: Vendors, wire: Wire) -> None:
    fault = replace(said(402, "insufficient_credits"), how=how)
    vendors.misbehave(fault, times=99)
    assert type(failed(wire, speech(patience=patience(fault)))) is NoCreditError
    assert len(vendors.requests) == 1


def test_the_error_at_the_end_tells_how_long_the_vendor_asks_to_wait(vendors: Vendors, wire: Wire) -> None:
    vendors.misbehave(said(429, "system_busy", retry_after="3600"))
    assert failed(wire, speech()).retry_after == 3600


SHAPES = {
    "ElevenLabs": ({"detail": {"type": "t", "code": "c", "message": "m", "status": "s"}}, "c", "m"),
    "ElevenLabs, older": ({"detail": {"status": "s", "message": "m"}}, "s", "m"),
    "FastAPI": ({"detail": [{"loc": ["body", "a", 0], "msg": "m", "type": "t"}]}, "validation", "a.0: m"),
    "FastAPI, a word": ({"detail": "Not Found"}, "", "Not Found"),
    "OpenAI": ({"error": {"message": "m", "type": "t", "param": None, "code": "c"}}, "c", "m"),
    "OpenAI without a code": ({"error": {"message": "m", "type": "t", "param": None, "code": None}}, "t", "m"),
    "HeyGen": ({"error": {"code": "c", "message": "m", "param": "p", "doc_url": "d"}}, "c", "m"),
    "HeyGen, older": ({"code": 400123, "message": "m"}, "400123", "m"),
    "HeyGen, older, with data": ({"data": None, "error": {"code": "c", "message": "m"}}, "c", "m"),
    "HeyGen, older, a word": ({"error": "m"}, "", "m"),
    "Freepik": ({"message": "m"}, "", "m"),
    "Freepik's problem": (
        {"problem": {"message": "m", "invalid_params": [{"name": "duration", "reason": "r"}]}},
        "validation",
        "duration: r",
    ),
    "Creatomate": ({"hint": "m", "documentation_url": "d"}, "", "m"),
    "a list": ([1, 2], "", ""),
    "null": (None, "", ""),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_of_all_vendors_errors_are_understood(name: str) -> None:
    body, code, words = SHAPES[name]
    assert complaint(json.dumps(body).encode()) == (code, words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"upstream connect error", "upstream connect error"),
        (b"<html><body>502</body></html>", ""),
        (b"", ""),
        (b"\xff\xfe\x00", "\ufffd\ufffd"),
        (b"[" * 60_000, ""),
        (b'{"error":' * 900 + b"1" + b"}" * 900, ""),
        (json.dumps({"detail": "one\n\x1b[31mtwo\u202e"}).encode(), "one [31mtwo"),
    ],
    ids=["text", "html", "nothing", "bytes", "deep", "deep errors", "control characters"],
)
def test_an_error_without_any_of_the_shapes_tells_what_is_fit_to_be_read(body: bytes, words: str) -> None:
    assert complaint(body) == ("", words)


# Keys


@pytest.mark.parametrize(
    "body",
    [
        elevenlabs_error("invalid_api_key", f"The key {KEY} is wrong."),
        elevenlabs_error(f"bad_{KEY}", "Wrong."),
        {"detail": {"message": "x" * 490 + KEY, "status": "s", "request_id": KEY}},
        f"The key {KEY} is wrong.",
        "x" * 290 + KEY,
    ],
    ids=["words", "code", "where words are cut", "text", "where text is cut"],
)
def test_a_key_that_the_vendor_quotes_is_not_shown(
    body: Any, vendors: Vendors, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vendors.misbehave(Fault(401, body))
    error = failed(wire, speech())
    assert KEY[:8] not in str(error) + repr(vars(error)) + caplog.text


@pytest.mark.parametrize("key", ["sk-test-\n-0123456789", "sk-test-…-0123456789", "sk-test-\x00-0123456789"])
def test_a_key_that_cannot_be_sent_is_told_and_not_shown(key: str, vendors: Vendors, open_wire: Any) -> None:
    error = failed(open_wire(elevenlabs(vendors, key=key)), speech())
    assert type(error) is BadKeyError
    assert CORRECT_KEY in str(error)
    assert "0123456789" not in str(error)
    assert vendors.requests == []


def test_a_wrong_key_is_told_with_the_variable_to_correct(vendors: Vendors, open_wire: Any) -> None:
    error = failed(open_wire(elevenlabs(vendors, key="sk-wrong-0123456789")), speech())
    assert (type(error), error.code) == (BadKeyError, "invalid_api_key")
    assert CORRECT_KEY in str(error)


def test_what_all_would_meet_is_met_once_by_those_that_wait(vendors: Vendors, open_wire: Any) -> None:
    vendors.at_once = 1
    wire = open_wire(elevenlabs(vendors, key="sk-wrong-0123456789", at_once=1))
    assert {type(error) for error in many(wire, 5)} == {BadKeyError}
    assert len(vendors.requests) == 1
    failed(wire, speech())  # a later call asks again: the account may be in order by now
    assert len(vendors.requests) == 2


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_vendor_is_shown_without_its_key(vendors: Vendors) -> None:
    there = elevenlabs(vendors)
    assert KEY not in repr(there) + str(there) + repr(Wire(there))


def test_a_redirection_is_not_followed_for_the_key_would_go_along(vendors: Vendors, wire: Wire) -> None:
    vendors.misbehave(Fault(307, b"", {"location": f"{vendors.address('openai')}/models"}), times=99)
    error = failed(wire, speech())
    assert vendors.seen(vendor="openai") == []
    assert len(vendors.requests) == 1
    assert "Correct ELEVENLABS_BASE_URL" in str(error)


# Nobody there


@pytest.mark.parametrize(
    "address", ["api.elevenlabs.io", "", "ftp://127.0.0.1", "http://127.0.0.1:port", "http://[::1"]
)
def test_an_address_that_is_none_is_told_at_once(address: str, vendors: Vendors, open_wire: Any) -> None:
    error = failed(open_wire(elevenlabs(vendors, address=address)), speech())
    assert (type(error), error.can_try_again) == (UnreachableError, False)
    assert "Correct ELEVENLABS_BASE_URL" in str(error)


def test_a_vendor_that_is_not_there_is_told_with_its_address_and_no_password(vendors: Vendors, open_wire: Any) -> None:
    port = closed_port()
    error = failed(open_wire(elevenlabs(vendors, address=f"http://me:secret@127.0.0.1:{port}/v1")), speech())
    assert (type(error), error.can_try_again, error.hopeless) == (UnreachableError, True, True)
    assert f"127.0.0.1:{port} " in str(error)
    assert "Nothing was sent" in str(error)
    assert "secret" not in str(error)


def test_a_connection_that_the_vendor_closed_while_idle_costs_no_call(vendors: Vendors, wire: Wire) -> None:
    run(wire.send(speech()))
    vendors.hang_up()
    run(wire.send(speech()))
    assert vendors.bought == {TEXT: 2}


# Answers that are not what they should be


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        "no JSON",
        b"\xff",
        b"[" * 60_000,
        {"error": {"message": f"no, {KEY}"}},
        {"error": "no"},
        {"detail": {"status": "quota", "message": f"no, {KEY}"}},
    ],
    ids=["half", "empty", "text", "bytes", "deep", "error", "a word", "ElevenLabs' error"],
)
def test_json_that_is_none_or_an_error_under_a_good_status_is_broken(body: Any, vendors: Vendors, wire: Wire) -> None:
    vendors.misbehave(Fault(200, body))
    answer = run(wire.send(speech()))
    with pytest.raises(BrokenAnswerError) as caught:
        json_of(answer, wire.vendor)
    assert (caught.value.vendor, caught.value.request_id) == ("ElevenLabs", "req_1")
    assert "try again" in str(caught.value)
    assert KEY not in str(caught.value)
    assert len(vendors.requests) == 1


def test_two_gigabytes_are_refused_in_flat_memory(vendors: Vendors, wire: Wire, tmp_path: Any) -> None:
    vendors.misbehave(Fault(how="endless"), times=2)
    with measured() as peak:
        assert type(failed(wire, speech(largest=4_000_000))) is TooLargeError
    assert peak() < 20e6
    with measured() as peak:
        assert type(failed(wire, speech(largest=100_000_000), into=tmp_path / "sound")) is TooLargeError
    assert peak() < 4e6
    assert list(tmp_path.iterdir()) == []
    run(until(lambda: vendors.connections == 0))


def test_a_body_that_unpacks_to_gigabytes_is_refused(vendors: Vendors, wire: Wire) -> None:
    bomb = gzip.compress(bytes(300_000_000), 1)
    vendors.misbehave(Fault(200, bomb, {"content-encoding": "gzip"}))
    with measured() as peak:
        assert type(failed(wire, speech(largest=4_000_000))) is TooLargeError
    assert peak() < 60e6


def test_the_words_of_an_error_are_not_read_without_end(vendors: Vendors, wire: Wire) -> None:
    vendors.misbehave(Fault(400, "no", how="endless"))
    with measured() as peak:
        assert type(failed(wire, speech())) is BadRequestError
    assert peak() < 4e6


class measured:  # noqa: N801 - a context manager
    """The most memory that Python has at once from here on, in bytes."""

    def __enter__(self) -> Callable[[], int]:
        tracemalloc.start()
        return lambda: self.peak

    def __exit__(self, *_: object) -> None:
        self.peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


# The bound


def many(wire: Wire, count: int) -> list[Any]:
    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(wire.send(speech()) for _ in range(count)), return_exceptions=True)

    return list(run(all_of_them()))


def under_way(vendors: Vendors, wire: Wire, count: int = 12) -> int:
    """How many of so many calls a wire lets under way while none is answered."""

    text = f"Held {len(vendors.requests)}."

    def arrived() -> int:
        return sum(request.texts == (text,) for request in vendors.requests)

    async def held() -> int:
        vendors.misbehave(Fault(how="hang"), times=count, when=lambda request: request.texts == (text,))
        calls = [asyncio.ensure_future(wire.send(speech(text=text))) for _ in range(count)]
        await settled(arrived)
        held = arrived()
        vendors.calm_down()
        vendors.release()
        await asyncio.gather(*calls)
        return held

    return int(run(held()))


def test_never_more_are_under_way_than_allowed(vendors: Vendors, open_wire: Any) -> None:
    vendors.at_once, vendors.delay = None, 0.02
    answers = many(open_wire(elevenlabs(vendors, at_once=3)), 20)
    assert [answer.body for answer in answers] == [SOUND] * 20
    assert vendors.busiest["elevenlabs"] == 3


def test_the_bound_is_what_the_vendor_tells(vendors: Vendors, open_wire: Any) -> None:
    vendors.at_once = 7
    wire = open_wire(elevenlabs(vendors, at_once=2))
    run(wire.send(speech()))
    assert under_way(vendors, wire) == 7
    assert len(vendors.requests) == 1 + 12  # none was refused and came again


def test_a_batch_leaves_the_bound_as_it_was_told(vendors: Vendors, open_wire: Any) -> None:
    """Its last answers tell how many were under way before, which are then no longer: they are nobody else's."""
    vendors.at_once, vendors.delay = 6, 0.02
    wire = open_wire(elevenlabs(vendors, at_once=6))
    for _ in range(3):
        many(wire, 9)
        assert under_way(vendors, wire) == 6


@pytest.mark.parametrize("at_once", [2, 10])
def test_what_others_of_the_account_have_under_way_is_left_to_them(
    at_once: int, vendors: Vendors, open_wire: Any
) -> None:
    vendors.at_once, vendors.elsewhere, vendors.delay = 10, 7, 0.03
    wire = open_wire(elevenlabs(vendors, at_once=at_once))
    assert all(isinstance(answer, Answer) for answer in many(wire, 12))
    vendors.requests.clear()
    many(wire, 15)
    assert len(vendors.requests) <= 16  # one more is tried now and then
    vendors.elsewhere = 0
    many(wire, 60)
    assert vendors.busiest["elevenlabs"] >= 5  # it grows again, slowly


def test_refusals_narrow_the_bound_and_all_is_bought_once(vendors: Vendors, open_wire: Any) -> None:
    vendors.at_once, vendors.delay = 3, 0.02
    wire = open_wire(openai_vendor(vendors, at_once=8))
    call = Call("POST", "/audio/speech", json={"model": "tts-1", "input": TEXT, "voice": "nova"}, paid=True)

    async def batch(count: int) -> None:
        await asyncio.gather(*(wire.send(call) for _ in range(count)))

    run(batch(18))
    assert vendors.bought == {TEXT: 18}
    assert len(vendors.requests) <= 18 + 10  # each refusal is one fewer under way
    vendors.busiest.clear()
    run(batch(12))
    assert vendors.busiest["openai"] <= 4  # one more is tried now and then


def test_a_vendor_that_has_trouble_is_asked_less_though_it_tells_a_wide_bound(vendors: Vendors, open_wire: Any) -> None:
    vendors.at_once, vendors.delay = 6, 0.05
    wire = open_wire(elevenlabs(vendors, at_once=6))
    vendors.misbehave(said(429, "system_busy"), times=3)
    many(wire, 6)
    assert under_way(vendors, wire) < 6


def test_retry_after_holds_everybody(vendors: Vendors, open_wire: Any) -> None:
    wire = open_wire(elevenlabs(vendors, at_once=1))
    vendors.at_once = 1
    vendors.misbehave(said(429, "system_busy", retry_after="0.4"))
    many(wire, 3)
    first, second, *_ = (request.at for request in vendors.requests)
    assert second - first >= 0.4
    assert len(vendors.requests) == 4


def test_a_date_to_wait_for_is_waited_for(vendors: Vendors, wire: Wire) -> None:
    moment = int(time.time()) + 2
    vendors.misbehave(said(429, "system_busy", retry_after=formatdate(moment, usegmt=True)))
    run(wire.send(speech()))
    assert time.time() >= moment


def test_a_wait_beyond_patience_holds_nobody_else(vendors: Vendors, open_wire: Any) -> None:
    wire = open_wire(elevenlabs(vendors, at_once=1))
    vendors.misbehave(said(429, "system_busy", retry_after="3600"))
    refused, answered = many(wire, 2)
    assert type(refused) is RateLimitError
    assert answered.body == SOUND


def test_two_event_loops_share_one_bound(vendors: Vendors, open_wire: Any) -> None:
    vendors.at_once, vendors.delay = None, 0.02
    wire = open_wire(elevenlabs(vendors, at_once=3))
    found: list[list[Any]] = []
    threads = [threading.Thread(target=lambda: found.append(many(wire, 15))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.body for answers in found for answer in answers] == [SOUND] * 45
    assert vendors.busiest["elevenlabs"] == 3


# Letting go


def test_cancelling_lets_go_of_the_slot_and_the_connection(vendors: Vendors, open_wire: Any) -> None:
    wire = open_wire(elevenlabs(vendors, at_once=1))
    vendors.misbehave(Fault(how="hang"))

    async def cancelled() -> None:
        waiting = asyncio.ensure_future(wire.send(speech()))
        await until(lambda: len(vendors.requests) == 1)
        behind = asyncio.ensure_future(wire.send(speech()))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await behind).body == SOUND
        await until(lambda: vendors.left == 1 and vendors.connections == 1)

    run(cancelled())


def test_cancelling_at_any_moment_loses_no_slot(vendors: Vendors, open_wire: Any) -> None:
    vendors.at_once = None
    wire = open_wire(elevenlabs(vendors, at_once=3))

    async def stormy() -> None:
        for moment in range(60):
            calls = [asyncio.ensure_future(wire.send(speech())) for _ in range(8)]
            await asyncio.sleep(moment / 4000)
            for call in calls[::-1] if moment % 2 else calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    run(stormy())
    assert under_way(vendors, wire) == 3


def test_a_closed_wire_can_be_used_again_and_closed_twice(vendors: Vendors) -> None:
    wire = Wire(elevenlabs(vendors))
    wire.close()
    for _ in range(2):
        run(wire.send(speech()))
        wire.close()
        wire.close()
        run(until(lambda: vendors.connections == 0))
    gc.collect()


def test_a_program_that_tries_again_and_closes_prints_nothing(vendors: Vendors) -> None:
    vendors.misbehave(said(503, "service_unavailable"), times=2)
    program = f"""
import asyncio, stamina
from luma_studio.wire import Call, Vendor, Wire
stamina.set_testing(True, attempts=5)
wire = Wire(Vendor("ElevenLabs", "ELEVENLABS_API_KEY", {vendors.address("elevenlabs")!r}, {KEY!r}, "xi-api-key"))
asyncio.run(wire.send(Call("GET", "/v1/user")))
wire.close()
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(vendors.requests) == 3


# Pieces as they come


async def begun(told: list[bytes]) -> None:
    await until(lambda: bool(told))


async def body(wire: Wire, call: Call) -> bytes:
    """The whole body, which is also what its pieces are."""
    told: list[bytes] = []
    answer = await wire.send(call, hear=told.append)
    assert b"".join(told) == answer.body
    return answer.body


def test_the_first_piece_is_told_before_the_last_was_sent(vendors: Vendors, wire: Wire) -> None:
    vendors.misbehave(Fault(how="hang in body"))
    told: list[bytes] = []

    async def heard() -> None:
        sending = asyncio.create_task(wire.send(speech(f"{SPEAK}/stream"), hear=told.append))
        await begun(told)  # the vendor has not sent the second half, and will not before
        assert not sending.done()
        vendors.release()
        assert (await sending).body == b"".join(told) == SOUND

    run(heard())


def test_what_is_told_goes_into_the_file_whole(vendors: Vendors, wire: Wire, tmp_path: Any) -> None:
    told: list[bytes] = []
    run(wire.send(speech(f"{SPEAK}/stream"), into=tmp_path / "sound.pcm", hear=told.append))
    assert len(told) > 1
    assert (tmp_path / "sound.pcm").read_bytes() == b"".join(told) == SOUND


@pytest.mark.parametrize("paid", [True, False])
def test_a_body_that_is_heard_is_tried_again_until_its_first_piece_has_come(
    paid: bool, vendors: Vendors, wire: Wire
) -> None:
    vendors.misbehave(said(503, "service_unavailable"), times=2)
    assert run(body(wire, speech(f"{SPEAK}/stream", paid=paid))) == SOUND
    assert len(vendors.requests) == 3


@pytest.mark.parametrize("paid", [True, False])
@pytest.mark.parametrize("how", ["cut in body", "hang in body"])
def test_a_body_that_breaks_off_is_told_as_far_as_it_came_and_not_begun_again(
    how: Any, paid: bool, vendors: Vendors, wire: Wire, tmp_path: Any
) -> None:
    fault = Fault(how=how)
    vendors.misbehave(fault)
    told: list[bytes] = []
    call = speech(f"{SPEAK}/stream", paid=paid, patience=patience(fault))
    error = failed(wire, call, into=tmp_path / "sound.pcm", hear=told.append)
    assert type(error) is (OutcomeUnknownError if paid else OverloadedError)
    assert 0 < len(b"".join(told)) < len(SOUND)
    assert SOUND.startswith(b"".join(told))
    assert len(vendors.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_who_calls_a_request_off_in_its_midst_lets_go_of_the_slot_and_the_connection(
    vendors: Vendors, open_wire: Any
) -> None:
    wire = open_wire(elevenlabs(vendors, at_once=1))
    vendors.misbehave(Fault(how="hang in body"))
    told: list[bytes] = []

    async def stopped() -> None:
        sending = asyncio.create_task(wire.send(speech(f"{SPEAK}/stream"), hear=told.append))
        await begun(told)
        sending.cancel()
        assert (await wire.send(speech())).body == SOUND
        await until(lambda: vendors.left == 1)

    run(stopped())


def test_a_loop_that_ends_in_the_midst_of_a_body_lets_go_of_it(
    vendors: Vendors, open_wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    wire = open_wire(elevenlabs(vendors, at_once=1))
    vendors.misbehave(Fault(how="hang in body"))
    told: list[bytes] = []
    kept: list[asyncio.Task[Answer]] = []

    async def left() -> None:
        kept.append(asyncio.create_task(wire.send(speech(f"{SPEAK}/stream"), hear=told.append)))
        await begun(told)

    run(left())
    run(until(lambda: vendors.left == 1))
    assert run(wire.send(speech())).body == SOUND
    kept.clear()
    gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio" and record.levelno >= logging.ERROR] == []


# JSON, value after value


def values(data: bytes) -> Any:
    return json_values_of(Answer({}, data), Vendor("ElevenLabs", "ELEVENLABS_API_KEY", "", "", ""))


@pytest.mark.parametrize("data", [b'{"a": 1}\n{"b": 2}', b'{"a": 1}{"b": 2}\n', b' {"a":\n 1}\r\n\n{"b": 2}\n \n'])
def test_values_are_read_one_after_another_in_lines_or_not(data: bytes) -> None:
    assert values(data) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("data", [b"", b" \n", b'{"a": 1}\n{"b"', b'{"a": 1}\nb', b"\xff", b"[" * 100_000])
def test_values_of_which_one_is_none_are_a_broken_answer(data: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        values(data)


def test_an_error_among_values_is_told_in_its_words() -> None:
    with pytest.raises(BrokenAnswerError, match="holds an error: out of breath"):
        values(b'{"a": 1}\n{"error": {"message": "out of breath"}}\n')


# Into a file


def test_a_body_goes_into_a_file_and_not_into_memory(vendors: Vendors, wire: Wire, tmp_path: Any) -> None:
    answer = run(wire.send(speech(), into=tmp_path / "made" / "sound.pcm"))
    assert (answer.body, answer.request_id, answer.headers["character-cost"]) == (b"", "req_1", str(len(TEXT)))
    assert (tmp_path / "made" / "sound.pcm").read_bytes() == SOUND


@pytest.mark.parametrize("fault", [Fault(how="cut in body"), Fault(how="hang in body"), said(400, "no")])
@pytest.mark.parametrize("before", [None, b"what was there"])
def test_a_file_is_whole_or_as_it_was(
    fault: Fault, before: bytes | None, vendors: Vendors, wire: Wire, tmp_path: Any
) -> None:
    path = tmp_path / "sound.pcm"
    if before:
        path.write_bytes(before)
    vendors.misbehave(fault, times=99)
    failed(wire, speech(patience=patience(fault)), into=path)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == ([(path.name, before)] if before else [])


def test_a_second_try_begins_the_file_anew(vendors: Vendors, wire: Wire, tmp_path: Any) -> None:
    vendors.misbehave(Fault(how="cut in body"), times=2)
    run(wire.send(speech(paid=False), into=tmp_path / "sound.pcm"))
    assert (tmp_path / "sound.pcm").read_bytes() == SOUND


def test_a_disk_that_does_not_take_the_body_is_told_as_such_and_nothing_is_bought_again(
    vendors: Vendors, wire: Wire, tmp_path: Any
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError):
        run(wire.send(speech(), into=tmp_path / "file" / "sound.pcm"))
    assert sum(vendors.bought.values()) <= 1


# The fake itself: what it says can be relied upon


@pytest.mark.parametrize("text", ["Hi, you.", "नमस्ते, दुनिया।", "日本"])
@pytest.mark.parametrize("form", ["pcm_44100", "wav_24000", "mp3_44100_128"])
def test_the_fake_speaks_each_character_when_it_says(text: str, form: str, vendors: Vendors, wire: Wire) -> None:
    call = replace(speech(f"{SPEAK}/with-timestamps", text), params={"output_format": form})
    found = json_of(run(wire.send(call)), wire.vendor)
    samples, rate = sound_of(found["audio_base64"], form)
    times = found["alignment"]
    assert times["characters"] == list(text)
    for index, character in enumerate(text):
        start = times["character_start_times_seconds"][index]
        assert start == pytest.approx(LEAD + STEP * index, abs=1e-9)
        at = start * rate
        assert at == pytest.approx(round(at), abs=1e-6)
        middle = samples[round(at) + rate // 100 : round(at + (STEP - 0.01) * rate)]
        if character in " ,.।":
            assert abs(middle.astype(int)).max() < 300
        else:
            assert loudest(middle, rate) == pytest.approx(pitch(character, RACHEL), abs=30)
    exact = spoken(text, rate, voice=RACHEL)
    assert len(samples) == len(exact.samples)
    if not form.startswith("mp3"):
        assert np.array_equal(samples, exact.samples)


def sound_of(base64_text: str, form: str) -> tuple[Any, int]:
    import base64  # noqa: PLC0415

    data = base64.b64decode(base64_text)
    return (np.frombuffer(data, "<i2"), int(form[4:])) if form.startswith("pcm") else codec.read(data)


def loudest(samples: Any, rate: int) -> float:
    size = 1 << 15
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size)).argmax() * rate / size)


def test_the_fake_streams_the_sound_and_times_that_it_gives_whole(vendors: Vendors, wire: Wire) -> None:
    import base64  # noqa: PLC0415

    whole = json_of(run(wire.send(speech(f"{SPEAK}/with-timestamps"))), wire.vendor)
    lines = run(body(wire, speech(f"{SPEAK}/stream/with-timestamps"))).splitlines()
    parts = [json.loads(line) for line in lines]
    assert len(parts) > 2
    assert b"".join(base64.b64decode(part["audio_base64"]) for part in parts) == SOUND
    for name, values in whole["alignment"].items():
        assert [each for part in parts if part["alignment"] for each in part["alignment"][name]] == values


def test_the_fake_speaks_a_dialogue_whose_parts_are_known(vendors: Vendors, wire: Wire) -> None:
    lines = [{"text": "Hi you.", "voice_id": RACHEL}, {"text": "[warm] Yes.", "voice_id": DREW}]
    call = Call("POST", "/v1/text-to-dialogue/with-timestamps", json={"inputs": lines}, params=PCM, paid=True)
    found = json_of(run(wire.send(call)), wire.vendor)
    samples, rate = sound_of(found["audio_base64"], "pcm_24000")
    for line, segment in zip(lines, found["voice_segments"], strict=True):
        part = slice(*(round(segment[f"{edge}_time_seconds"] * rate) for edge in ("start", "end")))
        model = "eleven_v3"
        assert np.array_equal(samples[part], spoken(line["text"], rate, voice=line["voice_id"], model=model).samples)
        letters = slice(segment["character_start_index"], segment["character_end_index"])
        assert "".join(found["alignment"]["characters"][letters]) == line["text"]
    assert vendors.bought == {"Hi you.": 1, "[warm] Yes.": 1}


def test_the_fake_refuses_what_the_vendors_refuse(vendors: Vendors, wire: Wire) -> None:
    def code(path: str, **body: Any) -> tuple[int | None, str]:
        error = failed(wire, Call("POST", path, json=body))
        return error.status, error.code

    lines = [{"text": "Hello.", "voice_id": voice} for voice in list(VOICES)[:11]]
    assert code(SPEAK, text="x" * 10_001) == (400, "text_too_long")
    assert code("/v1/text-to-speech/nobody", text=TEXT) == (404, "voice_not_found")
    assert code(SPEAK, text=TEXT, model_id="eleven_v9") == (404, "model_not_found")
    assert code(SPEAK, text=TEXT, model_id="eleven_v3", previous_request_ids=["a"]) == (400, "unsupported_model")
    assert code("/v1/text-to-dialogue", inputs=lines) == (400, "too_many_voices")
    assert code("/v1/text-to-dialogue", inputs=[{"text": "x" * 2001, "voice_id": RACHEL}]) == (400, "text_too_long")
    vendors.character_limit = 5
    assert code(SPEAK, text=TEXT) == (402, "insufficient_credits")
    assert vendors.bought == {}


def test_the_fake_lists_voices_on_two_pages(vendors: Vendors, wire: Wire) -> None:
    first = json_of(run(wire.send(Call("GET", "/v2/voices", params={"page_size": 100}))), wire.vendor)
    token = {"next_page_token": first["next_page_token"]}
    second = json_of(run(wire.send(Call("GET", "/v2/voices", params=token))), wire.vendor)
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert [each["voice_id"] for each in first["voices"] + second["voices"]] == list(VOICES)
    assert httpx.get(first["voices"][0]["preview_url"]).status_code == 200


def test_the_fake_thinks_what_the_test_says(vendors: Vendors) -> None:
    answers = iter(["{}", Said(refusal="No."), Said('{"a', finish="length")])
    vendors.mind = lambda _request: next(answers)
    with openai.OpenAI(base_url=vendors.address("groq"), api_key=KEYS["groq"], max_retries=0) as client:
        said = [
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Think."}]).choices[0]
            for _ in range(3)
        ]
    assert [each.message.content for each in said] == ["{}", None, '{"a']
    assert (said[1].message.refusal, said[2].finish_reason) == ("No.", "length")
    assert vendors.thought == {"groq": 3}


def test_the_fake_leaves_no_thread(vendors: Vendors) -> None:
    vendors.misbehave(Fault(how="hang"))
    client = httpx.Client()
    with pytest.raises(httpx.ReadTimeout):
        headers = {"authorization": f"Bearer {KEYS['openai']}"}
        client.get(vendors.address("openai") + "/models", headers=headers, timeout=0.1)
    vendors.stop()
    client.close()
    assert "fake-vendors" not in {thread.name for thread in threading.enumerate()}


# Contracts

with_contracts = pytest.mark.skipif(bool(contracts.missing()), reason=contracts.missing())


def asked(path: str = SPEAK, vendor: str = "elevenlabs", body: Any = None, query: Any = None) -> Request:
    headers = {"xi-api-key": KEY, "authorization": "Bearer x", "content-type": "application/json"}
    method = "GET" if body is None else "POST"
    return Request(vendor, method, path, query or {}, headers, json.dumps(body).encode(), 0.0)


CHAT = {"model": "m", "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"type": "object"}}}


@with_contracts
def test_requests_within_the_contract_pass() -> None:
    for request in (
        asked(body={"text": TEXT, "voice_settings": {"speed": 1.1}}, query=PCM),
        asked("/v1/text-to-dialogue/with-timestamps", body={"inputs": [{"text": TEXT, "voice_id": RACHEL}]}),
        asked("/v2/voices", query={"page_size": "100"}),
        asked("/audio/speech", "openai", {"model": "tts-1", "input": TEXT, "voice": "nova", "speed": 0.9}),
        asked("/chat/completions", "openai", {**CHAT, "response_format": SCHEMA, "reasoning_effort": "low"}),
        asked("/chat/completions", "groq", {**CHAT, "temperature": 0, "response_format": {"type": "json_object"}}),
    ):
        assert contracts.check(request) is None


@with_contracts
@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (asked(body={}), "'text' is a required property"),
        (asked(body={"text": TEXT, "modelid": "x"}), "modelid"),
        (asked(body={"text": TEXT, "voice_settings": {"stability": 2}}), "voice_settings"),
        (asked(body={"text": TEXT, "voice_settings": {"sped": 1}}), "voice_settings"),
        (asked(body={"text": TEXT}, query={"output_format": "mp3_1"}), "mp3_1"),
        (asked(body={"text": TEXT}, query={"output_fromat": "pcm_24000"}), "output_fromat"),
        (asked("/v1/text-to-sing", body={"text": TEXT}), "Path not found"),
        (asked("/audio/speech", "openai", {"model": "m", "input": "x" * 4097, "voice": "nova"}), "input"),
        (asked("/chat/completions", "openai", {**CHAT, "temprature": 1}), "temprature"),
        (asked("/chat/completions", "groq", {"model": "m", "messages": [{"role": "r", "content": "c"}]}), "messages.0"),
    ],
)
def test_a_request_outside_the_contract_is_a_violation(request_: Request, words: str) -> None:
    assert words in (contracts.check(request_) or "")


@with_contracts
def test_a_violation_is_kept_with_the_fake() -> None:
    with Vendors(contracts.check) as vendors:
        headers = {"xi-api-key": KEY}
        httpx.post(vendors.address("elevenlabs") + SPEAK, headers=headers, json={"text": TEXT, "modelid": "x"})
        assert len(vendors.violations) == 1


@with_contracts
def test_the_fake_answers_within_the_contract(vendors: Vendors) -> None:
    vendors.mind = lambda _request: "{}"
    there = vendors.address("elevenlabs")
    dialogue = {"inputs": [{"text": TEXT, "voice_id": RACHEL}]}
    with httpx.Client(headers={"xi-api-key": KEY, "authorization": f"Bearer {KEYS['openai']}"}) as client:
        answers = [
            client.post(f"{there}{SPEAK}/with-timestamps", json={"text": TEXT}),
            client.post(f"{there}/v1/text-to-dialogue/with-timestamps", json=dialogue),
            client.post(f"{there}/v1/text-to-speech/nobody", json={"text": TEXT}),
            *(client.get(there + path) for path in ("/v2/voices", "/v1/models", "/v1/user")),
            client.get(f"{there}/v1/user", headers={"xi-api-key": "wrong"}),
            client.get(vendors.address("openai") + "/models"),
            client.post(vendors.address("openai") + "/chat/completions", json=CHAT),
            client.get(vendors.address("openai") + "/models", headers={"authorization": "Bearer wrong"}),
        ]
    for request, answer in zip(vendors.requests, answers, strict=True):
        assert contracts.check_answer(request, answer.status_code, answer.headers, answer.content) is None


# No way out

AWAY = "api.elevenlabs.io"


@pytest.mark.parametrize("place", [AWAY, "192.0.2.1", "2001:db8::1"])
def test_no_test_can_reach_another_machine(place: str) -> None:
    family = socket.AF_INET6 if ":" in place else socket.AF_INET
    host = f"[{place}]" if ":" in place else place

    async def with_asyncio() -> None:
        await asyncio.open_connection(place, 443)

    async def with_httpx() -> None:
        async with httpx.AsyncClient() as client:
            await client.get(f"https://{host}/v1/user")

    async def with_httpx2() -> None:
        async with httpx2.AsyncClient() as client:
            await client.get(f"https://{host}/v1/user")

    def with_openai() -> None:
        with openai.OpenAI(base_url=f"https://{host}/v1", api_key="none") as client:
            client.models.list()

    def with_a_socket(way: str) -> None:
        with socket.socket(family) as opened:
            getattr(opened, way)((place, 443))

    def with_a_datagram() -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as opened:
            opened.sendto(b"", (place, 53))

    ways: list[Callable[[], object]] = [
        lambda: socket.create_connection((place, 443)),
        lambda: socket.getaddrinfo(place, 443),
        lambda: socket.gethostbyname(place),
        lambda: with_a_socket("connect"),
        lambda: with_a_socket("connect_ex"),
        with_a_datagram,
        lambda: httpx.get(f"https://{host}/"),
        lambda: httpx2.get(f"https://{host}/"),
        with_openai,
        lambda: asyncio.run(with_asyncio()),
        lambda: asyncio.run(with_httpx()),
        lambda: asyncio.run(with_httpx2()),
    ]
    for way in ways:
        with pytest.raises((LeftTheMachineError, BaseExceptionGroup)) as caught:
            way()
        error = caught.value
        if isinstance(error, BaseExceptionGroup):  # of anyio's tasks
            (error,) = error.exceptions
        assert type(error) is LeftTheMachineError
        assert "No test may leave this machine" in str(error)


def test_the_wire_cannot_reach_a_real_vendor_in_a_test(vendors: Vendors, open_wire: Any) -> None:
    wire = open_wire(elevenlabs(vendors, address=f"https://{AWAY}"))
    with pytest.raises(LeftTheMachineError):
        run(wire.send(speech()))


def test_no_key_of_the_machine_reaches_a_test() -> None:
    names = ("ELEVENLABS", "OPENAI", "GROQ", "HEYGEN", "FREEPIK", "CREATOMATE", "LUMA")
    assert [name for name in os.environ if name.startswith(names)] == []


def test_the_fixture_gives_keys_and_addresses_that_lead_to_the_fake(vendors: Vendors) -> None:
    for name in MODELS:
        headers = {"authorization": f"Bearer {os.environ[f'{name.upper()}_API_KEY']}"}
        found = httpx.get(os.environ[f"{name.upper()}_BASE_URL"] + "/models", headers=headers).json()
        assert [each["id"] for each in found["data"]] == list(MODELS[name])
