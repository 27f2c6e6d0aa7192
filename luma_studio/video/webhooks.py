"""What Freepik tells a webhook: whether it is really from there."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import suppress

_WINDOW = 300.0  # seconds that a delivery may be old, or ahead of our clock
_MARK = "whsec_"


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a delivery is signed with a secret of the dashboard, and is not an old one that is sent again.

    ``body`` are its bytes as they came, ``now`` is in seconds since the epoch. Of several signatures any will do.
    """
    told = {name.lower(): value for name, value in headers.items()}
    name, sent = told.get("webhook-id", ""), told.get("webhook-timestamp", "")
    if not (secret and name and sent.isascii() and sent.isdigit()) or abs(now - int(sent[:15])) > _WINDOW:
        return False
    signed = f"{name}.{sent}.".encode("utf-8", "replace") + body
    good = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in _keys(secret)]
    items = [item.partition(",") for item in told.get("webhook-signature", "").split()]
    given = [value.encode("utf-8", "replace") for version, _, value in items if version == "v1"]
    return any(hmac.compare_digest(one, other) for one in good for other in given)


def _keys(secret: str) -> Iterator[bytes]:
    """The secret as bytes; and what it stands for where it is marked as base64, as others read it."""
    yield secret.encode()
    if secret.startswith(_MARK):
        with suppress(binascii.Error):
            if key := base64.b64decode(secret.removeprefix(_MARK), validate=True):
                yield key
