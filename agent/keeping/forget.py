"""Carry out requests to forget: the comments that quote, the models that learnt, all rows, and what they leave behind.

The order makes a request that was interrupted safe to repeat: it is noted first, and the rows by which its tickets are
found are deleted last. No training runs meanwhile: it would publish what it had read before.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlmodel import Session

from agent.data_directory import DataDirectory
from agent.domain import REQUESTER, id_of, pseudonym, source_of
from agent.errors import NotPossibleYet
from agent.keeping import forgetting
from agent.keeping.forgetting import BEFORE, TICKET, Note, Quote
from agent.keeping.note_file import add_notes
from agent.keeping.swap import copies
from agent.notes.speak import find_ours
from agent.serving.pruning import learnt_from, remove
from agent.serving.registry import Registry
from agent.store import blobs, comments, coordination
from agent.store.compaction import compact
from agent.store.copying import copies_before_upgrades
from agent.store.database import Database
from agent.store.tables import Forgotten, utcnow
from connectors.base import Connector
from connectors.errors import ConnectorError, TicketNotFound

MODEL_FORGOTTEN = "a ticket that it learnt from was forgotten"


@dataclass(frozen=True, slots=True)
class Done:
    """What was deleted, and the versions that went because they had learnt from it."""

    tickets: int
    comments: int
    versions: tuple[str, ...]
    unknown_requesters: int


def note_of(key: bytes, now: datetime, *, ticket: str | None, requester: str | None, before: date | None) -> Note:
    """Return the note for exactly one of the three."""
    if before is not None:
        return Note(now, BEFORE, datetime.combine(before, time(), UTC).isoformat())
    if requester is not None:
        return Note(now, REQUESTER, pseudonym(key, REQUESTER, requester))
    return Note(now, TICKET, pseudonym(key, TICKET, ticket or ""))


async def forget(
    database: Database,
    directory: DataDirectory,
    key: bytes,
    connectors: Mapping[str, Connector] | None,
    notes: Sequence[Note],
) -> Done:
    """Forget what the notes say. `key` is the one that their pseudonyms were made with.

    Comments that quote a forgotten ticket are edited in the helpdesk, but for `connectors` None. Raises NotPossibleYet
    where one cannot be; the request can be repeated. Hold the lock of trainings meanwhile.
    """
    add_notes(directory.forgotten, notes)
    found = database.call(forgetting.find, key, notes)
    quotes = database.call(forgetting.quoting, found.tickets)
    for quote in quotes if connectors is not None else ():
        await _edit(database, connectors or {}, quote)
    registry = Registry(directory.models, directory.encoders)
    versions = learnt_from(registry, found.names) if found.tickets else []
    remove(registry, versions, MODEL_FORGOTTEN)
    shutil.rmtree(directory.training, ignore_errors=True)
    for aside in copies(directory.path):
        shutil.rmtree(aside)
    for copy in copies_before_upgrades(directory.path):
        copy.unlink()
    shared = database.call(_delete, found, quotes, notes, versions)
    compact(database)
    unknown = database.call(forgetting.unknown_requesters) if any(n.kind == REQUESTER for n in notes) else 0
    return Done(len(found.tickets), len(quotes), tuple(sorted({*versions, *shared})), unknown)


async def _edit(database: Database, connectors: Mapping[str, Connector], quote: Quote) -> None:
    """Blank the quoted words in our comment on another ticket, as it is there now."""
    source, ticket_id = source_of(quote.ticket_key), id_of(quote.ticket_key)
    connector, row = connectors.get(source), database.call(comments.get, quote.ticket_key)
    if connector is None or row is None or not connector.capabilities.edits_comments:
        return
    try:
        ours = find_ours(await connector.read_ticket(ticket_id), connector.author_id, row.marker, row.remote_id)
        text = forgetting.blanked(ours.text, quote.subjects) if ours else ""
        if ours is None or text == ours.text:
            return
        database.call(comments.attempt, quote.ticket_key, utcnow())
        stored = await connector.edit_comment(ticket_id, ours.id or "", text)
    except TicketNotFound:
        return
    except ConnectorError as error:
        raise NotPossibleYet(
            f"our comment on {quote.ticket_key} quotes a ticket to forget and cannot be edited: {error}. Nothing was "
            "deleted yet: try again, or forget with --offline and edit the comment by hand"
        ) from error
    version, words = row.version or "", row.staff_text
    database.call(comments.posted, quote.ticket_key, stored, utcnow(), version, words, row.choices or [])


def _delete(
    session: Session,
    found: forgetting.Found,
    quotes: Sequence[Quote],
    notes: Collection[Note],
    versions: Collection[str],
) -> list[str]:
    """Delete the rows and, of a cluster, the shared versions; return these."""
    now = utcnow()
    forgetting.forget(session, found, quotes, now)
    shared = blobs.learnt_from(session, found.names)
    for version in {*versions, *shared}:
        blobs.drop(session, f"models/{version}")
    coordination.withdraw(session, {*versions, *shared})
    for note in notes:
        session.add(Forgotten(at=now, kind=note.kind, value=note.value))
    return shared
