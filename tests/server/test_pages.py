"""The studio as pages: who is let in, how many, for how long, and what a page shows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell
from playwright.sync_api import Browser, BrowserContext, Page, expect
from server.served import Answer, Serve, Served, until, write_notebook
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

IDLE = 4.0
MOST = 2


@pytest.fixture(scope="module")
def studio(serve: Serve, notebooks: Path) -> Served:
    served = serve(
        notebooks, "open", "studio.ipynb", "--no-browser", "--port", "0", "--kernels", str(MOST), "--idle", str(IDLE)
    )
    served.read_until("Ctrl-C")
    return served


@pytest.fixture
def ask(studio: Served) -> Iterator[Callable[[str], Answer]]:
    """Ask for the page of a notebook without ever connecting to it; it is ended after the test."""
    answers: list[Answer] = []

    def get(notebook: str) -> Answer:
        answers.append(studio.get(f"/voila/render/{notebook}.ipynb"))
        return answers[-1]

    yield get
    for answer in answers:
        if answer.status == 200:
            studio.get(f"/api/kernels/{answer.kernel}", method="DELETE")


@pytest.fixture
def visitor(studio: Served, browser: Browser) -> Iterator[BrowserContext]:
    with closing(browser.new_context(color_scheme="light")) as context:
        context.set_default_timeout(20_000)
        yield context
        for page in context.pages:
            page.close()  # this ends its kernel, closing the context would not


def opened(visitor: BrowserContext, url: str) -> Page:
    page = visitor.new_page()
    page.goto(url)
    return shown(page)


def shown(page: Page) -> Page:
    page.wait_for_function("'lumaOpen' in document.documentElement.dataset")
    return page


# Who is let in


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/voila/render/studio.ipynb",
        "/voila/static/voila.js",
        "/voila/luma/chunks.js",
        "/voila/labextensions/anywidget/package.json",
        "/voila/files/picture.png",
        "/voila/api/contents",
        "/voila/tree",
        "/api/kernels",
        "/api/kernels/5a15b40a-ae46-49ba-a505-6ad4162876e9",
        "/login",
        "/metrics",
        "/studio.ipynb",
        "/nowhere",
    ],
)
def test_without_the_token_every_answer_is_no(studio, path):
    assert studio.get(path, known=False).status == 403
    assert studio.get(f"{path}?token=guess", known=False).status == 403


def test_metrics_are_read_with_the_token(studio):
    answer = studio.get("/metrics")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "# TYPE luma_jobs gauge" in answer.text


def test_a_foreign_host_is_refused_even_with_the_token(studio):
    for path in ("/", "/voila/static/voila.js", "/voila/render/studio.ipynb", "/nowhere"):
        assert studio.get(path, Host="studio.example").status == 403


@contextmanager
def socket_to(studio: Served, kernel: str, *, token: str, **headers: str):
    address = f"{studio.base}/api/kernels/{kernel}/channels?token={token}".replace("http:", "ws:")
    with connect(address, additional_headers=headers, proxy=None) as socket:
        yield socket


def test_the_kernel_is_reached_with_the_token_alone(studio, ask):
    kernel = ask("plain").kernel
    for refused in ({"token": ""}, {"token": "guess"}):
        with pytest.raises(InvalidStatus, match="403"), socket_to(studio, kernel, **refused):
            pass
    with socket_to(studio, kernel, token=studio.token) as socket:
        assert "status" in socket.recv(timeout=10)


def test_the_token_goes_from_the_address_into_a_cookie_that_no_script_reads(studio, visitor):
    page = visitor.new_page()
    page.goto(f"{studio.url}&theme=dark", wait_until="commit")
    assert page.url == f"{studio.base}/voila/render/studio.ipynb?theme=dark"
    (cookie,) = [cookie for cookie in visitor.cookies() if cookie["name"].startswith("username")]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"


def test_only_notebooks_of_the_folder_are_pages(studio):
    outside = studio.folder.parent / "outside.ipynb"
    write_notebook(outside, [])
    for path in ("../outside.ipynb", "%2e%2e/outside.ipynb", f"/{outside}", ".env", "nothing.ipynb"):
        answer = studio.get(f"/voila/render/{path}")
        assert answer.status == 404
        assert "There is no such page" in answer.text
    outside.unlink()


def test_a_notebooks_name_is_the_address_of_its_page_and_an_unknown_address_names_them_all(studio):
    answer = studio.get("/plain.ipynb?theme=dark")
    assert answer.url == f"{studio.base}/voila/render/plain.ipynb?theme=dark"
    studio.get(f"/api/kernels/{answer.kernel}", method="DELETE")
    missing = studio.get("/nowhere")
    assert missing.status == 404
    for name in ("studio", "plain", "tutorial_pauses"):
        assert f'<a href="/{name}.ipynb">{name}.ipynb</a>' in missing.text
    assert "ipynb" not in studio.get("/nowhere", known=False).text


# How many, and for how long


def test_a_full_studio_says_so_until_a_page_is_left(studio, ask):
    with ExitStack() as open_pages:
        while (answer := ask("plain")).status == 200:
            open_pages.enter_context(socket_to(studio, answer.kernel, token=studio.token))
        assert "The studio is full" in answer.text
        assert "Close a window" in answer.text
        assert len(studio.kernels()) <= MOST + 2  # those that wait for a page come on top, one a notebook
    until(lambda: ask("plain").status == 200)


def test_a_page_that_is_closed_ends_its_kernel_at_once_and_a_link_that_opens_no_page_does_not(studio, visitor):
    page = opened(visitor, studio.url)
    kernel = page.evaluate("jupyterapp.widgetManager.kernel.id")
    page.evaluate("location.href = 'mailto:somebody@studio.example'")
    page.click("#counter")
    expect(page.locator("#counter")).to_have_text("count 1")
    page.close()
    until(lambda: studio.get(f"/api/kernels/{kernel}").status == 404, IDLE / 2)


def test_the_pages_are_warm_but_for_the_tutorial_and_are_warmed_again(studio, ask):
    until(lambda: len(studio.kernels()) == 2)
    warm = studio.kernels().keys()
    first = ask("studio")
    with socket_to(studio, first.kernel, token=studio.token):
        assert studio.process_of(first.kernel).pid in warm
        tutorial = ask("tutorial_pauses")
        started = studio.process_of(tutorial.kernel).pid
        assert started not in warm
        until(lambda: len(studio.kernels().keys() - warm - {started}) == 1)  # the next one for the studio


def test_a_notebook_that_was_changed_is_shown_as_it_is_now(studio, ask):
    write_notebook(studio.folder / "narration_studio.ipynb", [new_code_cell("print('changed')")])
    assert "changed" in ask("narration_studio").text


def test_a_page_can_be_reloaded_in_a_full_studio(studio, visitor, ask):
    page = opened(visitor, studio.url)
    with ExitStack() as open_pages:
        while (answer := ask("plain")).status == 200:
            open_pages.enter_context(socket_to(studio, answer.kernel, token=studio.token))
        before = page.evaluate("jupyterapp.widgetManager.kernel.id")
        assert page.reload().status == 200
        shown(page)
        page.wait_for_function("window.jupyterapp?.widgetManager")
        assert page.evaluate("jupyterapp.widgetManager.kernel.id") != before
        assert ask("plain").status == 503


# What a page shows


@pytest.fixture(scope="module")
def seen(studio: Served, browser: Browser) -> Iterator[Seen]:
    """A page that stays open for the tests that only look at it."""
    page = browser.new_page(color_scheme="light")
    seen = Seen(page, time.monotonic(), [], [])
    page.on("request", lambda request: seen.asked.append(request.url))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    seen.policy = page.goto(studio.url).headers["content-security-policy"]
    shown(page)
    yield seen
    page.close()


@dataclass
class Seen:
    page: Page
    since: float
    asked: list[str]
    errors: list[str]
    policy: str = ""


def test_a_page_works_without_an_error(seen):
    seen.page.click("#counter")
    expect(seen.page.locator("#counter")).to_have_text("count 1")
    expect(seen.page.get_by_text("a button")).to_be_visible()
    assert seen.errors == []


def test_a_page_asks_for_nothing_outside_and_may_not_and_for_little_inside(studio, seen):
    assert [url for url in seen.asked if not url.startswith((studio.base, "data:", "blob:"))] == []
    assert "default-src 'self'" in seen.policy
    assert "http" not in seen.policy
    assert len(seen.asked) <= 15, seen.asked


def test_a_page_shows_prose_and_output_without_code_warnings_and_what_is_tagged_page_hide(studio, seen):
    text = seen.page.inner_text("body")
    assert "A heading" in text
    assert f"printed {sys.executable} {studio.folder} said" in text  # this Python, the workspace, what .env says
    for hidden in ("For Lab only", "hidden output", "a warning", "import", "¶", "Opening"):
        assert hidden not in text


def test_a_page_is_for_people_and_their_phones(seen):
    assert seen.page.title() == "Luma Studio"
    assert seen.page.evaluate("document.documentElement.lang") == "en"
    for width in (1280, 360):
        seen.page.set_viewport_size({"width": width, "height": 700})
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_theme_is_what_the_address_says_then_what_was_chosen_then_the_systems(studio, seen, visitor):
    look = """[document.documentElement.dataset.lumaTheme, document.body.dataset.jpThemeLight,
        getComputedStyle(document.documentElement).getPropertyValue("--jp-layout-color1")]"""
    light, dark = ["light", "true", "white"], ["dark", "false", "#212121"]
    page = seen.page
    assert page.evaluate(look) == light
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    assert page.evaluate(look) == dark
    page = visitor.new_page()
    page.goto(f"{studio.base}/nowhere")
    assert page.evaluate("document.documentElement.dataset.lumaTheme") == "light"
    page.evaluate("localStorage.setItem('luma-theme', 'dark')")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.lumaTheme") == "dark"
    page.goto(f"{studio.base}/nowhere?theme=light")
    assert page.evaluate("document.documentElement.dataset.lumaTheme") == "light"


def test_a_cell_that_raises_is_told_with_its_reason_and_what_to_do(studio, visitor):
    page = opened(visitor, f"{studio.base}/voila/render/broken.ipynb?token={studio.token}")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The <b>reason</b> is told.")
    expect(alert).to_contain_text("Reload the page")
    expect(alert).to_contain_text("broken.ipynb, cell [2], line 2")
    assert "before" in page.inner_text("body")
    assert "after" not in page.inner_text("body")


def test_what_goes_wrong_in_a_notebook_is_printed_once_with_its_place_however_often_it_is_opened(serve, notebooks):
    served = serve(notebooks, "open", "broken.ipynb", "--no-browser", "--port", "0")
    served.read_until("Ctrl-C")
    for _ in range(2):
        assert served.get("/voila/render/broken.ipynb").status == 200
    served.end()
    assert served.printed.count("reason") == 1
    assert "broken.ipynb, cell [2], line 2: ValueError: The <b>reason</b> is told." in served.printed


def test_a_notebook_that_cannot_be_read_is_told(studio, ask):
    (studio.folder / "torn.ipynb").write_text("{")
    answer = ask("torn")
    (studio.folder / "torn.ipynb").unlink()
    assert answer.status == 500
    assert "The studio could not open this page" in answer.text
    assert "torn.ipynb is no notebook: line 1 is no JSON. Mend it" in answer.text


def test_text_and_plots_stand_in_the_column_of_the_prose(studio, visitor):
    page = opened(visitor, f"{studio.base}/voila/render/results.ipynb?token={studio.token}")
    page.set_viewport_size({"width": 1280, "height": 700})
    prose, text, plot = (
        page.locator(each).first.bounding_box() for each in (".luma-page-prose p", "pre:has-text('a result')", "img")
    )
    assert prose["x"] > 100
    assert text["x"] == pytest.approx(prose["x"], abs=1)
    assert plot["x"] == pytest.approx(prose["x"], abs=1)
    assert plot["width"] <= prose["width"]


def test_a_kernel_that_does_not_start_is_told_with_what_it_said(studio, visitor):
    folder = studio.folder / "without"
    folder.mkdir()
    (folder / "ipykernel_launcher.py").write_text("raise SystemExit('There is no kernel today.')")
    write_notebook(folder / "page.ipynb", [])
    page = opened(visitor, f"{studio.base}/voila/render/without/page.ipynb?token={studio.token}")
    expect(page.get_by_role("alert")).to_contain_text("There is no kernel today.")


def test_a_page_hears_that_its_kernel_died_and_a_reload_brings_a_new_one(studio, visitor):
    page = opened(visitor, studio.url)
    page.evaluate("addEventListener('luma-kernel', (event) => { window.heard = event.detail.status; })")
    kernel = page.evaluate("jupyterapp.widgetManager.kernel.id")
    studio.process_of(kernel).kill()
    page.wait_for_function("window.heard === 'dead'")
    page.reload()
    page.click("#counter")
    expect(page.locator("#counter")).to_have_text("count 1")


def test_a_page_that_is_open_stays_however_idle(seen):
    time.sleep(max(0.0, seen.since + 2 * IDLE - time.monotonic()))
    count = int(seen.page.inner_text("#counter").removeprefix("count "))
    seen.page.click("#counter")
    expect(seen.page.locator("#counter")).to_have_text(f"count {count + 1}")
