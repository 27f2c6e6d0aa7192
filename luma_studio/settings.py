"""Every setting with its default, read from the environment (``LUMA_…``) and a ``.env`` file.

The groups are what the rooms ask for: ``parse(text, reading)`` takes a ``Reading``, ``arrange`` a ``Sound``, a
production keeps its ``Choices``. ``Settings`` is all of them at once, so it can be handed to any of these.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from luma_studio.errors import SettingError

AUDIO = "generated_audio"
"""The folder of a workspace in which productions lie."""

Seconds = float
Dollars = Decimal
Price = Dollars | tuple[Dollars, Dollars]
Granularity = Literal["sentence", "clause"]


def _number(value: object) -> object:
    """A whole number that an environment variable spells."""
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else value


SampleRate = Annotated[Literal[32000, 44100, 48000], BeforeValidator(_number)]
BitRate = Annotated[Literal[64, 96, 128, 160, 192, 256, 320], BeforeValidator(_number)]


class Reading(BaseModel):
    """How a script is read: where clauses end and how long the pauses are that nobody wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str | None = Field(
        default=None,
        description="language where the writing system cannot tell (Hinglish: hi); a script's own line wins",
    )
    granularity: Granularity = Field(default="sentence", description="cut at sentences, or also at commas: clause")
    sentence_pause: Seconds = Field(default=1.5, ge=0, le=600, description="after . ? ! । …")
    comma_pause: Seconds = Field(default=0.5, ge=0, le=600, description="after a comma, when clauses are cut there")
    fragment_pause: Seconds = Field(default=0.0, ge=0, le=600, description="after a clause without punctuation")
    plain_pause: Seconds = Field(default=2.0, ge=0, le=600, description="(pause)")
    short_pause: Seconds = Field(default=1.0, ge=0, le=600, description="(short pause)")
    long_pause: Seconds = Field(default=4.0, ge=0, le=600, description="(long pause)")


class Sound(BaseModel):
    """How a production sounds: rate, edges of takes, loudness, MP3 bit rate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: SampleRate = Field(default=44100, description="samples a second; the rates MP3 has")
    lead_in: Seconds = Field(default=0.03, ge=0, le=1, description="kept before the first sound of a take")
    tail: Seconds = Field(default=0.12, ge=0, le=2, description="kept after the last sound of a take")
    fade: Seconds = Field(default=0.005, ge=0, le=0.1, description="fade at each cut, so that it never clicks")
    loudness: float = Field(default=-16.0, ge=-40, le=-5, description="LUFS of the master (EBU R128)")
    true_peak: float = Field(default=-1.0, ge=-20, le=0, description="dBTP that the master stays under")
    mp3_kbps: BitRate = Field(default=128, description="MP3 bit rate, kbit/s")


class Filming(BaseModel):
    """How a production is filmed: engines, photo, frame, captions, and how scenes follow on one another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    film: str = Field(default="preview", description="engine of talking photos: preview, heygen:avatar_iv")
    assembly: str = Field(
        default="preview", description="engine that puts films together: preview, creatomate:TEMPLATE"
    )
    photo: str = Field(default="", description="photo of every scene that names none: a file in photos/, a vendor's id")
    orientation: Literal["portrait", "landscape"] = Field(default="portrait", description="720×1280 or 1280×720")
    photo_fit: Literal["cover", "contain"] = Field(default="cover", description="fill the frame, or be all seen")
    background: str = Field(
        default="#101418", pattern="^#[0-9a-fA-F]{6}$", description="colour behind a photo, as #rrggbb"
    )
    captions: Literal["burned", "track", "none"] = Field(default="burned", description="in the picture, beside it")
    crossfade: Seconds = Field(default=0.0, ge=0, le=5, description="between scenes; makes nothing longer or shorter")
    title_card: Seconds = Field(default=0.0, ge=0, le=30, description="that a scene's title stands at its beginning")
    motion: str = Field(default="", max_length=500, description="how the photo moves, for engines that can be told")


class Choices(Reading, Sound, Filming):
    """What one production is made with; kept in it, so that it sounds the same wherever it is opened."""

    voice: str = Field(default="espeak", description="voice of every speaker that has none of its own")
    speakers: dict[str, str] = Field(default={}, description='voices by speaker, as {"Woman": "espeak:+f3,rate=140"}')
    budget: Dollars | None = Field(default=None, ge=0, description="US dollars that the production may cost")
    mind: str = Field(default="", description="mind of every agent that has none of its own; none if empty")
    minds: dict[str, str] = Field(
        default={}, description='minds by agent, as {"splice": "groq:MODEL"}; an empty one has the rules do it'
    )


class Settings(Choices, BaseSettings):
    """All settings. ``Settings()`` reads ``LUMA_…`` variables and ``.env`` in the current folder."""

    model_config = SettingsConfigDict(
        env_prefix="LUMA_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    workspace: Path = Field(default=Path(), description="folder that holds generated_audio/")
    batch: str = Field(default="", description="batch that the work belongs to; a batch sets it for its runs")
    batch_budget: Dollars | None = Field(
        default=None, ge=0, description="US dollars that this batch may cost; a batch sets it for its runs"
    )
    transcriber: str = Field(default="", description="who transcribes recordings, as openai:whisper-1; none if empty")
    webhook: str = Field(default="", description="address of one's own that is told, by https, when a job ends")
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="what such notices are signed with: whsec_ and 24 to 64 bytes in Base64"
    )
    scheduler: str = Field(default="", description="Dask scheduler whose workers do the jobs: tcp://host:8786")
    keep_days: float = Field(default=7.0, ge=0, le=3650, description="days that ended jobs and what was left are kept")
    prices: dict[str, Price] = Field(
        default={},
        description="US dollars for 1,000 characters of a voice's model; for a minute of an engine's video or a "
        "transcriber's sound; for a million tokens asked and answered of a mind's: "
        '{"elevenlabs:eleven_v3": 0.1, "heygen:avatar_iv": 3, "openai:MODEL": [1.25, 10]}',
    )

    def price(self, engine: str, model: str) -> Decimal | None:
        """US dollars that a character costs with a vendor's model; None where neither the user nor the table knows."""
        thousand = self._price(engine, model)
        return thousand / 1000 if isinstance(thousand, Decimal) else None

    def minute_price(self, engine: str, model: str) -> Decimal | None:
        """US dollars for a minute of a vendor's video, or of sound that it transcribes; None where nobody knows.

        Engines say by which model names their videos are priced.
        """
        minute = self._price(engine, model)
        return minute if isinstance(minute, Decimal) else None

    def token_prices(self, vendor: str, model: str) -> tuple[Decimal, Decimal] | None:
        """US dollars for a million tokens asked and a million answered; None where nobody knows."""
        million = self._price(vendor, model)
        return million if isinstance(million, tuple) else None

    @property
    def priced_minds(self) -> tuple[str, ...]:
        """The minds whose price the user or the table knows, as one writes them."""
        known = {**self.prices, **_price_list()}
        return tuple(name for name, price in known.items() if isinstance(price, tuple))

    def _price(self, vendor: str, model: str) -> Price | None:
        name = f"{vendor}:{model}"
        return self.prices.get(name, _price_list().get(name))


class Access(BaseSettings):
    """How a vendor is reached: ``<VENDOR>_API_KEY`` and ``<VENDOR>_BASE_URL``, from the environment or ``.env``.

    ``<VENDOR>_JOBS`` is how many of its jobs (videos) may be under way at once, until it refuses one;
    ``HEYGEN_DEFAULT_TALKING_PHOTO_ID`` is the photo, by its id there, of scenes that have no other.
    """

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    api_key: SecretStr = SecretStr("")
    base_url: str = ""
    jobs: int | None = Field(default=None, ge=1, le=1000)
    default_talking_photo_id: str = ""


class Polling(BaseSettings):
    """How often, and how long, vendors are asked whether a video is made: in seconds.

    ``STATUS_POLL_INTERVAL_SECONDS`` sets one interval in place of one that grows, ``STATUS_MAX_ATTEMPTS`` how often.
    """

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    status_poll_interval_seconds: Seconds | None = Field(default=None, gt=0, le=600)
    status_max_attempts: int | None = Field(default=None, ge=1, le=100_000)
    shortest: ClassVar[Seconds] = 2.0
    longest: ClassVar[Seconds] = 30.0

    @property
    def patience(self) -> Seconds:
        """Seconds until the job is left for later."""
        return 1200.0 if self.status_max_attempts is None else math.inf


class Recordings(BaseSettings):
    """What may be transcribed: ``MAX_FILE_SIZE_MB`` is how large a file may be. It is never sent whole."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    max_file_size_mb: float = Field(default=2000.0, ge=0.001, le=1_000_000)


class JobStorage(BaseSettings):
    """Where jobs are kept: ``JOB_STORAGE``, ``REDIS_URL``, and how many processes (``WORKERS``) do them."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    job_storage: Literal["sqlite", "redis", "memory"] = "sqlite"
    redis_url: str = "redis://localhost:6379"
    workers: int = Field(default=1, ge=1, le=1000)


@cache
def _price_list() -> dict[str, Price]:
    table = json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))
    voices = {name: Decimal(price) for name, price in table["voices"].items()}
    minds = {name: (Decimal(asked), Decimal(answered)) for name, (asked, answered) in table["minds"].items()}
    minutes = {name: Decimal(price) for kind in ("videos", "transcribers") for name, price in table[kind].items()}
    return {**voices, **minds, **minutes}


def load_settings(**overrides: object) -> Settings:
    """Settings from overrides, the environment, ``.env`` and defaults, in that order.

    Raises SettingError naming the variable that is wrong and what it may be.
    """
    with _explained(_variable):
        return Settings(**overrides)  # type: ignore[arg-type]


def access(vendor: str) -> Access:
    """How a vendor is reached, by the name that its variables begin with, such as ``ELEVENLABS``."""
    with _explained(lambda name: f"{vendor}_{name.upper()}"):
        return Access(_env_prefix=f"{vendor}_")  # type: ignore[call-arg] # which pydantic-settings takes


def polling() -> Polling:
    """How vendors are asked whether a video is made. Raises SettingError."""
    with _explained(str.upper):
        return Polling()


def recordings() -> Recordings:
    """What may be transcribed. Raises SettingError."""
    with _explained(str.upper):
        return Recordings()


def job_storage() -> JobStorage:
    """Where jobs are kept. Raises SettingError."""
    with _explained(str.upper):
        return JobStorage()


def chosen(base: Choices, changes: Mapping[str, Any], called: Callable[[str], str] = str) -> Choices:
    """The choices of ``base`` with some changed. Raises SettingError for a name or value that cannot be.

    ``called`` gives what the error calls a setting: an option, where one was given.
    """
    with _explained(called):
        kept = {name: getattr(base, name) for name in Choices.model_fields}
        return Choices(**{**kept, **changes})


@contextmanager
def _explained(called: Callable[[str], str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingError(
            f"The file .env cannot be read: {error.strerror}. Allow it, or work in another folder."
        ) from error
    except UnicodeDecodeError as error:
        raise SettingError("The file .env is not UTF-8. Open it in an editor and save it as UTF-8.") from error
    except SettingsError as error:
        found = re.search(r'"(\w+)"', str(error))
        name = _variable(found[1]) if found else "A LUMA_ variable"
        raise SettingError(f'{name} is not the JSON it must be, such as {{"Woman": "espeak:+f3"}}.') from error
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            known = ", ".join(sorted(Choices.model_fields))
            raise SettingError(f"A production has no setting {name!r}. There are: {known}.") from None
        raise SettingError(
            f"{called(name)} cannot be {first['input']!r}: it must be {_may_be(name)}. Correct or remove it."
        ) from None


def _variable(name: str) -> str:
    return f"LUMA_{name.upper()}"


def _may_be(name: str) -> str:
    """What a setting may be, as a sentence goes on."""
    models = (Settings, Polling, Access, Recordings, JobStorage)
    field = next(model.model_fields[name] for model in models if name in model.model_fields)
    if get_origin(field.annotation) is Literal:
        return f"one of {', '.join(map(str, get_args(field.annotation)))}"
    if field.annotation is float:
        least, most = (
            next(getattr(each, end) for each in field.metadata if hasattr(each, end)) for end in ("ge", "le")
        )
        return f"a number from {least} to {most}"
    special = {
        "background": "a colour such as #101418",
        "speakers": 'voices by speaker, such as {"Woman": "espeak:+f3"}',
        "workspace": "the path of a folder",
        "budget": "an amount in US dollars, from 0",
        "status_poll_interval_seconds": "a number of seconds, up to 600",
        "status_max_attempts": "a whole number from 1",
        "jobs": "a whole number from 1 to 1000",
        "workers": "a whole number from 1 to 1000",
        "batch_budget": "an amount in US dollars, from 0",
        "prices": 'US dollars by model, such as {"elevenlabs:eleven_v3": 0.1, "openai:MODEL": [1.25, 10]}',
        "minds": 'minds by agent, such as {"splice": "groq:MODEL"}',
    }
    return special.get(name, "text")
