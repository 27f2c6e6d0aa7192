"""The splice review: a few pauses, within bounds, by what the audit measured; nobody's own are touched."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from helpers.fakes import FakeVoice, give
from helpers.making import pauses
from hypothesis import given
from hypothesis import strategies as st

from luma_studio.agents import splice
from luma_studio.agents.splice import Adjustment, Measured, Reviewed
from luma_studio.errors import SettingError
from luma_studio.script.model import Pause

SCRIPT = "One\nBreathe in. (2 sec)\nBreathe out.\nRest. (4 sec)\n\nTwo\n(3 sec)\nListen. (2 sec)\nGo on."
MIND = "openai:gpt-5.5"


@pytest.fixture
def calm(studio):
    give(studio, FakeVoice())
    made = studio.production("calm", SCRIPT)
    asyncio.run(made.speak())
    made.export("master.wav")
    return made


def measured(production: Any, differences: dict[int, float]) -> None:
    """As if the audit had found these pauses longer."""
    path = production.folder / "audit.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    for each in report["pauses"]:
        if each["clause"] in differences:
            each.update(difference=differences[each["clause"]], finding=True)
    path.write_text(json.dumps(report), encoding="utf-8")


def lengths(production: Any) -> list[float]:
    return [round(pause.seconds, 3) for pause in production.pauses]


def test_what_the_audit_found_is_made_good_as_one_edit(calm):
    measured(calm, {0: 0.25, 1: -0.5, 2: 0.1})
    (decided,) = asyncio.run(calm.review())
    assert (decided.agent, decided.by) == ("splice", "rules")
    assert lengths(calm) == [1.75, 2.0, 3.9, 2.0, 1.5]
    assert {pause.source for pause in list(calm.pauses)[:3]} == {"agent"}
    assert calm.undo() == "review"
    assert lengths(calm) == [2.0, 1.5, 4.0, 2.0, 1.5]


def test_a_review_without_findings_changes_nothing(calm):
    asyncio.run(calm.review())
    assert calm.history == (None, None)


def test_a_difference_too_large_or_of_a_pause_that_is_somebodys_is_left(calm):
    measured(calm, {0: 1.5, 1: 0.2, 2: 0.2})
    calm.lock(1)
    calm.pauses[2] = 5.0
    asyncio.run(calm.review())
    assert lengths(calm) == [2.0, 1.5, 5.0, 2.0, 1.5]


def test_an_old_audit_does_not_adjust_twice(calm):
    measured(calm, {0: 0.25})
    asyncio.run(calm.review())
    asyncio.run(calm.review())
    assert lengths(calm)[0] == 1.75


def test_without_an_audit_it_says_what_to_do(studio):
    made = studio.production("calm", SCRIPT)
    with pytest.raises(SettingError, match="Export a master with its audit first"):
        asyncio.run(made.review())


def test_a_mind_adjusts_within_bounds_and_what_it_may_not_is_dropped(studio, calm, vendors):
    said = Reviewed(adjustments=[Adjustment(clause=1, seconds=1.2, reason="The thought goes on.")])
    vendors.mind = lambda _request: said.model_dump_json()
    calm = studio.production("calm", mind=MIND)
    (decided,) = asyncio.run(calm.review())
    assert (decided.by, lengths(calm)[1], calm.pauses[1].source) == (MIND, 1.2, "agent")
    assert calm.decisions == (decided,)
    bought = sum(vendors.bought.values())
    asyncio.run(calm.speak())
    assert sum(vendors.bought.values()) == bought == 0
    calm.undo()
    vendors.mind = lambda _request: '{"adjustments": [{"clause": 1, "seconds": 20, "reason": "The script says so."}]}'
    calm.pauses[0] = 2.2  # another question
    (decided,) = asyncio.run(calm.review())
    assert decided.by == "rules"
    assert "may be 0.75 to 2.25 seconds, not 20.0" in decided.why
    assert lengths(calm)[1] == 1.5


@given(st.data())
def test_whatever_passes_the_check_stays_within_bounds(data):
    many = data.draw(pauses(data.draw(st.integers(1, 12))))
    said = st.builds(
        Adjustment,
        clause=st.integers(-1, len(many)),
        seconds=st.floats(-1, 50) | st.sampled_from([float("nan"), float("inf")]),
        reason=st.sampled_from(["It stumbles.", " ", "x" * 300]),
    )
    answer = Reviewed(adjustments=data.draw(st.lists(said, max_size=5)))
    if splice.check(many, answer) is None:
        assert len(answer.adjustments) <= max(3, len(many) // 10)
        for each in answer.adjustments:
            pause = many[each.clause]
            assert not pause.locked
            assert 0.5 * pause.seconds - 0.001 <= each.seconds <= 1.5 * pause.seconds + 0.001
            assert pause.least is None or each.seconds >= pause.least - 0.001
            assert pause.most is None or each.seconds <= pause.most + 0.001


@given(st.data())
def test_the_rules_pass_the_bounds_of_the_check(data):
    many = data.draw(pauses(data.draw(st.integers(1, 12))))
    found = st.builds(Measured, st.floats(-3, 3), st.booleans())
    by_rules = splice.rules(many, data.draw(st.dictionaries(st.integers(0, len(many) - 1), found)))
    for each in by_rules.adjustments:
        assert splice.check(many, Reviewed(adjustments=[each])) is None


@pytest.mark.parametrize("pause", [Pause(2, "tuned"), Pause(2, "fitted"), Pause(2, locked=True), Pause(0)])
def test_pauses_that_stay(pause):
    assert splice.bounds(pause) is None
