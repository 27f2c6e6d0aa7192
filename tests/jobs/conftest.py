"""One suite over the three stores, Redis a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jobs.kept import Place, RedisServer, need_redis

from luma_studio.store.jobs import JobStore
from luma_studio.store.jobs.redis import RedisShelf


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    need_redis()
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


def _place(keeping: str, workspace: Path, request: pytest.FixtureRequest) -> Place:
    if keeping != "redis":
        return Place(keeping, str(workspace))
    server: RedisServer = request.getfixturevalue("redis_server")
    RedisShelf(server.url)._redis.flushall()
    return Place("redis", server.url)


@pytest.fixture(params=["memory", "sqlite", "redis"])
def anywhere(request: pytest.FixtureRequest, workspace: Path) -> Place:
    """Each place in which jobs may be kept, empty."""
    return _place(request.param, workspace, request)


@pytest.fixture(params=["sqlite", "redis"])
def shared(request: pytest.FixtureRequest, workspace: Path) -> Place:
    """Each place that several processes share, empty."""
    return _place(request.param, workspace, request)


@pytest.fixture
def store(anywhere: Place) -> Iterator[JobStore]:
    store = anywhere.open()
    yield store
    store.close()
