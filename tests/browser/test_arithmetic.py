"""The page computes time as Python does, and sounds as the master does."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.making import one_scene, productions, take
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from luma_studio.panels.described import production_state
from luma_studio.production import Production
from luma_studio.script.model import Pause
from luma_studio.settings import Sound
from luma_studio.studio import Studio
from luma_studio.timeline.arrange import arrange
from luma_studio.timeline.master import Rendering, loudness, pieces

COLUMNS = {
    "speechStart": "speech_start",
    "speechEnd": "speech_end",
    "clipStart": "clip_start",
    "clipEnd": "clip_end",
    "offset": "offset",
    "pauses": "pauses",
}


@pytest.fixture
def arithmetic(page: Page, modules: str) -> Page:
    """A page that holds the modules as ``window.luma``."""
    page.goto(f"{modules}/timeline.js")
    page.evaluate("async () => { window.luma = { ...await import('/timeline.js'), ...await import('/player.js') }; }")
    return page


def given_to_page(takes: Any, pauses: Any, scenes: Any, sound: Sound) -> dict[str, Any]:
    rate = sound.sample_rate
    return {
        "rate": rate,
        "lead": round(sound.lead_in * rate),
        "tail": round(sound.tail * rate),
        "scenes": [
            {"id": s.id, "title": s.title, "first": s.first, "last": s.last, "lead": round(s.lead_in_seconds * rate)}
            for s in scenes
        ],
        "takes": {
            "start": [take.speech_start for take in takes],
            "end": [take.speech_end for take in takes],
            "length": [take.length for take in takes],
        },
        "seconds": [pause.seconds for pause in pauses],
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=productions(), lead=st.floats(0, 1), tail=st.floats(0, 2))
def test_the_page_lays_out_every_production_as_python_does(
    arithmetic: Page, made: Any, lead: float, tail: float
) -> None:
    takes, pauses, scenes = made
    sound = Sound(lead_in=lead, tail=tail)
    ours = arrange(takes, pauses, scenes, sound)
    theirs = arithmetic.evaluate(
        "(given) => JSON.parse(JSON.stringify(luma.arrange(given), (_, value) => value?.buffer ? [...value] : value))",
        given_to_page(takes, pauses, scenes, sound),
    )
    for there, here in COLUMNS.items():
        assert theirs[there] == getattr(ours, here).tolist(), there
    assert theirs["length"] == ours.length
    assert [(s["start"], s["end"]) for s in theirs["scenes"]] == [(s.start, s.end) for s in ours.scenes]


def test_halves_are_rounded_to_even_as_in_python(arithmetic: Page) -> None:
    values = [0.5, 1.5, 2.5, -0.5, 3.49999, 66150.5, 1e9 + 0.5]
    assert arithmetic.evaluate("(values) => values.map(luma.rint)", values) == [round(value) for value in values]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=productions(), at=st.floats(0, 1), index=st.integers(0, 11), seconds=st.floats(0, 20))
def test_what_sounds_goes_on_where_it_was_when_a_pause_is_moved(
    arithmetic: Page, made: Any, at: float, index: int, seconds: float
) -> None:
    takes, pauses, scenes = made
    index %= len(takes)
    tuned = [replace(p, seconds=seconds) if i == index else p for i, p in enumerate(pauses)]
    before, after = arrange(takes, pauses, scenes), arrange(takes, tuned, scenes)
    position = int(at * before.length)
    moved = arithmetic.evaluate(
        "([from, to, at]) => luma.moved(at, luma.arrange(from), luma.arrange(to))",
        [given_to_page(takes, p, scenes, Sound()) for p in (pauses, tuned)] + [position],
    )
    assert 0 <= moved <= after.length
    clause = int(np.searchsorted(before.clip_start, position, side="right")) - 1
    if clause >= 0 and position < before.clip_end[clause]:
        assert moved - after.speech_start[clause] == position - before.speech_start[clause]
    elif clause >= 0:
        assert moved >= after.speech_end[clause]
        assert moved - after.speech_end[clause] <= position - before.speech_end[clause]


def speak(production: Production) -> None:
    """In a thread, since Playwright's own loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, production.speak()).result()


RENDER = """async ([given, fingerprints, takes, fade, gain]) => {
  const timeline = luma.arrange(given);
  const context = new OfflineAudioContext(1, timeline.length, timeline.rate);
  const out = new GainNode(context, { gain: 10 ** (gain / 20) });
  out.connect(context.destination);
  const [first, last] = luma.clausesBetween(timeline, 0, timeline.length);
  for (let i = first; i < last; i += 1) {
    const length = timeline.clipEnd[i] - timeline.clipStart[i];
    const buffer = new AudioBuffer({ length, sampleRate: timeline.rate });
    const bytes = Uint8Array.from(atob(takes[fingerprints[i]]), (c) => c.charCodeAt(0));
    buffer.copyToChannel(luma.clipSamples(new Int16Array(bytes.buffer), timeline.offset[i], length, fade), 0);
    luma.startClip(context, out, buffer, timeline, i, 0, 0);
  }
  const samples = (await context.startRendering()).getChannelData(0);
  return btoa(Array.from(new Uint8Array(samples.buffer), (b) => String.fromCharCode(b)).join(''));
}"""


def test_the_page_sounds_as_the_master_does_to_the_sample(arithmetic: Page) -> None:
    with Studio() as studio:
        production = studio.production(
            "calm", "One\nBreathe in. (1 sec)\nAnd out, (0.05 sec) slowly.\n\nTwo\nOpen your eyes.\n"
        )
        speak(production)
        production.tune({0: 0.123456})
        timeline, choices = production.timeline, production.choices
        gain = loudness(timeline, choices).gain
        rendering = Rendering(
            timeline, choices, gain, lambda take, a, b: production.samples(take.fingerprint)[a:b], None
        )
        master = np.concatenate([*pieces(rendering)]).astype(np.float64) / 32768
        state = production_state(production)
        prints = state["takes"]["fingerprint"]
        takes = {each: base64.b64encode(production.samples(each).tobytes()).decode() for each in prints}
    state["seconds"] = [pause[0] for pause in state["pauses"].values()]
    heard = arithmetic.evaluate(RENDER, [state, prints, takes, state["fade"], gain])
    page = np.frombuffer(base64.b64decode(heard), np.float32)
    assert len(page) == len(master)
    assert np.abs(page - master).max() < 2.5 / 32768


PLAYED = """async ([before, after, prints, fade]) => {
  const starts = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (when, offset) {
    starts.push((when - offset) * this.context.sampleRate);
    start.call(this, when, offset);
  };
  const take = new Int16Array(400000).fill(1000);
  const fetchTakes = async (wanted) => wanted.map(() => take);
  const player = luma.makePlayer({ fetchTakes, changed: () => {}, failed: (error) => { throw error; } });
  const piece = (given) => ({ timeline: luma.arrange(given), fingerprints: prints, fade, gain: 0 });
  player.set(piece(before));
  await player.play((timeline) => ({ from: 0, until: timeline.length }));
  while (starts.length < prints.length) await new Promise((later) => setTimeout(later, 5));
  const first = starts.splice(0);
  player.set(piece(after));
  const second = starts.splice(0);
  player.close();
  AudioBufferSourceNode.prototype.start = start;
  return [first, second];
}"""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=st.lists(st.floats(0, 1), min_size=6, max_size=6), index=st.integers(0, 5), seconds=st.floats(0, 1))
def test_the_player_starts_each_clip_at_its_sample_also_after_a_pause_was_moved(
    arithmetic: Page, lengths: list[float], index: int, seconds: float
) -> None:
    takes = [take(60_000, 4_000 + 100 * number, 40_000, number) for number in range(6)]
    pauses = [Pause(each) for each in lengths]
    tuned = [Pause(seconds) if i == index else each for i, each in enumerate(pauses)]
    scenes = one_scene(6)
    prints = [each.fingerprint for each in takes]
    given = [given_to_page(takes, each, scenes, Sound()) for each in (pauses, tuned)]
    first, second = arithmetic.evaluate(PLAYED, [*given, prints, 220])
    assert len(first) == 6
    assert len(second) >= 4  # all but what sounds or has sounded
    for starts, timeline in ((first, arrange(takes, pauses, scenes)), (second, arrange(takes, tuned, scenes))):
        asked = timeline.clip_start[-len(starts) :].tolist()
        apart = [start - starts[0] for start in starts]
        assert apart == pytest.approx([start - asked[0] for start in asked], abs=0.01)  # samples
