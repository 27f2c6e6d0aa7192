"""Asking a mind: through the ``openai`` package, whose requests go over our wire, are bought once, and kept.

The package makes the structured output; its transport is ours. So the key never reaches it, what is refused is told as
for every vendor, and the same question, here already, is not sent at all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import openai
from pydantic import ValidationError

from luma_studio.agents.base import Answer, Question, Thinking, TokenPrices
from luma_studio.errors import BadRequestError, BrokenAnswerError
from luma_studio.store import files
from luma_studio.store.ledger import Purchase
from luma_studio.wire import Answer as Sent
from luma_studio.wire import Call, Vendor, broken, json_of

_LARGEST = 8 * 1024 * 1024  # bytes of an answer
_TRIES = 3  # there are rules to fall back on
_MILLION = 1_000_000
_LONGEST_MODEL = 200  # characters of a model's name
_FORM = "\n\nAnswer with one JSON object and nothing else. It must fit this JSON Schema:\n"


async def ask(question: Question[Answer], thinking: Thinking) -> Answer | str:
    """A mind's answer or, in a sentence, why it is of no use. Raises VendorError, BudgetError, StoreError."""
    transport = _Transport(lambda body: _answer(question, thinking, body))
    async with openai.AsyncOpenAI(
        api_key="the wire has it",
        base_url="http://mind",
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=transport),
    ) as client:
        try:
            try:
                return await _structured(client, question)
            except BadRequestError as error:
                if not _is_of_the_form(error):
                    raise
            return await _plain(client, question)
        except openai.LengthFinishReasonError:
            return "The answer was cut off: it was too long. Answer more briefly."
        except openai.ContentFilterFinishReasonError:
            return "The vendor's filter took the answer back."
        except ValidationError as error:
            return _misfit(error)


async def _structured(client: openai.AsyncOpenAI, question: Question[Answer]) -> Answer | str:
    completion = await client.chat.completions.parse(
        **_asked(question, question.system), response_format=question.answer
    )
    message = completion.choices[0].message
    return _refused(message.refusal) if message.parsed is None else message.parsed


async def _plain(client: openai.AsyncOpenAI, question: Question[Answer]) -> Answer | str:
    """For servers that know no JSON Schema: it stands in the prompt, and what comes is held against it here."""
    system = question.system + _FORM + json.dumps(question.answer.model_json_schema(), ensure_ascii=False)
    completion = await client.chat.completions.create(
        **_asked(question, system), response_format={"type": "json_object"}
    )
    choice = completion.choices[0]
    if choice.finish_reason == "length":
        raise openai.LengthFinishReasonError(completion=completion)
    if choice.message.content is None:
        return _refused(choice.message.refusal)
    return question.answer.model_validate_json(choice.message.content)


def _asked(question: Question[Any], system: str) -> dict[str, Any]:
    mind = question.mind
    return {
        "model": mind.model,
        "messages": [{"role": "system", "content": system}, *question.messages],
        **({} if mind.temperature is None else {"temperature": mind.temperature}),
        **({"reasoning_effort": mind.effort} if mind.effort else {}),
    }


def _is_of_the_form(error: BadRequestError) -> bool:
    return error.status == 400 and any(word in str(error) for word in ("response_format", "json_schema"))


def _refused(words: str | None) -> str:
    return f"It refuses to answer: {_short(words)}" if words else "The answer is empty."


def _misfit(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    return _short(f"The answer is not the JSON that was asked for: {where + ': ' if where else ''}{first['msg']}.")


def _short(text: str) -> str:
    return " ".join(text.split())[:300]


class _Transport(httpx2.AsyncBaseTransport):
    """Gives the package the answer to what it would send."""

    def __init__(self, answer: Callable[[Any], Awaitable[bytes]]) -> None:
        self._answer = answer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=_plainly(await self._answer(json.loads(request.content))))


# Bought once


async def _answer(question: Question[Any], thinking: Thinking, body: Any) -> bytes:
    """The completion that answers a question: as it is kept, or else bought by one process at a time, and kept."""
    path = thinking.path(question)
    here = await asyncio.to_thread(_kept, path)
    if here is not None:
        return here
    vendor = thinking.wires.to(question.mind.home).vendor
    async with thinking.account.claim(question.key) as claimed:
        here = await asyncio.to_thread(_kept, path)  # another may have bought it meanwhile
        if here is None:
            here = await _bought(question, replace(thinking, account=claimed), body)
            try:
                _check_completion(here, vendor)
            except BrokenAnswerError:
                await claimed.forget()
                raise
            await asyncio.to_thread(files.write, path, here, durable=True)
        await claimed.forget()
        return here


async def _bought(question: Question[Any], thinking: Thinking, body: Any) -> bytes:
    mind = question.mind
    wire = thinking.wires.to(mind.home)
    call = Call(
        "POST",
        "/chat/completions",
        json=body,
        paid=True,
        patience=mind.timeout,
        deadline=mind.timeout,
        largest=_LARGEST,
        tries=_TRIES,
    )
    prices = thinking.prices(mind.vendor, mind.model)
    purchase = Purchase(mind.home.name, mind.model, question.agent, question.tokens, question.price(prices))
    arrived = b""

    async def send(path: Path) -> Sent:
        nonlocal arrived
        sent = await wire.send(call, path)
        arrived = await asyncio.to_thread(path.read_bytes)
        return sent

    return await thinking.account.buy(purchase, send, cost=lambda _: _cost(arrived, prices))


def _cost(body: bytes, prices: TokenPrices | None) -> Decimal | None:
    """What an answer cost by the tokens that it says it took; None where it, or its price, is not told."""
    asked, answered = _tokens(body)
    if prices is None or asked is None or answered is None:
        return None
    return (prices[0] * asked + prices[1] * answered) / _MILLION


def _tokens(body: bytes) -> tuple[int | None, int | None]:
    """How many tokens were asked and answered, as an answer tells it."""
    with suppress(ValueError, RecursionError):
        match json.loads(body):
            case {"usage": {"prompt_tokens": int(asked), "completion_tokens": int(answered)}}:
                return max(0, asked), max(0, answered)
    return None, None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took: tokens asked and answered, US dollars (None: not told), and the model that gave it."""

    asked: int | None
    answered: int | None
    cost: Decimal | None
    model: str


def usage(question: Question[Any], thinking: Thinking) -> Usage:
    """What the answer to a question took, which is here. Raises StoreError."""
    path = thinking.path(question)
    with files.explained(path):
        body = path.read_bytes()
    model = json.loads(body).get("model")
    mind = question.mind
    told = model if isinstance(model, str) and model.isprintable() and 0 < len(model) <= _LONGEST_MODEL else mind.model
    return Usage(*_tokens(body), _cost(body, thinking.prices(mind.vendor, mind.model)), told)


def _kept(path: Path) -> bytes | None:
    """An answer that is kept and whole."""
    with files.explained(path):
        try:
            body = path.read_bytes()
        except FileNotFoundError:
            return None
    return None if _plainly(body) is None else body


def _check_completion(body: bytes, vendor: Vendor) -> None:
    sent = Sent({}, body)
    json_of(sent, vendor)
    if _plainly(body) is None:
        raise broken(vendor, "is not what a mind answers", sent)


def _plainly(body: bytes) -> dict[str, Any] | None:
    """A completion with what is looked at and nothing else: servers add much of their own. None where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match found:
        case {"choices": [{"message": {"content": str() | None as content} as message, **choice}, *_]}:
            refusal, finish = message.get("refusal"), choice.get("finish_reason")
        case _:
            return None
    said = {"role": "assistant", "content": content, "refusal": refusal if isinstance(refusal, str) else None}
    finish = finish if finish in ("length", "content_filter") else "stop"
    choices = [{"index": 0, "message": said, "finish_reason": finish}]
    return {"id": "", "object": "chat.completion", "created": 0, "model": "", "choices": choices}
