"""What a hot take would buy, step by step, before its words are there: about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from luma_studio import transcripts
from luma_studio.agents.hot_take import quoted_writing
from luma_studio.hot_take import checking
from luma_studio.hot_take.record import STEPS, Record, Step
from luma_studio.studio import Studio
from luma_studio.video.base import EngineChoice
from luma_studio.voices import VoiceChoice
from luma_studio.voices.pace import pace, quickness


@dataclass(frozen=True, slots=True)
class StepQuote:
    """What a step would buy: ``by`` whom, and US dollars, about (0: nothing is paid; None: not known)."""

    step: Step
    by: str
    cost: Decimal | None


def quoted(record: Record, until: Step, studio: Studio) -> tuple[StepQuote, ...]:
    """What the steps as far as one would buy that are not made yet. Nothing is sent."""
    steps = STEPS[: STEPS.index(until) + 1]
    return tuple(each for each in _quoted(record, studio) if each.step in steps)


def _quoted(record: Record, studio: Studio) -> Iterator[StepQuote]:
    brief = record.brief
    if brief.recording and not (record.heard or record.text):
        made_by = checking.transcriber_of(brief, studio)
        yield StepQuote("transcribe", str(made_by.choice), transcripts.quote(brief.recording, made_by).cost)
    if not record.text:
        pitch = record.pitch or Path(brief.recording).name
        thinking = studio.thinking(record.name, brief.budget, **checking.mind_changes(brief, studio))
        found = quoted_writing(checking.wanted(brief, pitch, studio), thinking)
        yield StepQuote("write", found.mind, found.cost)
    persona = studio.personas.get(brief.persona)
    voice = checking.voice_of(brief, persona, studio)
    speaks = VoiceChoice.parse(voice)
    if record.text:
        asked = studio.quote(record.name, record.text, **checking.production_changes(brief, studio))
        spoken = None if asked.unknown else asked.cost
    else:
        price = studio.voice(speaks).price
        spoken = None if price is None else price * round(brief.seconds * pace(persona.language) * quickness(speaks))
    if not brief.heygen_voice:
        yield StepQuote("speak", voice, spoken)
    yield _film(record, studio)


def _film(record: Record, studio: Studio) -> StepQuote:
    """By the length that was asked for: HeyGen's video is as long as what is spoken."""
    brief = record.brief
    text = brief.film or ("heygen:avatar_iv" if brief.heygen_voice else studio.settings.film)
    choice = EngineChoice.parse(text)
    if choice.engine == "preview":
        return StepQuote("film", text, Decimal(0))
    minute = studio.settings.minute_price(choice.engine, choice.model or "avatar_iv")
    return StepQuote("film", text, None if minute is None else minute * Decimal(brief.seconds) / 60)
