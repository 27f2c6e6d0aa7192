"""The notebooks as pages: one kernel a page, and some pages ready before anybody asks."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from tornado.web import HTTPError
from voila.app import Voila
from voila.notebook_renderer import NotebookRenderer
from voila.utils import get_page_config

from luma_studio.errors import LumaError
from luma_studio.server import check_notebook

_log = logging.getLogger(__name__)

_READY = 60  # seconds a kernel may take to answer for the first time
_ALONE = 3.0  # seconds that a page which opens has the processor for itself before the next one is warmed
_LEAVING = 5.0  # seconds that a page which is about to be left takes no place
_PATIENCE = 1.0  # seconds that somebody waits for a place
_TICK = 1.0  # seconds between two looks at what is open
_PLACE = re.compile(r"Cell In\[\d+\], line (\d+)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_BUNDLED_MATHJAX = {"mathjax_url": None, "mathjax_config": None}


class PageRenderer(NotebookRenderer):  # type: ignore[misc] # voila is not typed
    """Renders a notebook while it runs; ``failed`` is what the first cell that raised said."""

    failed: str | None = None

    async def load_notebook(self, path: str) -> Any:
        """The notebook, whether anybody has trusted it or not: it is run anyway."""
        check_notebook(Path(self.root_dir) / path)
        return await self.fix_notebook(nbformat.read(Path(self.root_dir) / path, as_version=4))

    async def _jinja_cell_generator(self, nb: Any, kernel_id: str) -> AsyncIterator[Any]:
        run = 0
        async for cell in super()._jinja_cell_generator(nb, kernel_id):
            task = asyncio.current_task()
            if task and task.cancelling():
                raise asyncio.CancelledError  # nbclient took it for a dead kernel, and would go on
            run += cell.cell_type == "code" and bool(cell.source.strip())
            for output in cell.get("outputs", []):
                if output["output_type"] == "error":
                    place = f"{Path(self.notebook_path).name}, cell [{run}]{_line_of(output)}"
                    cell.metadata["luma_place"] = place
                    self.failed = self.failed or f"{place}: {output['ename']}: {output['evalue']}"
            yield cell


def _line_of(error: Any) -> str:
    """The line of the cell that raised an error, where its traceback tells."""
    found = _PLACE.search(_COLOUR.sub("", "\n".join(error["traceback"])))
    return f", line {found[1]}" if found else ""


@dataclass(eq=False)
class Page:
    """A notebook that is being rendered, waits to be shown, or is shown; with a kernel of its own."""

    notebook: str
    changed: int  # when the notebook was, in ns
    kernel_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    rendering: asyncio.Task[None] = field(init=False)
    failed: str | None = None  # what went wrong
    seen: float = 0.0  # when a browser was last there
    leaving: float = 0.0  # until when it is about to leave
    html: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)  # in pieces; None is the end

    async def pieces(self) -> AsyncIterator[str]:
        """The HTML: first all that is there, then what is added, as it comes."""
        while True:
            pieces = [await self.html.get()]
            while not self.html.empty():
                pieces.append(self.html.get_nowait())
            yield "".join(piece for piece in pieces if piece is not None)
            if pieces[-1] is None:
                return


@dataclass(frozen=True, slots=True)
class Limits:
    """At most ``most`` pages are shown at once; a kernel without a browser for ``idle`` seconds is ended."""

    most: int
    idle: float


class Pages:
    """The pages of one folder: those that are shown, and for each notebook of ``warmed`` one that waits."""

    def __init__(self, voila: Voila, warmed: Iterable[str], limits: Limits, bundle_url: str) -> None:
        self.folder = Path(voila.root_dir)
        self._voila = voila
        self._kernels: Any = voila.kernel_manager  # its types do not tell what is to be awaited
        self._warmed = tuple(warmed)
        self._limits = limits
        self._bundle_url = bundle_url
        self._waiting: dict[str, Page] = {}
        self._shown: set[Page] = set()
        self._last_shown = float("-inf")
        self._said: dict[str, str] = {}  # of each notebook, what went wrong the last time
        self._door = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._tending = asyncio.create_task(self._tend())

    async def warm(self, notebook: str) -> None:
        """Wait until the page of a notebook of ``warmed`` is ready, or cannot be."""
        self._warm_up()
        await asyncio.wait([self._waiting[notebook].rendering])

    async def show(self, notebook: str) -> Page:
        """A page of a notebook, for one browser. Raises HTTPError if as many as may be are open."""
        await self._wait_for_room()
        async with self._door:
            if not self._room():
                windows = "One window is" if self._limits.most == 1 else f"{self._limits.most} windows are"
                raise HTTPError(503, f"{windows} open, as many as may be. Close a window, and try again.")
            page = self._waiting.pop(notebook, None)
            if page is not None and not await self._fresh(page):
                await self._end(page)
                page = None
            page = page or self._page(notebook)
            page.seen = self._last_shown = time.monotonic()
            self._shown.add(page)
            return page

    def leave(self, kernel_id: str) -> None:
        """A browser is about to leave a page; whether it does is seen soon."""
        for page in self._shown:
            if page.kernel_id == kernel_id:
                page.leaving = time.monotonic() + _LEAVING

    async def close(self) -> None:
        """End every kernel, and those that are just being started."""
        tasks = [self._tending, *(page.rendering for page in (*self._waiting.values(), *self._shown))]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.gather(*map(self._end_kernel, self._kernels.list_kernel_ids()))

    # A page

    def _page(self, notebook: str) -> Page:
        page = Page(notebook, (self.folder / notebook).stat().st_mtime_ns)
        page.rendering = asyncio.create_task(self._render(page))
        return page

    async def _render(self, page: Page) -> None:
        """Run the notebook in a kernel of its own; its HTML goes into the queue as it comes."""
        begun = False
        try:
            renderer = await self._renderer(page.notebook)
            async for html, _ in renderer.generate_content_generator(page.kernel_id, self._start(page)):
                page.html.put_nowait(html)
                begun = True
            page.failed = renderer.failed
        except Exception as error:  # noqa: BLE001 - whatever it is, the page tells it
            page.failed = str(error) if isinstance(error, LumaError) else f"{type(error).__name__}: {error}"
            if begun:
                told = json.dumps(page.failed).replace("<", "\\u003c")
                page.html.put_nowait(f"<script>lumaFailed({told})</script>")
        finally:
            page.html.put_nowait(None)
        self._say(page)

    def _say(self, page: Page) -> None:
        """Say in the terminal what went wrong, once for all the pages of a notebook that say the same."""
        failed = page.failed or ""
        if failed and failed != self._said.get(page.notebook):
            _log.warning("%s", failed if page.notebook in failed else f"{page.notebook}: {failed}")
        self._said[page.notebook] = failed

    async def _renderer(self, notebook: str) -> PageRenderer:
        voila = self._voila
        renderer = PageRenderer(
            voila_configuration=voila.voila_configuration,
            traitlet_config=voila.config,
            root_dir=voila.root_dir,
            notebook_path=notebook,
            template_paths=voila.template_paths,
            config_manager=voila.config_manager,
            contents_manager=voila.contents_manager,
            kernel_spec_manager=voila.kernel_spec_manager,
            base_url=voila.base_url,
            page_config=get_page_config(voila.base_url, _BUNDLED_MATHJAX, voila.log, voila.voila_configuration),
        )
        await renderer.initialize()
        renderer.resources["bundle_url"] = self._bundle_url
        return renderer

    async def _start(self, page: Page) -> Any:
        """Start a page's kernel and wait until it answers. Starts take turns: many at once race for ports."""
        output = Path(self._voila.connection_dir) / f"{page.kernel_id}.log"
        async with self._turn:
            with output.open("wb") as file:
                start = self._kernels.start_kernel(
                    kernel_id=page.kernel_id, path=str(Path(page.notebook).parent), stdout=file, stderr=file
                )
                await _whole(asyncio.create_task(start))
            died = partial(_log.warning, "%s: its kernel died. Reload the page.", page.notebook)
            self._kernels.add_restart_callback(page.kernel_id, died, "dead")
            kernel = self._kernels.get_kernel(page.kernel_id)
            client = kernel.client()
            client.start_channels()
            try:
                await client.wait_for_ready(timeout=_READY)
            except RuntimeError as error:
                said = output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise RuntimeError(f"{error}. {said[-1] if said else ''}".strip()) from error
            finally:
                client.stop_channels()
        return kernel

    async def _fresh(self, page: Page) -> bool:
        """Whether a waiting page can be shown: its notebook is the same, it did not fail, its kernel lives."""
        if page.failed or page.changed != (self.folder / page.notebook).stat().st_mtime_ns:
            return False
        if not page.rendering.done():
            return True
        return page.kernel_id in self._kernels and await self._kernels.get_kernel(page.kernel_id).is_alive()

    # How many there are

    def _room(self) -> bool:
        """Whether one more page can be shown."""
        self._forget()
        now = time.monotonic()
        return sum(page.leaving < now for page in self._shown) < self._limits.most

    async def _wait_for_room(self) -> None:
        """Wait a little if there is none: a page that is reloaded says so at the same moment."""
        end = time.monotonic() + _PATIENCE
        while not self._room() and time.monotonic() < end:
            await asyncio.sleep(0.05)

    def _forget(self) -> None:
        """Strike off the pages whose kernel is gone."""
        self._shown -= {page for page in self._shown if page.rendering.done() and page.kernel_id not in self._kernels}

    # What is tended all the time

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            try:
                await self._end_left()
                if time.monotonic() - self._last_shown > _ALONE:
                    self._warm_up()
            except Exception:  # noqa: BLE001 - said, and the next second is another try
                _log.exception("The pages could not be tended.")

    def _warm_up(self) -> None:
        """Warm up what was taken, as long as there is room to show it."""
        for notebook in self._warmed:
            if self._room() and notebook not in self._waiting and (self.folder / notebook).exists():
                self._waiting[notebook] = self._page(notebook)

    async def _end_left(self) -> None:
        """End the kernels of pages that have had no browser for too long: they were closed."""
        self._forget()
        now = time.monotonic()
        for page in tuple(self._shown):
            if not page.rendering.done() or self._connected(page):
                page.seen = now
            elif now - page.seen > self._limits.idle:
                await self._end(page)

    def _connected(self, page: Page) -> bool:
        return page.kernel_id in self._kernels and self._kernels.kernel_model(page.kernel_id)["connections"] > 0

    async def _end(self, page: Page) -> None:
        page.rendering.cancel()
        await asyncio.wait([page.rendering])
        await self._end_kernel(page.kernel_id)

    async def _end_kernel(self, kernel_id: str) -> None:
        try:
            await self._kernels.shutdown_kernel(kernel_id)
        except (HTTPError, KeyError):  # the page has said farewell just now
            if kernel_id in self._kernels:
                raise


async def _whole(start: asyncio.Task[str]) -> None:
    """Wait for a start even if cancelled: what is half started could not be ended."""
    try:
        await asyncio.shield(start)
    except asyncio.CancelledError:
        await start
        raise
