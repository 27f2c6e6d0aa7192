"""Freepik: a clip that is bought once, waited for, fetched and taken up again, whatever the vendor does."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import stamina
from helpers import contracts
from helpers.engines import account, animated, freepik, moving
from helpers.fakes import DyingDisk, Killed
from helpers.films import colour_of, film, still
from helpers.freepik import BEGIN, MISSING, STATUS
from helpers.vendors import KEYS, Fault, Request, Vendors

from luma_studio.errors import (
    BadKeyError,
    BadRequestError,
    BrokenAnswerError,
    BudgetError,
    JobFailedError,
    LumaError,
    NoCreditError,
    NotAllowedError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    SettingError,
    StillRunningError,
    Stopped,
    StoreError,
    UnreachableError,
    VendorError,
    VideoError,
)
from luma_studio.store import files
from luma_studio.store.ledger import Account
from luma_studio.video import freepik as module
from luma_studio.video import jobs, results
from luma_studio.video.base import Motion, Told, fingerprint
from luma_studio.video.freepik import home, read
from luma_studio.wire import FREEPIK, Wires

WAVES = "freepik: Waves roll in."


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is made is in the vendor's list at once, and tries follow at once."""
    monkeypatch.setattr(module, "_LISTED", 0.0)
    monkeypatch.setattr(module, "_NAMED", 0.0)
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


@pytest.fixture
def wires() -> Iterator[Wires]:
    wires = Wires()
    yield wires
    wires.close()


@pytest.fixture
def beach(workspace: Path) -> Motion:
    return moving(still(workspace / "beach.png"))


def creates(request: Request) -> bool:
    return (request.method, request.path) == ("POST", BEGIN)


def looks(request: Request) -> bool:
    return request.path.startswith(STATUS)


def lists(request: Request) -> bool:
    return (request.method, request.path) == ("GET", BEGIN)


def fetches(request: Request) -> bool:
    return request.vendor == "results"


def in_hand(workspace: Path) -> tuple[int, ...]:
    return colour_of(workspace / "clip.mp4")


def clip_of(task: str, workspace: Path, clip: int = 0) -> tuple[int, ...]:
    path = workspace / "expected.mp4"
    path.write_bytes(film(f"{task} {clip}"))
    return colour_of(path)


def outcomes(workspace: Path) -> list[tuple[str, str]]:
    return [(each.outcome, each.request_id) for each in account(workspace).ledger.entries()]


def only(vendors: Vendors) -> str:
    (task,) = vendors.film["freepik"].tasks
    return task


# As it should be


def test_a_still_moves(vendors, workspace, beach):
    heard: list[Told] = []
    made = animated(beach, workspace, tell=heard.append)
    task = only(vendors)
    assert (made.video_id, made.status["status"]) == (task, "COMPLETED")
    assert made.video_url == made.status["generated"][0]
    assert in_hand(workspace) == clip_of(task, workspace)
    assert [each.stage for each in heard] == ["submitted", "submitted", "submitted", "processing", "completed"]
    assert heard[-1].video_id == task
    assert vendors.bought == {WAVES: 1}
    (entry,) = account(workspace).ledger.entries()
    assert (entry.purchase.what, entry.purchase.units, entry.cost) == ("kling-v2-1-std", 5, Decimal("0.05"))
    assert (entry.outcome, entry.request_id) == ("arrived", task)
    assert list((workspace / "bought" / ".store" / "arrived").iterdir()) == []


def test_the_state_is_asked_for_where_it_is_and_the_result_without_a_key(vendors, workspace, beach):
    animated(beach, workspace)
    asked = [each for each in vendors.requests if looks(each)]
    assert {each.path for each in asked} == {f"/v1/ai/image-to-video/kling-v2-1/{only(vendors)}"}
    (fetched,) = [each for each in vendors.requests if fetches(each)]
    assert fetched.query == {"token": "a/b"}
    assert not any(KEYS["freepik"] in value for value in fetched.headers.values())


def test_states_that_nobody_knows_are_states_of_one_that_runs(vendors, workspace, beach):
    vendors.film["freepik"].schedule = ("QUEUED", "in_progress", "SMTH\nNEW", "COMPLETED")
    heard: list[Told] = []
    animated(beach, workspace, tell=heard.append)
    assert [each.message for each in heard[1:]] == ["Freepik says: QUEUED", "", "Freepik says: SMTH NEW", ""]


def test_a_task_that_is_completed_and_has_no_clip_yet_is_waited_for(vendors, workspace, beach):
    for said in ([], None, ["", 7]):
        body = {"data": {"task_id": _next_task(vendors), "status": "COMPLETED", "generated": said}}
        vendors.misbehave(Fault(200, body), when=looks)
    animated(beach, workspace)
    assert in_hand(workspace) == clip_of(only(vendors), workspace)


def _next_task(vendors: Vendors) -> str:
    """The id that the fake will give."""
    fake = vendors.film["freepik"]
    task = fake.begun_elsewhere()
    del fake.tasks[task]
    return task


def test_by_time_it_is_the_same(vendors, workspace, beach):
    vendors.film["freepik"].pace = 0.02
    animated(beach, workspace)
    assert in_hand(workspace) == clip_of(only(vendors), workspace)


def test_each_of_several_clips_can_be_fetched_by_its_index(vendors, workspace, beach, wires):
    vendors.film["freepik"].clips = 3
    made = animated(beach, workspace)
    assert in_hand(workspace) == clip_of(made.video_id, workspace, 0)
    engine = freepik(wires=wires)
    for index in range(3):
        asyncio.run(engine.download(made.video_id, workspace / "clip.mp4", index))
        assert in_hand(workspace) == clip_of(made.video_id, workspace, index)
    for index in (3, -1):
        with pytest.raises(VideoError, match=f"has 3 clips; there is none {index}"):
            asyncio.run(engine.download(made.video_id, workspace / "none.mp4", index))
    assert vendors.bought == {WAVES: 1}


def test_submit_look_wait_and_download_are_steps_of_their_own(vendors, workspace, beach, wires):
    engine = freepik(wires=wires)

    async def begun(account_: Account) -> str:
        async with account_.claim(fingerprint(engine.identity(beach))) as claimed:
            return await engine.submit(beach, claimed)

    task = asyncio.run(begun(account(workspace)))
    assert asyncio.run(begun(account(workspace))) == task
    with pytest.raises(NotFoundError):
        asyncio.run(engine.look(task))
    with pytest.raises(VideoError, match="is not completed"):
        asyncio.run(engine.download(task, workspace / "clip.mp4"))
    assert asyncio.run(engine.wait(task)).stage == "completed"
    asyncio.run(engine.download(task, workspace / "clip.mp4"))
    assert in_hand(workspace) == clip_of(task, workspace)
    assert vendors.bought == {WAVES: 1}


def test_the_fake_answers_within_the_contract(vendors, workspace):
    if contracts.missing():
        pytest.skip(contracts.missing())
    import httpx  # noqa: PLC0415

    with httpx.Client(headers={"x-freepik-api-key": KEYS["freepik"]}) as client:
        there = vendors.address("freepik")
        good = client.post(there + BEGIN, json={"prompt": "Waves.", "duration": "5"})
        task = good.json()["data"]["task_id"]
        answers = [good, *(client.get(there + STATUS + task) for _ in range(4))]
        answers += [client.get(there + BEGIN), client.get(there + BEGIN, params={"page": 2})]
        answers += [client.get(there + BEGIN, headers={"x-freepik-api-key": "wrong"})]
    for request, answer in zip(vendors.requests, answers, strict=True):
        assert contracts.check_answer(request, answer.status_code, answer.headers, answer.content) is None
    assert [each.status_code for each in answers] == [200, 404, 200, 200, 200, 200, 200, 401]


def test_magnific_is_asked_with_its_own_header(monkeypatch):
    assert home() == FREEPIK
    monkeypatch.setenv("FREEPIK_BASE_URL", "https://api.magnific.com")
    monkeypatch.setenv("FREEPIK_API_KEY", "key")
    assert Wires().to(home()).vendor.credentials == {"x-magnific-api-key": "key"}
    monkeypatch.setenv("FREEPIK_BASE_URL", "https://notmagnific.com")
    assert Wires().to(home()).vendor.credentials == {"x-freepik-api-key": "key"}


def test_what_a_webhook_brings_is_read_as_an_answer_is():
    told = {"task_id": "a", "status": "COMPLETED", "generated": ["https://x.example.com/a.mp4"]}
    assert read(told) == read({"data": told})
    assert read(told).address == "https://x.example.com/a.mp4"


# Misbehaviour: (what, where, how often, the error at last, times bought)

PROBLEM = {"message": "Sorry.", "invalid_params": [{"name": "image", "reason": "No faces."}]}
CREATED = {"task_id": "046b6c7f-0b8a-43b9-b35d-6489e6daee91", "status": "CREATED"}


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (Fault(400, {"message": "Validation error"}), BadRequestError, "Validation error"),
        (Fault(400, PROBLEM), BadRequestError, "image: No faces."),
        (Fault(400, {"problem": PROBLEM}), BadRequestError, "image: No faces."),
        (Fault(400, "<html>no</html>"), BadRequestError, "refuses the request"),
        (Fault(401, {"message": "Invalid API key"}), BadKeyError, "Correct FREEPIK_API_KEY"),
        (Fault(402, {"message": "Insufficient credits"}), NoCreditError, "Insufficient credits"),
        (Fault(403, {"message": "Forbidden"}), NotAllowedError, "Forbidden"),
        (Fault(404, {"message": "Not Found"}), NotFoundError, "Not Found"),
        (Fault(409, {"message": "Conflict"}), VendorError, "Conflict"),
        (Fault(429, {"message": "Too Many Requests"}), RateLimitError, "asked too much at once"),
    ],
)
def test_a_refusal_is_told_and_buys_nothing_and_the_next_try_is_free_to_ask(
    vendors, workspace, beach, fault, error, words
):
    vendors.misbehave(fault, when=creates)
    with pytest.raises(error, match=words):
        animated(beach, workspace)
    assert [outcome for outcome, _ in outcomes(workspace)] == ["refused"]
    assert not vendors.bought
    animated(beach, workspace)
    assert vendors.bought == {WAVES: 1}


UNKNOWN = [
    Fault(500, {"message": "Internal Server Error"}),
    Fault(503, {"message": "Unavailable"}),
    Fault(502, "<html>bad gateway</html>"),
    Fault(504, "<html>timeout</html>"),
    Fault(how="hang"),
    Fault(how="hang in body"),
    Fault(how="cut"),
    Fault(how="cut in body"),
    Fault(body=b"{]"),
    Fault(body={"error": {"message": "sorry"}}),
    Fault(body={"data": {}}),
    Fault(body={"data": {"task_id": "../../v1/me"}}),
    Fault(body=[]),
]


def made_or_not(fault: Fault, charged: bool) -> Fault:
    return Fault(fault.status, fault.body, fault.headers, fault.how, charged, fault.at)


@pytest.mark.parametrize("fault", UNKNOWN)
def test_a_request_of_unknown_outcome_that_made_nothing_is_made_again_by_the_next_try(
    vendors, workspace, beach, monkeypatch, fault
):
    monkeypatch.setattr(jobs, "_BEGINNING", 0.3 if "hang" in fault.how else 20)
    vendors.film["freepik"].begun_elsewhere()
    vendors.misbehave(made_or_not(fault, charged=False), when=creates)
    with pytest.raises((OutcomeUnknownError, BrokenAnswerError)):
        animated(beach, workspace)
    animated(beach, workspace)
    assert vendors.bought == {WAVES: 1}
    assert [outcome for outcome, _ in outcomes(workspace)] == ["refused", "arrived"]
    assert account(workspace).ledger.spent() == Decimal("0.05")


@pytest.mark.parametrize("fault", UNKNOWN)
def test_a_request_of_unknown_outcome_that_made_something_is_not_made_again_until_one_says_so(
    vendors, workspace, beach, monkeypatch, fault
):
    monkeypatch.setattr(jobs, "_BEGINNING", 0.3 if "hang" in fault.how else 20)
    others = vendors.film["freepik"].begun_elsewhere()
    vendors.misbehave(made_or_not(fault, charged=True), when=creates)
    with pytest.raises((OutcomeUnknownError, BrokenAnswerError)):
        animated(beach, workspace)
    (task,) = set(vendors.film["freepik"].tasks) - {others}
    for _ in range(2):
        with pytest.raises(OutcomeUnknownError, match=rf"1 task that may be it: {task}\. .*task=ID.*again=yes"):
            animated(beach, workspace)
    made = animated(beach, workspace, f"task={task}")
    assert made.video_id == task
    assert in_hand(workspace) == clip_of(task, workspace)
    assert vendors.bought == {WAVES: 1}
    assert outcomes(workspace) == [("arrived", task)]
    assert account(workspace).ledger.spent() == Decimal("0.05")


def unknown(vendors: Vendors, workspace: Path, motion: Motion) -> None:
    vendors.misbehave(Fault(how="cut", charged=True), when=creates)
    with pytest.raises(OutcomeUnknownError):
        animated(motion, workspace)


def test_it_is_bought_again_on_purpose_and_paid_twice(vendors, workspace, beach):
    unknown(vendors, workspace, beach)
    made = animated(beach, workspace, "again=yes")
    assert vendors.bought == {WAVES: 2}
    assert outcomes(workspace) == [("unknown", ""), ("arrived", made.video_id)]
    assert account(workspace).ledger.spent() == Decimal("0.10")
    shutil.rmtree(workspace / "store")
    animated(beach, workspace)  # nothing is unclear any more
    assert vendors.bought == {WAVES: 3}


def test_again_buys_nothing_where_nothing_is_unclear(vendors, workspace, beach):
    vendors.misbehave(Fault(401), when=looks)
    with pytest.raises(BadKeyError):
        animated(beach, workspace, "again=yes")
    animated(beach, workspace, "again=yes")
    assert vendors.bought == {WAVES: 1}


def test_a_request_that_made_two_tasks_names_both(vendors, workspace, beach):
    vendors.film["freepik"].twins = 2
    unknown(vendors, workspace, beach)
    one, other = sorted(vendors.film["freepik"].tasks)
    with pytest.raises(OutcomeUnknownError, match=f"2 tasks that may be it: {one}, {other}"):
        animated(beach, workspace)


def test_tasks_that_are_ours_or_were_there_before_are_not_taken_for_it(vendors, workspace, beach):
    for _ in range(30):  # on two pages
        vendors.film["freepik"].begun_elsewhere()
    unknown(vendors, workspace, beach)
    (lost,) = list(vendors.film["freepik"].tasks)[30:]
    animated(moving(prompt="Wind."), workspace)
    with pytest.raises(OutcomeUnknownError, match=f"1 task that may be it: {lost}"):
        animated(beach, workspace)


def test_a_task_that_failed_is_not_what_was_asked_for(vendors, workspace, beach):
    vendors.film["freepik"].schedule = ("FAILED",)
    unknown(vendors, workspace, beach)
    asyncio.run(_looked_at(only(vendors)))
    vendors.film["freepik"].schedule = ("COMPLETED",)
    made = animated(beach, workspace)
    assert in_hand(workspace) == clip_of(made.video_id, workspace)


async def _looked_at(task: str) -> None:
    wires = Wires()
    assert (await freepik(wires=wires).look(task)).stage == "failed"
    await asyncio.to_thread(wires.close)


def test_a_list_without_pages_is_one_page(vendors, workspace, beach):
    vendors.film["freepik"].pages = False
    unknown(vendors, workspace, beach)
    with pytest.raises(OutcomeUnknownError, match=f"may be it: {only(vendors)}"):
        animated(beach, workspace)


def test_where_the_list_was_not_to_be_had_before_the_ledger_alone_tells(vendors, workspace, beach):
    others = vendors.film["freepik"].begun_elsewhere()
    vendors.misbehave(Fault(500), when=lists)
    unknown(vendors, workspace, beach)
    with pytest.raises(OutcomeUnknownError, match=f"2 tasks that .*{others}"):
        animated(beach, workspace)


def test_where_the_list_cannot_be_had_afterwards_nothing_is_bought(vendors, workspace, beach):
    vendors.misbehave(Fault(how="cut", charged=False), when=creates)
    with pytest.raises(OutcomeUnknownError):
        animated(beach, workspace)
    for body in ({"data": None}, {}, "no"):
        vendors.misbehave(Fault(body=body), when=lists)
        with pytest.raises(BrokenAnswerError):
            animated(beach, workspace)
    assert not vendors.bought
    animated(beach, workspace)
    assert vendors.bought == {WAVES: 1}


def test_it_is_looked_for_when_the_vendor_has_had_the_time_to_list_it(vendors, workspace, beach, monkeypatch):
    slept: list[float] = []
    monkeypatch.setattr(module, "_LISTED", 30.0)
    monkeypatch.setattr(module.asyncio, "sleep", _noting(slept))
    unknown(vendors, workspace, beach)
    with pytest.raises(OutcomeUnknownError):
        animated(beach, workspace)
    assert 20 < max(slept) <= 30


def _noting(slept: list[float]):
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real(min(seconds, 0.01))

    return sleep


def test_a_task_of_somebody_elses_is_taken_up_and_buys_nothing(vendors, workspace, beach):
    vendors.film["freepik"].schedule = ("COMPLETED",)
    task = vendors.film["freepik"].begun_elsewhere()
    assert animated(beach, workspace, f"task={task}").video_id == task
    assert not vendors.bought


def test_a_task_that_there_is_not_is_not_taken_up(vendors, workspace, beach):
    with pytest.raises(NotFoundError, match="Freepik has no job 046b"):
        animated(beach, workspace, "task=046b6c7f-0b8a-43b9-b35d-6489e6daee91")
    assert not vendors.bought


def test_a_clip_that_is_being_made_is_not_lost_for_another_task(vendors, workspace, beach):
    vendors.misbehave(Fault(401), when=looks)
    with pytest.raises(BadKeyError):
        animated(beach, workspace)
    task = only(vendors)
    with pytest.raises(SettingError, match=f"makes this video already, as {task}"):
        animated(beach, workspace, "task=046b6c7f-0b8a-43b9-b35d-6489e6daee91")
    animated(beach, workspace)
    assert vendors.bought == {WAVES: 1}


# While it is made


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, {"message": "Too Many Requests"}),
        Fault(500, {"message": "Internal Server Error"}),
        Fault(503, "down"),
        Fault(404, {"message": "Task not found"}),
        Fault(how="hang"),
        Fault(how="cut"),
        Fault(how="cut in body"),
        Fault(200, b"{]"),
        Fault(200, {"data": None}),
        Fault(200, {"data": CREATED}),  # of another task
    ],
)
def test_a_look_at_which_nothing_is_learnt_is_followed_by_another(vendors, workspace, beach, monkeypatch, fault):
    monkeypatch.setattr(jobs, "_LOOKING", 0.3 if "hang" in fault.how else 20)
    vendors.misbehave(fault, 2, when=looks)
    animated(beach, workspace)
    assert in_hand(workspace) == clip_of(only(vendors), workspace)
    assert vendors.bought == {WAVES: 1}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(400, {"message": "Validation error"}), BadRequestError),
        (Fault(401, {"message": "Invalid API key"}), BadKeyError),
        (Fault(402, {"message": "Insufficient credits"}), NoCreditError),
        (Fault(403, {"message": "Forbidden"}), NotAllowedError),
        (Fault(200, b"{]"), BrokenAnswerError),
    ],
)
def test_what_will_not_pass_is_told_and_the_next_try_takes_up_the_same_task(vendors, workspace, beach, fault, error):
    vendors.misbehave(fault, 3, when=looks)
    with pytest.raises(error):
        animated(beach, workspace)
    vendors.calm_down()
    animated(beach, workspace)
    assert in_hand(workspace) == clip_of(only(vendors), workspace)
    assert vendors.bought == {WAVES: 1}


def test_a_task_that_fails_half_way_is_told_and_the_next_try_makes_a_new_one(vendors, workspace, beach):
    vendors.film["freepik"].schedule = ("CREATED", "IN_PROGRESS", "FAILED")
    task = _next_task(vendors)
    with pytest.raises(JobFailedError, match=f"Freepik could not make the video {task}: it gives no reason"):
        animated(beach, workspace)
    vendors.film["freepik"].schedule = ("COMPLETED",)
    made = animated(beach, workspace)
    assert len(vendors.film["freepik"].tasks) == 2
    assert in_hand(workspace) == clip_of(made.video_id, workspace)


def test_a_task_that_never_ends_is_left_for_later(vendors, workspace, beach):
    vendors.film["freepik"].schedule = ("IN_PROGRESS",) * 5 + ("COMPLETED",)
    with pytest.raises(StillRunningError, match="run the same later"):
        animated(beach, workspace, "timeout=0.03")
    animated(beach, workspace)
    assert vendors.bought == {WAVES: 1}


def test_it_can_be_stopped_before_anything_is_bought_and_while_it_is_made(vendors, workspace, beach):
    for stops_at in range(5):
        heard = itertools.count()

        def tell(_told: Told, heard: Iterator[int] = heard, stops_at: int = stops_at) -> None:
            if next(heard) == stops_at:
                raise Stopped

        with pytest.raises(Stopped):
            animated(beach, workspace, tell=tell)
        assert sum(vendors.bought.values()) == (stops_at > 0)
        vendors.film["freepik"].tasks.update(_begun_anew(vendors))
    animated(beach, workspace)
    assert vendors.bought == {WAVES: 1}


def _begun_anew(vendors: Vendors) -> dict[str, Any]:
    """The tasks as if nobody had looked at them."""
    tasks = vendors.film["freepik"].tasks
    for task in tasks.values():
        task.looks = 0
    return tasks


def test_a_task_that_the_vendor_lost_is_bought_anew_only_on_purpose(vendors, workspace, beach, monkeypatch):
    monkeypatch.setattr(jobs, "_APPEARS", 0.0)
    vendors.film["freepik"].schedule = (MISSING,)
    for _ in range(2):
        with pytest.raises(NotFoundError, match=r"does not have the video .* any more\. .*again=yes"):
            animated(beach, workspace)
    assert vendors.bought == {WAVES: 1}
    vendors.film["freepik"].schedule = ("COMPLETED",)
    animated(beach, workspace, "again=yes")
    assert vendors.bought == {WAVES: 2}


# What was made


@pytest.mark.parametrize("stale", [1, 2])
def test_an_address_that_has_expired_is_asked_for_anew_once(vendors, workspace, beach, stale):
    vendors.film["freepik"].stale = stale
    if stale == 2:
        with pytest.raises(NotFoundError, match="Freepik does not give out the video"):
            animated(beach, workspace)
    animated(beach, workspace)
    assert in_hand(workspace) == clip_of(only(vendors), workspace)
    assert vendors.bought == {WAVES: 1}


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_store_refuses_an_old_address_in_its_own_way(vendors, workspace, beach, status):
    vendors.misbehave(Fault(status, "<Error><Code>AccessDenied</Code></Error>"), when=fetches)
    animated(beach, workspace)
    assert in_hand(workspace) == clip_of(only(vendors), workspace)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body=b"<html>Sorry</html>"),
        Fault(body=b""),
        Fault(body=film("a film that is cut")[:300]),
        Fault(how="hang"),
        Fault(how="hang in body"),
        Fault(302, headers={"location": "http://127.0.0.1/elsewhere"}),
    ],
)
def test_what_is_no_video_is_not_kept_and_is_fetched_by_the_next_try(vendors, workspace, beach, monkeypatch, fault):
    monkeypatch.setattr(results, "_PATIENCE", 0.2 if "hang" in fault.how else 20)
    vendors.misbehave(fault, 5, when=fetches)
    with pytest.raises(VendorError):
        animated(beach, workspace)
    assert not (workspace / "clip.mp4").exists()
    vendors.calm_down()
    animated(beach, workspace)
    assert in_hand(workspace) == clip_of(only(vendors), workspace)
    assert vendors.bought == {WAVES: 1}


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://results.example.com/a.mp4", "ftp://x/a.mp4", "a"])
def test_a_result_is_fetched_by_https_only(vendors, workspace, beach, address):
    said = {"data": {"task_id": _next_task(vendors), "status": "COMPLETED", "generated": [address]}}
    vendors.misbehave(Fault(200, said), when=looks)
    with pytest.raises(UnreachableError, match="none that may be asked"):
        animated(beach, workspace)
    animated(beach, workspace)
    assert vendors.bought == {WAVES: 1}


# Money, and death


def test_nothing_is_bought_that_would_pass_the_budget(vendors, workspace, beach, wires):
    engine = freepik(wires=wires)

    async def work() -> None:
        async with account(workspace, Decimal("0.04")).claim("key") as claimed:
            await engine.animate(beach, claimed, workspace / "clip.mp4")

    with pytest.raises(BudgetError, match=r"this would cost \$0\.05 more"):
        asyncio.run(work())
    assert not vendors.bought


def test_two_who_want_the_same_clip_buy_it_once(vendors, workspace, beach, wires):
    engine = freepik(wires=wires)

    async def work(into: Path) -> None:
        async with account(workspace).claim(fingerprint(engine.identity(beach))) as claimed:
            await engine.animate(beach, claimed, into)

    async def both() -> None:
        await asyncio.gather(*(work(workspace / f"{number}.mp4") for number in range(3)))

    asyncio.run(both())
    assert vendors.bought == {WAVES: 1}


def test_several_clips_are_made_at_once(vendors, workspace, wires):
    vendors.film["freepik"].pace = 0.05
    engine = freepik(wires=wires)

    async def work(number: int) -> None:
        motion = moving(prompt=f"Wave {number}.")
        async with account(workspace).claim(fingerprint(engine.identity(motion))) as claimed:
            await engine.animate(motion, claimed, workspace / f"{number}.mp4")
            await claimed.forget()

    async def all_of_them() -> None:
        await asyncio.gather(*map(work, range(5)))

    asyncio.run(all_of_them())
    assert set(vendors.bought.values()) == {1}
    assert len(vendors.bought) == 5


@pytest.mark.parametrize("asked", [lists, creates, looks, fetches])
def test_whoever_is_interrupted_while_the_vendor_is_asked_buys_the_clip_once(vendors, workspace, beach, asked):
    vendors.misbehave(Fault(how="hang"), when=asked)

    async def interrupted(wires: Wires) -> None:
        engine = freepik(wires=wires)
        async with account(workspace).claim(fingerprint(engine.identity(beach))) as claimed:
            work = asyncio.ensure_future(engine.animate(beach, claimed, workspace / "made.mp4"))
            while not any(map(asked, vendors.requests)):
                await asyncio.sleep(0.01)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work

    wires = Wires()
    asyncio.run(interrupted(wires))
    wires.close()
    vendors.calm_down()
    if asked is creates:
        with pytest.raises(OutcomeUnknownError):
            animated(beach, workspace)
    animated(beach, workspace, f"task={only(vendors)}" if asked is creates else "")
    assert in_hand(workspace) == clip_of(only(vendors), workspace)
    assert vendors.bought == {WAVES: 1}


@pytest.mark.parametrize("error", [Killed, OSError(28, "No space left on device")])
def test_whoever_dies_at_any_step_and_begins_again_buys_the_clip_once(vendors, workspace, monkeypatch, error):
    vendors.film["freepik"].schedule = ("COMPLETED",)
    for dies_at in itertools.count():
        here = workspace / str(dies_at)
        here.mkdir()
        vendors.bought.clear()
        motion = moving(prompt="Waves roll in.", seconds=5)
        with monkeypatch.context() as patch:
            patch.setattr(files, "disk", DyingDisk(dies_at, error))
            died = _dies(motion, here)
        more = ""
        try:
            animated(motion, here)
        except OutcomeUnknownError as told:
            more = f"task={str(told).partition('may be it: ')[2].partition('.')[0]}"
            animated(motion, here, more)
        assert vendors.bought == {WAVES: 1}
        assert in_hand(here) in {clip_of(task, here) for task in vendors.film["freepik"].tasks}
        assert account(here).ledger.spent() == Decimal("0.05")
        if not died:
            assert dies_at > 10
            return


def _dies(motion: Motion, workspace: Path) -> bool:
    try:
        animated(motion, workspace)
    except (Killed, StoreError, OSError):
        return True
    return False


def test_a_task_whose_name_the_ledger_did_not_live_to_learn_is_known_all_the_same(vendors, workspace, beach):
    """Its answer arrived, and its process died: it is not offered to another clip whose outcome nobody knows."""
    unknown(vendors, workspace, beach)
    (lost,) = vendors.film["freepik"].tasks
    ours = vendors.film["freepik"].begun_elsewhere("Wind.")
    made = account(workspace)

    async def died(account_: Account) -> None:
        async with account_.claim("other") as claimed:
            claimed.ledger.intend("calm", "other.0", _purchase(), None)
            files.write(claimed.store / "arrived" / "other.0", json.dumps({"data": {"task_id": ours}}).encode())

    asyncio.run(died(made))
    with pytest.raises(OutcomeUnknownError, match=f"1 task that may be it: {lost}"):
        animated(beach, workspace)


def _purchase() -> Any:
    from luma_studio.store.ledger import Purchase  # noqa: PLC0415

    return Purchase("Freepik", "kling-v2-1-std", "Wind.", 5, None)


def test_every_error_is_one_sentence_or_two_for_people(vendors, workspace, beach):
    vendors.misbehave(Fault(401, {"message": f"Bad key {KEYS['freepik']}"}), when=creates)
    with pytest.raises(LumaError) as told:
        animated(beach, workspace)
    assert KEYS["freepik"] not in str(told.value)
