"""What tests of transcripts share: transcribers of the faked vendors, and an account."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from luma_studio.progress import Listener, unheard
from luma_studio.store.ledger import Account
from luma_studio.studio import Studio
from luma_studio.transcripts import Transcriber, TranscriberChoice, Transcript, make_transcriber, transcribe

WHISPER = "openai:whisper-1"

Make = Callable[..., Transcriber]
Hears = Callable[..., Transcript]


@pytest.fixture
def account(studio: Studio) -> Account:
    return studio.account("pitch")


@pytest.fixture
def make(studio: Studio) -> Make:
    """A transcriber by its choice."""

    def make(choice: str = WHISPER) -> Transcriber:
        return make_transcriber(TranscriberChoice.parse(choice), studio.wires, studio.settings.minute_price)

    return make


@pytest.fixture
def hears(make: Make, account: Account) -> Hears:
    """The transcript of a file."""

    def hears(path: Path | str, choice: str = WHISPER, listener: Listener = unheard) -> Transcript:
        return asyncio.run(transcribe(path, make(choice), account, listener))

    return hears
