"""Texts longer than a vendor takes at once: cut by what the vendor tells, joined, and bought once all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from helpers.vendors import VOICES, Fault, Vendors, spoken
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.errors import NoKeyError, OutcomeUnknownError, VendorError
from luma_studio.store.ledger import Account
from luma_studio.studio import Studio
from luma_studio.voices import Speech, Utterance, VoiceChoice
from luma_studio.voices.pieces import pieces

RACHEL = next(iter(VOICES))
OLD, FLASH, V3 = (
    f"elevenlabs:{RACHEL},format=pcm_44100,model={model}"
    for model in ("eleven_multilingual_v2", "eleven_flash_v2_5", "eleven_v3")
)
NOVA = "openai:nova,model=tts-1"
WORDS = " ".join(f"word{number}" for number in range(2000))


def of_length(length: int) -> str:
    return WORDS[: length - 1] + "."


def speak(studio: Studio, voice: str, text: str, tags: Sequence[str] = (), key: str = "take") -> Speech:
    async def spoken() -> Speech:
        async with studio.account("calm").claim(key) as account:
            speech = await studio.voice(VoiceChoice.parse(voice)).speak(Utterance(text, "en", tuple(tags)), account)
            await account.forget()
            return speech

    return asyncio.run(spoken())


def lengths(vendors: Vendors) -> list[int]:
    return [len(request.texts[0]) for request in vendors.requests if request.texts]


def left(studio: Studio) -> list[str]:
    return sorted(path.name for path in (studio.account("calm").store / "arrived").glob("*"))


# Cutting


@given(st.text("ab \N{DEVANAGARI LETTER A}", max_size=200), st.integers(1, 40), st.integers(0, 50))
def test_pieces_are_the_text_and_none_is_too_long(text, limit, taken):
    cut = pieces(text, limit, taken)
    assert "".join(cut) == text
    assert len(cut[0]) <= max(1, limit - taken)
    assert all(0 < len(each) <= limit for each in cut[1:])


@given(st.lists(st.text("ab", min_size=1, max_size=10), min_size=1, max_size=60), st.integers(12, 40))
def test_words_stay_whole_where_a_piece_has_room_for_them(words, limit):
    cut = pieces(" ".join(words), limit)
    assert all(before.endswith(" ") or after.startswith(" ") for before, after in pairwise(cut))


# ElevenLabs


@pytest.mark.parametrize(
    ("voice", "length", "sent"),
    [(V3, 3000, 1), (V3, 3001, 2), (OLD, 9_999, 1), (OLD, 10_001, 2), (FLASH, 13_000, 1), (V3, 9_500, 4)],
)
def test_a_text_is_cut_by_what_the_vendor_tells_of_the_model(studio, vendors, voice, length, sent):
    speak(studio, voice, of_length(length))
    found = lengths(vendors)
    assert (len(found), sum(found)) == (sent, length)
    assert len(vendors.seen("/v1/models")) == (length > 3000)


def test_tags_count(studio, vendors):
    tags = ["whispers", "slowly"]
    speak(studio, V3, of_length(2999), tags)
    sent = [request.texts[0] for request in vendors.seen("/with-timestamps")]
    assert sent[0].startswith("[whispers] [slowly] word0 ")
    assert max(map(len, sent)) <= 3000
    assert "".join(sent).removeprefix("[whispers] [slowly] ") == of_length(2999)


def test_the_vendor_is_asked_once_however_many_want_to_know(studio, vendors):
    async def all_at_once() -> None:
        voice = studio.voice(VoiceChoice.parse(V3))
        accounts = [studio.account("calm") for _ in range(4)]
        await asyncio.gather(*(voice.speak(Utterance(of_length(3100), "en"), each) for each in accounts))

    asyncio.run(all_at_once())
    speak(studio, FLASH, of_length(4000))
    assert len(vendors.seen("/v1/models")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(how="cut"),
        Fault(body=b"{"),
        Fault(body={}),
        Fault(body=[7, {"model_id": "eleven_flash_v2_5"}]),
        Fault(body=[{"model_id": "eleven_flash_v2_5", "maximum_text_length_per_request": "many"}]),
        Fault(body=[{"model_id": "eleven_flash_v2_5", "maximum_text_length_per_request": 0}]),
        Fault(body=[{"model_id": "eleven_v3", "maximum_text_length_per_request": 9000}]),
    ],
    ids=str,
)
def test_where_the_vendor_cannot_tell_the_shortest_limit_holds(studio, vendors, fault):
    vendors.misbehave(fault, when=lambda request: request.path == "/v1/models")
    speak(studio, FLASH, of_length(6500))
    assert len(lengths(vendors)) == 3
    assert max(lengths(vendors)) <= 3000


def test_what_went_wrong_is_no_answer_and_the_next_text_asks_anew(studio, vendors):
    vendors.misbehave(Fault(status=500), when=lambda request: request.path == "/v1/models")
    speak(studio, FLASH, of_length(3500))
    speak(studio, FLASH, of_length(3600), key="another")
    assert lengths(vendors)[2:] == [3600]


def test_without_a_key_it_says_what_it_needs(studio):
    with pytest.raises(NoKeyError):
        speak(studio, FLASH, of_length(3500))


def test_the_pieces_sound_as_one_and_words_have_their_times(studio, vendors):
    text = of_length(7000)
    speech = speak(studio, V3, text)
    known = [spoken(piece, 44100, voice=RACHEL, model="eleven_v3") for piece in pieces(text, 3000)]
    assert len(speech.samples) == sum(len(each.samples) for each in known)
    assert [text[word.first : word.last] for word in speech.words][:10] == text.split()[:10]
    assert speech.words[-1].last == len(text)
    before = len(known[0].samples) + len(known[1].samples)
    assert speech.words[-1].end == pytest.approx((before + known[2].ends[-1]) / 44100, abs=1 / 44100)


# Bought once


def test_after_a_crash_the_text_is_cut_as_before_whatever_the_vendor_tells_by_then(workspace, vendors):
    text = of_length(7000)
    with Studio(workspace) as studio:
        last = pieces(text, 3000)[-1]
        vendors.misbehave(Fault(how="cut"), when=lambda request: request.texts == (last,))
        with pytest.raises(OutcomeUnknownError):
            speak(studio, V3, text)
        assert left(studio) == ["take.0", "take.1", "take.agreed"]
    vendors.limits["eleven_v3"] = 5000
    bought = dict(vendors.bought)
    with Studio(workspace) as studio:
        speech = speak(studio, V3, text)
        assert left(studio) == []
    assert len(speech.samples) == sum(len(spoken(each, 44100, voice=RACHEL).samples) for each in pieces(text, 3000))
    assert len(vendors.seen("/v1/models")) == 1
    again = {piece: count for piece, count in vendors.bought.items() if count > bought.get(piece, 0)}
    assert list(again) == pieces(text, 3000)[2:]  # the one that was cut off, and nothing that had arrived


def test_what_arrived_before_limits_were_asked_for_is_gone_on_with(studio, vendors):
    text = of_length(7000)
    asyncio.run(arrive(studio.account("calm"), studio, pieces(text, 3000)[0]))
    vendors.bought.clear()
    speak(studio, FLASH, text)
    assert list(vendors.bought) == pieces(text, 3000)[1:]
    assert not vendors.seen("/v1/models")


async def arrive(account: Account, studio: Studio, text: str) -> None:
    """Have the first part of a text arrive, and end there."""
    async with account.claim("take") as claimed:
        await studio.voice(VoiceChoice.parse(FLASH)).speak(Utterance(text, "en"), claimed)


# OpenAI


def test_openai_speaks_long_texts_too(studio, vendors):
    text = of_length(9000)
    speech = speak(studio, NOVA, text)
    known = [len(spoken(piece, 24000, voice="nova").samples) for piece in pieces(text, 4096)]
    assert (len(lengths(vendors)), max(lengths(vendors)) <= 4096, sum(lengths(vendors))) == (3, True, 9000)
    assert len(speech.samples) == sum(known)
    assert left(studio) == []


def test_a_text_that_openai_takes_at_once_is_not_cut(studio, vendors):
    speak(studio, NOVA, of_length(4096))
    assert lengths(vendors) == [4096]


def test_the_pieces_that_openai_sent_are_not_bought_again(studio, vendors):
    text = of_length(9000)
    last = pieces(text, 4096)[-1]
    vendors.misbehave(Fault(status=400), when=lambda request: request.texts == (last,))
    with pytest.raises(VendorError):
        speak(studio, NOVA, text)
    speak(studio, NOVA, text)
    assert vendors.bought == dict.fromkeys(pieces(text, 4096), 1)
    assert [entry.purchase.units for entry in studio.ledger.entries() if entry.outcome == "arrived"] == [
        len(each) for each in pieces(text, 4096)
    ]
