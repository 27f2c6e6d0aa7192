"""Servers as a user starts them: the command in a process of its own, with small notebooks in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from playwright.sync_api import Browser, sync_playwright
from server.served import Serve, Served, write_notebook

CHROMIUM = Path("/usr/bin/chromium")

WIDGET = '''
import os, sys
import anywidget, ipywidgets, traitlets

class Counter(anywidget.AnyWidget):
    _esm = """export default { render({ model, el }) {
      const button = document.createElement("button");
      const show = () => { button.textContent = `count ${model.get("count")}`; };
      button.id = "counter";
      button.onclick = () => model.send("more");
      model.on("change:count", show);
      show();
      el.append(button);
    } };"""
    count = traitlets.Int(0).tag(sync=True)

counter = Counter()

def more(widget, content, buffers):
    counter.count += 1

counter.on_msg(more)
'''

NOTEBOOKS = {
    "studio": [
        new_markdown_cell("# For Lab only", metadata={"tags": ["page-hide"]}),
        new_markdown_cell("# A heading"),
        new_code_cell(WIDGET),
        new_code_cell("print('printed', sys.executable, os.environ['LUMA_WORKSPACE'], os.environ['SAID_IN_ENV_FILE'])"),
        new_code_cell("print('a warning', file=sys.stderr)"),
        new_code_cell("ipywidgets.VBox([counter, ipywidgets.Button(description='a button')])"),
        new_code_cell("print('hidden output')", metadata={"tags": ["page-hide"]}),
    ],
    "narration_studio": [new_code_cell("print('narration')")],
    "plain": [new_code_cell("print('plain')")],  # is not warmed, nor warmed again
    "tutorial_pauses": [new_code_cell("print('tutorial')")],
    "results": [
        new_markdown_cell("Prose " * 40),
        new_code_cell("{'a result': 1}"),
        new_code_cell(
            "import io\nfrom IPython.display import Image\nfrom PIL import Image as Picture\n"
            "Picture.new('RGB', (1200, 300), 'teal').save(file := io.BytesIO(), 'png')\nImage(file.getvalue())"
        ),
    ],
    "broken": [
        new_code_cell("print('before')"),
        new_code_cell("text = 'The <b>reason</b> is told.'\nraise ValueError(text)"),
        new_code_cell("print('after')"),
    ],
}


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """Start ``luma-studio`` with some arguments in a folder; what still runs at the end is ended."""
    running: list[Served] = []

    def start(folder: Path, *arguments: str) -> Served:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LUMA_")}
        process = subprocess.Popen(
            [sys.executable, "-c", "from luma_studio.cli import main; main()", *arguments],
            cwd=folder, env=environment, text=True, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        running.append(Served(process, folder))
        return running[-1]

    yield start
    for served in running:
        try:
            if served.process.poll() is None:
                served.end()
        finally:
            served.process.kill()
            served.process.stdout.close()


@pytest.fixture(scope="session")
def notebooks() -> Iterator[Path]:
    """A folder of small notebooks, with an ``.env`` file."""
    with tempfile.TemporaryDirectory() as folder:
        for name, cells in NOTEBOOKS.items():
            write_notebook(Path(folder, f"{name}.ipynb"), cells)
        Path(folder, ".env").write_text("SAID_IN_ENV_FILE=said\n")
        yield Path(folder).resolve()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; for one module, as while it is there no test can run an event loop of its own."""
    if not CHROMIUM.exists():
        reason = f"There is no {CHROMIUM}."
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()
