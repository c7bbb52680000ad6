"""The file of requests to forget, beside the database: where an older backup is restored, it says what must go again.

One JSON line for each, with pseudonyms and no text. It is only ever appended to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from agent.errors import BadInput
from agent.keeping.forgetting import Note

_NOTE: TypeAdapter[Note] = TypeAdapter(Note)


def read_notes(file: Path) -> list[Note]:
    """Return the notes in a file, none where there is no file. Raises BadInput, naming the line."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    notes = []
    for number, line in enumerate(lines, 1):
        try:
            notes.append(_NOTE.validate_json(line))
        except ValidationError:
            raise BadInput(f"{file}:{number}: this is no request to forget") from None
    return notes


def add_notes(file: Path, notes: Iterable[Note]) -> None:
    """Append the notes that the file does not hold yet, on the disk when this returns."""
    new = [note for note in notes if note not in read_notes(file)]
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8") as written:
        written.writelines(f"{_line(note.at, note.kind, note.value)}\n" for note in new)
        written.flush()
        os.fsync(written.fileno())


def _line(at: datetime, kind: str, value: str) -> str:
    return json.dumps({"at": at.isoformat(), "kind": kind, "value": value})
