"""What film vendors' tests share: a workspace to film in, and the fakes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.heygen import HeyGen
from helpers.heygen_shots import Workshop
from helpers.vendors import Vendors

from luma_studio.settings import Polling
from luma_studio.wire import Wires


@pytest.fixture
def workshop(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    monkeypatch.setattr(Polling, "shortest", 0.01)
    monkeypatch.setattr(Polling, "longest", 0.02)
    wires = Wires()
    yield Workshop(workspace / "generated_audio", wires)
    wires.close()


@pytest.fixture
def heygen(vendors: Vendors) -> HeyGen:
    fake = vendors.film["heygen"]
    assert isinstance(fake, HeyGen)
    return fake
