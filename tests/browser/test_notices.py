"""Notices, by themselves: they go when they are done with, and cover no control where there is room beside."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

OPEN = """async (address) => {
  document.body.innerHTML = '';
  window.kit = await import(`${address}/kit.js`);
  window.ears = [];
  const model = { on: (event, ear) => event === 'msg:custom' && ears.push(ear), off() {}, send: (message) => { window.sent = message; }, widget_manager: {} };
  await kit.panel('Test', ({ desk }) => { window.desk = desk; }).render({ model, el: document.body });
  window.answer = (message) => ears.forEach((ear) => ear({ re: sent.ask, ...message }));
}"""


@pytest.fixture
def kit(page: Page, modules: str) -> Page:
    page.clock.install()
    page.goto(f"{modules}/kit.css")
    page.evaluate(OPEN, modules)
    return page


def failed(page: Page, verb: str, sentence: str) -> None:
    page.evaluate("([verb, error]) => { desk.tell(verb); answer({ error, kind: 'StoreError' }); }", [verb, sentence])
    expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()


def test_an_error_goes_when_the_same_thing_succeeds(kit: Page) -> None:
    failed(kit, "export", "The disk is full.")
    failed(kit, "open", "It is damaged.")
    kit.evaluate("() => { desk.tell('export'); answer({ value: null }); }")
    expect(kit.get_by_text("The disk is full.")).to_have_count(0)
    expect(kit.get_by_text("It is damaged.")).to_have_count(1)


def test_an_error_goes_by_itself_unless_somebody_is_at_it(kit: Page) -> None:
    failed(kit, "export", "The disk is full.")
    kit.get_by_role("button", name="Close").focus()
    kit.clock.run_for(60_000)
    expect(kit.get_by_text("The disk is full.")).to_have_count(1)
    kit.evaluate("() => document.activeElement.blur()")
    kit.clock.run_for(29_000)
    expect(kit.get_by_text("The disk is full.")).to_have_count(1)
    kit.clock.run_for(2_000)
    expect(kit.get_by_text("The disk is full.")).to_have_count(0)


def test_notices_go_when_another_production_is_opened_and_only_then(kit: Page) -> None:
    kit.evaluate("() => desk.opened('calm')")
    failed(kit, "export", "The disk is full.")
    kit.evaluate("() => ears.forEach((ear) => ear({ topic: 'production', value: 'calm' }))")
    expect(kit.get_by_text("The disk is full.")).to_have_count(1)
    kit.evaluate("() => ears.forEach((ear) => ear({ topic: 'production', value: 'other' }))")
    expect(kit.get_by_text("The disk is full.")).to_have_count(0)


def test_a_notice_covers_no_control_of_a_wide_page(kit: Page) -> None:
    kit.evaluate(
        """(address) => {
      document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: `${address}/kit.css` }));
      const button = kit.button({ text: 'Export', style: 'position: fixed; right: 40px; bottom: 40px;' });
      document.querySelector('section.luma').append(button);
    }""",
        kit.url.removesuffix("/kit.css"),
    )
    kit.locator("section.luma button").evaluate(
        "(button) => { button.style.cssText = 'position: fixed; right: 40px; bottom: 40px;'; }"
    )
    kit.wait_for_function(
        "() => getComputedStyle(document.querySelector('section.luma')).containerType === 'inline-size'"
    )
    failed(kit, "export", "The disk is full.")
    button, notice = (kit.locator(each).bounding_box() for each in ("section.luma button", ".luma-notice"))
    assert button is not None
    assert notice is not None
    assert notice["y"] + notice["height"] <= button["y"] or notice["x"] + notice["width"] <= button["x"]
