"""Read a history, a file of reviewed tickets, in two passes: the first finds every fault, the second gives the rows.

So a file of any size needs little memory, and nothing is imported before all of it was understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.domain import RoleCatalogue
from agent.errors import BadInput
from agent.feedback.dates import Dates
from agent.feedback.form import Form, Told, form_of
from agent.feedback.importing import Reviewed
from agent.feedback.named_roles import UnknownRole
from agent.tabular.row import SWALLOWED, Cell, Row

FAULTS_SHOWN = 20
UNKNOWN_COUNTED = 1_000
"""Names that are no role: more would be texts in the wrong column."""


@dataclass(frozen=True, slots=True)
class History:
    """A file as it is understood, and what is wrong with it. `valid`, `repeated` and `faulty` count all its rows."""

    form: Form
    valid: int
    repeated: int
    """Rows that say what another one says."""

    faulty: int
    faults: tuple[str, ...]
    """A line for each of the first faults, then what is no role: names, rows, first lines."""

    contested: frozenset[int]
    """Hashes of the ids that different rows have: all of these are faulty."""

    def rows(self) -> Iterator[Reviewed]:
        """Yield the valid rows, reading the file again.

        Where there are no dates, a second lies between two rows, and the last one is as old as the file.
        """
        written: set[int] = set()
        end = min(datetime.now(UTC), datetime.fromtimestamp(self.form.file.stat().st_mtime, UTC))
        for row in self.form.rows():
            reviewed = _understood(self.form, row.cells) if row.fault is None else None
            if reviewed is None or (identity := identity_of(reviewed)) in self.contested or identity in written:
                continue
            written.add(identity)
            before_end = timedelta(seconds=self.valid - len(written))
            yield reviewed if self.form.dates is not Dates.NONE else replace(reviewed, filed_at=end - before_end)


@dataclass(slots=True)
class _Unknown:
    """A name that is no role: the line on which it stands first, the roles that it may mean, and in how many rows."""

    line: int
    near: tuple[str, ...] = ()
    rows: int = 0


@dataclass(slots=True)
class _Counts:
    """What the first pass finds. Ids and texts are kept as 64-bit hashes: a desk has millions of them."""

    seen: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By id: the line on which it was seen first, and what that row says."""

    contested: set[int] = field(default_factory=set)
    repeated: int = 0
    faulty: int = 0
    faults: list[str] = field(default_factory=list)
    unknown: dict[str, _Unknown] = field(default_factory=dict)
    """Names for which a row is faulty."""

    beside: dict[str, _Unknown] = field(default_factory=dict)
    """Labels beside known roles, which are left out."""

    def fault(self, place: str, why: object) -> None:
        """Count a faulty row, and keep its fault if it is among the first."""
        self.faulty += 1
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append(f"{place}: {why}")

    def unknown_role(self, line: int, error: UnknownRole) -> None:
        """Count a faulty row that names no role of ours."""
        self.faulty += 1
        _count(self.unknown, error.name, line, error.near)

    def in_words(self, file: Path) -> Iterator[str]:
        """Yield the first faults, then what is no role."""
        yield from self.faults
        yield from _listed(
            f"{file}: no roles, so that rows are faulty (name them in roles.toml, or as aliases)", self.unknown
        )
        yield from _listed(f"{file}: no roles, and left out beside the roles of their rows", self.beside)


def _count(names: dict[str, _Unknown], name: str, line: int, near: tuple[str, ...] = ()) -> None:
    if name in names or len(names) < UNKNOWN_COUNTED:
        names.setdefault(name, _Unknown(line, near)).rows += 1


def _listed(title: str, names: Mapping[str, _Unknown]) -> Iterator[str]:
    """Yield the names, those of most rows first, below a title."""
    if names:
        yield f"{title}:"
    for name, found in sorted(names.items(), key=lambda item: -item[1].rows)[:FAULTS_SHOWN]:
        meant = f"; did you mean {' or '.join(found.near)}?" if found.near else ""
        yield f"  {name!r}: {found.rows} row{'s' * (found.rows > 1)}, first on line {found.line}{meant}"
    if len(names) > FAULTS_SHOWN:
        yield f"  and {len(names) - FAULTS_SHOWN} more names"


def read(file: Path, told: Told, roles: RoleCatalogue) -> History:
    """Read a history and find what is wrong with it. Raises BadInput where the file as a whole cannot be used."""
    form, counts = form_of(file, told, roles), _Counts()
    for row in form.rows():
        _check(form, row, counts)
    if not counts.seen and not counts.faulty:
        raise BadInput(f"{file} holds no row")
    valid, contested = len(counts.seen) - len(counts.contested), frozenset(counts.contested)
    return History(form, valid, counts.repeated, counts.faulty, tuple(counts.in_words(file)), contested)


def _check(form: Form, row: Row, counts: _Counts) -> None:
    """Count a row, and find what is wrong with it. Raises BadInput where it has swallowed others."""
    place = f"{form.file}:{row.line}"
    if row.fault is not None:
        counts.fault(place, row.fault)
        return
    if row.within and not form.own and _swallowed(form, row):
        raise BadInput(SWALLOWED.format(place=place))
    try:
        reviewed = form.reviewed(row.cells)
    except UnknownRole as error:
        counts.unknown_role(row.line, error)
        return
    except ValueError as error:
        counts.fault(place, error)
        return
    identity, said = identity_of(reviewed), hash((reviewed.subject, reviewed.body, reviewed.roles))
    for other in reviewed.others:
        _count(counts.beside, other, row.line)
    line, before = counts.seen.setdefault(identity, (row.line, said))
    if line == row.line:
        return
    if said == before:
        counts.repeated += 1
        return
    why = f"{reviewed.id!r} is the id of different rows, on lines {line} and {row.line}"
    if identity not in counts.contested:
        counts.contested.add(identity)
        counts.fault(f"{form.file}:{line}", why)
    counts.fault(place, why)


def identity_of(reviewed: Reviewed) -> int:
    """Return a hash of what tells a ticket from others."""
    return hash((reviewed.helpdesk, reviewed.id))


def _swallowed(form: Form, row: Row) -> bool:
    """Return whether the lines of a row are rows themselves: one in the middle, or both the first and the last."""
    first, *middle, last = (cells is not None and _understood(form, cells) is not None for cells in row.within)
    return any(middle) or (first and last)


def _understood(form: Form, cells: tuple[Cell, ...]) -> Reviewed | None:
    try:
        return form.reviewed(cells)
    except ValueError:
        return None
