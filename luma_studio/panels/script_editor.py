"""The script editor: a text as it is typed, as the reader reads it, and the voices that are to speak it."""

from __future__ import annotations

import asyncio
import base64
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from itertools import accumulate, chain, count
from pathlib import Path
from typing import Any

from luma_studio import speaking
from luma_studio.agents.cutting import cut
from luma_studio.errors import ChangedError, NoKeyError, SettingError, VendorError
from luma_studio.panels.heard import Heard
from luma_studio.panels.hearing import HearingPanel
from luma_studio.panels.panel import Answer
from luma_studio.production import Production
from luma_studio.script import Clause, Scene, Script, decode, parse
from luma_studio.settings import Choices, Reading, chosen
from luma_studio.shipped import shipped
from luma_studio.store import files
from luma_studio.store.carrying import check_continues
from luma_studio.store.drafts import plain
from luma_studio.store.state import FILE, StateFile
from luma_studio.voices import Offer, offers
from luma_studio.voices.embedded import variants
from luma_studio.voices.names import PERSONA
from luma_studio.voices.pace import estimated, quickness

Changes = dict[str, Any]
"""Settings that were chosen in the page, by their names in ``Choices``."""

_CHOICES = ("voice", "speakers", "language", "granularity", "sentence_pause", "comma_pause")
_SAMPLE = 160  # characters that are enough to know a voice by
_TITLE = 40  # characters of a clause that may name what has no header,
_NUMBERED = 24  # and of a name that is followed by a number
_NAMED = 60  # characters of a wrong name that are shown
_WIDE = re.compile("[\U00010000-\U0010ffff]")
_WORD = re.compile(r"\S+")


class ScriptEditor(HearingPanel):
    """A script as it is typed, coloured as the studio reads it, with its scenes, its name and its voices.

    >>> ScriptEditor(session)                              # doctest: +SKIP
    """

    front = "script_editor"
    topics = ("production", "work", "wanted")
    slow = frozenset(
        [
            "about",
            "offers",
            "written",
            "state",
            "example",
            "decode",
            "read",
            "quote",
            "hear_more",
            "begin",
            "speak",
            "left",
            "leave",
            "take_back",
        ]
    )

    # What there is

    def do_about(self) -> Answer:
        """What can be chosen from: the embedded voice's variants, and examples to begin with."""
        return {
            "variants": sorted(variants(), key=str.casefold),
            "examples": [_described(path) for path in _examples()],
        }

    def do_offers(self) -> Answer:
        """What there is to choose from: vendors' voices and models, or why one has nothing, and personas."""
        studio = self.session.studio
        offered = asyncio.run(offers(studio.wires))
        offered.append(Offer(PERSONA, "Personas", studio.personas.offered(), ()))
        for each in offered:
            if isinstance(each, Offer):
                studio.names.learn(each.voices)
        return [
            {"problem": str(each), "vendor": each.vendor, "lacks_key": isinstance(each, NoKeyError)}
            if isinstance(each, VendorError)
            else asdict(each)
            for each in offered
        ]

    def do_written(self, voice: str) -> str:
        """A voice as it was typed, with its id where its name stood. Raises SettingError, VendorError."""
        return self.session.studio.names.written(voice)

    def do_state(self) -> Answer:
        """The script that is open with its draft and choices; without one, the draft that has no production yet.

        ``standing`` is the text that the editor is to show, the draft or else the script's, and ``mark`` what changes
        with the draft.
        """
        production = self._open
        holder = production or self.session.studio
        mark = holder.draft_mark  # before the draft: a newer one is then looked at again
        return {
            "name": production and production.name,
            "text": production.script.text if production else "",
            "draft": holder.draft,
            "standing": holder.standing,
            "mark": mark,
            "choices": _choices(self._base),
            "works": self.session.works(),
        }

    def do_look(self, name: str | None, mark: str) -> Answer:
        """What stands in the editor now and its mark, if the draft is not the one with this mark; otherwise None."""
        production = self._open
        if name != (production and production.name):
            return None  # the page is about to hear of another production
        holder = production or self.session.studio
        now = holder.draft_mark
        return None if now == mark else {"text": holder.standing, "mark": now}

    def do_example(self, name: str) -> Answer:
        """The text of an example."""
        path = next(path for path in _examples() if path.stem == name)
        return {"text": decode(path.read_bytes()), "name": _title(path)}

    def do_decode(self, file: str, data: str) -> Answer:
        """The text of a file that was opened in the page, whose bytes come in base64, and a name made of the file's."""
        return {"text": decode(base64.b64decode(data)), "name": files.name_from(Path(file).stem)}

    # While it is typed

    def do_read(self, text: str, changes: Changes) -> Answer:
        """What the reader makes of a text: marks, diagnostics, scenes, speakers and figures. Raises ScriptError.

        Offsets count UTF-16 code units, as a browser does; lengths are in seconds and estimated.
        """
        choices = chosen(self._base, changes)
        script = _read(plain(text), _reading(choices))
        if self._open is not None:
            script = self._open.readied(script)
        offset = _counting_utf16(text, script)
        clauses = tuple(script.clauses)
        seconds = _lengths(choices)
        scenes = [_scene(scene, seconds) for scene in script.scenes]
        lines = _line_starts(script.text)
        return {
            "marks": [[offset(mark.start), offset(mark.end), mark.kind] for mark in script.marks],
            "diagnostics": _diagnostics(script, lines, offset),
            "scenes": [{**scene, "offset": offset(lines[scene["line"] - 1])} for scene in scenes],
            "speakers": _speakers(clauses, choices),
            "language": clauses[0].language,
            "words": sum(len(clause.text.split()) for clause in clauses),
            "clauses": len(clauses),
            "seconds": sum(scene["seconds"] for scene in scenes),
            "name": self._free_name(_heading(script)),
        }

    def do_keep_draft(self, name: str | None, text: str, seen: str | None = None) -> None:
        """Keep what was typed for a production, or for none yet.

        ``seen`` is what stood there when the page last looked. Raises ChangedError if another window wrote since.
        """
        if name is None:
            self.session.studio.keep_draft(plain(text) or None, seen)
        else:
            self._known(name).keep_draft(plain(text), seen)
        if self._open is not None and name == self._open.name:
            self.session.tell("draft", not _is_text(self._open, plain(text)))

    # Texts that make room for others

    def do_left(self) -> list[Answer]:
        """The texts that were left, the last one first: their first words, and when that was."""
        return [{"key": each.key, "words": each.words, "when": each.when} for each in self.session.studio.left_texts()]

    def do_leave(self, text: str, key: str | None = None) -> str | None:
        """Keep a text that makes room for another; answers its key. What there is anyway, an example, has none."""
        if any(text == decode(path.read_bytes()) for path in _examples()):
            return None
        return self.session.studio.leave_text(text, key)

    def do_forget(self, key: str) -> None:
        """Remove a text that was left."""
        self.session.studio.forget_text(key)

    def do_take_back(self, key: str, name: str | None, seen: str | None = None) -> Answer:
        """A text that was left, which is now what was typed for this production, or for none."""
        text = self.session.studio.left_text(key)
        self.do_keep_draft(name, text, seen)
        self.do_forget(key)
        return {"text": text}

    def do_quote(self, name: str, text: str, changes: Changes) -> Answer:
        """What speaking this text under this name would buy, and what it does to a production of that name.

        That one ``exists``; it is ``another`` script, with which speaking would not go on; or the ``same`` text.
        Changes nothing.
        """
        studio = self.session.studio
        exists = self._exists(name)
        production = self._known(name) if exists else None
        choices = studio.names.chosen(production.choices if production else None, self._base, changes)
        is_text = production is not None and _is_text(production, text)
        same = production is not None and choices == production.choices and is_text
        quote = production.quote() if production and same else studio.quote(name, text, **changes)
        return {
            "exists": exists,
            "another": not is_text and self._is_another(name, text, choices),
            "same": is_text,
            "to_speak": quote.to_speak,
            "here": quote.here,
            "cost": float(quote.cost),
            "unknown": [studio.names.shown(voice) for voice in quote.unknown],
            "spoken": same and production is not None and all(production.spoken),
        }

    def do_hear(self, text: str, language: str, voice: str) -> str:
        """Have a voice speak a few words; answers with the key by which ``hear_more`` gives them as they come."""
        words, studio = plain(text)[:_SAMPLE], self.session.studio
        return self._hearing_aside(lambda heard: asyncio.run(studio.hear(words, language, voice, heard.hear)))

    def do_preview(self, voice: str) -> str:
        """A voice's ready-made sample, as ``do_hear``; of those that were offered, for the page names no address."""
        known = self.session.studio.names.known(voice)
        if known is None or not known.preview:
            raise SettingError("This voice has no ready-made sample. Buy one instead.")
        studio = self.session.studio

        def fetched(heard: Heard) -> None:
            clip = asyncio.run(studio.preview(known.preview))
            heard.hear(clip.samples, clip.rate)

        return self._hearing_aside(fetched)

    # Speaking

    def do_begin(self, name: str, text: str, changes: Changes, seen: str | None = None) -> None:
        """Open or begin the production of this name with this text.

        ``seen`` is what stood in the editor when the page last looked. Raises ChangedError if another window typed
        since, and then begins nothing.
        """
        before = self._open
        (before or self.session.studio).keep_draft(plain(text), seen)
        if before is None or before.name != name or changes or not _is_text(before, text):
            self._begin(name, text, changes)
            if before is None or before.name != name:
                with suppress(ChangedError):  # what another window typed just now is no script yet, and stays
                    (before or self.session.studio).keep_draft(None, text)

    def do_speak(self, name: str, text: str, changes: Changes, seen: str | None = None) -> None:
        """Begin as ``begin`` does, and speak what is not spoken yet."""
        self.do_begin(name, text, changes, seen)
        self.session.speak()

    def do_stop(self) -> None:
        """Stop speaking; what was spoken is kept."""
        self.session.stop("speak")

    # Within

    @property
    def _open(self) -> Production | None:
        return self.session.production if self.session.is_open else None

    @property
    def _base(self) -> Choices:
        """What holds where nothing was chosen."""
        return self.session.studio.settings if self._open is None else self._open.choices

    def _begin(self, name: str, text: str, changes: Changes) -> None:
        """Raises SettingError for a name that another script has, with a remedy that the page has, too."""
        studio = self.session.studio
        kept = self._known(name).choices if self._exists(name) else None
        choices = studio.names.chosen(kept, studio.settings, changes)  # asks for names before the session is held
        if kept is not None and self._is_another(name, text, choices):
            raise SettingError(f"{name} holds another script. Choose another name, or open {name} to change it.")
        self.session.begin(name, text, **changes)

    def _exists(self, name: str) -> bool:
        production = self._open
        if production is not None and production.name == name:
            return True
        return (self._folder(name) / FILE).exists()

    def _folder(self, name: str) -> Path:
        return files.confined(self.session.studio.folder, name)

    def _is_another(self, name: str, text: str, choices: Choices) -> bool:
        """Whether a name has a production with another script, which speaking this text would not go on with."""
        state = StateFile(self._folder(name)).load()
        if state is None:
            return False
        try:
            check_continues(name, state, tuple(cut(_read(plain(text), _reading(choices)), state.cuts).clauses))
        except SettingError:
            return True
        return False

    def _known(self, name: str) -> Production:
        """A production by its name, the open one or another."""
        production = self._open
        return production if production and production.name == name else self.session.studio.production(name)

    def _free_name(self, text: str) -> str:
        """A name made of words that no production has yet."""
        numbered = (f"{text[:_NUMBERED]} {number}" for number in count(2))  # a longer one would lose its number
        names = map(files.name_from, chain([text], numbered))
        return next(name for name in names if not self._exists(name))


def _examples() -> list[Path]:
    """The scripts to begin with: in the order of their names."""
    return sorted((shipped("notebooks") / "examples").glob("*.txt"))


def _described(path: Path) -> Answer:
    choices = Choices()
    script = _read(decode(path.read_bytes()), _reading(choices))
    seconds = _lengths(choices)
    return {
        "name": path.stem,
        "title": _title(path),
        "language": next(script.clauses).language,
        "seconds": sum(_scene(scene, seconds)["seconds"] for scene in script.scenes),
    }


def _title(path: Path) -> str:
    return path.stem.replace("-", " ").capitalize()


# Text


def _is_text(production: Production, text: str) -> bool:
    return text in (production.text, production.script.text)


@lru_cache(maxsize=4)
def _read(text: str, reading: Reading) -> Script:
    return parse(text, reading)


def _reading(choices: Choices) -> Reading:
    return Reading(**{name: getattr(choices, name) for name in Reading.model_fields})


def _choices(base: Choices) -> Changes:
    return {name: getattr(base, name) for name in _CHOICES}


def _counting_utf16(text: str, script: Script) -> Callable[[int], int]:
    """What gives for an offset in the script's text the one that a browser counts in the text it sent."""
    wide = [match.start() for match in _WIDE.finditer(script.text)]
    mark = int(text.startswith("\ufeff"))  # which is in no script
    return lambda offset: offset + bisect_left(wide, offset) + mark


def _line_starts(text: str) -> list[int]:
    return [0, *accumulate(len(line) + 1 for line in text.split("\n"))][:-1]


def _diagnostics(script: Script, lines: Sequence[int], offset: Callable[[int], int]) -> list[Changes]:
    """Each diagnostic with the stretch it is about: its own, or a note where one begins there, else a word."""
    notes = {mark.start: mark.end for mark in script.marks}
    told = []
    for each in script.diagnostics:
        start = lines[each.line - 1] + each.column - 1
        word = _WORD.match(script.text, start)
        own = start + each.length if each.length else None
        end = own or notes.get(start) or (word.end() if word else start + 1)
        told.append(
            {
                "line": each.line,
                "level": each.level,
                "message": plain(each.message),
                "start": offset(start),
                "end": offset(min(end, lines[each.line] if each.line < len(lines) else len(script.text))),
            }
        )
    return told


def _heading(script: Script) -> str:
    """The first header, or else the first words."""
    clause = next(script.clauses)
    return next((scene.title for scene in script.scenes if scene.title), _shortened(clause.text))


def _shortened(text: str) -> str:
    """Whole words from the beginning of a text."""
    return text if len(text) <= _TITLE else (text[:_TITLE].rpartition(" ")[0] or text[:_TITLE])


# Figures


def _lengths(choices: Choices) -> Callable[[Clause], float]:
    """What gives the estimated seconds of a clause with its pause, at its speaker's pace."""
    paces: dict[str | None, float] = {}

    def seconds(clause: Clause) -> float:
        if clause.speaker not in paces:
            paces[clause.speaker] = quickness(speaking.speaker_voice(clause.speaker, choices))
        return estimated(clause.text, clause.language) / paces[clause.speaker] + clause.pause.seconds

    return seconds


def _scene(scene: Scene, seconds: Callable[[Clause], float]) -> Changes:
    return {
        "id": scene.id,
        "title": scene.title or (_shortened(scene.clauses[0].text) if scene.clauses else ""),
        "line": scene.line,
        "clauses": len(scene.clauses),
        "seconds": scene.lead_in_seconds + sum(map(seconds, scene.clauses)),
    }


def _speakers(clauses: Iterable[Clause], choices: Choices) -> list[Changes]:
    """Who speaks, in the order they do, each with a sentence of theirs and the voice that speaks it."""
    first: dict[str | None, Clause] = {}
    for clause in clauses:
        if clause.speaker not in first or len(first[clause.speaker].text) < _TITLE / 2:
            first[clause.speaker] = clause
    return [
        {
            "name": speaker,
            "sample": clause.text[:_SAMPLE],
            "language": clause.language,
            "voice": str(speaking.speaker_voice(speaker, choices)),
        }
        for speaker, clause in first.items()
    ]
