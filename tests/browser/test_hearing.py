"""A clause, and a sample, that a vendor speaks is played in the page while it still comes, without a gap."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from browser.driving import PATIENCE, Served, Window, in_thread, serving, window
from helpers import contracts
from helpers.vendors import KEYS, Fault, Vendors, spoken
from playwright.sync_api import Browser, Page, expect

from luma_studio.store import files
from luma_studio.studio import Studio

RACHEL = "elevenlabs:21m00Tcm4TlvDq8ikWAM,format=pcm_44100"
STARTS = """() => {
  window.starts = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (when, ...given) {
    starts.push({ when, length: this.buffer.length, rate: this.buffer.sampleRate });
    return start.call(this, when, ...given);
  };
}"""


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendors]:
    with Vendors(contracts.check) as vendors:
        yield vendors
    assert vendors.violations == []


@pytest.fixture(scope="module")
def with_a_key(tmp_path_factory: pytest.TempPathFactory, vendor: Vendors) -> Iterator[Served]:
    """The studio with a key of a vendor, who is a fake."""
    environment = {
        "ELEVENLABS_API_KEY": KEYS["elevenlabs"],
        "LUMA_ELEVENLABS_API_KEY": KEYS["elevenlabs"],
        "ELEVENLABS_BASE_URL": vendor.address("elevenlabs"),
    }
    with serving(tmp_path_factory.mktemp("bought"), **environment) as served:
        yield served


@pytest.fixture
def text(request: pytest.FixtureRequest) -> str:
    """A clause that no other test has bought, of some six seconds."""
    words = request.node.name.removeprefix("test_").replace("_", " ")
    return f"{words.capitalize()}, and let each breath be slow."


@pytest.fixture
def length(text: str) -> int:
    """The samples of that clause."""
    return len(spoken(text, 44100, voice="21m00Tcm4TlvDq8ikWAM").samples)


@pytest.fixture
def desk(browser: Browser, with_a_key: Served, vendor: Vendors, text: str) -> Iterator[Window]:
    """A window with a production of which nothing is spoken."""
    name = files.name_from(text[:40])

    def begun() -> None:
        with Studio(with_a_key.workspace) as studio:
            studio.production(name, f"Calm\n{text} (2 sec)\nLet it go.", voice=RACHEL)

    in_thread(begun)
    with window(browser, with_a_key, name) as shown:
        shown.page.evaluate(STARTS)
        yield shown
    vendor.calm_down()


def misbehave(vendor: Vendors, fault: Fault) -> None:
    """Let the next speech go wrong; the page also asks for other things."""
    vendor.misbehave(fault, when=lambda request: request.method == "POST")


def starts(desk: Window) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.page.evaluate("starts")
    return found


def test_a_clause_is_heard_before_the_vendor_has_sent_all_of_it(
    desk: Window, vendor: Vendors, text: str, length: int
) -> None:
    misbehave(vendor, Fault(how="hang in body", at=2))  # after a line of half a second
    desk.timeline.get_by_role("button", name="Speak", exact=True).click()
    desk.until(lambda: starts(desk), "the first sound is scheduled")  # the vendor sends no more until it is released
    assert 0.25 * 44100 <= sum(each["length"] for each in starts(desk)) < length
    expect(desk.timeline.get_by_role("button", name="Stop")).to_be_visible()
    vendor.release()
    desk.until(lambda: sum(each["length"] for each in starts(desk)) == length, "all of it is scheduled")
    told = starts(desk)
    for before, after in itertools.pairwise(told):
        assert after["when"] >= before["when"] + before["length"] / 44100 - 1e-6
    expect(desk.timeline.get_by_role("button", name="Speak again")).to_be_visible()
    expect(desk.timeline.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=PATIENCE * 1000)
    expect(desk.notices).to_have_count(0)
    assert vendor.bought[text] == 1


def test_what_is_heard_can_be_stopped_and_is_kept_all_the_same(desk: Window, vendor: Vendors, text: str) -> None:
    misbehave(vendor, Fault(how="hang in body", at=2))
    desk.slider(0).focus()
    desk.press("s")
    desk.until(lambda: starts(desk), "the first sound is scheduled")
    scheduled = len(starts(desk))
    desk.timeline.get_by_role("button", name="Stop").click()
    expect(desk.timeline.get_by_role("button", name="Play", exact=True)).to_be_visible()
    vendor.release()
    expect(desk.timeline.get_by_role("button", name="Speak again")).to_be_visible()
    assert len(starts(desk)) == scheduled
    assert vendor.bought[text] == 1


def test_a_clause_that_breaks_off_says_so(desk: Window, vendor: Vendors) -> None:
    desk.slider(0).focus()
    misbehave(vendor, Fault(how="cut in body"))
    desk.press("s")
    expect(desk.notices.filter(has_text="ElevenLabs broke the connection off")).to_be_visible()
    expect(desk.timeline.get_by_role("button", name="Speak", exact=True)).to_have_attribute("aria-disabled", "false")


def test_a_sample_is_heard_before_the_vendor_has_sent_all_of_it(desk: Window, vendor: Vendors, length: int) -> None:
    misbehave(vendor, Fault(how="hang in body", at=2))
    desk.page.get_by_text("Voice & reading").click()
    desk.page.get_by_role("button", name="Buy a sample of this voice").click()
    desk.until(lambda: starts(desk), "the first sound is scheduled")
    vendor.release()
    desk.until(lambda: sum(each["length"] for each in starts(desk)) == length, "all of it is scheduled")
    assert {each["rate"] for each in starts(desk)} == {44100}


# Without a studio


PLAYED = """async ({ lengths, rate }) => {
  const { makeHearing } = await import('/hearing.js');
  const context = new OfflineAudioContext(1, rate, rate);
  let sample = 0;
  const pieces = lengths.map((length) => Int16Array.from({ length }, () => 1 + (sample++ % 30000)));
  const hearing = makeHearing(() => context.destination);
  await hearing.play(async () => ({ samples: pieces.shift() ?? new Int16Array(0), rate, ended: !pieces.length }));
  const played = (await context.startRendering()).getChannelData(0);
  const heard = Array.from(played, (each) => Math.round(each * 32768));
  const first = heard.findIndex(Boolean);
  return { first, heard: heard.slice(first, first + sample) };
}"""


@pytest.mark.parametrize("lengths", [[1000], [7, 1, 1000, 333], [0, 500, 0, 500], [1] * 40])
@pytest.mark.parametrize("rate", [24000, 44100])
def test_pieces_follow_one_another_to_the_sample(page: Page, modules: str, lengths: list[int], rate: int) -> None:
    page.goto(f"{modules}/kit.css")
    played = page.evaluate(PLAYED, {"lengths": lengths, "rate": rate})
    assert played["heard"] == [1 + each % 30000 for each in range(sum(lengths))]
    assert 0 < played["first"] / rate <= 0.04
