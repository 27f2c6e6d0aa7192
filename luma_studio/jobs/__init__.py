"""Doing jobs: a worker takes them up one after another, wherever it runs, and tells when they end."""

from __future__ import annotations

from luma_studio.jobs.webhook import Webhook
from luma_studio.jobs.worker import Do, How, Worker
from luma_studio.jobs.working import work

__all__ = ["Do", "How", "Webhook", "Worker", "work"]
