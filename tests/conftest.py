"""What all tests share: a temporary workspace, and no setting of the machine's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import luma_studio

# In CI the same examples each time: a submission is judged by what it changes; new ones are looked for at every desk.
settings.register_profile("luma", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("luma")


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one and the workspace; no ``LUMA_…`` variable reaches a test."""
    for name in [name for name in os.environ if name.startswith("LUMA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def studio(workspace: Path) -> Iterator[luma_studio.Studio]:
    with luma_studio.Studio(workspace) as studio:
        yield studio
