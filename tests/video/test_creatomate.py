"""Creatomate: a film by a template, tried for nothing first, bought once, and taken up again."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import stamina
from helpers import contracts
from helpers.creatomate import FLAT, NESTED, element
from helpers.engines import RATE, THERE, account, assembled, creatomate, cut
from helpers.fakes import DyingDisk, Killed
from helpers.films import colour_of, film
from helpers.vendors import KEYS, Fault, Request, Vendors
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.errors import (
    BadKeyError,
    BadRequestError,
    BrokenAnswerError,
    JobFailedError,
    NoCreditError,
    NoKeyError,
    NotAllowedError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    SettingError,
    StillRunningError,
    VendorError,
)
from luma_studio.store import files
from luma_studio.video import creatomate as module
from luma_studio.video import jobs
from luma_studio.video.base import Cut, EngineChoice, Look, Told, fingerprint
from luma_studio.video.templates import Slot, Template, materials, slots
from luma_studio.wire import Wires

PATH = "/v2/renders"
FILM = cut("Arriving", "Rest")
BOUGHT = "creatomate: Two scenes"
SOUND = f"sound={THERE}/master.mp3"


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    """Tries follow at once."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def wires() -> Iterator[Wires]:
    wires = Wires()
    yield wires
    wires.close()


def creates(request: Request) -> bool:
    return request.method == "POST" and not request.json.get("dry_run")


def rehearses(request: Request) -> bool:
    return request.method == "POST" and bool(request.json.get("dry_run"))


def looks(request: Request) -> bool:
    return request.path.startswith(f"{PATH}/")


def fetches(request: Request) -> bool:
    return request.vendor == "results"


def sent(vendors: Vendors) -> dict:
    return next(each.json for each in vendors.requests if creates(each))


def changes(vendors: Vendors) -> dict:
    return sent(vendors)["modifications"]


def only(vendors: Vendors) -> str:
    (render,) = vendors.film["creatomate"].renders
    return render


def in_hand(workspace: Path, render: str) -> bool:
    (workspace / "expected.mp4").write_bytes(film(render))
    return colour_of(workspace / "clip.mp4") == colour_of(workspace / "expected.mp4")


# Templates


def template_of(vendors: Vendors, name: str) -> Template:
    wires = Wires()
    try:
        return asyncio.run(module.template(EngineChoice("creatomate", name), wires))
    finally:
        wires.close()


def test_a_templates_slots_are_its_dynamic_elements_however_deep(vendors):
    assert [(slot.name, slot.kind) for slot in template_of(vendors, FLAT).slots] == [
        ("Title", "text"),
        ("Video-1", "video"),
        ("Video-2", "video"),
        ("Music", "audio"),
        ("Voiceover", "audio"),
    ]
    assert template_of(vendors, NESTED).slots[:3] == (
        Slot("Caption-2", "text", ("Scene 2",)),
        Slot("Picture a", "video", ("Scene 2", "")),
        Slot("Title-2", "text", ("Scene 2",)),
    )


def test_of_several_elements_with_one_name_there_is_one_slot():
    twice = {"elements": [element("video", "Clip"), element("composition", "x", elements=[element("video", "Clip")])]}
    assert list(slots(twice)) == [Slot("Clip", "video")]


_JUNK = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["elements", "name", "type", "dynamic", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["elements", "name", "type", "dynamic"]), _JUNK))
def test_no_template_breaks_the_walk(source):
    found = list(slots(source))
    assert len({slot.name for slot in found}) == len(found)


def test_a_template_that_there_is_not_is_told(vendors, wires):
    with pytest.raises(NotFoundError, match="no template 'nope'"):
        asyncio.run(module.template(EngineChoice("creatomate", "nope"), wires))
    with pytest.raises(SettingError, match="Name a template"):
        asyncio.run(module.template(EngineChoice("creatomate"), wires))
    for body in ({}, [], {"id": "a", "name": "b", "source": "c"}):
        vendors.misbehave(Fault(body=body))
        with pytest.raises(BrokenAnswerError):
            asyncio.run(module.template(EngineChoice("creatomate", FLAT), wires))


def test_the_templates_of_the_account_are_listed(vendors, wires):
    assert asyncio.run(module.templates(wires)) == {FLAT: "Two scenes", NESTED: "Nested"}
    assert asyncio.run(module.account(wires)) == "The key works: 2 templates."


def test_a_film_has_its_videos_titles_and_captions_to_show():
    found = {each.name: (each.kind, each.words) for each in materials(FILM, sound=True)}
    assert found["video 2"] == ("video", "Rest")
    assert found["title 1"] == ("text", "Arriving")
    assert found["captions 2"] == ("text", "Words 2.")
    assert found["captions"] == ("text", "Words 1. Words 2.")
    assert (found["title"], found["sound"][0]) == (("text", "Calm"), "audio")
    assert "sound" not in {each.name for each in materials(FILM)}


# As it should be


def test_a_film_is_put_together(vendors, workspace):
    heard: list[Told] = []
    made = assembled(FILM, workspace, FLAT, SOUND, heard.append)
    assert changes(vendors) == {
        "Video-1.source": f"{THERE}/1.mp4",
        "Video-1.duration": 2.0,
        "Video-1.volume": "0%",
        "Video-2.source": f"{THERE}/2.mp4",
        "Video-2.duration": 2.0,
        "Video-2.volume": "0%",
        "Title.text": "Calm",
        "Voiceover.source": f"{THERE}/master.mp3",
    }
    assert (sent(vendors)["output_format"], sent(vendors)["frame_rate"]) == ("mp4", 25)
    assert in_hand(workspace, only(vendors))
    assert (made.video_id, made.status["status"]) == (only(vendors), "succeeded")
    assert [each.stage for each in heard] == ["submitted"] * 3 + ["processing"] * 2 + ["completed"]
    assert vendors.bought == {BOUGHT: 1}


def test_scenes_keep_their_own_sound_where_nothing_else_plays_it(vendors, workspace):
    assembled(FILM, workspace, FLAT)
    assert not any(key.endswith(".volume") or key.startswith("Voiceover") for key in changes(vendors))


def test_compositions_are_filled_by_their_numbers(vendors, workspace):
    assembled(FILM, workspace, NESTED)
    assert changes(vendors) == {
        "Picture b.source": f"{THERE}/1.mp4",
        "Picture b.duration": 2.0,
        "Picture a.source": f"{THERE}/2.mp4",
        "Picture a.duration": 2.0,
        "Caption-1.text": "Words 1.",
        "Caption-2.text": "Words 2.",
        "Title-1.text": "Arriving",
        "Title-2.text": "Rest",
    }


def test_its_address_is_there_before_its_file_and_is_not_asked_before(vendors, workspace):
    assembled(FILM, workspace, FLAT)
    paths = [each.path for each in vendors.requests]
    assert sum(map(fetches, vendors.requests)) == 1
    assert fetches(vendors.requests[-1])
    assert paths.count(f"{PATH}/{only(vendors)}") == 5


def test_the_dry_run_comes_first_and_says_the_same(vendors, workspace):
    assembled(FILM, workspace, FLAT)
    dry, real = (each.json for each in vendors.requests if each.method == "POST")
    assert dry == {**real, "dry_run": True}
    assert len(real["metadata"]) == 64


def test_warnings_are_told_and_errors_stop_it_before_anything_is_paid(vendors, workspace):
    fake = vendors.film["creatomate"]
    fake.warnings = ["The modification\n'X' matches no element."]
    heard: list[Told] = []
    assembled(FILM, workspace, FLAT, tell=heard.append)
    assert heard[1].message == "Creatomate warns: The modification 'X' matches no element."
    fake.errors = ["The source of Video-1 cannot be fetched."]
    with pytest.raises(BadRequestError, match=r"would fail: The source of Video-1 cannot be fetched\.\. Nothing was"):
        assembled(replace(FILM, title="Other"), workspace, FLAT)
    assert vendors.bought == {BOUGHT: 1}
    assert len(account(workspace).ledger.entries()) == 1


@pytest.mark.parametrize("body", [{"valid": False}, {"valid": False, "errors": []}, {"valid": True, "errors": "Bad."}])
def test_a_dry_run_that_says_no_in_another_way_stops_it_too(vendors, workspace, body):
    vendors.misbehave(Fault(body=body), when=rehearses)
    with pytest.raises(BadRequestError, match="would fail"):
        assembled(FILM, workspace, FLAT)
    assert not vendors.bought


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(400, {"hint": "No elements."}), BadRequestError),
        (Fault(401, {"hint": "Invalid API key"}), BadKeyError),
        (Fault(body=b"{]"), BrokenAnswerError),
        (Fault(body={"id": "a"}), BrokenAnswerError),
        (Fault(how="cut"), VendorError),
    ],
)
def test_a_dry_run_that_fails_buys_nothing(vendors, workspace, fault, error):
    vendors.misbehave(fault, 5, when=rehearses)
    with pytest.raises(error):
        assembled(FILM, workspace, FLAT)
    assert not vendors.bought


def test_what_is_bought_is_written_down_with_its_price(vendors, workspace):
    assembled(FILM, workspace, FLAT)
    (entry,) = account(workspace).ledger.entries()
    assert (entry.purchase.what, entry.purchase.subject, entry.purchase.units) == ("render", "Calm", 4)
    assert (entry.cost, entry.request_id) == (Decimal("0.04"), only(vendors))


def test_the_fake_answers_within_the_contract(vendors):
    if contracts.missing():
        pytest.skip(contracts.missing())
    with httpx.Client(headers={"authorization": f"Bearer {KEYS['creatomate']}"}) as client:
        there = vendors.address("creatomate")
        good = client.post(there + PATH, json={"template_id": FLAT, "modifications": {"Title.text": "Calm"}})
        answers = [good, *(client.get(f"{there}{PATH}/{good.json()['id']}") for _ in range(6))]
        answers += [client.get(f"{there}/v2/templates"), client.get(f"{there}/v2/templates/{NESTED}")]
        answers += [client.get(f"{there}{PATH}/none"), client.post(there + PATH, json={"template_id": "none"})]
    for request, answer in zip(vendors.requests, answers, strict=True):
        assert contracts.check_answer(request, answer.status_code, answer.headers, answer.content) is None
    assert [each.status_code for each in answers] == [202, *[200] * 8, 404, 400]


# What cannot be


def refused(film_: Cut, uses: dict[str, str] | None = None, more: str = "") -> str:
    template = Template(FLAT, "Two", "d", (Slot("Video-1", "video"), Slot("Video-2", "video"), Slot("Title", "text")))
    uses = {"Video-1": "video 1", "Video-2": "video 2"} if uses is None else uses
    with pytest.raises(SettingError) as told:
        creatomate(template, uses, more).check(film_)
    return str(told.value)


def at(address: str, film_: Cut = FILM) -> Cut:
    return replace(film_, parts=tuple(replace(part, address=address) for part in film_.parts))


def test_scenes_without_an_address_are_named_with_what_to_do():
    words = refused(at(""))
    assert "has no address of scene_1, scene_2. Film these with HeyGen" in words
    assert "preview" in words


@pytest.mark.parametrize(
    "address", ["http://videos.example.com/1.mp4", "https://127.0.0.1/1.mp4", "https://desk.local/1.mp4", "file:///1"]
)
def test_an_address_from_which_nobody_can_fetch_is_told(address):
    assert "The address of the video of scene_1" in refused(at(address))
    assert "The address of the sound" in refused(FILM, more=f"sound={address}")


def test_a_vendor_on_this_computer_reaches_this_computer(vendors, workspace):
    assembled(at("http://127.0.0.1:8000/1.mp4"), workspace, FLAT)
    assert vendors.bought == {BOUGHT: 1}


@pytest.mark.parametrize(
    ("uses", "words"),
    [
        ({"Video-1": "video 1"}, "2 scenes, and each must be shown once"),
        ({"Video-1": "video 1", "Video-2": "video 1"}, "each must be shown once"),
        ({"Video-1": "video 1", "Video-3": "video 2"}, "'Video-3' cannot show 'video 2'"),
        ({"Video-1": "video 1", "Title": "video 2"}, "'Title' cannot show 'video 2'"),
        ({"Video-1": "video 1", "Video-2": "video 2", "Title": "sound"}, "'Title' cannot show 'sound'"),
    ],
)
def test_a_template_that_cannot_show_the_film_is_told(uses, words):
    assert words in refused(FILM, uses)


def test_a_template_with_too_few_places_is_told_before_anything_is_paid(vendors, workspace):
    with pytest.raises(SettingError, match=r"The film has 3 scenes.*'Two scenes' has 2 slots for videos"):
        assembled(cut("One", "Two", "Three"), workspace, FLAT)
    assert not [each for each in vendors.requests if each.method == "POST"]


def test_frames_a_second_are_those_that_it_makes():
    assert "1 to 60 frames a second, not 120" in refused(replace(FILM, look=Look(fps=120)))


def test_without_a_key_it_says_what_it_needs():
    template = Template(FLAT, "Two", "d", (Slot("Video-1", "video"), Slot("Video-2", "video")))
    engine = creatomate(template, {"Video-1": "video 1", "Video-2": "video 2"})
    assert engine.price(FILM) == Decimal("0.04")
    with pytest.raises(NoKeyError, match=r"Put CREATOMATE_API_KEY=… into \.env"):
        engine.check(FILM)


def test_the_fingerprint_is_of_what_is_shown_and_not_of_where_it_lies():
    template = Template(FLAT, "Two", "d", (Slot("Video-1", "video"), Slot("Title", "text"), Slot("Voice", "audio")))
    uses = {"Video-1": "video 1", "Title": "title 1", "Voice": "sound"}
    one = cut("Arriving")
    part = one.parts[0]

    def name(film_: Cut = one, **changed) -> str:
        made = creatomate(changed.get("template", template), changed.get("uses", uses), changed.get("more", SOUND))
        return fingerprint(made.identity(film_))

    same = [
        name(at(f"{THERE}/elsewhere.mp4", one)),
        name(replace(one, title="Peace")),
        name(more=f"sound={THERE}/elsewhere.mp3"),
        name(more=f"{SOUND},again=yes,timeout=4"),
    ]
    assert set(same) == {name()}
    other = [
        name(replace(one, parts=(replace(part, digest="f" * 64),))),
        name(replace(one, parts=(replace(part, length=part.length + 1),))),
        name(replace(one, parts=(replace(part, title="Leaving"),))),
        name(replace(one, sound=replace(one.sound, digest="6" * 64))),
        name(replace(one, look=Look(fps=30))),
        name(template=replace(template, digest="e")),
        name(uses={"Video-1": "video 1", "Title": "title 1"}),
    ]
    assert len({name(), *other}) == 8


# Misbehaviour


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault(400, {"hint": "Bad modifications."}), BadRequestError, "Bad modifications"),
        (Fault(400, "<html>no</html>"), BadRequestError, "refuses the request"),
        (Fault(401, {"hint": "Invalid API key"}), BadKeyError, "Correct CREATOMATE_API_KEY"),
        (Fault(402, {"hint": "Insufficient credits"}), NoCreditError, "Insufficient credits"),
        (Fault(403, {"hint": "Forbidden"}), NotAllowedError, "Forbidden"),
        (Fault(404, {"hint": "Not found"}), NotFoundError, "Not found"),
        (Fault(409, {"hint": "Conflict"}), VendorError, "Conflict"),
        (Fault(429, {"hint": "More than 30 requests"}), RateLimitError, "More than 30"),
    ],
)
def test_a_refusal_is_told_and_the_next_try_is_free_to_ask(vendors, workspace, fault, error, words):
    vendors.misbehave(fault, when=creates)
    with pytest.raises(error, match=words):
        assembled(FILM, workspace, FLAT)
    assembled(FILM, workspace, FLAT)
    assert vendors.bought == {BOUGHT: 1}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, {"hint": "Oops"}),
        Fault(503, "down"),
        Fault(504, "<html>timeout</html>"),
        Fault(how="hang"),
        Fault(how="cut"),
        Fault(how="cut in body"),
        Fault(body=b"{]"),
        Fault(body={"error": "sorry"}),
        Fault(body=[{"id": "a862048b-d0dc-4029-a4ef-e172e8ded827"}]),  # as version 1 answers
    ],
)
def test_a_request_of_unknown_outcome_is_not_made_again_until_one_says_so(vendors, workspace, monkeypatch, fault):
    monkeypatch.setattr(jobs, "_BEGINNING", 0.3 if "hang" in fault.how else 20)
    charged = Fault(fault.status, fault.body, fault.headers, fault.how, charged=True)
    vendors.misbehave(charged, when=creates)
    with pytest.raises((OutcomeUnknownError, BrokenAnswerError)):
        assembled(FILM, workspace, FLAT)
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match="render=ID, or buy it anew with again=yes"):
            assembled(FILM, workspace, FLAT)
    render = only(vendors)
    assert assembled(FILM, workspace, FLAT, f"render={render}").video_id == render
    assert in_hand(workspace, render)
    assert vendors.bought == {BOUGHT: 1}
    assert account(workspace).ledger.spent() == Decimal("0.04")


def test_it_is_bought_again_on_purpose(vendors, workspace):
    vendors.misbehave(Fault(how="cut", charged=True), when=creates)
    with pytest.raises(OutcomeUnknownError):
        assembled(FILM, workspace, FLAT)
    assembled(FILM, workspace, FLAT, "again=yes")
    assert vendors.bought == {BOUGHT: 2}
    assert account(workspace).ledger.spent() == Decimal("0.08")
    shutil.rmtree(workspace / "store")
    assembled(FILM, workspace, FLAT)  # nothing is unclear any more
    assert vendors.bought == {BOUGHT: 3}


def test_a_render_of_another_film_is_not_taken_up(vendors, workspace):
    assembled(FILM, workspace, FLAT)
    with pytest.raises(SettingError, match="is not of this film as it is now"):
        assembled(replace(FILM, title="Other"), workspace, FLAT, f"render={only(vendors)}")
    assert vendors.bought == {BOUGHT: 1}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(404, {"hint": "Not found"}),
        Fault(429, {"hint": "Slow down"}),
        Fault(500, "down"),
        Fault(how="hang"),
        Fault(how="cut in body"),
        Fault(200, b"{]"),
        Fault(200, {"id": "another", "status": "succeeded", "url": f"{THERE}/x.mp4"}),
    ],
)
def test_a_look_at_which_nothing_is_learnt_is_followed_by_another(vendors, workspace, monkeypatch, fault):
    monkeypatch.setattr(jobs, "_LOOKING", 0.3 if "hang" in fault.how else 20)
    vendors.misbehave(fault, 2, when=looks)
    assembled(FILM, workspace, FLAT)
    assert in_hand(workspace, only(vendors))
    assert vendors.bought == {BOUGHT: 1}


@pytest.mark.parametrize(
    ("state", "words"),
    [("failed", "The video file could not be downloaded."), ("cancelled", "it was cancelled there")],
)
def test_a_render_that_fails_is_told_with_its_reason_and_the_next_try_makes_a_new_one(vendors, workspace, state, words):
    vendors.film["creatomate"].schedule = ("planned", "rendering", state)
    with pytest.raises(JobFailedError, match=re.escape(words)):
        assembled(FILM, workspace, FLAT)
    vendors.film["creatomate"].schedule = ("succeeded",)
    made = assembled(FILM, workspace, FLAT)
    assert in_hand(workspace, made.video_id)
    assert vendors.bought == {BOUGHT: 2}


def test_states_that_nobody_knows_run_and_success_is_none(vendors, workspace):
    vendors.film["creatomate"].schedule = ("queued", "success", "succeeded")
    heard: list[Told] = []
    assembled(FILM, workspace, FLAT, tell=heard.append)
    assert [(each.stage, each.message) for each in heard[1:]] == [
        ("processing", "queued"),
        ("processing", "success"),
        ("completed", ""),
    ]


def test_a_render_that_never_ends_is_left_for_later(vendors, workspace):
    vendors.film["creatomate"].schedule = ("rendering",) * 5 + ("succeeded",)
    with pytest.raises(StillRunningError):
        assembled(FILM, workspace, FLAT, "timeout=0.03")
    assembled(FILM, workspace, FLAT)
    assert vendors.bought == {BOUGHT: 1}


def test_an_address_that_has_expired_is_asked_for_anew(vendors, workspace):
    vendors.film["creatomate"].stale = 1
    assembled(FILM, workspace, FLAT)
    assert in_hand(workspace, only(vendors))
    vendors.film["creatomate"].stale = 2
    with pytest.raises(NotFoundError, match="again=yes"):
        assembled(replace(FILM, title="Other"), workspace, FLAT)
    assembled(replace(FILM, title="Other"), workspace, FLAT)
    assert vendors.bought == {BOUGHT: 2}


def test_what_is_no_video_is_not_kept_and_is_fetched_by_the_next_try(vendors, workspace):
    vendors.misbehave(Fault(body=b"<html>Sorry</html>"), when=fetches)
    with pytest.raises(BrokenAnswerError, match="no video that can be played"):
        assembled(FILM, workspace, FLAT)
    assembled(FILM, workspace, FLAT)
    assert in_hand(workspace, only(vendors))
    assert vendors.bought == {BOUGHT: 1}


def test_whoever_dies_at_any_step_and_begins_again_buys_the_film_once(vendors, workspace, monkeypatch):
    vendors.film["creatomate"].schedule = ("succeeded",)
    for dies_at in itertools.count():
        here = workspace / str(dies_at)
        here.mkdir()
        vendors.bought.clear()
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", DyingDisk(dies_at))
            died = _dies(here)
        try:
            assembled(FILM, here, FLAT)
        except OutcomeUnknownError:
            assembled(FILM, here, FLAT, f"render={list(vendors.film['creatomate'].renders)[-1]}")
        assert vendors.bought == {BOUGHT: 1}
        assert in_hand(here, list(vendors.film["creatomate"].renders)[-1])
        assert account(here).ledger.spent() == Decimal("0.04")
        if not died:
            assert dies_at > 10
            return


def _dies(workspace: Path) -> bool:
    try:
        assembled(FILM, workspace, FLAT)
    except Killed:
        return True
    return False


def test_lengths_are_those_of_the_film_to_a_thousandth_of_a_second(vendors, workspace):
    assembled(cut("One", "Two", seconds=1 / 3), workspace, FLAT)
    assert changes(vendors)["Video-1.duration"] == pytest.approx(round(RATE / 3) / RATE, abs=0.0005)
