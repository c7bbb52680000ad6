"""Find out which column of a history holds what: by the names that helpdesks use, roles by what the cells say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from agent.domain import RoleCatalogue
from agent.errors import BadInput
from agent.feedback.column_names import KNOWN, SEPARATOR
from agent.feedback.named_roles import named_roles
from agent.tabular.row import Cell

NUMBER_SIGN = re.compile("\\b[nN]\\.?[°º]\\.?|№")
ACCENT = re.compile("[\u0300-\u036f]")
"""Of Latin, Greek and Cyrillic letters; those of Indic ones are letters themselves."""
BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]$")
"""Behind a name, such as the time zone of dates: "Created (UTC)"."""

MOSTLY = 0.5
"""Share of a column's cells that must name roles, for it to be taken for the roles whatever its name."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The name of the column (CSV) or key (JSON) that holds each field; None for a field that no column holds."""

    id: str
    subject: str | None
    body: str | None
    role: str
    created_at: str | None

    @property
    def wanted(self) -> list[str]:
        """The columns that are there, in the order of the fields."""
        return [name for field in fields(self) if (name := getattr(self, field.name)) is not None]

    def fields_of(self, cells: Sequence[Cell]) -> dict[str, Cell]:
        """Return the cells of `wanted` by the names of their fields."""
        held = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        return dict(zip(held, cells, strict=True))


def fold(name: str) -> str:
    """Return the form in which names of columns are compared: no case, blanks between words, no path before it.

    Accents, which some exports drop, and signs that nobody sees, such as a blank of no width, are none of it; "N°",
    "Nº" and "№" are "no".
    """
    seen = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")
    plain = unicodedata.normalize("NFKD", NUMBER_SIGN.sub("no ", seen).replace("\u2019", "'"))
    bare = unicodedata.normalize("NFC", ACCENT.sub("", plain))
    last = bare.strip(" :*.").rpartition(".")[2]
    return " ".join(last.casefold().replace("_", " ").replace("-", " ").split())


def choose(
    file: Path,
    there: Sequence[str],
    sample: Sequence[Sequence[Cell]],
    told: Mapping[str, str | None],
    roles: RoleCatalogue,
) -> Columns:
    """Return the columns: those that are told, else guessed from names and a sample of rows. Raises BadInput.

    `told` has the operator's name of each field, or None.
    """
    if not there:
        raise BadInput(f"{file} is empty, or its first row is; export it again, with its column names in the first row")
    chosen: dict[str, str | None] = {field: _told(there, name) for field, name in told.items() if name is not None}
    if unknown := [f"{told[field]} (--{field.replace('_', '-')})" for field, name in chosen.items() if name is None]:
        raise BadInput(f"{file}: no column {', '.join(unknown)}; there is {', '.join(there) or 'nothing'}")
    if "role" not in chosen:
        chosen["role"] = _of_roles(there, sample, roles, set(chosen.values()))
    for field, names in KNOWN.items():
        if field not in chosen:
            chosen[field] = _known(there, names, set(chosen.values()))
    missing = [field for field in ("id", "role") if chosen[field] is None]
    if chosen["subject"] is None and chosen["body"] is None:
        missing.append("subject or body")
    if missing:
        options = ", ".join(f"--{name}" for field in missing for name in field.split(" or "))
        one = " or, where these are several, give --separator" if len(there) == 1 else ""
        raise BadInput(
            f"{file}: no column for {', '.join(missing)}; there is {', '.join(there)} (name it: {options}{one})"
        )
    return Columns(str(chosen["id"]), chosen["subject"], chosen["body"], str(chosen["role"]), chosen["created_at"])


def _told(there: Sequence[str], name: str) -> str | None:
    return name if name in there else next((each for each in there if fold(each) == fold(name)), None)


def _known(there: Sequence[str], names: str, taken: set[str | None]) -> str | None:
    wanted = [fold(name) for name in names.split(SEPARATOR)]
    free = {fold(BRACKETS.sub("", each)): each for each in reversed(there) if each not in taken}
    free |= {fold(each): each for each in reversed(there) if each not in taken}
    return next((free[name] for name in wanted if name in free), None)


def _of_roles(
    there: Sequence[str], sample: Sequence[Sequence[Cell]], roles: RoleCatalogue, taken: set[str | None]
) -> str | None:
    """Return the column called `role`, else the one most of whose cells name roles, else one with a known name."""
    if found := _known(there, "role", taken):
        return found
    shares = {
        name: _share([row[place] for row in sample], roles) for place, name in enumerate(there) if name not in taken
    }
    best = max(shares.values(), default=0.0)
    if best >= MOSTLY:
        equal = [name for name, share in shares.items() if share == best]
        return _known(equal, KNOWN["role"], set()) or equal[0]
    return _known(there, KNOWN["role"], taken)


def _share(cells: Sequence[Cell], roles: RoleCatalogue) -> float:
    filled = [cell for cell in cells if cell and (not isinstance(cell, str) or cell.strip())]
    return sum(_roles_in(cell, roles) for cell in filled) / len(filled) if filled else 0.0


def _roles_in(cell: Cell, roles: RoleCatalogue) -> float:
    """Return the share of roles among what a cell names."""
    try:
        named = named_roles(cell, roles)
    except ValueError:
        return 0.0
    return len(named.roles) / (len(named.roles) + len(named.others))
