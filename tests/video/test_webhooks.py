"""What Freepik tells a webhook is believed only where it is signed, and not when it comes late."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.video.webhooks import is_signed

SECRET = "-".join(("dashboard", "secret"))
BODY = b'{"task_id":"046b6c7f","status":"COMPLETED","generated":[]}'
NOW = 1_764_000_000.0
KNOWN = "v1,9UzawgbvOOPol52Ca2rT2hPZBe9y5fNrdnO3Td/90nk="  # as openssl dgst -sha256 -hmac makes it


def signature(body: bytes = BODY, key: bytes = SECRET.encode(), name: str = "msg_1", at: str = "1764000000") -> str:
    made = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def headers(signed: str, at: str = "1764000000", name: str = "msg_1") -> dict[str, str]:
    return {"Webhook-Id": name, "webhook-timestamp": at, "WEBHOOK-SIGNATURE": signed}


def test_a_signature_made_elsewhere_is_good():
    assert signature() == KNOWN
    assert is_signed(SECRET, headers(KNOWN), BODY, NOW)


@pytest.mark.parametrize(
    "signed",
    [f"v1,AAAA {KNOWN}", f"{KNOWN} v1,", f"v2,x  {KNOWN}", f"v1a,x {KNOWN}"],
)
def test_any_of_several_signatures_will_do(signed):
    assert is_signed(SECRET, headers(signed), BODY, NOW)


@pytest.mark.parametrize(
    "signed",
    ["", "v1", "v1,", KNOWN.removeprefix("v1,"), KNOWN.replace("v1", "v2"), KNOWN[:-2], "v1,\u0660", f"{KNOWN},x"],
)
def test_no_other_signature_is_good(signed):
    assert not is_signed(SECRET, headers(signed), BODY, NOW)


@pytest.mark.parametrize(("late", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_an_old_delivery_is_not_taken_for_a_new_one(late, good):
    assert is_signed(SECRET, headers(KNOWN), BODY, NOW + late) is good


def test_what_was_not_signed_with_it_does_not_count():
    assert not is_signed(SECRET, headers(KNOWN), BODY + b" ", NOW)
    assert not is_signed(SECRET, headers(KNOWN, name="msg_2"), BODY, NOW)
    assert not is_signed(SECRET, headers(KNOWN, at="1764000001"), BODY, NOW)
    assert not is_signed("another", headers(KNOWN), BODY, NOW)
    assert not is_signed("", headers(signature(key=b"")), BODY, NOW)
    assert not is_signed("whsec_", headers(signature(key=b"")), BODY, NOW)
    assert not is_signed(SECRET, {}, BODY, NOW)
    for at in ("", "-1764000000", "1764000000.0", "١٧٦٤٠٠٠٠٠٠", "9" * 400):
        assert not is_signed(SECRET, headers(signature(at=at), at=at), BODY, NOW)


def test_a_secret_in_base64_signs_as_text_and_as_what_it_stands_for():
    secret = "whsec_" + base64.b64encode(b"behind it").decode()
    assert is_signed(secret, headers(signature(key=secret.encode())), BODY, NOW)
    assert is_signed(secret, headers(signature(key=b"behind it")), BODY, NOW)
    assert is_signed("whsec_%%%", headers(signature(key=b"whsec_%%%")), BODY, NOW)


@given(st.text(), st.dictionaries(st.text(), st.text()), st.binary(), st.floats(allow_nan=False))
def test_nothing_that_comes_breaks_it(secret, told, body, now):
    assert is_signed(secret, told, body, now) is False
