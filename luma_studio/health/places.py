"""What the studio keeps things in, and draws with: workspace, jobs, personas, photos, fonts."""

from __future__ import annotations

import secrets
import shutil
from functools import partial

from luma_studio.errors import PersonaError, StoreError, counted
from luma_studio.health.model import Check
from luma_studio.settings import job_storage
from luma_studio.store import files
from luma_studio.studio import STORE, Studio
from luma_studio.video import fonts

_LEAST_FREE = 10**9  # bytes; a hundred minutes with their takes and runs take about as many
_WRITINGS = {
    "Latin": "a", "Greek": "α", "Cyrillic": "ж", "Devanagari": "क", "Bengali": "ক", "Gurmukhi": "ਕ", "Gujarati": "ક",
    "Odia": "କ", "Tamil": "க", "Telugu": "క", "Kannada": "ಕ", "Malayalam": "ക", "Sinhala": "ක", "Arabic": "ب",
    "Hebrew": "ב", "Armenian": "ա", "Georgian": "ა", "Ethiopic": "ሀ", "Thai": "ก", "Lao": "ກ", "Burmese": "က",
    "Khmer": "ក", "Tibetan": "ཀ", "Korean": "한", "Japanese": "あ", "Chinese": "中",
}  # fmt: skip


def checks(studio: Studio) -> list[Check]:
    """How places and fonts are tried."""
    elsewhere = "Choose another workspace (LUMA_WORKSPACE), or allow access to this one."
    room = "Free some space, or choose another workspace (LUMA_WORKSPACE)."
    jobs = "Start that Redis, correct REDIS_URL, or take JOB_STORAGE away."
    install = "Install fonts that have them, such as Noto, to have captions in these writings drawn into films."
    return [
        Check("Workspace", "keeps productions and takes", partial(_keeps, studio), elsewhere),
        Check("Disk space", "room for takes and masters", partial(_has_room, studio), room),
        Check("Jobs", "long work that outlives a page", partial(_keeps_jobs, studio), jobs),
        Check("Personas and photos", "who speaks, and is seen", partial(_pictured, studio), "Mend that file.", False),
        Check("Fonts", "captions in films", _written, install, needed=False),
    ]


def _keeps(studio: Studio) -> str:
    path = studio.folder / STORE / f".{secrets.token_hex(6)}.part"  # is swept, should we die here
    files.write(path, b"Luma Studio was here.")
    files.remove(path)
    return f"{studio.folder.resolve()} can be written."


def _has_room(studio: Studio) -> str:
    there = next(folder for folder in (studio.folder, *studio.folder.resolve().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE:
        raise StoreError(f"Only {free / 1e9:.2f} GB are free.")
    return f"{free / 1e9:.0f} GB are free."


def _keeps_jobs(studio: Studio) -> str:
    where = {"sqlite": "SQLite", "redis": "Redis", "memory": "memory, of one process only"}
    going_on = sum(len(studio.jobs.listed(state=state, most=1000)) for state in ("created", "processing"))
    return f"Kept in {where[job_storage().job_storage]}; {counted(going_on, 'job')} not ended."


def _pictured(studio: Studio) -> str:
    problems = studio.personas.problems()
    if problems:
        raise PersonaError(problems[0].sentence)
    photos = len(studio.photos.names())
    return f"{counted(len(studio.personas.all()), 'persona')}, {counted(photos, 'photo')}."


def _written() -> str:
    missing = [writing for writing, letter in _WRITINGS.items() if fonts.unwritable(letter)]
    if missing:
        raise StoreError(f"No installed font has letters of {', '.join(missing)}.")
    return f"There are letters of all {len(_WRITINGS)} writings that were looked for."
