"""A length is read as it was meant, or refused: in every field of the page by the same parser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page


@pytest.fixture
def parser(page: Page, modules: str) -> Page:
    """A page that holds the parser as ``window.luma``."""
    page.goto(f"{modules}/lengths.js")
    page.evaluate("async () => { window.luma = await import('/lengths.js'); }")
    return page


def test_lengths_are_read_as_people_write_them(parser: Page) -> None:
    lengths = {
        "4.5": 4.5, "4,5": 4.5, " 4.5 ": 4.5, "0": 0, ".5": 0.5, "0:30": 30, "1:02:03": 3723, "1:30,5": 90.5, "5 s": 5,
        "5s": 5, "5 sec": 5, "5 SEC": 5, "5 seconds": 5, "2 min": 120, "1,5 min": 90, "2 minutes": 120, "1 h": 3600, "०:३०": 30,
        "४.५": 4.5, "५ सेकंड": 5, "२ मिनट": 120, "٤٫٥": 4.5, "۴٫۵": 4.5, "١:٣٠": 90, "\u200f٥\u200f": 5, "0,125": 0.125,
    }  # fmt: skip
    assert parser.evaluate("(all) => all.map(luma.lengthOf)", list(lengths)) == list(lengths.values())


def test_what_may_mean_something_else_is_no_length(parser: Page) -> None:
    written = [
        "", "soon", "-5", "5-10", "4.5.6", "1:2:3:4", "0:75", "1:75:00", ":30", "1:", "5 apples", "1,500", "1 min 30", "1e3",
        "Infinity", "NaN", "0x10", "4 5", "٤٬٥٠٠",
    ]  # fmt: skip
    assert parser.evaluate("(all) => all.map(luma.lengthOf)", written) == [None] * len(written)


def test_a_refusal_is_a_sentence_with_the_remedy_and_a_bound_names_itself(parser: Page) -> None:
    read = "([text, most]) => luma.readLength(text, most)"
    assert parser.evaluate(read, ["4,5", 3600]) == {"length": 4.5}
    assert parser.evaluate(read, ["1:00:00", 3600]) == {"length": 3600}
    assert parser.evaluate(read, ["99999", 3600]) == {"error": "That is too long: 1:00:00 is the most."}
    assert "Write a length" in parser.evaluate(read, [" ", 3600])["error"]
    refused = parser.evaluate(read, ["x" * 5000, 3600])["error"]
    assert "Write it as 4.5, 0:30 or 2 min." in refused
    assert len(refused) < 120


def test_percent_is_read_as_people_write_it(parser: Page) -> None:
    written = ["80", "80 %", "80%", "120,5", "120.5 %", "८०", "٨٠٪", "", "much", "-5", "1,000"]
    values = [80, 80, 80, 120.5, 120.5, 80, 80, None, None, None, None]
    assert parser.evaluate("(all) => all.map(luma.percentOf)", written) == values
