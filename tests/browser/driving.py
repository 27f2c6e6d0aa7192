"""The studio as a page, driven as a hand drives it: a server in a process of its own, and its windows in a browser."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import psutil
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FloatRect,
    Locator,
    Page,
    Request,
    WebSocket,
    expect,
)

from luma_studio.production import Production
from luma_studio.settings import AUDIO
from luma_studio.studio import Studio

SECRETS = {
    "OPENAI_API_KEY": "sk-secret-openai-7f3a91",
    "ELEVENLABS_API_KEY": "secret-elevenlabs-5c20be",
    "LUMA_OPENAI_API_KEY": "secret-luma-openai-d81e47",
    "LUMA_ELEVENLABS_API_KEY": "secret-luma-elevenlabs-04bb6c",
}
"""Keys in the server's environment, which no page may ever see."""
NOWHERE = {f"{vendor}_BASE_URL": "http://127.0.0.1:9" for vendor in ("ELEVENLABS", "OPENAI", "GROQ")}
"""Where a server under test looks for vendors: at no machine but this one, where nobody answers."""

SPOKEN = "\n".join(
    [
        "Arriving",
        "Close your eyes. (2 sec)",
        "Breathe in, slowly. (3-6 sec)",
        "And let it go.",
        "",
        "Coming home",
        "(2 sec)",
        "Open your eyes. (4 sec)",
        "Welcome back. (1 sec)",
    ]
)
"""A script of two scenes and five clauses, in 20 seconds or so."""

HINDI = "\n".join(
    [
        "शुरुआत",
        "धीरे-धीरे अपनी आँखें बंद करें... (5 sec)",
        "अब अपनी सांस छोड़ें। (५ सेकंड)",
        "एक बार फिर, लंबी सांस भीतर लें।",
        "",
        "वापसी",
        "धीरे-धीरे लौट आएँ। (5-10 sec)",
        "नमस्ते।",
    ]
)

COMMAND = "from luma_studio.cli import main; main()"
OPEN = re.compile(r"http://\S+")
LISTENING = """() => {
  window.heard = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (...given) {
    heard.push(this.buffer.length);
    return start.apply(this, given);
  };
}"""
PATIENCE = 20.0  # seconds in which what is waited for comes, on a machine that others use, too
Value = TypeVar("Value")

running: list[Served] = []
"""The servers that run: what they said is shown with a test that fails."""


def in_thread(work: Callable[[], Value]) -> Value:
    """What ``work`` returns, run beside Playwright's event loop, which has this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@dataclass
class Served:
    """``luma-studio open`` over a workspace."""

    workspace: Path
    notebook: str = ""  # the one to serve; all of the studio's by default
    more: dict[str, str] = field(default_factory=dict)  # of its environment, in place of the usual
    port: int = 0
    process: subprocess.Popen[bytes] = field(init=False)
    url: str = ""
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def folder(self) -> Path:
        return self.workspace / AUDIO

    @property
    def output(self) -> str:
        return (self.workspace / "server.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start, and wait until a page is warm."""
        before = len(self.output) if (self.workspace / "server.log").exists() else 0
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LUMA_")}
        with (self.workspace / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, "open", *self._options],
                cwd=self.workspace,
                env={
                    **environment,
                    **SECRETS,
                    **NOWHERE,
                    "LUMA_WORKSPACE": str(self.workspace),
                    "PYTHONUNBUFFERED": "1",
                    **self.more,
                },
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 3 * PATIENCE
        while not (found := OPEN.search(self.output, before)):
            assert self.process.poll() is None, f"The server ended: {self.output}"
            assert time.monotonic() < until, f"The server is not open: {self.output}"
            time.sleep(0.05)
        self.url = found[0]
        self.port = urlsplit(self.url).port or 0

    @property
    def _options(self) -> list[str]:
        return [*filter(None, [self.notebook]), "--no-browser", f"--port={self.port}", "--kernels=12", "--idle=10"]

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        finally:
            self.process.kill()

    def at(self, production: str | None = None, notebook: str | None = None) -> str:
        """The address of the first page, or of a notebook's, with a production open or none."""
        page = self.url if notebook is None else self.url.replace("/?", f"/voila/render/{notebook}?")
        return page + ("" if production is None else f"#production={quote(production, safe='')}")

    def kill_kernel(self, kernel_id: str) -> None:
        """Let the process of a kernel die at once."""
        for child in psutil.Process(self.process.pid).children():
            if any(kernel_id in argument for argument in child.cmdline()):
                child.kill()
                return
        raise AssertionError(f"No process is the kernel {kernel_id}.")

    # What is in the workspace

    def speak(self, name: str, script: str = SPOKEN, *exported: str) -> Production:
        """A production that is spoken, and exported to these masters."""

        def spoken() -> Production:
            with Studio(self.workspace) as studio:
                production = studio.production(name, script)
                asyncio.run(production.speak())
                if exported:
                    production.export(*exported)
                return production

        return in_thread(spoken)

    def fresh(self, script: str = SPOKEN, *exported: str) -> str:
        """The name of a production that no other test has, spoken, and exported to these masters."""
        name = f"calm-{next(self._numbers)}"
        self.speak(name, script, *exported)
        return name

    def state(self, name: str) -> dict[str, Any]:
        """What ``production.json`` holds."""
        state: dict[str, Any] = json.loads((self.folder / name / "production.json").read_bytes())
        return state

    def seconds(self, name: str) -> list[float]:
        """The pauses as they are saved."""
        return [clause["pause"]["seconds"] for clause in self.state(name)["clauses"]]

    def edits(self, name: str) -> list[str]:
        """What can be undone."""
        return [edit["what"] for edit in self.state(name)["done"]]


@contextmanager
def serving(workspace: Path, notebook: str = "", **more: str) -> Iterator[Served]:
    """The studio, served until the block ends, with these variables in its environment, too."""
    served = Served(workspace, notebook, more)
    running.append(served)
    try:
        served.start()
        yield served
        served.stop()
    finally:
        running.remove(served)
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()


@dataclass(eq=False)
class Window:
    """A window of the browser that shows the studio, and what went wrong in it."""

    page: Page
    studio: Served
    wrong: list[str] = field(default_factory=list)
    frames: int = 0  # that came from a kernel

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on("pageerror", lambda error: self.wrong.append(f"page error: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)
        self.page.on("websocket", self._websocket)

    # Watched all the time

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(f"console: {message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and address.hostname != "127.0.0.1":
            self.wrong.append(f"a request to another host: {request.url}")

    def _websocket(self, socket: WebSocket) -> None:
        if urlsplit(socket.url).hostname != "127.0.0.1":
            self.wrong.append(f"a connection to another host: {socket.url}")
        socket.on("framereceived", self._frame)

    def _frame(self, frame: str | bytes) -> None:
        data = frame.encode() if isinstance(frame, str) else frame
        self.frames += 1
        self.wrong += [f"{name} reached the page" for name, secret in SECRETS.items() if secret.encode() in data]
        if b'"kind": "mistake"' in data:
            self.wrong.append(f"a mistake of Python's: {data[-600:]!r}")

    @contextmanager
    def forgiving(self, *patterns: str) -> Iterator[None]:
        """Let what the browser itself says of a kernel or server that is gone be no fault."""
        before = len(self.wrong)
        yield
        self.wrong[before:] = [each for each in self.wrong[before:] if not any(re.search(p, each) for p in patterns)]

    def check(self) -> None:
        """Nothing went wrong in the page, and no key is in it."""
        text = self.page.content()
        wrong = [*self.wrong, *(f"{name} is in the page" for name, secret in SECRETS.items() if secret in text)]
        self.wrong.clear()
        assert not wrong, "\n".join(wrong)

    # Opening

    def open(self, production: str | None = None, notebook: str | None = None) -> None:
        """Load the studio or a notebook, with a production open or none, and wait until it can be used."""
        self.page.goto(self.studio.at(production, notebook), wait_until="commit")
        self.ready()
        if production is not None:
            self.shows(production)

    def reload(self) -> None:
        self.page.reload(wait_until="commit")
        self.ready()

    def ready(self) -> None:
        """Wait until the page can be used."""
        self.page.locator("html[data-luma-open]").wait_for(timeout=3 * PATIENCE * 1000)
        expect(self.editor).to_be_editable(timeout=PATIENCE * 1000)

    def switch(self, production: str) -> None:
        """Open another production in the same page, by its address."""
        self.page.evaluate("(name) => { location.hash = `production=${encodeURIComponent(name)}`; }", production)
        self.shows(production)

    def shows(self, production: str) -> None:
        """Wait until a production is open in every panel, with its pauses to be tuned."""
        typed = self.panel("Script").get_by_label("Name")
        self.until(lambda: self.name == typed.input_value() == production, f"{production} is open")
        self.slider(0).wait_for()

    # What is there

    def panel(self, title: str) -> Locator:
        return self.page.get_by_role("region", name=title, exact=True)

    def tab(self, title: str) -> None:
        self.page.get_by_role("tab", name=title).click()

    @property
    def editor(self) -> Locator:
        return self.page.get_by_role("textbox", name="Script", exact=True)

    @property
    def timeline(self) -> Locator:
        return self.panel("Pause timeline")

    @property
    def stage(self) -> Locator:
        return self.timeline.locator(".luma-stage")

    @property
    def sliders(self) -> Locator:
        return self.timeline.get_by_role("slider", name="Pause after:")

    @property
    def notices(self) -> Locator:
        return self.page.locator("#luma-notices .luma-notice")

    @property
    def kernel(self) -> str:
        return str(json.loads(self.page.locator("#jupyter-config-data").text_content() or "")["kernelId"])

    def slider(self, index: int) -> Locator:
        return self.timeline.locator(f".luma-slider[data-index='{index}']:not([hidden])")

    def extent(self, index: int) -> tuple[float, float] | None:
        """From where to where a pause reaches on the stage, in parts of its width; None where it is not in the page."""
        found: list[tuple[float, float]] = self.slider(index).evaluate_all(
            """(sliders) => sliders.map((slider) => {
              const [box, stage] = [slider, slider.closest('.luma-stage')].map((each) => each.getBoundingClientRect());
              return [(box.left - stage.left) / stage.width, (box.right - stage.left) / stage.width];
            })"""
        )
        return found[0] if found else None

    def length(self, index: int) -> float:
        """The seconds that a pause has in the page."""
        return float(self.slider(index).get_attribute("aria-valuenow") or "nan")

    @property
    def name(self) -> str:
        """The production that is open."""
        return self.panel("Productions").locator(".luma-productions-name").text_content() or ""

    @property
    def position(self) -> tuple[str, str]:
        """Where the playhead is, and how long the whole is."""
        at, whole = (self.timeline.locator(".luma-position").text_content() or "").split(" / ")
        return at, whole

    @property
    def selected(self) -> int:
        return int(self.timeline.locator(".luma-slider[tabindex='0']").get_attribute("data-index") or -1)

    # What is heard

    def listen(self) -> None:
        """Note from now on each sound that the timeline starts."""
        self.page.evaluate(LISTENING)

    @property
    def heard(self) -> list[int]:
        """How many samples each sound has that was started since ``listen``."""
        lengths: list[int] = self.page.evaluate("heard")
        return lengths

    # What a hand does

    def theme(self, theme: str) -> None:
        """Choose "light" or "dark"."""
        self.page.get_by_role("group", name="Theme").get_by_role("button", name=theme.capitalize()).click()

    def drag(self, index: int, pixels: float) -> None:
        """Take the right edge of a pause and move it."""
        self.stage.scroll_into_view_if_needed()
        box = resting(self.slider(index))
        x, y = box["x"] + box["width"], box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for step in range(1, 6):
            self.page.mouse.move(x + pixels * step / 5, y)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    # Waiting

    def until(self, condition: Callable[[], Value], what: str, seconds: float = PATIENCE) -> Value:
        """Wait until a condition holds."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, f"It did not come to this: {what}."
            self.page.wait_for_timeout(30)
        return value

    def saved(self, name: str, condition: Callable[[list[float]], bool]) -> list[float]:
        """Wait until the pauses that are saved are like this."""
        self.until(lambda: condition(self.studio.seconds(name)), "it is saved")
        return self.studio.seconds(name)


def resting(shown: Locator) -> FloatRect:
    """Where something is once it moves no more: what is above it may still be growing or closing."""
    end = time.monotonic() + PATIENCE
    before = None
    while (box := shown.bounding_box()) is None or box != before:
        assert time.monotonic() < end, "It did not come to rest."
        before = box
        shown.page.wait_for_timeout(120)
    return box


@contextmanager
def window(
    browser: Browser,
    studio: Served,
    production: str | None = None,
    notebook: str | None = None,
    context: BrowserContext | None = None,
) -> Iterator[Window]:
    """A window with the studio open, or a tab of a ``context``; at the end nothing may have gone wrong in it."""
    made = context or browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    shown = Window(made.new_page(), studio)
    try:
        shown.open(production, notebook)
        yield shown
        shown.check()
    finally:
        if not shown.page.is_closed():
            shown.page.goto("about:blank")  # its kernel is let go
        (shown.page if context else made).close()
