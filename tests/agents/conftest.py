"""What agents think with, in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from luma_studio.agents import Thinking
from luma_studio.settings import Choices, Settings
from luma_studio.store.ledger import Account, Ledger
from luma_studio.wire import Wires

MIND = "openai:gpt-5.5"


@pytest.fixture
def thinking(workspace: Path) -> Iterator[Callable[..., Thinking]]:
    """Makes what agents think with: ``thinking(mind=…, budget=…)``."""
    opened: list[Wires] = []

    def made(mind: str = MIND, budget: Decimal | None = None, **settings: Any) -> Thinking:
        known = Settings(**settings)
        opened.append(Wires())
        account = Account(Ledger(workspace), workspace / ".store", "calm", budget)
        choices = Choices(mind=mind)
        return Thinking(choices, opened[-1], account, known.token_prices, workspace / "prompts")

    yield made
    for wires in opened:
        wires.close()
