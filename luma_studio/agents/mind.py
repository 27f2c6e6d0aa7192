"""Which mind thinks: a vendor's language model and how it is asked, as one writes it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from luma_studio.errors import SettingError
from luma_studio.settings import Choices
from luma_studio.wire import GROQ, OPENAI, Home

HOMES = MappingProxyType({"openai": OPENAI, "groq": GROQ})
"""The vendors that have minds, by the name one writes. A server of one's own is OpenAI at another address."""

WRITER = "hot_take"
"""The agent that writes hot takes, as it is named where it has a mind of its own."""

_EXAMPLE = "openai:MODEL,effort=low,temperature=0.2,timeout=60"
_TIMEOUT = 60.0  # seconds an answer may take where nothing else is said
_LONGEST = 600.0
_HOTTEST = 2.0


@dataclass(frozen=True, slots=True)
class Mind:
    """A model and how it is asked: ``openai:MODEL``, ``groq:MODEL,effort=low,temperature=0.2,timeout=60``.

    ``temperature`` and ``effort`` are sent only where they are given: not every model takes them. ``timeout`` is how
    many seconds an answer may take.
    """

    vendor: str
    model: str
    temperature: float | None = None
    effort: str = ""
    timeout: float = _TIMEOUT

    @classmethod
    def parse(cls, text: str) -> Mind:
        """Read ``vendor:model,setting=value,…``. Raises SettingError."""
        head, *pairs = (part.strip() for part in text.split(","))
        vendor, _, model = (part.strip() for part in head.partition(":"))
        if vendor not in HOMES or not model:
            raise SettingError(
                f"{text!r} names no mind. Write one of {', '.join(HOMES)} and its model, as in {_EXAMPLE}."
            )
        settings = {}
        for pair in pairs:
            name, _, value = (part.strip() for part in pair.partition("="))
            if name not in ("temperature", "effort", "timeout") or not value:
                raise SettingError(
                    f"In the mind {text!r}, {pair!r} is no setting. There are: effort, temperature, timeout, as in "
                    f"{_EXAMPLE}."
                )
            settings[name] = value
        temperature, timeout = settings.get("temperature"), settings.get("timeout")
        return cls(
            vendor,
            model,
            None if temperature is None else _number(text, "temperature", temperature, 0, _HOTTEST),
            settings.get("effort", ""),
            _TIMEOUT if timeout is None else _number(text, "timeout", timeout, 1, _LONGEST),
        )

    def __str__(self) -> str:
        temperature = "" if self.temperature is None else f",temperature={self.temperature:g}"
        effort = f",effort={self.effort}" if self.effort else ""
        timeout = "" if self.timeout == _TIMEOUT else f",timeout={self.timeout:g}"
        return f"{self.vendor}:{self.model}{effort}{temperature}{timeout}"

    @property
    def home(self) -> Home:
        """Where its vendor is."""
        return HOMES[self.vendor]


def _number(text: str, name: str, value: str, least: float, most: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise SettingError(f"In the mind {text!r}, {name} is {value!r}; it must be a number from {least} to {most:g}.")
    return number


def mind_of(choices: Choices, agent: str) -> Mind | None:
    """The mind that an agent has: its own, or else everybody's; None where none is chosen. Raises SettingError."""
    text = choices.minds.get(agent, choices.mind).strip()
    return Mind.parse(text) if text else None
