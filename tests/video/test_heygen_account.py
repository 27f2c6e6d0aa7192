"""What a HeyGen account has to choose from, and what is left in it."""

from __future__ import annotations

import asyncio

import pytest
from helpers.heygen import LOOKS, VOICES
from helpers.vendors import Fault

from luma_studio.errors import BrokenAnswerError, NoKeyError
from luma_studio.video.heygen_account import account, looks, voices
from luma_studio.wire import Wires


@pytest.fixture
def wires(workspace):
    wires = Wires()
    yield wires
    wires.close()


def test_looks_come_from_all_pages_with_what_films_them(heygen, wires):
    found = asyncio.run(looks(wires))
    assert [each.look_id for each in found] == list(LOOKS)
    assert (found[1].kind, found[1].engines) == ("digital_twin", ("avatar_v", "avatar_iv", "avatar_iii"))
    assert (found[0].name, found[0].voice_id, found[0].orientation) == ("Anna", "voice_1", "portrait")
    assert found[0].preview.startswith("https://")
    assert [each.trouble for each in found] == ["", "", "", "processing"]


def test_voices_come_from_all_pages_with_their_previews(heygen, wires):
    found = asyncio.run(voices(wires))
    assert [each.voice_id for each in found] == list(VOICES)
    assert found[0].about == "Voice 1, Hindi, female"
    assert (bool(found[0].preview), found[1].preview) == (True, "")


def test_voices_may_be_those_of_a_language(heygen, wires):
    asyncio.run(voices(wires, "Hindi"))
    assert {request.query["language"] for request in heygen.vendors.requests} == {"Hindi"}


def test_a_page_that_leads_to_itself_ends(heygen, wires):
    page = {
        "data": [{"voice_id": "v", "name": "A\nB\u202e"}, "odd", {"name": "no id"}],
        "has_more": True,
        "next_token": "1",
    }
    heygen.vendors.misbehave(Fault(200, page), times=9)
    found = asyncio.run(voices(wires))
    assert [each.name for each in found] == ["A B"] * 2
    heygen.vendors.calm_down()
    heygen.vendors.misbehave(Fault(200, {"data": None}))
    with pytest.raises(BrokenAnswerError, match="not the list"):
        asyncio.run(voices(wires))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"wallet": {"currency": "usd", "remaining_balance": 42.5}}, "The key works: $42.50 left."),
        ({"wallet": {"currency": "credits", "remaining_balance": 1200}}, "The key works: 1,200 credits left."),
        ({"wallet": {"currency": "usd", "remaining_balance": None}}, "The key works."),
        (
            {"subscription": {"plan": "pro", "credits": {"premium_credits": {"remaining": 5, "resets_at": None}}}},
            "The key works: plan pro, 5 credits left.",
        ),
        ({"subscription": {"plan": "pro", "credits": {"premium_credits": None}}}, "The key works: plan pro."),
        ({"usage_based": {"remaining_credits": 7.0}}, "The key works: 7 credits left."),
        ({}, "The key works."),
    ],
)
def test_what_is_left_is_told_in_each_of_its_forms(heygen, wires, told, said):
    heygen.vendors.misbehave(Fault(200, {"data": {"username": "u", **told}}))
    assert asyncio.run(account(wires)) == said


def test_without_a_key_nobody_is_asked(workspace, wires):
    with pytest.raises(NoKeyError, match="HEYGEN_API_KEY"):
        asyncio.run(account(wires))
