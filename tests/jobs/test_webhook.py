"""An address of the user's own is told of each job that ended: signed, at least once, with one id."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from jobs.kept import Place

from luma_studio.errors import SettingError
from luma_studio.jobs import Webhook, Worker
from luma_studio.progress import Listener
from luma_studio.settings import load_settings
from luma_studio.store.jobs import JobStore, model

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


class Address:
    """A server on this machine that takes notices, or refuses as many as it is told to."""

    def __init__(self) -> None:
        self.told: list[tuple[Mapping[str, str], bytes]] = []
        self.refusals: list[int] = []
        self.came = threading.Condition()
        address = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                with address.came:
                    address.told.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    status = address.refusals.pop(0) if address.refusals else 204
                    address.came.notify_all()
                self.send_response(status)
                if status == 307:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/told?who=me"

    def wait(self, count: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.told) >= count, 30)


@pytest.fixture
def address() -> Iterator[Address]:
    address = Address()
    yield address
    address.server.shutdown()
    address.server.server_close()


@pytest.fixture
def webhook(address: Address, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    monkeypatch.setenv("LUMA_WEBHOOK", address.url)
    monkeypatch.setenv("LUMA_WEBHOOK_SECRET", SECRET)
    webhook = Webhook.of(load_settings())
    assert webhook is not None
    return webhook


async def work(parameters: Mapping[str, Any], _listener: Listener) -> Any:
    if parameters.get("fails"):
        raise ValueError("no")
    return {"master": "शांत.mp3"}


def told(store: JobStore, webhook: Webhook, address: Address, count: int) -> None:
    """Have a worker do what there is until the address was told so often and that is written down."""

    async def run() -> None:
        running = asyncio.create_task(Worker(store, {"work": work}, webhook=webhook).run())
        await asyncio.to_thread(address.wait, count)
        while any(job.notice is not None and (job.notice.due or 0) > job.ended + 30 for job in store.every()):
            await asyncio.sleep(0.02)  # it is being told
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(asyncio.wait_for(run(), 60))


def test_each_end_is_told_signed_so_that_anybody_can_check_it(anywhere, webhook, address):
    store = anywhere.open(tells=True)
    good, bad, gone = store.create("work"), store.create("work", {"fails": True}), store.create("film", subject="calm")
    store.cancel(gone.id)
    told(store, webhook, address, 3)
    bodies = {}
    for headers, body in address.told:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        signature = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{signature}"
        assert headers["content-type"] == "application/json"
        bodies[headers["webhook-id"]] = json.loads(body)
    assert bodies.keys() == {f"job_{job.id}" for job in (good, bad, gone)}
    assert bodies[f"job_{good.id}"]["type"] == "job.completed"
    assert bodies[f"job_{good.id}"]["data"]["result"] == {"master": "शांत.mp3"}
    assert bodies[f"job_{bad.id}"]["data"]["error"] == "ValueError: no"
    assert bodies[f"job_{gone.id}"]["type"] == "job.cancelled"
    assert bodies[f"job_{gone.id}"]["data"]["subject"] == "calm"
    assert {job.notice.outcome for job in store.every()} == {"delivered"}


@pytest.mark.parametrize("refusal", [500, 404, 307, 429])
def test_what_was_not_taken_is_told_again_with_the_same_id(workspace, webhook, address, monkeypatch, refusal):
    monkeypatch.setattr(model, "_BACKOFF", (0.05, 0.05, 0.05))
    store = Place("sqlite", str(workspace)).open(tells=True)
    store.cancel(store.create("work").id)
    address.refusals = [refusal, refusal]
    told(store, webhook, address, 3)
    assert len(address.told) == 3
    assert len({headers["webhook-id"] for headers, _ in address.told}) == 1
    assert len({body for _, body in address.told}) == 1


def test_an_address_that_is_not_there_keeps_its_notice(workspace, webhook, address):
    store = Place("sqlite", str(workspace)).open(tells=True)
    made = store.cancel(store.create("work").id)
    address.server.shutdown()
    address.server.server_close()

    async def run() -> None:
        running = asyncio.create_task(Worker(store, {}, webhook=webhook).run())
        while store.get(made.id).notice.tries == 0 or store.get(made.id).notice.due > made.ended + 30:
            await asyncio.sleep(0.02)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(asyncio.wait_for(run(), 60))
    assert store.get(made.id).notice.outcome == "due"
    assert store.sweep(0) == []


def test_no_webhook_is_none(workspace):
    assert Webhook.of(load_settings()) is None


@pytest.mark.parametrize(
    ("address", "secret", "told"),
    [
        ("http://example.com/hook", SECRET, "by https only"),
        ("ftp://example.com/hook", SECRET, "by https only"),
        ("example.com", SECRET, "by https only"),
        ("https://example.com/hook", "", "LUMA_WEBHOOK_SECRET"),
        ("https://example.com/hook", "whsec_c2hvcnQ=", "LUMA_WEBHOOK_SECRET"),
        ("https://example.com/hook", base64.b64encode(KEY).decode(), "LUMA_WEBHOOK_SECRET"),
        ("https://example.com/hook", "whsec_%%%", "LUMA_WEBHOOK_SECRET"),
    ],
)
def test_a_webhook_that_cannot_be_used_is_told_at_once(workspace, monkeypatch, address, secret, told):
    monkeypatch.setenv("LUMA_WEBHOOK", address)
    monkeypatch.setenv("LUMA_WEBHOOK_SECRET", secret)
    with pytest.raises(SettingError, match=told):
        Webhook.of(load_settings())


def test_the_key_is_never_shown(workspace, webhook):
    assert "key" not in repr(webhook)
    assert SECRET not in repr(load_settings())
