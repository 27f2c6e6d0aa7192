"""What is shown of an error in a notebook: the sentence, and nothing of this package's inside."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from luma_studio.errors import FitError, SettingError, counted

_BEGIN = """
from luma_studio import Studio
studio = Studio()
calm = studio.production("calm", "Calm\\n" + "".join(f"Sentence number {n} of many.\\n" for n in range(2000)))
"""


@pytest.fixture
def kernel(workspace) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(workspace), env={**os.environ, "LUMA_WORKSPACE": str(workspace)})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def shown(client: BlockingKernelClient, code: str, timeout: float = 60) -> str:
    """What a cell shows when it fails."""
    said: list[dict[str, Any]] = []
    client.execute_interactive(code, output_hook=said.append, timeout=timeout)
    (error,) = [each["content"] for each in said if each["msg_type"] == "error"]
    return "\n".join(error["traceback"])


def test_a_mistake_is_shown_as_one_line_and_an_interruption_as_the_sentence_of_the_command_line(kernel, workspace):
    manager, client = kernel
    client.execute_interactive(_BEGIN, timeout=60)
    mistake = shown(client, "calm.pauses[9999] = 1")
    assert mistake == "SettingError: There is no clause 9999: calm has 2000, counted from 0."
    speaking = client.execute("await calm.speak()")
    takes, until = workspace / "generated_audio" / ".store" / "takes", time.monotonic() + 60
    while not any(takes.rglob("*.wav")):
        assert time.monotonic() < until
    manager.interrupt_kernel()
    while (message := client.get_iopub_msg(timeout=60))["msg_type"] != "error":
        pass
    assert message["parent_header"]["msg_id"] == speaking
    assert message["content"]["traceback"] == ["Stopped. What was spoken is kept; run the same cell to go on."]


def test_a_notebook_is_shown_the_kind_of_an_error_and_its_sentence():
    assert SettingError("It cannot be.")._render_traceback_() == ["SettingError: It cannot be."]
    error = pickle.loads(pickle.dumps(FitError("No.", least=1, most=None, in_the_way=(2,))))  # noqa: S301
    assert error._render_traceback_() == ["FitError: No."]


def test_things_are_counted_as_in_a_sentence():
    assert [counted(number, "scene") for number in (0, 1, 2)] == ["0 scenes", "1 scene", "2 scenes"]
