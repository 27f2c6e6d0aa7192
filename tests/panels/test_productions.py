"""The productions: which is open, which there are, and that a name opens nothing but one of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from helpers.fakes import FakeVoice, give

from luma_studio import Studio
from luma_studio.errors import StoreError
from luma_studio.panels.front import module
from luma_studio.panels.productions import Productions
from luma_studio.panels.session import Session

TEXT = "Arriving\nClose your eyes.\n"


@pytest.fixture
def session(studio: Studio) -> Iterator[Session]:
    give(studio, FakeVoice())
    for age, name in enumerate(["newest", "older", "oldest"]):
        folder = studio.production(name, TEXT).folder
        when = 1_000_000_000 - 1000 * age
        os.utime(folder / "production.json", (when, when))
    with Session(studio) as session:
        yield session


def test_productions_are_listed_the_newest_first(session: Session) -> None:
    state = Productions(session).do_state()
    assert state["name"] is None
    assert state["recent"][0] == {"name": "newest", "changed": 1_000_000_000}
    assert [each["name"] for each in state["recent"]] == ["newest", "older", "oldest"]


def test_a_production_is_opened_and_left(session: Session) -> None:
    panel = Productions(session)
    told: list[object] = []
    session.listen(lambda topic, value: told.append(value) if topic == "production" else None)
    assert panel.do_open("older")
    assert panel.do_state()["name"] == "older"
    panel.do_leave()
    assert panel.do_state()["name"] is None
    assert told == ["older", None]


def test_the_open_production_is_not_opened_again(session: Session) -> None:
    panel = Productions(session)
    panel.do_open("older")
    before = session.production
    assert panel.do_open("older")
    assert session.production is before


@pytest.mark.parametrize(
    "name", ["gone", "", "../older", "/etc", ".store", "older/../newest", "<img src=x onerror=alert(1)>"]
)
def test_a_name_that_is_no_production_opens_nothing(session: Session, name: str) -> None:
    panel = Productions(session)
    panel.do_open("newest")
    assert panel.do_open(name) is False
    assert session.production.name == "newest"


def test_a_damaged_production_says_so_and_the_open_one_stays(session: Session, studio: Studio) -> None:
    panel = Productions(session)
    panel.do_open("newest")
    (studio.folder / "older" / "production.json").write_text("{", encoding="utf-8")
    with pytest.raises(StoreError):
        panel.do_open("older")
    assert session.production.name == "newest"


def test_it_begins_with_a_studio_of_its_own() -> None:
    assert Productions().do_state() == {"name": None, "recent": []}


def test_no_two_things_in_the_module_have_one_name() -> None:
    names = re.findall(
        r"^(?:export )?(?:async )?(?:const|let|function|class) ([\w$]+)", module("productions.js"), re.MULTILINE
    )
    assert len(names) == len(set(names))
