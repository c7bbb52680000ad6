"""Check that local time is the one that the operator means: nights begin by it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.checks.finding import Finding, ok, warn
from agent.checks.installation import Installation

_RULE = re.compile(r"(?:<[\w+-]{3,}>|[A-Za-z]{3,})[+-]?\d{1,3}(?::\d\d){0,2}(?:(?:<[\w+-]{3,}>|[A-Za-z]{3,}).*)?")
"""A rule in place of a zone's name, such as CET-1CEST (POSIX.1-2017, 8.3)."""


def clock(_installation: Installation) -> Iterator[Finding]:
    """Yield the local time, and whether TZ is a zone that the system does not know, which it takes for UTC."""
    zone = os.environ.get("TZ", "").removeprefix(":")
    if zone and not _known(zone):
        yield warn("time zone", f"TZ is {zone!r}, which is no zone that this system knows: UTC is used")
    else:
        yield ok("time zone", f"local time is UTC{datetime.now().astimezone():%z}")


def _known(zone: str) -> bool:
    if _RULE.fullmatch(zone) or zone.startswith("/"):
        return Path(zone).is_file() if zone.startswith("/") else True
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True
