"""The pause timeline: every take as a waveform, every pause to scale, to be dragged and heard."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_studio import library
from luma_studio.errors import FitError, SettingError
from luma_studio.panels.hearing import HearingPanel
from luma_studio.panels.panel import Answer, Buffers
from luma_studio.production import Key, Production
from luma_studio.voices import VoiceChoice
from luma_studio.voices.embedded import ENGINE as ESPEAK

_PEAKS = 200  # a second: a waveform's grain in the page
_LOOKS = frozenset({"samples", "peaks", "takes", "measured"})
_LEAST_FACTOR = 0.01  # at 0 all proportions would be gone


class PauseTimeline(HearingPanel):
    """The waveform of every take, the pauses between them to scale; drag one and hear it at once.

    >>> PauseTimeline(calm)                                # doctest: +SKIP
    """

    front = "pause_timeline"
    topics = ("state", "pauses", "work", "files", "elsewhere")
    slow = frozenset({"measured", "hear_more"})

    def _answered(self, verb: str, given: dict[str, Any]) -> Answer:
        """Answer what the page asks about a ``production``, unless another is open by now: nothing is changed in that.

        A look at the one before is answered with None, since nobody waits for it.
        """
        asked = dict(given)
        name = asked.pop("production", None)
        if name is None or (self.session.is_open and self.session.production.name == name):
            return super()._answered(verb, asked)
        if verb in _LOOKS:
            return None
        raise SettingError(f"{name} is not open any more, so nothing was changed in it. Open it again to go on.")

    def do_state(self) -> Answer:
        """The open production, and the work."""
        state, works = self.session.state(), self.session.works()
        return {"production": state, "elsewhere": self.session.elsewhere, "works": works}

    def do_samples(self, fingerprints: list[str]) -> tuple[Answer, Buffers]:
        """The samples of takes, 16 bit little-endian, one buffer each."""
        production = self.session.production
        return None, [production.samples(each).astype("<i2").tobytes() for each in fingerprints]

    def do_peaks(self, fingerprints: list[str]) -> tuple[Answer, Buffers]:
        """The loudest sample of each 5 ms of takes, 0 to 255, one buffer each."""
        production = self.session.production
        grain = production.choices.sample_rate // _PEAKS
        return {"grain": grain}, [_peaks(production.samples(each), grain) for each in fingerprints]

    def do_tune(self, seconds: dict[str, float], by: str) -> None:
        """Set pauses by hand. Raises SettingError for one that is locked."""
        lengths: dict[Key, float] = {int(index): length for index, length in seconds.items()}

        def tuned(production: Production) -> None:
            if any(production.pauses[index].locked for index in lengths):
                raise SettingError("It is locked. Press L to free it.")
            production.tune(lengths)

        self.session.edit(tuned, by)

    def do_lock(self, clauses: list[int], locked: bool) -> None:
        """Lock pauses or free them."""
        self.session.edit(lambda production: production.lock(clauses, locked=locked))

    def do_scale(self, factor: float, **among: Any) -> int:
        """Multiply free pauses, all or some; answers with how many changed. Raises SettingError for less than 1 %."""
        if not factor >= _LEAST_FACTOR:
            raise SettingError("Pauses are scaled to 1 % at least: at 0 % all their proportions would be lost.")
        changed = 0

        def scaled(production: Production) -> None:
            nonlocal changed
            before = tuple(production.pauses)
            production.scale(factor, **among)
            changed = sum(old != new for old, new in zip(before, production.pauses, strict=True))

        self.session.edit(scaled)
        return changed

    def do_fit(self, total: str) -> Answer:
        """Stretch the free pauses to a total; answers with the totals that can be reached if this one cannot."""
        try:
            self.session.edit(lambda production: production.fit(total))
        except FitError as error:
            return {"error": str(error), "least": error.least, "most": error.most}
        return None

    def do_undo(self) -> None:
        """Take the last edit back."""
        self.session.edit(lambda production: production.undo())

    def do_redo(self) -> None:
        """Make it again."""
        self.session.edit(lambda production: production.redo())

    def do_takes(self, clause: int) -> Answer:
        """Every take of a clause, oldest first, and the one in use."""
        production = self.session.production
        used = production.takes_in_use[clause]
        return [
            {
                "fingerprint": each.fingerprint,
                "voice": self.session.studio.names.shown(each.voice),
                "seed": each.seed,
                "used": used is not None and each.fingerprint == used.fingerprint,
            }
            for each in production.takes(clause)
        ]

    def do_hear(self, clause: int) -> str | None:
        """Speak one clause, again if it is spoken; answers with the key by which ``hear_more`` gives it as it comes.

        The embedded voice is done before one could listen: there is no key, and what is unspoken is spoken all at once.
        """
        production, session = self.session.production, self.session
        if VoiceChoice.parse(production.voice(clause)).engine != ESPEAK:
            return self._hearing(lambda heard: session.speak_again(clause, heard=heard))
        if production.takes_in_use[clause] is None:
            session.speak()
        else:
            session.speak_again(clause)
        return None

    def do_take_back(self, clause: int, fingerprint: str | None = None) -> None:
        """Use an earlier take of a clause again."""
        self.session.take_back(clause, fingerprint)

    def do_measured(self) -> Answer:
        """The pauses as the audit measured them in a master; None if that very file is not there."""
        folder = self.session.production.folder
        match library.audit_of(folder.parent, folder.name):
            case {"file": str(file), "pauses": list(pauses)}:
                return {"file": file, "pauses": pauses}
        return None


def _peaks(samples: np.ndarray[Any, np.dtype[np.int16]], grain: int) -> bytes:
    count = -(-len(samples) // grain)
    padded = np.zeros(count * grain, np.int32)
    padded[: len(samples)] = np.abs(samples.astype(np.int32))
    loudest = padded.reshape(count, grain).max(axis=1) >> 7
    return bytes(np.minimum(loudest, 255).astype(np.uint8))
