"""Import reviewed tickets from a file: years of tickets tagged by hand are the first training data."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session

from agent.domain import RoleCatalogue, Strength, Via, ticket_key
from agent.errors import BadInput
from agent.store import tickets
from agent.store.tables import Review, Ticket, utcnow

MAX_FIELD = 10_000_000
"""Characters in one CSV field; the library's own limit of 131,072 is too small for mail threads."""

FAULTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column (CSV) or key (JSONL) holds what."""

    id: str = "id"
    subject: str = "subject"
    body: str = "body"
    role: str = "role"
    created_at: str = "created_at"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A valid row."""

    id: str
    subject: str
    body: str
    roles: tuple[str, ...]
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """A file's valid rows, and a line for each faulty one."""

    rows: Sequence[Reviewed]
    faults: Sequence[str] = field(default=())


def read(file: Path, columns: Columns, roles: RoleCatalogue) -> History:
    """Read a CSV or JSONL file (by its ending). Raises BadInput where the file as a whole cannot be used.

    Several roles of one ticket are separated by `;`. A time without a zone is UTC.
    """
    rows, faults = [], []
    for line, record in _records(file, columns):
        try:
            rows.append(_row(record, columns, roles))
        except ValueError as error:
            faults.append(f"{file}:{line}: {error}")
    if not rows and not faults:
        raise BadInput(f"{file} holds no row")
    return History(rows, faults)


def take_in(session: Session, source: str, rows: Sequence[Reviewed], actor: str, roles: RoleCatalogue) -> int:
    """Store the rows as reviewed tickets of `source` and return how many reviews were new.

    A known ticket keeps its text. It is reviewed anew where the row has other roles than its latest import.
    """
    new, now = 0, utcnow()
    for row in rows:
        key = ticket_key(source, row.id)
        tickets.file(session, Ticket(key=key, subject=row.subject, body=row.body, filed_at=row.filed_at))
        earlier = tickets.imported(session, key)
        if earlier and set(roles.today(earlier[-1].roles)) == set(row.roles):
            continue
        new += tickets.review(
            session,
            Review(
                ticket_key=key,
                roles=list(row.roles),
                strength=Strength.CONFIRMED,
                via=Via.IMPORT,
                origin=f"{Via.IMPORT}-{len(earlier) + 1}" if earlier else Via.IMPORT,
                actor=actor,
                at=now if earlier else row.filed_at,
            ),
        )
    return new


def _records(file: Path, columns: Columns) -> Iterator[tuple[int, dict[str, str]]]:
    if file.suffix.lower() not in (".csv", ".jsonl"):
        raise BadInput(f"{file}: the name must end in .csv or .jsonl")
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            yield from _csv(file, text, columns) if file.suffix.lower() == ".csv" else _jsonl(text)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not UTF-8 at byte {error.start}") from error


def _csv(file: Path, text: Iterator[str], columns: Columns) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(MAX_FIELD)
    reader = csv.DictReader(text)
    missing = [name for name in (columns.id, columns.role) if name not in (reader.fieldnames or ())]
    if missing:
        there = ", ".join(reader.fieldnames or ()) or "nothing"
        raise BadInput(f"{file}: no column {', '.join(missing)}; there is {there} (see --help for the mapping)")
    try:
        for record in reader:
            yield reader.line_num, {k: v or "" for k, v in record.items() if k is not None and not isinstance(v, list)}
    except csv.Error as error:
        raise BadInput(f"{file}:{reader.line_num}: {error}") from error


def _jsonl(text: Iterator[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(text, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        yield number, {k: str(v) for k, v in record.items() if v is not None} if isinstance(record, dict) else {}


def _row(record: dict[str, str], columns: Columns, roles: RoleCatalogue) -> Reviewed:
    identifier = record.get(columns.id, "").strip()
    if not identifier:
        raise ValueError(f"no {columns.id}")
    subject, body = (record.get(name, "").replace("\0", "") for name in (columns.subject, columns.body))
    if not subject.strip() and not body.strip():
        raise ValueError("neither subject nor body")
    return Reviewed(identifier, subject, body, _roles(record.get(columns.role, ""), roles), _time(record, columns))


def _roles(text: str, roles: RoleCatalogue) -> tuple[str, ...]:
    named = []
    for name in filter(None, (part.strip() for part in text.split(";"))):
        role = roles.lookup(name)
        if role is None:
            near = roles.near(name)
            raise ValueError(f"no role {name!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
        named.append(role.name)
    if not named:
        raise ValueError("no role")
    return tuple(dict.fromkeys(named))


def _time(record: dict[str, str], columns: Columns) -> datetime:
    text = record.get(columns.created_at, "").strip()
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{columns.created_at} is {text!r}, not an ISO 8601 time") from None
