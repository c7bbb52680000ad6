"""An installation in which a ticket's words are planted wherever a table can hold them, and a search for them."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Boolean, Column, DateTime, Float, Integer, LargeBinary
from sqlmodel import Session

from agent.core import Parts
from agent.serving.artefact import MANIFEST
from agent.store.connector_data import KEYS
from agent.store.coordination import Utc

WORDS = "ZEBRA-CANARY-7431"
TICKET = "desk:1"
OTHER = "desk:2"
REQUESTER = "Zoë.Zebra@example.org"
AT = datetime(2026, 1, 5, tzinfo=UTC)


def plant(session: Session) -> None:
    """Give each table that is kept by ticket a row about TICKET in which every field that can holds WORDS."""
    for table, key in KEYS:
        columns = table.__table__.columns
        row = {
            column.name: filled(column)
            for column in columns
            if not (column.primary_key and isinstance(column.type, Integer))
        }
        row |= {name: text for name, text in EXACT.items() if name in columns}
        session.execute(table.__table__.insert(), row | {key.key: TICKET})


EXACT: dict[str, Any] = {
    "event": json.dumps({"ticket": {"requester": REQUESTER, "body": WORDS}}),
    "raw": WORDS.encode(),
    "parts": [["fix", [[WORDS, 1, "1"]]]],
    "detail": {"hits": [{"phrase": WORDS}], "neighbours": []},
    "requester": None,
    "source": "desk",
    "kind": "created",
    "state": "done",
    "traceparent": None,
    "delivery_id": "1",
    "content_hash": "1",
    "number": 1,
}
"""What the code reads in one form only, and what holds no words."""


def filled(column: Column[Any]) -> object:
    """Return a value of the column's type, with WORDS in it where it can hold any."""
    match column.type:
        case Utc() | DateTime():
            return AT
        case JSON():
            return [WORDS]
        case LargeBinary():
            return WORDS.encode()
        case Boolean():
            return False
        case Float():
            return 0.5
        case Integer():
            return 1
        case _:
            return WORDS


def leave_files(parts: Parts, learnt: dict[str, list[str]]) -> None:
    """Write versions that learnt from these tickets, a killed training's folder and what restores leave, with WORDS."""
    for version, keys in learnt.items():
        folder = parts.directory.models / version
        stated = json.loads((folder / MANIFEST).read_text())
        (folder / MANIFEST).write_text(json.dumps(stated | {"tickets": {"train": keys}}))
        (folder / "vocabulary").write_text(WORDS if TICKET in keys else "harmless")
    folder = parts.directory.training / "fit-1"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(WORDS)
    (parts.directory.path / "before-upgrade-from-0001-20260101T000000000000Z.sqlite3").write_text(WORDS)
    for left_behind in (".before-restore-20260101T000000Z", ".restoring-abc"):
        (parts.directory.path / left_behind).mkdir()
        (parts.directory.path / left_behind / "rolecall.sqlite3").write_text(WORDS)


def places(folder: Path, words: str) -> list[str]:
    """Return the files below a folder in which the words stand, in any usual encoding, every byte searched."""
    sought = [words.encode(), words.encode("utf-16-le"), words.encode("utf-16-be"), json.dumps(words)[1:-1].encode()]
    files = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
    return sorted(str(file.relative_to(folder)) for file in files if any(s in file.read_bytes() for s in sought))
