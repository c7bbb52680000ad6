"""Change a ticket as a manifest says, and read when it went from one group to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Change, Field
from connectors.errors import Permanent, TicketNotFound
from connectors.events import Move
from connectors.manifest import placeholders
from connectors.manifest.access import Access
from connectors.manifest.lists import read_list
from connectors.manifest.mapping import holds, moment, sought
from connectors.manifest.model import Groups, More
from connectors.manifest.system import System, changes
from connectors.manifest.values import name_of, text_of, texts_of


async def change_ticket(access: Access, system: System, values: Mapping[str, Any], change: Change) -> None:
    """Carry out a change; `values` are those of requests about the ticket. Raises ConnectorError."""
    manifest = system.manifest
    write = changes(manifest).get(change.field)
    if write is None:
        raise Permanent(f"{manifest.name}: a manifest without the request cannot change the {change.field} of a ticket")
    filled = {**values, change.field.value: change.value.replace("\0", "").encode("utf-8", "replace").decode()}
    if change.field is Field.GROUP:
        filled["group"] = await _group_id(access, system, values, change.value)
    if change.field is Field.TAG and "tags" in placeholders.names([write.query, write.body, write.form]):
        apart = manifest.ticket.tags_separator
        if apart is not None and apart in change.value:
            raise Permanent(
                f"{change.value}: a tag of {manifest.name} cannot hold {apart!r}, which stands between tags"
            )
        row = await read_row(access, system, values)
        tags = list(dict.fromkeys((*(texts_of(sought(manifest.ticket.tags, row), apart) or ()), change.value)))
        if manifest.tags is not None:
            tags = await _ids(access, system, manifest.tags, values, tags, "tag")
        filled["tags"] = tags if apart is None else f"{apart}{' ' if apart.strip() else ''}".join(tags)
    elif change.field is Field.TAG and manifest.tags is not None:
        (filled["tag"],) = await _ids(access, system, manifest.tags, values, [change.value], "tag")
    await access.write(write, filled)


async def read_row(access: Access, system: System, values: Mapping[str, Any]) -> Any:
    """Return a ticket as the system answers it. Raises ConnectorError.

    Where a ticket is asked for by a query, an answer without it says that it is not there.
    """
    read = system.manifest.read
    answer = await access.read(read, values)
    row = sought(read.at, answer) if read.at is not None else answer
    if read.at is not None and row in (None, False) and isinstance(answer, dict):
        raise TicketNotFound(f"{' '.join(read.request)}: the answer has no ticket at {read.at.text}")
    for more in read.more:
        if not isinstance(row, dict):
            raise Permanent(f"{' '.join(read.request)}: the ticket is no table, to which [read] more could add")
        row = {**row, more.name: await _told_besides(access, more, row, values)}
    return row


async def _told_besides(access: Access, more: More, row: Any, values: Mapping[str, Any]) -> Any:
    """Return what another request tells of a ticket that is there; None where it knows nothing."""
    item = None if more.item is None else name_of(sought(more.item, row))
    if more.item is not None and item is None:
        return None
    try:
        return sought(more.value, await access.read(more, {**values, "item": item}))
    except TicketNotFound:
        return None


async def read_moves(access: Access, system: System, values: Mapping[str, Any]) -> list[Move]:
    """Return a ticket's moves, oldest first; rows without a time tell none. Raises ConnectorError."""
    moves = system.manifest.moves
    if moves is None:
        raise Permanent(f"{system.manifest.name} does not tell when a ticket went from one group to another")
    if moves.listing is not None:
        rows = (await read_list(access, moves.listing, values)).rows
    else:
        rows = sought(moves.inside, await read_row(access, system, values))
    names = await _names(access, system, values) if moves.ids and rows else None
    found = []
    for row in rows if isinstance(rows, list) else ():
        before, after = name_of(sought(moves.before, row)), name_of(sought(moves.after, row))
        if names is not None:
            before, after = names.get(before or ""), names.get(after or "")
        is_move = moves.when is None or holds(moves.when, row)
        if is_move and (at := moment(moves.at, row)) is not None:
            found.append(Move(at, before or None, after or None, name_of(sought(moves.author, row)) or None))
    return sorted(found, key=lambda move: move.at)


async def _group_id(access: Access, system: System, values: Mapping[str, Any], name: str) -> Any:
    """Return what the system calls a group in a request. Raises Permanent where it is not there."""
    manifest = system.manifest
    if manifest.groups is None:
        number = manifest.assign is not None and manifest.assign.number
        if number and not (name.isascii() and name.isdigit()):
            raise Permanent(f"{name}: a group of {manifest.name} is a number: write it so in roles.toml")
        return int(name) if number else name
    return (await _ids(access, system, manifest.groups, values, [name], "group"))[0]


async def _ids(
    access: Access, system: System, where: Groups, values: Mapping[str, Any], wanted: Sequence[str], what: str
) -> list[Any]:
    """Return the ids of groups or tags. Raises Permanent where one is not there, or may be behind what may be read."""
    found = dict[str | None, Any]()

    def read(rows: list[Any]) -> bool:
        for row in rows:
            found.setdefault(text_of(sought(where.name, row)), sought(where.id, row))
        return all(name in found for name in wanted)

    listed = await read_list(access, where, values, read)
    if missing := [] if read(listed.rows) else [name for name in wanted if name not in found]:
        mend = "see the groups in roles.toml" if what == "group" else "make it there"
        mend = mend if listed.complete else f"the list is longer than [{what}s] page.most allows to read"
        raise Permanent(f"{system.manifest.name} shows our account no {what} {missing[0]}: {mend}")
    return [found[name] for name in wanted]


async def _names(access: Access, system: System, values: Mapping[str, Any]) -> dict[str, str | None]:
    groups = system.manifest.groups
    rows = (await read_list(access, groups, values)).rows if groups is not None else []
    return {
        text_of(sought(groups.id, row)) or "": text_of(sought(groups.name, row)) for row in rows if groups is not None
    }
