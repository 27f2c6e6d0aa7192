"""Take the README's screenshots of the studio: ``uv run python docs/take_screenshots.py``. Needs Debian's Chromium."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

DOCS = Path(__file__).parent
EXAMPLE = DOCS.parent / "notebooks" / "examples" / "shuruaat.txt"
SHOTS = {
    "studio": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "studio-dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "studio-phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2},
}


def main() -> None:
    """Narrate the example in a workspace of its own, open it, and take each picture."""
    command = str(Path(sys.executable).with_name("luma-studio"))
    with tempfile.TemporaryDirectory() as workspace:
        environment = {**os.environ, "LUMA_WORKSPACE": workspace}
        subprocess.run([command, "narrate", str(EXAMPLE)], env=environment, check=True, stdout=subprocess.DEVNULL)
        served = subprocess.Popen(
            [command, "open", "--no-browser", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert served.stdout is not None
            address = next(line.split()[-1] for line in served.stdout if "http://" in line)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
                for name, look in SHOTS.items():
                    take(opened(browser, look, address), DOCS / f"{name}.png")
                browser.close()
        finally:
            served.terminate()
            served.wait(30)


def opened(browser: Browser, look: dict[str, object], address: str) -> Page:
    """A page with the production open, one pause tuned, and all of its waveforms there."""
    page = browser.new_context(**look).new_page()  # type: ignore[arg-type]
    page.goto(f"{address}#production=shuruaat")
    page.locator(".luma-slider").first.wait_for()
    page.locator(".luma-stage").focus()
    for key in ("d", "Home", "j", "ArrowRight", "ArrowRight", "ArrowRight", "l"):  # d: no sound meanwhile
        page.keyboard.press(key)
    page.locator(".luma-inspector [aria-label^='Free this pause']").wait_for()
    page.wait_for_timeout(2000)
    return page


def take(page: Page, path: Path) -> None:
    """Keep a picture down to the end of the pauses; where it is narrow, of the pauses alone; in few colours."""
    page.evaluate("scrollTo(0, 0)")
    box = page.locator(".luma-pause-timeline").bounding_box()
    assert box is not None
    width = page.evaluate("innerWidth")
    top = box["y"] - 8 if width < 500 else 0
    clip = {"x": 0, "y": top, "width": width, "height": box["y"] + box["height"] + 8 - top}
    image = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
    image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    page.context.close()


if __name__ == "__main__":
    main()
