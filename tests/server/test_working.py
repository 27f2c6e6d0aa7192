"""Jobs are done while the studio is open, by a process that is there while there are any, and given back at its end."""

from __future__ import annotations

import asyncio
import signal

import psutil
import pytest
from nbformat.v4 import new_code_cell
from server.served import Served, until, write_notebook

from luma_studio.jobs import presence
from luma_studio.kinds import film_later, narrate_later
from luma_studio.studio import STORE

OPEN = ("open", "studio.ipynb", "--no-browser", "--port", "0")
LONG = "Calm\n" + "\n".join(f"Breathe in and out, {number} times. (8 sec)" for number in range(12))


def workers(served: Served) -> list[psutil.Process]:
    return [each for each in psutil.Process(served.process.pid).children() if "jobs" in each.cmdline()]


@pytest.fixture
def served(serve, workspace) -> Served:
    write_notebook(workspace / "studio.ipynb", [new_code_cell("print('studio')")])
    served = serve(workspace, *OPEN)
    served.read_until("Ctrl-C")
    return served


def test_a_job_is_done_without_any_page_and_no_process_is_left_when_none_waits(served, studio):
    until(lambda: presence.is_anybody(studio.folder / STORE))
    assert workers(served) == []
    studio.production("calm", "Calm\nClose your eyes.\n")
    made = narrate_later(studio, "calm")
    until(lambda: studio.jobs.get(made.id).state == "completed")
    assert (studio.folder / "calm" / "master.mp3").exists()
    until(lambda: not workers(served))
    assert served.end() == 0
    assert not presence.is_anybody(studio.folder / STORE)


def test_what_is_not_done_when_the_studio_ends_is_given_back_at_once(served, studio):
    asyncio.run(studio.production("calm", LONG, orientation="landscape").speak())
    made = film_later(studio, "calm")
    until(lambda: studio.jobs.get(made.id).progress)
    assert served.end(signal.SIGTERM) == 0
    left = studio.jobs.get(made.id)
    assert (left.state, left.lost, left.owner) == ("created", 0, "")
