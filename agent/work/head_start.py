"""Give people the first minutes: a ticket that somebody takes at once needs no word of ours."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.store.inbox import Job
from connectors.errors import Transient
from connectors.events import Kind


def await_head_start(job: Job, head_start: timedelta, now: datetime) -> None:
    """Raise Transient while a new ticket is younger than `head_start`, which is at most an hour.

    It is waited for once, and never longer than it lasts, whatever was done to the clock.
    """
    left = min(job.received_at + head_start - now, head_start)
    if job.event.kind is Kind.CREATED and job.attempt == 1 and left > timedelta(0):
        raise Transient("people have the first word", retry_after=left / timedelta(seconds=1))
