"""The notebooks in JupyterLab: the same panels, over one kernel, with the keys of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from browser.driving import resting
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Locator, Page, expect

from luma_studio.server.lab import OWN

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PATIENCE = 40_000  # ms for what takes long on a machine with other work
SCRIPT = """Arriving
Close your eyes. (2 sec)
Breathe in, slowly. (3 sec)

Coming home
Open your eyes. (4 sec)
Welcome back.
"""

# The command, with a notebook more than those that are given out.
COMMAND = """
import sys
from pathlib import Path
from luma_studio.server import lab
notebooks = Path(sys.argv.pop(1))
lab.shipped = lambda name: notebooks
from luma_studio.cli import main
main()
"""

# A notebook of one's own: panels of a production, each in a cell by itself.
CELLS = {
    "spoken": f"""import time

from luma_studio import Studio
from luma_studio.panels import PauseTimeline

studio, nap = Studio(), 0
calm = studio.production("calm", {SCRIPT!r})
await calm.speak()""",
    "panel": "PauseTimeline(calm)",
    "shown": "calm",
    "edit": "calm.pauses[0] = calm.pauses[0].seconds + 1",
    "row": "import ipywidgets\n\nipywidgets.HBox([PauseTimeline(calm), PauseTimeline(calm)])",
    "again": "await calm.speak_again(0)",
    "state": "print([pause.seconds for pause in calm.pauses])",
    "busy": "time.sleep(nap)\nnap = 60",
}

# With these keys JupyterLab deletes, inserts, changes, chooses and runs cells, and restarts the kernel.
LABS_KEYS = """d d a b x c v z m y r o l f h j k 1 0 0 i i Shift+L Shift+J Shift+M Shift+V Enter Shift+Enter
Control+Enter Alt+Enter Control+Shift+Minus Escape Backspace Delete Home End ArrowUp ArrowDown"""

# How a key is pressed whose name in the sheet is not its name in a browser.
PRESSED = {
    "← →": "ArrowLeft ArrowRight",
    "↓ ↑": "ArrowDown ArrowUp",
    "1 … 9": " ".join("123456789"),
    "Ctrl Z": "Control+z",
    "Ctrl Shift Z": "Control+Shift+z",
}


@dataclass
class Lab:
    """JupyterLab over a workspace of its own, and a window of the browser that shows it."""

    page: Page
    url: str
    workspace: Path
    wrong: list[str] = field(default_factory=list)
    """What went wrong in the page: errors, and requests to other hosts."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self.wrong.append(f"page: {error}"))
        self.page.on("console", lambda said: said.type == "error" and self.wrong.append(f"console: {said.text}"))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).hostname != "127.0.0.1":
            self.wrong.append(f"a request to {url}")

    # Notebooks

    def open(self, notebook: str) -> None:
        """Open a notebook alone."""
        parts = urlsplit(self.url)
        base = f"{parts.scheme}://{parts.netloc}/lab/tree/{OWN}"
        self.page.goto(f"{base}/{notebook}?reset&{parts.query}", wait_until="commit")
        self.await_kernel()

    def await_kernel(self) -> None:
        """Wait until the notebook's kernel is connected: what is run before that is lost."""
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text("Python 3 (ipykernel) | Idle", timeout=PATIENCE)

    def menu(self, *items: str) -> None:
        """Choose an item of a menu."""
        self.page.locator(".lm-MenuBar-itemLabel").get_by_text(items[0], exact=True).click()
        for item in items[1:]:
            self.page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()

    def run_all(self) -> None:
        self.menu("Run", "Run All Cells")
        self.await_cells()

    def run(self, cell: str) -> None:
        """Run one cell of the notebook of our own, and wait for it."""
        self.begin(cell)
        self.await_cells()

    def begin(self, cell: str) -> None:
        """Run one cell, and do not wait."""
        self.code_cell(cell).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")

    def await_cells(self) -> None:
        prompts = self.page.locator(".jp-CodeCell .jp-InputPrompt")
        expect(prompts.filter(has_text="*")).to_have_count(0, timeout=PATIENCE)
        expect(prompts.filter(has_text=re.compile(r"\d")).first).to_be_attached(timeout=PATIENCE)

    def code_cell(self, cell: str) -> Locator:
        return self.page.locator(".jp-CodeCell").nth(list(CELLS).index(cell))

    def output(self, cell: str) -> str:
        return self.code_cell(cell).locator(".jp-OutputArea-output").inner_text()

    def saved_cells(self, notebook: str) -> list[tuple[str, str, str]]:
        """The notebook's cells as they are once it is saved: id, type, source."""
        with self.page.expect_response(lambda saved: saved.request.method == "PUT" and notebook in saved.url):
            self.menu("File", "Save Notebook")
        return cells_of(self.workspace / OWN / notebook)

    # Panels

    def panel(self, title: str, within: Locator | None = None) -> Locator:
        """A panel, scrolled into sight."""
        panel = (within or self.page).get_by_role("region", name=title, exact=True)
        panel.scroll_into_view_if_needed()
        return panel

    # The workspace

    def file(self, production: str, name: str) -> Path:
        return self.workspace / "generated_audio" / production / name

    def state(self, production: str) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self.file(production, "production.json").read_text("utf-8"))
        return state

    def pauses(self, production: str) -> list[float]:
        return [clause["pause"]["seconds"] for clause in self.state(production)["clauses"]]


def cells_of(path: Path) -> list[tuple[str, str, str]]:
    return [(cell.id, cell.cell_type, cell.source) for cell in nbformat.read(path, as_version=4).cells]


def eventually(wanted: Callable[[], object], seconds: float = PATIENCE / 1000) -> None:
    """Look again and again until it is as wanted."""
    until = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of ``luma-studio lab`` and its workspace; notebooks, settings and layouts lie there, too."""
    workspace = tmp_path_factory.mktemp("lab")
    installed = workspace / "installed" / "notebooks"
    shutil.copytree(NOTEBOOKS, installed, ignore=shutil.ignore_patterns(".*"))
    kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    cells = [new_code_cell(source, id=name) for name, source in CELLS.items()]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), installed / "own.ipynb")
    own = {name: str(workspace / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LUMA_", "JUPYTERLAB_"))}
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(installed), "lab", "--no-browser", "--port", "0"],
        cwd=workspace, env=environment | own, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        printed = ""
        while not (found := re.search(r"http://\S+", printed)):
            line = process.stdout.readline()
            assert line, f"ended: {printed}"
            printed += line
        yield found[0], workspace
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def window(browser: Browser, server: tuple[str, Path]) -> Iterator[Lab]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    yield Lab(context.new_page(), *server)
    context.close()


@pytest.fixture
def lab(window: Lab) -> Iterator[Lab]:
    """JupyterLab in a window that the tests share; whatever goes wrong in the page is a failure."""
    window.wrong.clear()
    yield window
    assert window.wrong == []


@pytest.fixture(scope="module")
def run_notebook(window: Lab) -> Lab:
    """The notebook of our own, open and run."""
    window.open("own.ipynb")
    window.run_all()
    return window


@pytest.fixture
def own(run_notebook: Lab, lab: Lab) -> Lab:
    return lab


def length_of(slider: Locator) -> float:
    return float(slider.get_attribute("aria-valuenow") or "nan")


def drag_edge(page: Page, slider: Locator, by: float) -> None:
    """Take a pause at its right edge and drag it by pixels."""
    slider.scroll_into_view_if_needed()
    box = resting(slider)
    edge, middle = box["x"] + box["width"], box["y"] + box["height"] / 2
    page.mouse.move(edge, middle)
    page.mouse.down()
    page.mouse.move(edge + by / 2, middle, steps=4)
    page.mouse.move(edge + by, middle, steps=4)
    page.mouse.up()


def test_a_script_becomes_a_master_in_lab_and_all_of_it_is_there_after_a_reload(lab: Lab) -> None:
    page = lab.page
    lab.open("narration_studio.ipynb")
    lab.run_all()

    editor = lab.panel("Script")
    editor.get_by_label("Script", exact=True).click()
    page.keyboard.insert_text(SCRIPT)
    page.keyboard.type("Add mild jazz.")  # letters that are commands of JupyterLab's
    text = f"{SCRIPT}Add mild jazz."
    editor.get_by_label("Name").fill("evening")
    editor.get_by_role("button", name="Speak", exact=True).click()

    pauses = lab.panel("Pause timeline")
    sliders = pauses.get_by_role("slider")
    expect(sliders).to_have_count(5)
    eventually(lambda: all(clause["take"] for clause in lab.state("evening")["clauses"]))
    drag_edge(page, sliders.nth(1), 60)
    eventually(lambda: lab.pauses("evening")[1] > 3)
    dragged = lab.pauses("evening")[1]
    eventually(lambda: length_of(sliders.nth(1)) == dragged)

    pauses.get_by_role("button", name="Fit or scale…").click()
    sheet = page.get_by_role("dialog", name="Fit or scale pauses")
    sheet.get_by_label("Total").fill("0:30")
    sheet.get_by_role("button", name="Fit", exact=True).click()
    expect(sheet).not_to_be_visible()
    expect(pauses.locator(".luma-position")).to_contain_text("/ 0:30.0")
    pauses.get_by_role("button", name="Undo").click()
    eventually(lambda: lab.pauses("evening")[1] == dragged)

    lab.panel("Audio players").get_by_role("button", name="Export", exact=True).click()
    eventually(lambda: lab.file("evening", "master.mp3").exists() and lab.file("evening", "audit.json").exists())

    assert lab.saved_cells("narration_studio.ipynb") == cells_of(NOTEBOOKS / "narration_studio.ipynb")
    page.reload(wait_until="commit")
    lab.await_kernel()
    sliders = lab.panel("Pause timeline").get_by_role("slider")
    expect(sliders).to_have_count(5)
    eventually(lambda: length_of(sliders.nth(1)) == dragged)
    expect(lab.panel("Script").get_by_label("Script", exact=True)).to_have_value(text)
    lab.panel("Pause timeline").get_by_role("button", name="Undo").click()  # the kernel is the same: it answers
    eventually(lambda: lab.pauses("evening")[1] == 3)


def test_a_production_in_a_cell_by_itself_is_its_pause_timeline_and_follows_what_other_cells_do(own: Lab) -> None:
    given = own.panel("Pause timeline", own.code_cell("panel"))
    shown = own.panel("Pause timeline", own.code_cell("shown"))
    before = length_of(given.get_by_role("slider").first)
    own.run("edit")
    for panel in (given, shown):
        expect(panel.get_by_role("slider").first).to_have_attribute("aria-valuenow", f"{before + 1:g}")
        expect(panel.locator(".luma-seconds")).to_have_value(f"{before + 1:g}")
    takes = given.get_by_role("button", name=re.compile("Listen to take"))
    count = takes.count()
    own.run("again")
    expect(takes).to_have_count(count + 1)


def test_panels_in_a_row_stand_side_by_side(own: Lab) -> None:
    panels = own.code_cell("row").get_by_role("region", name="Pause timeline", exact=True)
    panels.first.scroll_into_view_if_needed()
    first, second = (panels.nth(at).bounding_box() for at in (0, 1))
    assert first is not None and second is not None
    assert first["width"] > 300 and second["width"] == pytest.approx(first["width"], abs=2)
    assert first["x"] + first["width"] <= second["x"]
    assert first["y"] == second["y"]


def test_what_is_dragged_in_a_panel_is_there_in_the_next_cell(own: Lab) -> None:
    slider = own.panel("Pause timeline", own.code_cell("shown")).get_by_role("slider").nth(2)
    before = length_of(slider)
    drag_edge(own.page, slider, -30)
    eventually(lambda: own.pauses("calm")[2] < before)
    own.run("state")
    assert str(own.pauses("calm")) in own.output("state")


def test_panels_answer_while_a_cell_is_running(own: Lab) -> None:
    panel = own.panel("Pause timeline", own.code_cell("shown"))
    slider = panel.get_by_role("slider").nth(1)
    own.begin("busy")  # for the second time: it takes a minute
    expect(own.code_cell("busy").locator(".jp-InputPrompt")).to_contain_text("*")
    panel.scroll_into_view_if_needed()
    slider.focus()
    before = length_of(slider)
    own.page.keyboard.press("Shift+ArrowRight")
    eventually(lambda: own.pauses("calm")[1] == before + 1)
    expect(own.code_cell("busy").locator(".jp-InputPrompt")).to_contain_text("*")
    own.menu("Kernel", "Interrupt Kernel")
    own.await_cells()


def test_the_keys_of_the_pause_timeline_are_its_own_and_change_no_cell(own: Lab) -> None:
    page = own.page
    panel = own.panel("Pause timeline", own.code_cell("panel"))
    before, where = own.saved_cells("own.ipynb"), page.get_by_role("button", name=re.compile(r"^Cell \d"))
    panel.locator(".luma-stage").click(position={"x": 200, "y": 150})
    at = where.inner_text()
    sheet = [name.strip() for name in panel.locator(".luma-keys kbd").all_text_contents()]
    assert len(sheet) > 20
    keys = [key for name in sheet for key in PRESSED.get(name, name if len(name) > 1 else name.lower()).split()]
    for key in [*keys, *LABS_KEYS.split()]:
        panel.locator('.luma-slider[tabindex="0"]:visible').focus()
        page.keyboard.press(key)
        for open_sheet in panel.locator("dialog[open]").all():
            open_sheet.get_by_role("button", name="Close").click()
        expect(page.locator(".jp-Dialog")).to_have_count(0)
    assert where.inner_text() == at
    expect(page.locator("#jp-main-statusbar")).to_contain_text("Mode: Command")
    assert own.saved_cells("own.ipynb") == before
    own.run("state")
    assert str(own.pauses("calm")) in own.output("state")  # the kernel was not restarted


def test_panels_follow_labs_theme(own: Lab) -> None:
    panel = own.panel("Pause timeline", own.code_cell("panel"))
    colours = {}
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        own.menu("Settings", "Theme", theme)
        expect(panel).to_have_attribute("data-theme", theme.split()[1].lower())
        colours[theme] = panel.evaluate(
            "(panel) => getComputedStyle(panel.querySelector('.luma-inspector')).backgroundColor"
        )
        expect(panel.locator(".luma-canvas")).to_be_visible()
    assert brightness(colours["JupyterLab Dark"]) < 80
    assert brightness(colours["JupyterLab Light"]) > 200


def test_when_the_kernel_is_restarted_the_page_says_what_to_do_and_does_not_stand_in_the_way(own: Lab) -> None:
    kept = own.pauses("calm")
    own.menu("Kernel", "Restart Kernel…")
    own.page.locator(".jp-Dialog button.jp-mod-accept").click()
    banner = own.page.get_by_role("alert").filter(has_text="The studio has lost its kernel.")
    expect(banner).to_contain_text("Run the notebook's cells again")
    own.await_kernel()
    covered, bar = banner.bounding_box(), own.page.locator("#jp-main-statusbar").bounding_box()
    assert covered is not None and bar is not None
    assert covered["y"] + covered["height"] <= bar["y"]
    assert covered["width"] < 600
    banner.get_by_role("button", name="Close").click()
    expect(banner).not_to_be_visible()
    own.run_all()
    expect(banner).to_have_count(0)
    sliders = own.panel("Pause timeline", own.code_cell("shown")).get_by_role("slider")
    eventually(lambda: length_of(sliders.nth(1)) == kept[1])
    sliders.nth(1).focus()
    own.page.keyboard.press("Shift+ArrowRight")
    eventually(lambda: own.pauses("calm")[1] == kept[1] + 1)


def brightness(colour: str) -> float:
    """Of rgb(…), from 0 to 255."""
    parts = [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]
    return sum(parts) / 3
