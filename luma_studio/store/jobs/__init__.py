"""Jobs: long pieces of work that are written down, held by one worker at a time, watched, and outlive a crash."""

from __future__ import annotations

from luma_studio.store.jobs.model import ENDED, Job, Notice, State
from luma_studio.store.jobs.opening import open_jobs
from luma_studio.store.jobs.store import JobStore

__all__ = ["ENDED", "Job", "JobStore", "Notice", "State", "open_jobs"]
