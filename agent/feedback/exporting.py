"""Export known roles: each reviewed ticket with its role, and who gave it, when, and how strong that is.

`rolecall import` takes such a file back, on any installation that has the roles, and loses nothing of this.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from agent.domain import RoleCatalogue, Strength, id_of, source_of
from agent.store.long_transactions import take_time
from agent.store.tables import Review, Ticket
from agent.store.tickets import STANDING, counting_order

PLAIN = ("id", "subject", "body", "role", "created_at")
OWN = ("helpdesk", "strength", "reviewed_by", "reviewed_at", "rejected", "requester")
"""Columns by which `rolecall import` knows a file of ours."""

CHUNK = 500
KINDS = (".csv", ".parquet")

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet takes for a formula, behind the marks that keep it from doing so."""


def guarded(cell: str) -> str:
    """Return a cell that starts no formula in a spreadsheet; `unguarded` gives it back as it was."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return a cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def joined(roles: Sequence[str]) -> str:
    """Return several roles in one cell, as `agent.feedback.named_roles` reads them; none of ours is empty."""
    return json.dumps(list(roles), ensure_ascii=False) if len(roles) > 1 and ";" in "".join(roles) else "; ".join(roles)


def known_roles(session: Session, catalogue: RoleCatalogue) -> Iterator[dict[str, str]]:
    """Yield a row for each ticket with a known role, or none of ours, in the order in which these were given."""
    take_time(session.connection())
    counting: dict[str, Review] = {}
    for review in session.exec(select(Review).where(STANDING).order_by(*counting_order())):
        counting[review.ticket_key] = review  # the last one wins
    given = sorted((r for r in counting.values() if r.strength > Strength.REOPENED), key=lambda r: (r.at, r.id or 0))
    for some in _chunks(given):
        keys = [review.ticket_key for review in some]
        filed = {ticket.key: ticket for ticket in session.exec(select(Ticket).where(col(Ticket.key).in_(keys)))}
        yield from (_row(filed[r.ticket_key], r, catalogue) for r in some if r.ticket_key in filed)


def write(file: Path, rows: Iterable[dict[str, str]]) -> int:
    """Write a CSV or Parquet file, all of it or nothing, for its owner only; return how many rows it has."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        count = (_parquet if file.suffix.lower() == ".parquet" else _csv)(unfinished, rows)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _row(ticket: Ticket, review: Review, catalogue: RoleCatalogue) -> dict[str, str]:
    return {
        "id": id_of(ticket.key),
        "subject": ticket.subject,
        "body": ticket.body,
        "role": joined(catalogue.today(review.roles)),
        "created_at": ticket.filed_at.isoformat(),
        "helpdesk": source_of(ticket.key),
        "strength": Strength(review.strength).name.lower(),
        "reviewed_by": review.actor or "",
        "reviewed_at": review.at.isoformat(),
        "rejected": joined(catalogue.today(review.rejected)),
        "requester": ticket.requester or "",
    }


def _csv(file: Path, rows: Iterable[dict[str, str]]) -> int:
    count = 0
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow((*PLAIN, *OWN))
        for row in rows:
            writer.writerow([guarded(row[name]) for name in (*PLAIN, *OWN)])
            count += 1
    return count


def _parquet(file: Path, rows: Iterable[dict[str, str]]) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, pa.string()) for name in (*PLAIN, *OWN)])
    count = 0
    with parquet.ParquetWriter(file, schema) as writer:
        for some in _chunks(rows):
            writer.write_table(pa.Table.from_pylist(list(some), schema))
            count += len(some)
    return count


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    every = iter(rows)
    while some := list(islice(every, CHUNK)):
        yield some
