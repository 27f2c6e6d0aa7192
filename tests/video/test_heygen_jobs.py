"""HeyGen's videos: bought once whatever goes wrong, waited for, fetched, and as many at once as it bears."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import stamina
from helpers.fakes import DyingDisk, Killed
from helpers.heygen_shots import Workshop, shot
from helpers.vendors import Fault, Request

from luma_studio.errors import (
    BadKeyError,
    BadRequestError,
    BrokenAnswerError,
    JobFailedError,
    NoCreditError,
    NotAllowedError,
    NotFoundError,
    OutcomeUnknownError,
    OverloadedError,
    RateLimitError,
    SettingError,
    StillRunningError,
    Stopped,
    TooLargeError,
    VendorError,
)
from luma_studio.settings import Polling
from luma_studio.store import files
from luma_studio.store.ledger import Account
from luma_studio.video import heygen_jobs
from luma_studio.video.base import Look, Told
from luma_studio.wire import Wires

TRIES = 3


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=TRIES, cap=True):
        yield


def creates(request: Request) -> bool:
    return request.method == "POST" and request.path == "/v3/videos"


def looks(request: Request) -> bool:
    return request.method == "GET" and request.path.startswith("/v3/videos/")


def lists(request: Request) -> bool:
    return request.method == "GET" and request.path == "/v3/videos"


def uploads(request: Request) -> bool:
    return request.path == "/v3/assets"


def fetches(request: Request) -> bool:
    return request.vendor == "results" and request.path.partition("?")[0].endswith(".mp4")


def check_bought_once(workshop, heygen, engine, scene):
    """The next try has the video, and there was one in all."""
    heygen.vendors.calm_down()
    asyncio.run(workshop.film(engine, scene))
    assert workshop.place(engine, scene).exists()
    assert list(heygen.bought.values()) == [1]
    assert not list((workshop.folder / ".store" / "arrived").glob("*"))


# A create call goes wrong


class Row(NamedTuple):
    fault: Fault
    error: type[VendorError]
    outcome: str
    sent: int


def said(status: int, code: str = "error", **more) -> Fault:
    return Fault(status, {"error": {"code": code, "message": "No.", "param": None, "doc_url": None}}, **more)


CREATE = {
    "400": Row(said(400, "invalid_parameter"), BadRequestError, "refused", 1),
    "401": Row(said(401, "authentication_failed"), BadKeyError, "refused", 1),
    "402": Row(said(402, "insufficient_credit"), NoCreditError, "refused", 1),
    "403": Row(said(403, "forbidden"), NotAllowedError, "refused", 1),
    "404": Row(said(404, "asset_not_found"), NotFoundError, "refused", 2),  # once with assets that are anew
    "409": Row(said(409, "conflict"), BadRequestError, "refused", TRIES),
    "413": Row(said(413, "payload_too_large"), TooLargeError, "unknown", 1),
    "422": Row(said(422, "validation_error"), BadRequestError, "refused", 1),
    "500": Row(said(500, "internal_error"), OutcomeUnknownError, "unknown", 1),
    "500 and begun": Row(said(500, "internal_error", charged=True), OutcomeUnknownError, "unknown", 1),
    "502 and begun": Row(Fault(502, "<html>", charged=True), OutcomeUnknownError, "unknown", 1),
    "503": Row(said(503, "internal_error", headers={"retry-after": "1"}), OutcomeUnknownError, "unknown", 1),
    "503 and begun": Row(said(503, charged=True), OutcomeUnknownError, "unknown", 1),
    "hang": Row(Fault(how="hang", charged=False), OutcomeUnknownError, "unknown", 1),
    "hang and begun": Row(Fault(how="hang"), OutcomeUnknownError, "unknown", 1),
    "cut": Row(Fault(how="cut", charged=False), OutcomeUnknownError, "unknown", 1),
    "cut and begun": Row(Fault(how="cut"), OutcomeUnknownError, "unknown", 1),
    "cut in body": Row(Fault(how="cut in body"), OutcomeUnknownError, "unknown", 1),
    "no JSON": Row(Fault(200, "video_1", charged=True), BrokenAnswerError, "unknown", 1),
    "error under 200": Row(Fault(200, {"error": {"code": "x"}}, charged=False), BrokenAnswerError, "unknown", 1),
    "no id": Row(Fault(200, {"data": {"status": "waiting"}}, charged=True), BrokenAnswerError, "unknown", 1),
    "a list": Row(Fault(200, ["video_1"], charged=True), BrokenAnswerError, "unknown", 1),
}


@pytest.mark.parametrize("name", CREATE)
def test_a_create_call_that_goes_wrong_is_told_and_one_video_is_bought_in_all(
    workshop, heygen, workspace, monkeypatch, name
):
    row = CREATE[name]
    heygen.vendors.misbehave(row.fault, times=99, when=creates)
    engine, scene = workshop.engine(), shot(workspace)
    with monkeypatch.context() as patch, pytest.raises(row.error) as caught:
        patch.setattr(heygen_jobs, "_CREATING", 0.3 if row.fault.how == "hang" else 60.0)
        asyncio.run(workshop.film(engine, scene))
    heygen.vendors.release()
    assert str(caught.value).endswith((".", "No."))
    assert len(list(filter(creates, heygen.vendors.requests))) == row.sent
    assert set(workshop.outcomes()) == {row.outcome}
    check_bought_once(workshop, heygen, engine, scene)
    if row.outcome == "unknown":
        assert any(map(lists, heygen.vendors.requests))
    assert workshop.outcomes().count("arrived") == 1


@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}])
def test_where_too_many_are_under_way_it_waits_and_buys_once(workshop, heygen, workspace, headers):
    heygen.vendors.misbehave(said(429, "rate_limit_exceeded", headers=headers), times=3, when=creates)
    told: list[Told] = []
    asyncio.run(workshop.film(workshop.engine(), shot(workspace), told.append))
    assert sum("waits for its turn" in each.message for each in told) == 3
    assert workshop.outcomes() == ["refused"] * 3 + ["arrived"]
    assert list(heygen.bought.values()) == [1]


def test_where_too_many_are_under_way_for_ever_it_says_so(workshop, heygen, workspace, monkeypatch):
    heygen.vendors.misbehave(said(429), times=999, when=creates)
    engine, scene = workshop.engine(), shot(workspace)
    with monkeypatch.context() as patch, pytest.raises(RateLimitError, match="asked too much at once"):
        patch.setattr(Polling, "patience", 0.05)
        asyncio.run(workshop.film(engine, scene))
    check_bought_once(workshop, heygen, engine, scene)


def test_one_that_asks_to_wait_too_long_is_not_waited_for(workshop, heygen, workspace):
    heygen.vendors.misbehave(said(429, headers={"retry-after": "86400"}), when=creates)
    with pytest.raises(RateLimitError):
        asyncio.run(workshop.film(workshop.engine(), shot(workspace)))


# What an earlier request made is looked for


def began_unseen(workshop, heygen, engine, scene):
    heygen.vendors.misbehave(Fault(how="cut"), when=creates)
    with pytest.raises(OutcomeUnknownError):
        asyncio.run(workshop.film(engine, scene))


def test_a_video_is_found_by_its_token_on_any_page_of_the_list(workshop, heygen, workspace):
    scenes = [shot(workspace, f"scene_{number}", title="Scene") for number in range(8)]
    for scene in scenes[:7]:
        asyncio.run(workshop.film(workshop.engine(), scene))
    engine = workshop.engine()
    began_unseen(workshop, heygen, engine, scenes[7])
    made = asyncio.run(workshop.film(engine, scenes[7]))
    assert made.video_id == list(heygen.videos)[-1]
    assert len(heygen.videos) == 8


def test_a_list_that_cannot_be_had_buys_nothing(workshop, heygen, workspace):
    engine, scene = workshop.engine(), shot(workspace)
    began_unseen(workshop, heygen, engine, scene)
    heygen.vendors.misbehave(said(500), times=99, when=lists)
    with pytest.raises(OverloadedError):
        asyncio.run(workshop.film(engine, scene))
    heygen.vendors.calm_down()
    heygen.vendors.misbehave(Fault(200, {"data": "none"}), times=99, when=lists)
    with pytest.raises(BrokenAnswerError):
        asyncio.run(workshop.film(engine, scene))
    check_bought_once(workshop, heygen, engine, scene)


def test_a_list_that_has_it_a_little_later_is_looked_at_again(workshop, heygen, workspace):
    engine, scene = workshop.engine(), shot(workspace)
    began_unseen(workshop, heygen, engine, scene)
    heygen.vendors.misbehave(Fault(200, {"data": [], "has_more": False, "next_token": None}), times=2, when=lists)
    asyncio.run(workshop.film(engine, scene))
    assert list(heygen.bought.values()) == [1]


def test_where_the_list_has_it_not_it_is_asked_for_anew(workshop, heygen, workspace):
    heygen.listed = False
    engine, scene = workshop.engine(), shot(workspace)
    began_unseen(workshop, heygen, engine, scene)
    asyncio.run(workshop.film(engine, scene))
    assert workshop.outcomes() == ["refused", "arrived"]


def test_of_several_with_its_token_one_that_is_done_is_taken_and_none_that_failed(workshop, heygen, workspace):
    engine, scene = workshop.engine(), shot(workspace)
    heygen.failing = {"Scene": ("render_failed", "No face.")}
    began_unseen(workshop, heygen, engine, scene)
    heygen.failing = {}
    (failed,) = heygen.videos.values()
    failed.looks = 99
    began_unseen(workshop, heygen, engine, scene)  # the failed one was found, and is none
    assert len(heygen.videos) == 2
    made = asyncio.run(workshop.film(engine, scene))
    assert made.video_id == "video_4"
    assert len(heygen.videos) == 2


# A look goes wrong


LOOK = {
    "429": said(429, "rate_limit_exceeded"),
    "500": said(500, "internal_error"),
    "503": said(503),
    "502": Fault(502, "<html>"),
    "cut": Fault(how="cut"),
    "cut in body": Fault(how="cut in body"),
    "no JSON": Fault(200, "soon"),
    "error under 200": Fault(200, {"error": {"message": "Soon."}}),
    "404 at first": said(404, "video_not_found"),
    "no state": Fault(200, {"data": {"id": "video_1"}}),
    "nulls": Fault(200, {"data": {"id": "video_1", "status": None, "video_url": None}}),
}


@pytest.mark.parametrize("name", LOOK)
def test_a_look_that_goes_wrong_tells_nothing_of_the_video(workshop, heygen, workspace, name):
    heygen.vendors.misbehave(LOOK[name], times=4, when=looks)
    asyncio.run(workshop.film(workshop.engine(), shot(workspace)))
    assert workshop.outcomes() == ["arrived"]


def test_a_look_that_hangs_is_given_up_and_looked_again(workshop, heygen, workspace, monkeypatch):
    monkeypatch.setattr(heygen_jobs, "_PATIENCE", 0.3)
    heygen.vendors.misbehave(Fault(how="hang"), times=3, when=looks)
    asyncio.run(workshop.film(workshop.engine(), shot(workspace)))
    assert workshop.outcomes() == ["arrived"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_stops_working_is_told_and_the_video_is_had_later(workshop, heygen, workspace, status):
    heygen.vendors.misbehave(said(status), times=99, when=looks)
    engine, scene = workshop.engine(), shot(workspace)
    with pytest.raises((BadKeyError, NotAllowedError)):
        asyncio.run(workshop.film(engine, scene))
    check_bought_once(workshop, heygen, engine, scene)


def test_words_that_nobody_knows_mean_that_it_still_runs(workshop, heygen, workspace):
    heygen.word = "rendering_v2"
    told: list[Told] = []
    asyncio.run(workshop.film(workshop.engine(), shot(workspace), told.append))
    assert {each.stage for each in told} == {"submitted", "processing", "completed"}


def test_a_video_that_is_done_without_an_address_is_looked_at_again(workshop, heygen, workspace):
    heygen.without_address = 3
    made = asyncio.run(workshop.film(workshop.engine(), shot(workspace)))
    assert made.video_url
    assert len(list(filter(looks, heygen.vendors.requests))) == heygen.looks_until_done + 3 + 1


def test_a_video_that_fails_says_why_and_the_next_try_buys_anew(workshop, heygen, workspace):
    heygen.failing = {"Scene 1": ("face_not_found", "No face was found in the image.")}
    engine, scene = workshop.engine(), shot(workspace)
    with pytest.raises(JobFailedError, match="No face was found in the image"):
        asyncio.run(workshop.film(engine, scene))
    (entry,) = workshop.ledger.entries()
    assert (entry.outcome, entry.cost) == ("arrived", entry.purchase.price)  # it may have been charged
    assert "No face was found" in entry.note
    assert "does not say whether it was charged" in entry.note
    heygen.failing = {}
    asyncio.run(workshop.film(engine, scene))
    assert sum(heygen.bought.values()) == 2


def test_a_video_that_heygen_has_no_more_is_made_anew(workshop, heygen, workspace):
    heygen.looks_until_done = 99
    engine, scene = workshop.engine(), shot(workspace)

    def deleted(told: Told) -> None:
        for video in heygen.videos.values():
            video.gone = True

    with pytest.raises(JobFailedError, match="does not have it any more"):
        asyncio.run(workshop.film(engine, scene, deleted))
    heygen.looks_until_done = 1
    asyncio.run(workshop.film(engine, scene))
    assert sum(heygen.bought.values()) == 2


def test_a_video_that_takes_too_long_is_left_and_taken_up_later(workshop, heygen, workspace, monkeypatch):
    heygen.looks_until_done = 10**6
    monkeypatch.setenv("STATUS_MAX_ATTEMPTS", "3")
    engine, scene = workshop.engine(), shot(workspace)
    with pytest.raises(StillRunningError, match="Nothing is lost or bought again"):
        asyncio.run(workshop.film(engine, scene))
    assert len(list(filter(looks, heygen.vendors.requests))) == 3
    heygen.looks_until_done = 4
    monkeypatch.delenv("STATUS_MAX_ATTEMPTS")
    check_bought_once(workshop, heygen, engine, scene)


def test_who_is_stopped_takes_it_up_later(workshop, heygen, workspace):
    engine, scene = workshop.engine(), shot(workspace)

    def stop(told: Told) -> None:
        if told.stage == "processing":
            raise Stopped

    with pytest.raises(Stopped):
        asyncio.run(workshop.film(engine, scene, stop))
    check_bought_once(workshop, heygen, engine, scene)


# The result


def test_an_address_that_has_expired_is_asked_for_anew(workshop, heygen, workspace):
    heygen.expiring = 2
    made = asyncio.run(workshop.film(workshop.engine(), shot(workspace)))
    assert ".2.mp4" in made.video_url
    assert len(list(filter(fetches, heygen.vendors.requests))) == 3


def test_where_captions_are_burned_the_video_that_has_them_is_fetched(workshop, heygen, workspace):
    heygen.expiring = 1
    made = asyncio.run(workshop.film(workshop.engine(), shot(workspace, look=Look())))
    assert ".1.captioned.mp4" in made.video_url


def test_addresses_that_always_expire_are_told_and_the_video_is_had_later(workshop, heygen, workspace):
    heygen.expiring = 99
    engine, scene = workshop.engine(), shot(workspace)
    with pytest.raises(OverloadedError, match="Nothing is lost"):
        asyncio.run(workshop.film(engine, scene))
    heygen.expiring = 0
    check_bought_once(workshop, heygen, engine, scene)


@pytest.mark.parametrize("fault", [Fault(how="cut in body"), said(500), Fault(how="cut")])
def test_a_result_that_is_cut_off_is_fetched_again(workshop, heygen, workspace, fault):
    heygen.vendors.misbehave(fault, times=TRIES - 1, when=fetches)
    asyncio.run(workshop.film(workshop.engine(), shot(workspace)))


def test_a_result_that_is_no_video_is_not_kept_and_is_fetched_later(workshop, heygen, workspace):
    heygen.no_video = True
    engine, scene = workshop.engine(), shot(workspace)
    with pytest.raises(BrokenAnswerError, match="no video that can be played"):
        asyncio.run(workshop.film(engine, scene))
    assert list((workshop.folder / ".store" / "videos").iterdir()) == []
    heygen.no_video = False
    check_bought_once(workshop, heygen, engine, scene)


def test_the_key_does_not_go_to_where_results_are(workshop, heygen, workspace):
    asyncio.run(workshop.film(workshop.engine(), shot(workspace)))
    (fetch,) = filter(fetches, heygen.vendors.requests)
    assert not any("sk-test" in value for value in fetch.headers.values())


# Killed


def test_killed_at_any_operation_on_the_disk_and_run_again_it_is_bought_once(vendors, workspace, monkeypatch):
    monkeypatch.setattr(Polling, "shortest", 0.001)
    heygen = vendors.film["heygen"]
    heygen.looks_until_done = 1
    scene = shot(workspace)
    dies_at, died = 0, True
    while died:
        heygen.bought.clear()
        heygen.videos.clear()
        folder = workspace / str(dies_at)
        folder.mkdir()
        wires = Wires()
        workshop = Workshop(folder / "generated_audio", wires)
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", DyingDisk(dies_at))
            try:
                asyncio.run(workshop.film(workshop.engine(), scene))
                died = False
            except Killed:
                died = True
        asyncio.run(workshop.film(workshop.engine(), scene))
        wires.close()
        assert workshop.place(workshop.engine(), scene).exists()
        assert list(heygen.bought.values()) == [1]
        assert workshop.outcomes()[-1] == "arrived"
        dies_at += 1
    assert dies_at > 10


STEPS = {"uploading": uploads, "creating": creates, "looking": looks, "fetching": fetches}


@pytest.mark.parametrize("step", STEPS)
def test_killed_while_a_request_is_under_way_and_run_again_it_is_bought_once(workshop, heygen, workspace, step):
    engine, scene = workshop.engine(), shot(workspace)
    heygen.vendors.misbehave(Fault(how="hang"), when=STEPS[step])

    async def killed() -> None:
        filming = asyncio.ensure_future(workshop.film(engine, scene))
        while not any(map(STEPS[step], heygen.vendors.requests)):
            await asyncio.sleep(0.01)
        filming.cancel()
        await asyncio.gather(filming, return_exceptions=True)

    asyncio.run(killed())
    check_bought_once(workshop, heygen, engine, scene)


# As many at once as it bears


def test_it_learns_how_many_heygen_bears_and_keeps_all_places_taken(workshop, heygen, workspace):
    heygen.at_once, heygen.looks_until_done = 5, 20
    engine = workshop.engine()
    scenes = [shot(workspace, f"scene_{number}") for number in range(20)]

    async def all_at_once() -> None:
        await asyncio.gather(*(workshop.film(engine, scene) for scene in scenes))

    asyncio.run(all_at_once())
    assert sum(heygen.bought.values()) == len(heygen.bought) == 20
    assert heygen.busiest == 5
    assert workshop.outcomes().count("refused") <= 6  # ten are tried at first
    assert len(heygen.assets) == 21  # one photo, twenty sounds


def test_where_a_setting_says_how_many_no_more_are_tried(workshop, heygen, workspace, monkeypatch):
    monkeypatch.setenv("HEYGEN_JOBS", "2")
    heygen.at_once = 2
    engine = workshop.engine()
    scenes = [shot(workspace, f"scene_{number}") for number in range(6)]

    async def all_at_once() -> None:
        await asyncio.gather(*(workshop.film(engine, scene) for scene in scenes))

    asyncio.run(all_at_once())
    assert heygen.busiest <= 2
    assert workshop.outcomes() == ["arrived"] * 6  # none was refused


def test_how_many_may_be_a_number_only(workshop, heygen, workspace, monkeypatch):
    monkeypatch.setenv("HEYGEN_JOBS", "0")
    with pytest.raises(SettingError, match="HEYGEN_JOBS cannot be '0': it must be a whole number from 1 to 1000"):
        workshop.engine().check(shot(workspace))


def test_places_are_given_back_whatever_happens(workshop, heygen, workspace, monkeypatch):
    monkeypatch.setenv("HEYGEN_JOBS", "1")
    heygen.failing = {"Scene 0": ("x", "No.")}
    heygen.looks_until_done = 4
    engine = workshop.engine()
    scenes = [shot(workspace, f"scene_{number}") for number in range(4)]

    async def some_go() -> list[object]:
        filming = [asyncio.ensure_future(workshop.film(engine, scene)) for scene in scenes]
        while not heygen.videos:
            await asyncio.sleep(0.001)
        filming[2].cancel()  # which waits for its turn
        return await asyncio.gather(*filming, return_exceptions=True)

    found = asyncio.run(some_go())
    assert isinstance(found[2], asyncio.CancelledError)
    assert sum(isinstance(each, JobFailedError) for each in found) == 1
    asyncio.run(workshop.film(engine, scenes[2]))
    assert heygen.busiest == 1


def test_the_job_stays_until_the_caller_forgets_it(workshop, heygen, workspace):
    engine, scene = workshop.engine(), shot(workspace)
    account = Account(workshop.ledger, workshop.folder / ".store", "calm", key="k" * 64)
    for _ in range(2):
        made = asyncio.run(engine.film(scene, account, workspace / "video.mp4", lambda _told: None))
        assert made.request["title"] == f"Scene 1 [{'k' * 16}]"
    assert list(heygen.bought.values()) == [1]
    kept = (workshop.folder / ".store" / "arrived").glob("*")
    assert [json.loads(path.read_bytes())["video_id"] for path in kept] == [made.video_id]
    asyncio.run(account.forget())
    asyncio.run(engine.film(scene, account, workspace / "video.mp4", lambda _told: None))
    assert list(heygen.bought.values()) == [2]
