"""Telling an address of the user's own that a job ended, signed as Standard Webhooks has it.

A notice is kept with its job until it was delivered or given up; it arrives at least once, always with the same id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from luma_studio.errors import SettingError, UnreachableError
from luma_studio.settings import Settings
from luma_studio.store.jobs import Job
from luma_studio.wire import Call, led

_PREFIX = "whsec_"
_KEY = range(24, 65)  # bytes
_PATIENCE = 15.0  # seconds that the address may take to answer


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told when a job ends, and the key that notices are signed with."""

    address: str
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Webhook | None:
        """The one that is set; None where none is. Raises SettingError for one that cannot be used."""
        if not settings.webhook:
            return None
        try:
            wire, _ = led("LUMA_WEBHOOK", settings.webhook)
        except UnreachableError as error:
            raise SettingError(
                "LUMA_WEBHOOK is told by https only. Give an address that begins with https://."
            ) from error
        wire.close()
        return cls(settings.webhook, _key(settings.webhook_secret.get_secret_value()))

    async def tell(self, job: Job) -> None:
        """Have the address know how a job ended. Raises VendorError where it did not take it."""
        body = json.dumps(notice(job), ensure_ascii=False).encode()
        headers = {"content-type": "application/json", **self._signed(f"job_{job.id}", int(time.time()), body)}
        wire, path = led("LUMA_WEBHOOK", self.address)
        try:
            call = Call("POST", path, content=body, headers=headers, patience=_PATIENCE, deadline=_PATIENCE, tries=1)
            await wire.send(call)
        finally:
            wire.close()

    def _signed(self, notice_id: str, when: int, body: bytes) -> dict[str, str]:
        signed = hmac.digest(self.key, f"{notice_id}.{when}.".encode() + body, hashlib.sha256)
        return {
            "webhook-id": notice_id,
            "webhook-timestamp": str(when),
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        }


def notice(job: Job) -> dict[str, Any]:
    """What is told of a job that ended: JSON."""
    return {
        "type": f"job.{job.state}",
        "timestamp": _time(job.ended or job.changed),
        "data": {
            "id": job.id,
            "kind": job.kind,
            "subject": job.subject,
            "state": job.state,
            "result": job.result,
            "error": job.error,
            "created": _time(job.created),
            "ended": _time(job.ended or job.changed),
            "attempts": job.attempts,
        },
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or len(key) not in _KEY:
        raise SettingError(
            "LUMA_WEBHOOK needs LUMA_WEBHOOK_SECRET to sign what it tells: whsec_ and 24 to 64 random bytes in Base64. "
            "Make one with: echo whsec_$(openssl rand -base64 32)"
        )
    return key
