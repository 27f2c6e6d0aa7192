"""The gate: as many at once as may be, whichever threads and event loops they come from, and no place is ever lost."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from luma_studio.errors import RateLimitError
from luma_studio.wire import Gate


class Room:
    """Counts who is in it."""

    def __init__(self) -> None:
        self.busy = self.most = self.done = 0
        self._lock = threading.Lock()

    async def visit(self, gate: Gate, seconds: float = 0.002) -> None:
        async with gate.passed():
            with self._lock:
                self.busy += 1
                self.most = max(self.most, self.busy)
            try:
                await asyncio.sleep(seconds)
            finally:
                with self._lock:
                    self.busy -= 1
            with self._lock:
                self.done += 1


def test_many_loops_share_one_bound():
    gate, room = Gate(3), Room()

    async def visits() -> None:
        await asyncio.gather(*(room.visit(gate) for _ in range(25)))

    with ThreadPoolExecutor(4) as threads:
        for visited in [threads.submit(asyncio.run, visits()) for _ in range(4)]:
            visited.result()
    assert (room.most, room.done) == (3, 100)


def test_they_go_in_the_order_they_came():
    gate, order = Gate(1), []

    async def visit(number: int) -> None:
        async with gate.passed():
            order.append(number)
            await asyncio.sleep(0)

    async def visits() -> None:
        await asyncio.gather(*map(visit, range(20)))

    asyncio.run(visits())
    assert order == list(range(20))


def test_who_is_called_off_takes_no_place_along():
    gate, room = Gate(2), Room()

    async def visits() -> None:
        waiting = [asyncio.ensure_future(room.visit(gate)) for _ in range(40)]
        for number, each in enumerate(waiting):
            if number % 3:
                each.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.wait_for(asyncio.gather(*(room.visit(gate) for _ in range(4))), 10)

    asyncio.run(visits())
    assert room.most == 2


def test_a_loop_that_ends_takes_no_place_along():
    gate, room = Gate(1), Room()

    async def leaves() -> None:
        asyncio.ensure_future(room.visit(gate, 60))  # noqa: RUF006 - it is left, and the loop cancels it
        asyncio.ensure_future(room.visit(gate, 60))  # noqa: RUF006
        await asyncio.sleep(0.01)

    asyncio.run(leaves())
    asyncio.run(asyncio.wait_for(room.visit(gate), 10))
    assert room.done == 1


def test_what_is_refused_leaves_fewer_places_unless_it_tells_nothing_of_them():
    async def refused(gate: Gate, *, learns: bool) -> None:
        with pytest.raises(RateLimitError):
            async with gate.passed(learns=learns):
                raise RateLimitError("Too many.")

    async def tried(learns: bool) -> int:
        gate, room = Gate(4), Room()
        await asyncio.gather(*(refused(gate, learns=learns) for _ in range(4)))
        await asyncio.gather(*(room.visit(gate) for _ in range(12)))
        return room.most

    assert asyncio.run(tried(learns=False)) == 4
    assert asyncio.run(tried(learns=True)) == 1
