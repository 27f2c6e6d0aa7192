"""A film whose scenes a vendor renders slowly, a few at once: against the ideal, from asking to the last video here.

The vendor is the tests' fake, in a process with the studio. All times of it and of looking at it are a third of the
real ones: 30 seconds a video in place of 90. Putting the scenes together is not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.bench import Bench, environment
from benchmarks.result import Row

_SCENES = 20
_AT_ONCE = 5
_SECONDS = 90.0  # a video
_SCALE = 3.0  # by which all is quicker than it is
_IDEAL = _SCENES / _AT_ONCE * _SECONDS / _SCALE
_MOST = 1.1
_TESTS = Path(__file__).parents[1] / "tests"
_PROGRAM = """
import asyncio, json, os, sys, time
from pathlib import Path
from PIL import Image
from helpers.heygen import HeyGen
from helpers.vendors import KEYS, Vendors
from luma_studio import Studio
from luma_studio.settings import Polling

scenes, at_once, seconds, scale = map(float, sys.argv[1:])
Polling.shortest, Polling.longest = Polling.shortest / scale, Polling.longest / scale
with Vendors() as vendors:
    vendors.film["heygen"] = fake = HeyGen(vendors)
    fake.lasts, fake.at_once = seconds / scale, int(at_once)
    for name, key in KEYS.items():
        os.environ[f"{name.upper()}_API_KEY"], os.environ[f"{name.upper()}_BASE_URL"] = key, vendors.address(name)
    Path("photos").mkdir()
    Image.new("RGB", (640, 800), "#446688").save("photos/mira.png")
    script = "".join(
        f'[Scene {number} - Number {number}]\\nDialogue (VO): "This is scene number {number}."\\nTalking photo: mira\\n'
        for number in range(1, int(scenes) + 1)
    )
    ended = []
    with Studio(Path()) as studio:
        film = studio.production("film", script, film="heygen", captions="none")
        asyncio.run(film.speak())
        begun = time.monotonic()
        made = asyncio.run(film.film(lambda event: ended.append(time.monotonic()) if event.outcome == "done" and
                                     event.stage == "film" else None))
    print(json.dumps([max(ended) - begun, sum(fake.bought.values()), fake.busiest, made.status]))
"""


def renders(bench: Bench) -> list[Row]:
    """Film twenty scenes, five at once."""
    folder = bench.folder / "renders"
    folder.mkdir()
    given = environment() | {"PYTHONPATH": os.fspath(_TESTS)}
    asked = map(str, (_SCENES, _AT_ONCE, _SECONDS, _SCALE))
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *asked], cwd=folder, env=given, check=True, capture_output=True, text=True
    )
    took, bought, busiest, status = json.loads(ran.stdout.splitlines()[-1])
    ratio = took / _IDEAL
    return [
        Row(
            "renders",
            f"{_SCENES} scenes by a vendor that takes {_SECONDS:g} s, {_AT_ONCE} at once, at a third of the time",
            f"{ratio:.3f} × the ideal {_IDEAL:g} s; {bought} bought, {busiest} at once",
            f"≤ {_MOST} ×",
            ratio <= _MOST and bought == _SCENES and status == "success",
            figures={"ratio": ratio, "took": took, "bought": bought},
        )
    ]
