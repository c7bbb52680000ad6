"""The output of `rolecall queue status`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import httpx

from agent.store.status import LATEST_DECISIONS, USUAL_RATE, Figures
from agent.web.greeting import in_shadow
from agent.web.running import ANSWER_SECONDS

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_BREAKER = re.compile(r'^rolecall_breaker_open\{source="([^"]+)"\} 1', re.MULTILINE)


def lines(
    now: Figures,
    pace: float | None,
    at: datetime,
    *,
    shadow: bool | Mapping[str, Sequence[str]] = False,
    hidden: bool = False,
    left_alone: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[str]:
    """Yield the lines from the database; `pace`: events a second done lately; `left_alone`: tickets by the reason."""
    for state, name in (("waiting", "waiting"), ("working", "working"), ("dead", "set aside")):
        yield f"{name}: {now.events.get(state, 0):,}"
    if now.oldest is None:
        yield "oldest: none"
    else:
        yield f"oldest: received {now.oldest:%Y-%m-%d %H:%M:%S} UTC, {duration(at - now.oldest)} ago"
    yield f"time to drain: {_time_to_drain(now.events.get('waiting', 0), pace)}"
    yield f"comments: {_comments(now.paused, shadow, hidden)}"
    if left_alone:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(left_alone.items()))
        yield f"left alone by [triage]: {reasons}, of the latest {LATEST_DECISIONS:,} decisions"


def _comments(paused: str | None, shadow: bool | Mapping[str, Sequence[str]], hidden: bool) -> str:
    if isinstance(shadow, Mapping):
        return f"{f'paused, {paused}' if paused else 'on'}; none are posted{in_shadow(shadow)}, [triage] shadow"
    if shadow:
        return "none are posted, [triage] shadow is on" + (f"; paused as well, {paused}" if paused else "")
    if hidden:
        also = f"; paused as well, {paused}" if paused else ""
        return f"none are posted, every role is in shadow: `rolecall ladder begin`{also}"
    return f"paused, {paused}" if paused else "on"


def _time_to_drain(waiting: int, pace: float | None) -> str:
    if not waiting:
        return "nothing waits"
    if pace is None:
        usual = duration(timedelta(seconds=waiting / USUAL_RATE))
        return f"{usual} once work goes on, at the usual {USUAL_RATE:.0f} events a second; nothing was done lately"
    return f"{duration(timedelta(seconds=waiting / pace))}, at {pace:.1f} events a second lately"


def duration(length: timedelta) -> str:
    """Return a length of time rounded to its largest unit."""
    seconds = max(length.total_seconds(), 0.0)
    for size, unit in _UNITS:
        number = round(seconds / size)
        if seconds >= size and number:
            return f"{number} {unit}{'s' * (number != 1)}"
    return "less than a second"


def of_server(url: str) -> str:
    """Return the line about the server at this address: whether it answers, and which systems it leaves alone."""
    try:
        answer = httpx.get(f"{url}/metrics", timeout=ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return f"server: does not answer at {url}"
    left_alone = _BREAKER.findall(answer.text)
    if left_alone:
        return f"server: answers at {url}; leaves {', '.join(left_alone)} alone for a while, after failures"
    return f"server: answers at {url}"
