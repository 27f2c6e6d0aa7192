"""A real browser: Debian's Chromium. Where there is none these tests are skipped with a reason; in CI they fail."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path

import pytest
from browser.driving import Served, Window, running, serving, window
from playwright.sync_api import Browser, Page, sync_playwright

from luma_studio.panels.front import FOLDER

CHROMIUM = Path(os.environ.get("LUMA_TEST_CHROMIUM", "/usr/bin/chromium"))


@pytest.fixture(scope="module")  # its event loop would disturb the tests of other folders
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        reason = f"there is no browser at {CHROMIUM} (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in which any error is a failure."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    made = context.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(f"{error}"))
    yield made
    context.close()
    assert wrong == []


# The studio as a page


@pytest.fixture(scope="package")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The studio, served over a workspace that all tests of this folder share: each has productions of its own."""
    with serving(tmp_path_factory.mktemp("studio")) as served:
        yield served


@pytest.fixture
def opened(browser: Browser, studio: Served) -> Iterator[Window]:
    """A window of its own with the studio open, and no production: it costs a kernel, which takes seconds to start."""
    with window(browser, studio) as shown:
        yield shown


@pytest.fixture(scope="module")
def window_of_module(browser: Browser, studio: Served) -> Iterator[Window]:
    with window(browser, studio) as shown:
        yield shown


@pytest.fixture
def shared(window_of_module: Window) -> Iterator[Window]:
    """The window that the tests of a module share; each opens a production of its own in it."""
    yield window_of_module
    window_of_module.check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a test that fails what the servers said."""
    report = yield
    if report.failed and Path(__file__).parent in item.path.parents:
        report.sections += [("What the studio said", served.output[-4000:]) for served in running]
    return report


# The panels' modules, without a studio


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", "": "text/plain"}  # noqa: RUF012

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="session")
def modules() -> Iterator[str]:
    """The address at which the panels' ES modules lie as files."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(FOLDER))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
