"""The ledger: intent before the request, what came at once after it, and a budget that is never passed."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path

import pytest

from luma_studio.errors import BudgetError, OutcomeUnknownError, OverloadedError, StoreError
from luma_studio.store import files
from luma_studio.store.ledger import Account, Ledger, Purchase
from luma_studio.wire import Answer

PENNY = Purchase("Fake", "model", "Close your eyes.", 16, Decimal("0.01"))


@pytest.fixture
def ledger(workspace: Path) -> Ledger:
    return Ledger(workspace)


def account(ledger: Ledger, workspace: Path, budget: str | None = None) -> Account:
    return Account(ledger, workspace / ".store", "calm", None if budget is None else Decimal(budget))


class Vendor:
    """Sends what it is told to, and counts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.error = error

    async def __call__(self, path: Path) -> Answer:
        self.asked += 1
        if self.error is not None:
            raise self.error
        files.write(path, b"sound", durable=True)
        return Answer({"request-id": "r-1", "character-cost": "16"}, b"")


async def bought(made: Account, vendor: Vendor, *, key: str = "key", keep: bool = False) -> bytes:
    async with made.claim(key) as claimed:
        body = await claimed.buy(PENNY, vendor)
        if not keep:
            await claimed.forget()
        return body


def test_reading_an_unused_ledger_writes_nothing(ledger, workspace):
    assert (ledger.entries(), ledger.spent()) == ([], 0)
    assert list(workspace.iterdir()) == []


def test_a_purchase_is_written_down_with_what_it_cost_and_the_vendors_name_for_it(ledger, workspace):
    assert asyncio.run(bought(account(ledger, workspace), Vendor())) == b"sound"
    (entry,) = ledger.entries("calm")
    assert (entry.purchase, entry.outcome, entry.cost, entry.request_id) == (PENNY, "arrived", Decimal("0.01"), "r-1")
    assert entry.answered is not None
    assert entry.asked <= entry.answered
    assert ledger.entries("other") == []


def test_the_intent_is_on_disk_before_the_request(ledger, workspace):
    async def send(path: Path) -> Answer:
        assert [entry.outcome for entry in ledger.entries()] == ["asked"]
        return await Vendor()(path)

    asyncio.run(account(ledger, workspace).buy(PENNY, send))


def test_what_arrived_before_its_process_died_is_not_bought_again(ledger, workspace):
    vendor = Vendor()
    made = account(ledger, workspace)
    assert asyncio.run(bought(made, vendor, keep=True)) == b"sound"
    with sqlite3.connect(workspace / "ledger.sqlite") as database:  # as if it had died before it wrote that down
        database.execute("UPDATE calls SET outcome = 'asked', cost = NULL")
    assert asyncio.run(bought(made, vendor)) == b"sound"
    assert vendor.asked == 1
    assert [(entry.outcome, entry.cost) for entry in ledger.entries()] == [("arrived", Decimal("0.01"))]
    asyncio.run(bought(made, vendor))
    assert vendor.asked == 2  # it had become a take, so this is another purchase


@pytest.mark.parametrize(
    ("error", "outcome", "spent"),
    [(OverloadedError("No."), "refused", "0"), (OutcomeUnknownError("Perhaps."), "unknown", "0.01")],
)
def test_what_a_vendor_did_not_do_costs_nothing_and_what_it_may_have_done_counts(
    ledger, workspace, error, outcome, spent
):
    with pytest.raises(type(error)):
        asyncio.run(bought(account(ledger, workspace), Vendor(error)))
    assert [(entry.outcome, entry.note) for entry in ledger.entries()] == [(outcome, str(error))]
    assert ledger.spent("calm") == Decimal(spent)


def test_nothing_is_bought_that_would_pass_the_budget(ledger, workspace):
    vendor = Vendor()
    made = account(ledger, workspace, "0.025")
    for key in ("one", "two"):
        asyncio.run(bought(made, vendor, key=key))
    with pytest.raises(BudgetError, match=r"The budget of calm is \$0\.0250; \$0\.02 are spent"):
        asyncio.run(bought(made, vendor, key="three"))
    assert vendor.asked == len(ledger.entries()) == 2


def test_without_a_price_a_budget_cannot_be_kept_and_nothing_is_bought(ledger, workspace):
    unknown = Purchase("Fake", "new-model", "Hush.", 5, None)
    with pytest.raises(BudgetError, match="LUMA_PRICES"):
        asyncio.run(account(ledger, workspace, "5").buy(unknown, Vendor()))
    asyncio.run(account(ledger, workspace).buy(unknown, Vendor()))
    assert [entry.cost for entry in ledger.entries()] == [None]


def intend(folder: str, count: int) -> int:
    ledger, done = Ledger(Path(folder)), 0
    for number in range(count):
        try:
            ledger.intend("calm", str(number), PENNY, Decimal("0.30"))
        except BudgetError:
            continue
        done += 1
    return done


def test_many_processes_and_threads_never_spend_more_than_the_budget_together(workspace):
    with get_context("spawn").Pool(2) as pool:
        counts = pool.starmap(intend, [(str(workspace), 20)] * 3)
    with ThreadPoolExecutor(4) as threads:
        counts += threads.map(lambda _: intend(str(workspace), 10), range(4))
    assert sum(counts) == 30
    assert Ledger(workspace).spent("calm") == Decimal("0.30")


def test_two_who_want_the_same_buy_it_once(ledger, workspace):
    vendor, kept = Vendor(), []

    async def want() -> None:
        async with account(ledger, workspace).claim("key") as claimed:
            if not kept:  # as who has a claim looks first
                kept.append(await claimed.buy(PENNY, vendor))
                await claimed.forget()

    async def both() -> None:
        await asyncio.gather(*(want() for _ in range(8)))

    asyncio.run(both())
    assert vendor.asked == 1


def test_a_damaged_ledger_is_told_and_nothing_is_bought(ledger, workspace):
    (workspace / "ledger.sqlite").write_bytes(b"no database" * 100)
    vendor = Vendor()
    with pytest.raises(StoreError, match="move it away"):
        asyncio.run(bought(account(ledger, workspace), vendor))
    assert vendor.asked == 0


async def searched(made: Account, vendor: Vendor, found: bytes | None) -> tuple[bytes, int]:
    """What is bought where an earlier request may have made something; and how often it was looked for."""
    looked = 0

    async def search() -> bytes | None:
        nonlocal looked
        looked += 1
        return found

    async with made.claim("key") as claimed:
        return await claimed.buy(PENNY, vendor, search=search), looked


def of_unknown_outcome(ledger: Ledger, workspace: Path) -> Account:
    made = account(ledger, workspace)
    with pytest.raises(OutcomeUnknownError):
        asyncio.run(bought(made, Vendor(OutcomeUnknownError("gone"))))
    return made


def test_what_a_request_of_unknown_outcome_made_is_found_and_not_bought_again(ledger, workspace):
    vendor = Vendor()
    assert asyncio.run(searched(of_unknown_outcome(ledger, workspace), vendor, b"job")) == (b"job", 1)
    assert vendor.asked == 0
    assert [(entry.outcome, entry.cost) for entry in ledger.entries()] == [("arrived", Decimal("0.01"))]


def test_where_it_made_nothing_it_is_bought_anew_and_paid_once(ledger, workspace):
    vendor = Vendor()
    assert asyncio.run(searched(of_unknown_outcome(ledger, workspace), vendor, None)) == (b"sound", 1)
    assert vendor.asked == 1
    assert [entry.outcome for entry in ledger.entries()] == ["refused", "arrived"]
    assert ledger.spent() == Decimal("0.01")


def test_nothing_is_looked_for_where_nothing_is_unclear(ledger, workspace):
    assert asyncio.run(searched(account(ledger, workspace), Vendor(), b"job")) == (b"sound", 0)


def test_what_came_to_nothing_is_told_and_asked_for_anew(ledger, workspace):
    made, vendor = account(ledger, workspace), Vendor()

    async def failed() -> None:
        async with made.claim("key") as claimed:
            await claimed.buy(PENNY, vendor)
            await claimed.lost("The job failed there.")

    asyncio.run(failed())
    assert [(entry.outcome, entry.note) for entry in ledger.entries()] == [("arrived", "The job failed there.")]
    asyncio.run(bought(made, vendor))
    assert vendor.asked == 2
    assert [entry.note for entry in ledger.entries()] == ["The job failed there.", ""]


def test_what_was_bought_after_all_makes_clear_what_was_not(ledger, workspace):
    made = of_unknown_outcome(ledger, workspace)
    vendor = Vendor()
    asyncio.run(bought(made, vendor))  # on purpose: nobody looked for the first
    assert asyncio.run(searched(made, vendor, b"job")) == (b"sound", 0)
    assert [entry.outcome for entry in ledger.entries()] == ["unknown", "arrived", "arrived"]
    assert ledger.spent() == Decimal("0.03")


def test_what_an_earlier_request_turned_out_to_have_made_is_taken_up_and_paid_once(ledger, workspace):
    made, vendor = of_unknown_outcome(ledger, workspace), Vendor()

    async def taken_up() -> tuple[bytes, bool, bool]:
        async with made.claim("key") as claimed:
            before = claimed.is_unclear()
            claimed.take_up(b"job")
            return await claimed.buy(PENNY, vendor), before, claimed.is_unclear()

    assert asyncio.run(taken_up()) == (b"job", True, False)
    assert vendor.asked == 0
    assert [(entry.outcome, entry.cost) for entry in ledger.entries()] == [("arrived", Decimal("0.01"))]


def test_the_vendors_own_name_for_what_arrived_is_known_afterwards(ledger, workspace):
    made = account(ledger, workspace)

    async def named() -> None:
        async with made.claim("key") as claimed:
            await claimed.buy(PENNY, Vendor())
            claimed.know("job-7")

    asyncio.run(named())
    asyncio.run(bought(made, Vendor(), key="other"))
    assert [entry.request_id for entry in ledger.entries()] == ["job-7", "r-1"]
