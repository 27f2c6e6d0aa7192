"""Where a decision came from is told on the page and on the command line."""

from __future__ import annotations

import asyncio
import json

from click.testing import CliRunner

from luma_studio.cli import main
from luma_studio.panels.agents import Agents
from luma_studio.panels.session import Session
from luma_studio.studio import Studio

SCRIPT = "One\nBreathe in, and breathe out.\nRest."
CUT = {
    "clauses": [
        {"clause": 0, "pieces": [{"text": "Breathe in,", "pause": 2}, {"text": "and breathe out.", "pause": None}]}
    ]
}


def test_the_page_tells_who_decided(studio, vendors):
    vendors.mind = lambda _request: json.dumps(CUT)
    made = studio.production("calm", SCRIPT, mind="groq:openai/gpt-oss-120b", minds={"splice": ""})

    def decided() -> list[tuple[str, str]]:
        with Session(studio, made) as session:
            found = Agents(session).do_state()["production"]["agents"]
        return [(each["by"], each["why"]) for agent in found for each in agent["decided"]]

    assert decided() == []
    asyncio.run(made.segment())
    assert decided() == [("groq:openai/gpt-oss-120b", "")]
    vendors.mind = lambda _request: "nothing of use"
    made = studio.production("calm", mind="openai:gpt-5.5")
    asyncio.run(made.segment())
    ((by, why),) = decided()
    assert by == ""
    assert why.startswith("openai:gpt-5.5 gave no answer that can be used: ")


ANSWERS = {"Analysed": {"clauses": []}, "Sanitized": {"found": []}, "Segmented": CUT}


def test_narrate_has_agents_do_their_work_before_the_clauses_are_spoken(workspace, vendors):
    vendors.mind = lambda request: json.dumps(ANSWERS[request.json["response_format"]["json_schema"]["name"]])
    (workspace / "calm.txt").write_text(SCRIPT, encoding="utf-8")
    told = CliRunner().invoke(main, ["narrate", "calm.txt", "--mind", "openai:gpt-5.5", "--to", "calm.wav"])
    assert told.exit_code == 0, told.output
    assert told.stderr.count("buying    1 answer, about ") == 3
    for agent in ("analysis", "sanitizer", "segmentation"):
        assert f"{agent:12} by openai:gpt-5.5" in told.stderr
    again = CliRunner().invoke(main, ["narrate", "calm.txt", "--to", "calm.wav"])
    assert again.exit_code == 0, again.output
    assert "buying" not in again.stderr
    assert vendors.thought["openai"] == 3
    with Studio(workspace) as studio:
        assert [clause.text for clause in studio.production("calm").clauses] == [
            "Breathe in,",
            "and breathe out.",
            "Rest.",
        ]


def test_narrate_refuses_a_mind_that_cannot_be(workspace):
    (workspace / "calm.txt").write_text(SCRIPT, encoding="utf-8")
    told = CliRunner().invoke(main, ["narrate", "calm.txt", "--mind", "gpt"])
    assert told.exit_code == 2
    assert "'gpt' names no mind" in told.stderr
