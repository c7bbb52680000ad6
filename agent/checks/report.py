"""What a bug report needs to say about an installation, without a secret and without a word of a ticket.

What comes from the database is counted, or compared with words that are ours; nothing is quoted from it. The settings'
secrets are left out where they are read and looked for once more in the whole text, before it is written.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr
from sqlalchemy import func
from sqlmodel import Session, SQLModel, col, select

from agent.checks import CHECKS
from agent.checks.finding import Level
from agent.checks.floods import floods
from agent.checks.groups import groups
from agent.checks.installation import Installation
from agent.checks.notices import notices
from agent.checks.restored import restored
from agent.checks.scope import scope
from agent.config.secret_settings import secret_values
from agent.domain import Outcome, TrainingOutcome
from agent.store.inbox import OPEN
from agent.store.tables import Decision, Inbox, Training

QUOTING = (floods, groups, notices, restored, scope)
"""Checks that quote what is in the database: names of accounts and groups, a mail service's answer."""

STATES = (*OPEN, "done", "dead", "dropped")
LOG_LINES = 500
LOG_FIELDS = frozenset(
    {"event", "level", "timestamp", "seq", "kind", "outcome", "seconds", "attempts", "status", "exit_code", "version"}
)
"""What is copied of a line of the log; every other value may be somebody's words."""

PLAIN = re.compile(r"[a-z0-9_.:+TZ-]{1,60}")
"""Names and times of ours; a sentence is none."""

HIDDEN = "(set, not shown)"
MOST_METRICS = 200_000
TRAININGS = 10


def report(installation: Installation, log: Path | None, now: datetime) -> str:
    """Return the report. `log` is a file of JSON lines, as the server writes them."""
    sections: Mapping[str, Callable[[], object]] = {
        "versions": versions,
        "machine": lambda: machine(installation.directory.path),
        "settings": lambda: shown(installation.settings),
        "check": lambda: list(checked(installation)),
        "database": lambda: counted(installation),
        "files": lambda: list(listed(installation.directory.path)),
        "metrics": lambda: metrics(installation.directory.served_at()),
        "log": lambda: tail(log),
    }
    parts: dict[str, object] = {"made_at": now.astimezone(UTC).isoformat()}
    for name, section in sections.items():
        try:
            parts[name] = section()
        except Exception as error:  # noqa: BLE001 - a report on what is broken must not break with it
            parts[name] = f"cannot be told: {type(error).__name__}"
    return without(json.dumps(parts, indent=1, default=str), secret_values(installation.settings))


def without(text: str, secrets: frozenset[str]) -> str:
    """Return the text without any of the secrets, and without names and passwords in addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(json.dumps(secret)[1:-1], HIDDEN).replace(secret, HIDDEN)
    return re.sub(r"://[^/@\s\"]+@", "://", text)


def versions() -> dict[str, str]:
    """Return the versions of Rolecall, Python, SQLite and each package that Rolecall names."""
    found = {"rolecall": version("rolecall"), "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for line in requires("rolecall") or ():
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine(folder: Path) -> dict[str, object]:
    """Return what Rolecall runs on."""
    disk = shutil.disk_usage(next(path for path in (folder, *folder.absolute().parents) if path.exists()))
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "memory_mb": pages >> 20,
        "disk_free_mb": disk.free >> 20,
        "user": os.geteuid(),
        "time_zone": f"{datetime.now().astimezone():%z}",
    }


def shown(held: object) -> object:
    """Return settings as they are, but for those that are never shown."""
    if isinstance(held, SecretStr):
        return HIDDEN
    if isinstance(held, BaseModel):
        return {name: shown(getattr(held, name)) for name in type(held).model_fields}
    if isinstance(held, Mapping):
        return {str(name): shown(value) for name, value in held.items()}
    if is_dataclass(held) and not isinstance(held, type):
        return {f.name: shown(getattr(held, f.name)) if f.repr else HIDDEN for f in fields(held)}
    return held if isinstance(held, bool | int | float | None) else str(held)


def checked(installation: Installation) -> Iterator[str]:
    """Yield what `rolecall check` finds on this machine, without what quotes the database."""
    for check in CHECKS:
        for found in check(installation):
            hidden = check in QUOTING and found.level is not Level.OK
            yield f"{found.level} {found.subject}: {'(not shown: it may quote a ticket)' if hidden else found.text}"


def counted(installation: Installation) -> dict[str, object]:
    """Return the schema, and numbers of rows."""
    if installation.database is None:
        return {"schema": installation.schema}
    return {"schema": installation.schema, **installation.database.call(_counts)}


def _counts(session: Session) -> dict[str, object]:
    tables = {name: session.execute(select(func.count()).select_from(table)).scalar_one() for name, table in _tables()}
    states = Counter(session.exec(select(Inbox.state)).all())
    outcomes = Counter(session.exec(select(Decision.outcome)).all())
    trainings = session.exec(select(Training).order_by(col(Training.id).desc()).limit(TRAININGS)).all()
    failed = session.exec(select(Inbox).where(Inbox.state == "dead").order_by(col(Inbox.seq).desc()).limit(20)).all()
    return {
        "rows": tables,
        "events": _known(states, STATES),
        "decisions": _known(outcomes, tuple(Outcome)),
        "set_aside": [{"seq": e.seq, "attempts": e.attempts, "crashes": e.crashes, "at": e.done_at} for e in failed],
        "trainings": [
            {
                "started_at": run.started_at,
                "finished_at": run.finished_at,
                "outcome": run.outcome if run.outcome in tuple(TrainingOutcome) else "other",
            }
            for run in trainings
        ],
    }


def _tables() -> Iterator[tuple[str, Any]]:
    yield from sorted(SQLModel.metadata.tables.items())


def _known(counts: Counter[str], names: tuple[str, ...]) -> dict[str, int]:
    others = sum(number for name, number in counts.items() if name not in names)
    return {**{str(name): counts[name] for name in names}, "other": others}


def listed(folder: Path) -> Iterator[str]:
    """Yield mode, owner, size and path of all that lies in the data directory."""
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        yield f"{stat.filemode(status.st_mode)} {status.st_uid} {status.st_size} {path.relative_to(folder)}"


def metrics(address: str | None) -> list[str] | str:
    """Return what a running server counts."""
    if address is None:
        return "no server runs"
    try:
        answer = httpx.get(f"{address}/metrics", timeout=5, trust_env=False)
    except httpx.HTTPError as error:
        return f"no answer: {type(error).__name__}"
    return [line for line in answer.text[:MOST_METRICS].splitlines() if not line.startswith("#")]


def tail(log: Path | None) -> list[dict[str, object]] | str:
    """Return the last lines of a log, of each only fields that are ours."""
    if log is None:
        return "not given: --log FILE"
    lines = log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]
    return [kept for line in lines if (kept := _of_line(line))]


def _of_line(line: str) -> dict[str, object]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    ours = {name: said[name] for name in sorted(LOG_FIELDS & said.keys())}
    return {n: v for n, v in ours.items() if isinstance(v, int | float) or (isinstance(v, str) and PLAIN.fullmatch(v))}
