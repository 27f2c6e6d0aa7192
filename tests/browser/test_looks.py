"""How the panels look: drawn, in the theme's colours, and never wider than the window."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.driving import HINDI, Window
from PIL import Image
from playwright.sync_api import Locator, Page, expect

PANELS = {
    "Narrate": ("Productions", "Script", "Render status", "Pause timeline", "Audio players"),
    "Film": ("Films",),
    "Animate": ("Animator",),
    "Library": ("Audio library",),
    "Health": ("Health",),
}
FEWEST = 12  # colours in a picture that is not blank
OVERFLOWING = """(panel) => [panel, ...panel.querySelectorAll('*')]
  .filter((each) => each.checkVisibility() && !each.closest('.luma-stage, .luma-script-sheet, .luma-hidden-text'))
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture
def desk(shared: Window) -> Iterator[Window]:
    yield shared
    shared.page.set_viewport_size({"width": 1280, "height": 900})
    shared.tab("Narrate")


@pytest.fixture(scope="module")
def production(window_of_module: Window) -> str:
    return window_of_module.studio.fresh(HINDI, "master.mp3")


def colours(picture: Path) -> set[tuple[int, ...]]:
    with Image.open(picture) as image:
        red, green, blue = (channel.tobytes() for channel in image.convert("RGB").split())
    return set(zip(red, green, blue, strict=True))


def colour_of(panel: Locator, name: str) -> tuple[int, ...]:
    """A colour of the theme, as the style sheet has it."""
    value = panel.evaluate("(panel, name) => getComputedStyle(panel).getPropertyValue(`--luma-${name}`).trim()", name)
    return tuple(int(value[at : at + 2], 16) for at in (1, 3, 5))


def show_all(desk: Window) -> None:
    """Have what a panel shows later, too."""
    expect(desk.panel("Audio players").get_by_role("button", name="Play master.mp3")).to_be_visible()
    expect(desk.timeline.get_by_role("button", name="Listen to take 1")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_panel_is_drawn_and_fits(desk: Window, production: str, tmp_path: Path, theme: str, width: int) -> None:
    desk.page.set_viewport_size({"width": width, "height": 900})
    desk.theme(theme)
    desk.switch(production)
    show_all(desk)
    for tab, titles in PANELS.items():
        desk.tab(tab)
        for title in titles:
            panel = desk.panel(title)
            expect(panel).to_have_attribute("data-theme", theme)
            found = colours(pictured(panel, tmp_path / f"{title} {theme} {width}.png"))
            assert len(found) >= FEWEST, title
            assert colour_of(panel, "card") in found, title
            assert panel.evaluate(OVERFLOWING) == [], title
        assert desk.page.evaluate(
            "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ), tab


def test_the_edge_of_the_first_pause_is_in_sight_on_a_phone(desk: Window) -> None:
    desk.page.set_viewport_size({"width": 390, "height": 844})
    desk.switch(desk.studio.fresh(HINDI))
    _, edge = desk.extent(0) or (0, 2)
    assert edge < 1


def pictured(panel: Locator, path: Path) -> Path:
    panel.screenshot(path=path, animations="disabled")
    return path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_canvas_has_the_colours_of_the_theme(desk: Window, production: str, tmp_path: Path, theme: str) -> None:
    desk.theme(theme)
    desk.switch(production)
    show_all(desk)
    for canvas, colour in [(".luma-canvas", "wave"), (".luma-canvas", "written"), (".luma-whole", "accent")]:
        path, wanted = tmp_path / f"{canvas} {theme}.png", colour_of(desk.timeline, colour)
        drawn = desk.timeline.locator(canvas)
        desk.until(lambda: wanted in colours(pictured(drawn, path)), f"{canvas} has the colour {colour}")
        assert (0, 0, 0) not in colours(path)


def test_the_page_is_shown_as_soon_as_its_panels_are_there(desk: Window) -> None:
    desk.page.reload(wait_until="commit")
    desk.page.locator("textarea").first.wait_for(state="attached")
    desk.until(lambda: desk.page.evaluate("() => 'lumaOpen' in document.documentElement.dataset"), "it is shown", 4)
    desk.ready()


def test_the_theme_can_be_chosen_and_survives_a_reload(desk: Window) -> None:
    page = desk.page.locator("html")
    for theme in ("dark", "light"):
        desk.theme(theme)
        expect(desk.timeline).to_have_attribute("data-theme", theme)
        background = desk.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        lightness = sum(int(part) for part in re.findall(r"\d+", background)[:3]) / 3
        assert (lightness < 80) == (theme == "dark")
    desk.theme("dark")
    desk.reload()
    expect(page).to_have_attribute("data-luma-theme", "dark")
    expect(desk.timeline).to_have_attribute("data-theme", "dark")
    expect(desk.page.get_by_role("group", name="Theme").get_by_role("button", name="Dark")).to_have_attribute(
        "aria-pressed", "true"
    )


# A panel without a studio: the page's modules alone, and a stand-in for the kernel


FAILING = """async () => {
  const { h, panel } = await import("/kit.js");
  const model = {
    on(event, ear) { if (event === "msg:custom") this.heard = ear; },
    off() {},
    send({ ask }) { setTimeout(() => this.heard({ re: ask, error: "Python's sentence is whole.", kind: "mistake" })); },
  };
  const { render } = panel("Trial", ({ root, desk }) => root.append(
    h("button", { onclick: desk.guarded(() => desk.ask("state")) }, "Ask"),
    h("button", { onclick: desk.guarded(() => { throw new Error("It broke."); }) }, "Break"),
  ));
  await render({ model, el: document.body });
}"""


def test_an_error_of_pythons_is_shown_as_it_is_and_one_of_the_page_with_the_remedy(page: Page, modules: str) -> None:
    page.goto(f"{modules}/kit.js")
    page.evaluate(FAILING)
    page.get_by_role("button", name="Ask").click()
    expect(page.locator(".luma-notice p")).to_have_text("Python's sentence is whole.")
    page.get_by_role("button", name="Break").click()
    expect(page.locator(".luma-notice p").last).to_have_text(
        "Something went wrong in the page: It broke. Reload it; nothing was lost."
    )


LOADED = """async (kernel) => {
  const loader = (await import("/loader.js")).default;
  const module = "export default { render({ el }) { el.append('The panel.'); } };";
  const model = {
    on(_, ear) { this.heard = ear; },
    off() {},
    get: () => "trial.Panel",
    send({ ask, verb }) {
      if (!kernel) throw new Error("There is no comm.");
      setTimeout(() => this.heard({ re: ask, value: { module: verb === "code" ? module : "", styles: "body { color: rgb(1, 2, 3); }" } }));
    },
  };
  const el = document.body.appendChild(document.createElement("main"));
  await loader.render({ model, el });
  await loader.render({ model, el: el.appendChild(document.createElement("div")) });
  return [el.textContent, getComputedStyle(el).color];
}"""


def test_a_panels_module_and_styles_come_from_the_kernel(page: Page, modules: str) -> None:
    page.goto(f"{modules}/loader.js")
    assert page.evaluate(LOADED, True) == ["The panel.The panel.", "rgb(1, 2, 3)"]


def test_a_panel_without_a_kernel_says_what_it_needs(page: Page, modules: str) -> None:
    page.goto(f"{modules}/loader.js")
    shown, _ = page.evaluate(LOADED, False)
    assert shown.startswith("This panel needs its kernel. Run the notebook's cells again.")
