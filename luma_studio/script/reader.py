"""``parse``: from the text of a script to its scenes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from luma_studio.errors import ScriptError
from luma_studio.script.model import Script
from luma_studio.script.narration_format import read_narration
from luma_studio.script.passages import with_whole_notes
from luma_studio.script.production_format import is_production, read_production
from luma_studio.script.scenes import Drafting, Findings, finished, marks, scene_ids
from luma_studio.script.source import Source
from luma_studio.settings import Reading

_DEFAULTS = Reading()


def parse(text: str, reading: Reading = _DEFAULTS) -> Script:
    """Read a script in either format, which it tells apart by itself.

    Whatever is odd about it is in the script's diagnostics. Raises ScriptError only when there is nothing to speak.
    Takes time in proportion to the length of the text, whatever the text.
    """
    with _uncollected():
        return _parse(text, reading)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: reading keeps all that it makes, and walking that again and again takes long."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse(text: str, reading: Reading) -> Script:
    source = Source(text)
    source.clean = with_whole_notes(source.clean)
    findings = Findings(source)
    drafting = Drafting(source, reading, findings)
    production = is_production(source.clean)
    (read_production if production else read_narration)(drafting)
    if source.unclosed_comment is not None:
        findings.report(
            source.clean_offset(source.unclosed_comment),
            "warning",
            "The comment that begins here with “<!--” is not closed: what follows is spoken. Put “-->” behind it.",
        )
    drafts = drafting.close()
    if not drafting.anything_spoken:
        raise ScriptError(_nothing_to_speak(source.text, production=production))
    ids = scene_ids(drafts, findings)
    scenes = tuple(finished(draft, scene_id, drafting) for draft, scene_id in zip(drafts, ids, strict=True))
    return Script(
        text=source.text,
        format="production" if production else "narration",
        scenes=scenes,
        diagnostics=findings.diagnostics(),
        marks=marks(drafting),
    )


def _nothing_to_speak(text: str, *, production: bool) -> str:
    if not text.strip():
        return "The script is empty: write at least one sentence to speak into it."
    if production:
        return 'The script has nothing to speak: give a scene a line such as Dialogue (VO): "Welcome."'
    return "The script has nothing to speak, only headers, notes or marks: write at least one sentence of narration."
