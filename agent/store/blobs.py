"""Files that every server of a database needs, in parts: a model is tens of megabytes, and no volume is shared."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from sqlmodel import Session, col, delete, select

from agent.store.tables import SharedFile

PART_BYTES = 4 * 1024 * 1024


def names(session: Session, folder: str) -> list[str]:
    """Return the names of the files stored under `folder/`, without that prefix."""
    rows = session.exec(select(SharedFile.name).where(col(SharedFile.name).startswith(f"{folder}/")).distinct())
    return sorted(name.removeprefix(f"{folder}/") for name in rows)


def content(session: Session, name: str) -> bytes:
    """Return the content stored under this name, b"" where there is none: for small files."""
    parts = session.exec(select(SharedFile).where(SharedFile.name == name).order_by(col(SharedFile.part)))
    return b"".join(part.content for part in parts)


def learnt_from(session: Session, ticket_keys: Collection[str]) -> list[str]:
    """Return the versions of the model, of those stored here, that learnt from any of these tickets."""
    manifests = [name for name in names(session, "models") if name.endswith("/manifest.json")]
    parts = {name: json.loads(content(session, f"models/{name}")).get("tickets", {}) for name in manifests}
    knowing = [name for name, by_part in parts.items() if set(ticket_keys) & {k for ks in by_part.values() for k in ks}]
    return [name.split("/")[0] for name in knowing]


def drop(session: Session, folder: str) -> None:
    """Delete the files stored under `folder/`."""
    session.execute(delete(SharedFile).where(col(SharedFile.name).startswith(f"{folder}/", autoescape=True)))


def keep(session: Session, name: str, file: Path) -> None:
    """Store the content of a file under this name, replacing what was there."""
    session.execute(delete(SharedFile).where(col(SharedFile.name) == name))
    for number, part in enumerate(_parts(file)):
        session.add(SharedFile(name=name, part=number, content=part))
        session.flush()
        session.expunge_all()


def fetch(session: Session, name: str, target: Path) -> None:
    """Write the content stored under this name into a file."""
    wanted = select(SharedFile.content).where(SharedFile.name == name).order_by(col(SharedFile.part))
    with target.open("wb") as file:
        for part in session.exec(wanted.execution_options(yield_per=1)):
            file.write(part)


def _parts(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while part := content.read(PART_BYTES):
            yield part
