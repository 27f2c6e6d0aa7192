"""Jobs in Redis, for several machines. Needs the extra ``luma-studio[redis]``.

Scripts do all of it: one puts a job and all that it is found by, at once and only if it stands as it was seen. Another
finds and reads jobs, at once, too: between the two another could change what was found.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from luma_studio.errors import SettingError, StoreAwayError, StoreError
from luma_studio.store.jobs.model import Job, State, read, written

if TYPE_CHECKING:
    from redis.client import PubSub

_PREFIX = "{luma-studio}:jobs:"  # in braces: of a cluster, one machine has them all
_SOME = 100  # jobs at a time
_CONNECT = 3.0  # seconds
_ANSWER = 10.0  # seconds that an answer may take
_CLOCK = 60.0  # seconds
_TRIES = 4  # of what did not get through; in all about a second

_PUT = """
local p, id = KEYS[1], ARGV[1]
local key = p .. 'job:' .. id
if (redis.call('HGET', key, 'change') or '0') ~= ARGV[2] then return false end
local change = redis.call('INCR', p .. 'change')
local number = redis.call('HGET', key, 'number')
if not number then
    number = redis.call('INCR', p .. 'number')
    redis.call('ZADD', p .. 'all', number, id)
    redis.call('SADD', p .. 'kinds', ARGV[4])
end
redis.call('HSET', key, 'job', ARGV[3], 'number', number, 'change', change)
redis.call('ZADD', p .. 'changes', change, id)
local function found(set, score)
    if score == '' then redis.call('ZREM', p .. set, id) else redis.call('ZADD', p .. set, score, id) end
end
found('waiting:' .. ARGV[4], ARGV[5] == 'created' and number or '')
found('held', ARGV[6])
found('due', ARGV[7])
found('ended', ARGV[8])
redis.call('PUBLISH', p .. 'bell', change)
return {tonumber(number), change}
"""
_FIND = """
local rows = {}
for at = 5, #ARGV do
    for _, id in ipairs(redis.call(ARGV[1], KEYS[1] .. ARGV[at], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])) do
        rows[#rows + 1] = redis.call('HMGET', KEYS[1] .. 'job:' .. id, 'job', 'number', 'change')
    end
end
return rows
"""
_REMOVE = """
local p, id = KEYS[1], ARGV[1]
if redis.call('HGET', p .. 'job:' .. id, 'change') ~= ARGV[2] then return 0 end
redis.call('DEL', p .. 'job:' .. id)
for _, set in ipairs({'all', 'changes', 'held', 'due', 'ended', 'waiting:' .. ARGV[3]}) do
    redis.call('ZREM', p .. set, id)
end
return 1
"""


class RedisShelf:
    """The shelf at an address, such as ``redis://localhost:6379/0``. Raises SettingError without its package."""

    def __init__(self, url: str) -> None:
        try:
            import redis  # noqa: PLC0415 - is an extra
            from redis.backoff import ExponentialBackoff  # noqa: PLC0415
            from redis.retry import Retry  # noqa: PLC0415
        except ImportError as error:
            raise SettingError(
                "JOB_STORAGE=redis needs the package redis. Install luma-studio[redis], or take JOB_STORAGE away."
            ) from error
        self._errors = redis.RedisError
        self._away = (redis.ConnectionError, redis.TimeoutError)
        try:
            self._redis: Any = redis.Redis.from_url(
                url,
                decode_responses=True,
                socket_connect_timeout=_CONNECT,
                socket_timeout=_ANSWER,
                health_check_interval=30,
                retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), _TRIES),
            )
        except ValueError as error:
            raise SettingError(f"REDIS_URL is no address: {error} Write it as redis://localhost:6379/0.") from error
        self._where = urlsplit(url).netloc.rpartition("@")[2] or url
        self._put = self._redis.register_script(_PUT)
        self._find = self._redis.register_script(_FIND)
        self._remove = self._redis.register_script(_REMOVE)
        self._clock = self._clock_until = 0.0  # of the server, by our own; and until when that is trusted
        self._bells = threading.local()

    def now(self) -> float:  # noqa: D102
        if time.monotonic() > self._clock_until:  # the server's, so that all machines have one
            with self._explained():
                seconds, micros = self._redis.time()
            self._clock = float(seconds) + float(micros) / 1e6 - time.monotonic()
            self._clock_until = time.monotonic() + _CLOCK
        return self._clock + time.monotonic()

    def put(self, job: Job) -> Job | None:  # noqa: D102
        due = job.notice.due if job.notice else None
        text = written(job)
        with self._explained():
            found = self._put(
                [_PREFIX],
                [job.id, job.change, text, job.kind, job.state, *map(_score, (job.until, due, job.ended))],
            )
        return None if found is None else read(text, *found)

    def remove(self, job: Job) -> bool:  # noqa: D102
        with self._explained():
            return bool(self._remove([_PREFIX], [job.id, job.change, job.kind]))

    def get(self, job_id: str) -> Job | None:  # noqa: D102
        with self._explained():
            text, number, change = self._redis.hmget(f"{_PREFIX}job:{job_id}", "job", "number", "change")
        return None if text is None else read(text, int(number), int(change))

    def waiting(self, kinds: Collection[str] | None) -> Job | None:  # noqa: D102
        with self._explained():
            wanted = self._redis.smembers(_PREFIX + "kinds") if kinds is None else kinds
        first = self._between([f"waiting:{kind}" for kind in wanted], "-inf", "+inf", 1)
        return min(first, key=lambda job: job.number, default=None)

    def lapsed(self, now: float) -> list[Job]:  # noqa: D102
        return self._between(["held"], "-inf", now)

    def to_tell(self, now: float) -> list[Job]:  # noqa: D102
        return self._between(["due"], "-inf", now)

    def ended(self, after: float, before: float) -> list[Job]:  # noqa: D102
        return self._between(["ended"], f"({after!r}", before)

    def page(  # noqa: D102
        self, state: State | None, kind: str | None, subject: str | None, before: int | None, most: int
    ) -> list[Job]:
        found: list[Job] = []
        while len(found) < most:
            some = self._between(
                ["all"], "+inf" if before is None else f"({before}", "-inf", command="ZREVRANGEBYSCORE"
            )
            if not some:
                break
            before = some[-1].number
            found += [
                job
                for job in some
                if state in (None, job.state) and kind in (None, job.kind) and subject in (None, job.subject)
            ]
        return found[:most]

    def since(self, mark: int, most: int) -> list[Job]:  # noqa: D102
        return self._between(["changes"], f"({mark}", "+inf", most)

    def mark(self) -> int:  # noqa: D102
        with self._explained():
            return int(self._redis.get(_PREFIX + "change") or 0)

    def wait(self, mark: int, seconds: float) -> int:  # noqa: D102
        until = time.monotonic() + seconds
        with self._explained():
            bell = self._bell()
            while (now := self.mark()) <= mark and (left := until - time.monotonic()) > 0:
                bell.get_message(timeout=left)
        return now

    def close(self) -> None:  # noqa: D102
        self._redis.close()

    def _bell(self) -> PubSub:
        """What hears of changes; of each thread its own."""
        bell: PubSub | None = getattr(self._bells, "one", None)
        if bell is None:
            bell = self._redis.pubsub()
            bell.subscribe(_PREFIX + "bell")
            while (said := bell.get_message(timeout=_ANSWER)) is not None and said["type"] != "subscribe":
                pass  # from then on it misses nothing
            self._bells.one = bell
        return bell

    def _between(
        self,
        found_by: Iterable[str],
        first: str | float,
        last: str | float,
        most: int = _SOME,
        command: str = "ZRANGEBYSCORE",
    ) -> list[Job]:
        """The jobs in each of these sets from a score to another, in their order."""
        with self._explained():
            rows = self._find([_PREFIX], [command, first, last, most, *found_by])
        return [read(text, int(number), int(change)) for text, number, change in rows]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except self._away as error:
            raise StoreAwayError(
                f"Redis cannot be reached at {self._where} ({' '.join(str(error).split())[:200]}). Start it, or "
                "correct REDIS_URL."
            ) from error
        except self._errors as error:
            raise StoreError(
                f"Redis at {self._where} refuses to keep jobs: {' '.join(str(error).split())[:300]}. Look at its "
                "settings."
            ) from error


def _score(number: float | None) -> str:
    return "" if number is None else repr(number)
