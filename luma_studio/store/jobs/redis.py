"""Jobs in Redis, for several machines. Needs the extra ``luma-studio[redis]``.

One script puts a job and all that it is found by, at once and only if it stands as it was seen; all else reads. A job
is found first and read then: by that time another may have changed it, so what it was found by is looked at again.
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
        self._remove = self._redis.register_script(_REMOVE)
        self._bells = threading.local()

    def now(self) -> float:  # noqa: D102
        with self._explained():
            seconds, micros = self._redis.time()
            return float(seconds) + float(micros) / 1e6

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
        return next(iter(self._read([job_id])), None)

    def waiting(self, kinds: Collection[str] | None) -> Job | None:  # noqa: D102
        while first := self._first_waiting(kinds):
            found = [job for job in self._read(first) if job.state == "created"]
            if found:
                return min(found, key=lambda job: job.number)
        return None

    def lapsed(self, now: float) -> list[Job]:  # noqa: D102
        return [job for job in self._between("held", "-inf", now) if job.until is not None and job.until <= now]

    def to_tell(self, now: float) -> list[Job]:  # noqa: D102
        found = self._between("due", "-inf", now)
        return [job for job in found if job.notice is not None and job.notice.due is not None and job.notice.due <= now]

    def ended(self, after: float, before: float) -> list[Job]:  # noqa: D102
        return self._between("ended", f"({after!r}", before)

    def page(  # noqa: D102
        self, state: State | None, kind: str | None, subject: str | None, before: int | None, most: int
    ) -> list[Job]:
        found: list[Job] = []
        while len(found) < most:
            highest = "+inf" if before is None else f"({before}"
            with self._explained():
                numbered = self._redis.zrange(
                    _PREFIX + "all", highest, "-inf", desc=True, byscore=True, offset=0, num=_SOME, withscores=True
                )
            if not numbered:
                break
            before = int(numbered[-1][1])
            found += [
                job
                for job in self._read(job_id for job_id, _ in numbered)
                if state in (None, job.state) and kind in (None, job.kind) and subject in (None, job.subject)
            ]
        return found[:most]

    def since(self, mark: int, most: int) -> list[Job]:  # noqa: D102
        return sorted(self._between("changes", f"({mark}", "+inf", most), key=lambda job: job.change)

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

    def _first_waiting(self, kinds: Collection[str] | None) -> list[str]:
        """The ids of the jobs that wait first of each kind."""
        with self._explained():
            pipe = self._redis.pipeline(transaction=False)
            for kind in self._redis.smembers(_PREFIX + "kinds") if kinds is None else kinds:
                pipe.zrange(f"{_PREFIX}waiting:{kind}", 0, 0)
            return [job_id for found in pipe.execute() for job_id in found]

    def _between(self, found_by: str, least: str | float, most: str | float, count: int = _SOME) -> list[Job]:
        with self._explained():
            ids = self._redis.zrange(_PREFIX + found_by, least, most, byscore=True, offset=0, num=count)
        return self._read(ids)

    def _read(self, ids: Iterable[str]) -> list[Job]:
        """The jobs with these ids, in their order, but for those that are gone."""
        with self._explained():
            pipe = self._redis.pipeline(transaction=False)
            for job_id in ids:
                pipe.hmget(f"{_PREFIX}job:{job_id}", "job", "number", "change")
            rows: list[list[Any]] = pipe.execute()
        return [read(text, int(number), int(change)) for text, number, change in rows if text is not None]

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
