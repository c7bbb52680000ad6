"""How the rows of a history are to be understood: what the operator says of the file, and what is guessed from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path

from agent.domain import RoleCatalogue, Strength
from agent.errors import BadInput
from agent.feedback.columns import Columns, choose
from agent.feedback.dates import Dates, dates_of
from agent.feedback.exporting import OWN, PLAIN, unguarded
from agent.feedback.importing import Reviewed
from agent.feedback.named_roles import UnknownRole, named_roles
from agent.tabular.code_pages import unscrambled
from agent.tabular.row import Cell, Row
from agent.tabular.table import Kind, Layout, layout_of, rows_of

SAMPLED = 200
"""Rows from which the columns are guessed."""

_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d{2,}")
"""A long number as a spreadsheet shows it: its last digits are gone."""

_AS_TEXT = re.compile(r"""^(?:="([^"]*)"|'(?=\d)(.*)|=HYPERLINK\("[^"]*"[,;]\s*"?([^"]*?)"?\)|(\d+)\.0)$""", re.I)
"""How a spreadsheet is told that a number is a text, how a link shows one, and what pandas makes of it."""

_EMPTY = re.compile(
    r"\s*(?:NULL|\(null\)|\\N|NaN|nan|<NA>|NaT|#N/[AD]|#NV|#[¡¿]?(?:REF|BEZUG|VALUE|VALOR|VALEUR|WERT|DIV/0|NAME|NOMBRE"
    r"|NOM|NUM|ZAHL|NULL|NULO|NUL)[!?])\s*"
)
"""What databases, pandas and spreadsheets write where nothing is."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the operator says of a file; what is None is guessed."""

    columns: Mapping[str, str | None] = field(default_factory=dict)
    encoding: str | None = None
    separator: str | None = None
    dates: Dates | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """A file's layout, columns and dates, and the roles that may be named in it."""

    file: Path
    layout: Layout
    columns: Columns
    widths: Mapping[str, int]
    """How many columns of the file have each name."""

    roles: RoleCatalogue
    dates: Dates = Dates.NONE
    garbled: str | None = None
    """A word of the first rows whose letters were decoded wrongly before the file was written."""

    def rows(self) -> Iterator[Row]:
        """Yield the file's rows, with the cells of the columns that are there. Raises BadInput."""
        with rows_of(self.file, self.layout) as table:
            yield from table.rows([*self.columns.wanted, *(OWN if self.own else ())])

    def reviewed(self, cells: tuple[Cell, ...]) -> Reviewed:
        """Return a row as a reviewed ticket. Raises ValueError with what is wrong."""
        if self.own:
            return self._exported(cells)
        given = self.columns.fields_of(cells)
        identifier = _AS_TEXT.sub(r"\1\2\3\4", _text(given["id"]).strip())
        if not identifier:
            raise ValueError(f"no {self.columns.id}")
        if _SHORTENED.fullmatch(identifier):
            raise ValueError(
                f"{self.columns.id} {identifier} was shortened by a spreadsheet: make the column text, and export again"
            )
        subject, body = (_said(given.get(name, "")).replace("\0", "") for name in ("subject", "body"))
        if not subject.strip() and not body.strip():
            raise ValueError("neither subject nor body")
        at = self.dates.read(_said(given.get("created_at", "")), self.columns.created_at or "")
        named = named_roles(given["role"], self.roles)
        return Reviewed(identifier, subject, body, named.roles, at, others=named.others)

    @property
    def own(self) -> bool:
        """Whether Rolecall exported the file, with all that it knows of each role."""
        return {*PLAIN, *OWN} <= self.widths.keys() and self.columns.wanted == list(PLAIN)

    def _exported(self, cells: tuple[Cell, ...]) -> Reviewed:
        """Return a row of a file of our own as it was. Raises ValueError."""
        undo = unguarded if self.layout.kind == Kind.DELIMITED else str
        told = dict(zip((*self.columns.wanted, *OWN), (undo(_text(cell)) for cell in cells), strict=True))
        if not told["id"] or not told["helpdesk"] or ":" in told["helpdesk"]:
            raise ValueError("no id, or no helpdesk")
        try:
            strength = Strength[told["strength"].upper()]
        except KeyError:
            raise ValueError(f"strength {told['strength']!r} is none of ours") from None
        if strength == Strength.REOPENED:
            raise ValueError("strength 'reopened' is no role")
        roles, rejected = (self._named(told[name]) for name in ("role", "rejected"))
        filed_at, at = (Dates.DAY_FIRST.read(told[name], name) for name in ("created_at", "reviewed_at"))
        return Reviewed(
            *(told["id"], told["subject"], told["body"], roles, filed_at, strength, told["helpdesk"], at),
            told["reviewed_by"] or None,
            rejected,
            told["requester"] or None,
        )

    def _named(self, cell: str) -> tuple[str, ...]:
        """Return the roles of a cell that holds nothing else. Raises UnknownRole."""
        if not cell:
            return ()
        named = named_roles(cell, self.roles)
        if named.others:
            raise UnknownRole(named.others[0], self.roles)
        return named.roles

    def in_words(self) -> Iterator[str]:
        """Yield how the file is understood, guess by guess, each with the option that overrules it."""
        yield f"{self.file}: {self.layout} (--encoding, --separator)"
        if self.own:
            yield "  exported by Rolecall: who gave each role, when and how strongly is kept"
        for name in (each.name for each in fields(self.columns)):
            column = getattr(self.columns, name)
            times = self.widths.get(column, 1) if column else 1
            held = "nothing" if column is None else f"{column!r}" + (f", {times} columns" if times > 1 else "")
            yield f"  {name.replace('_', ' ')}: {held} (--{name.replace('_', '-')})"
        yield f"  dates: {self.dates.in_words()} (--dates)"
        if self.garbled is not None:
            meant = unscrambled(self.garbled)
            yield f"  {self.garbled!r} was meant to be {meant!r}: export again as UTF-8, or no rule finds such words"


def form_of(file: Path, told: Told, roles: RoleCatalogue) -> Form:
    """Return how a file is to be understood. Raises BadInput where it cannot be."""
    layout, widths, sample, columns = _below_titles(file, told, roles)
    undated = Form(file, layout, columns, widths, roles)
    words = (word for cells in sample for cell in cells for word in _text(cell).split())
    garbled = next((word for word in words if unscrambled(word)), None)
    return Form(file, layout, columns, widths, roles, told.dates or dates_of(_dates(undated)), garbled)


def _below_titles(
    file: Path, told: Told, roles: RoleCatalogue
) -> tuple[Layout, Mapping[str, int], list[tuple[Cell, ...]], Columns]:
    """Return the layout with the first header that names what a history needs, its columns, and some of its rows.

    Raises BadInput, about the header that has the most columns.
    """
    refused: list[tuple[int, BadInput]] = []
    for layout in layout_of(file, told.encoding, told.separator).lower():
        widths: Mapping[str, int] = {}
        try:
            with rows_of(file, layout) as table:
                widths = table.columns
                sample = [row.cells for row in islice(table.rows(list(widths)), SAMPLED) if row.fault is None]
            return layout, widths, sample, choose(file, list(widths), sample, told.columns, roles)
        except BadInput as error:
            refused.append((len(widths), error))
    raise max(refused, key=lambda fault: fault[0])[1]


def _dates(form: Form) -> Iterator[str]:
    if form.columns.created_at is not None:
        place = form.columns.wanted.index(form.columns.created_at)
        yield from (_said(row.cells[place]) for row in form.rows() if row.fault is None)


def _said(cell: Cell) -> str:
    """Return what a cell says; nothing where a program wrote that there is nothing."""
    text = _text(cell)
    return "" if _EMPTY.fullmatch(text) else text


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else "\n".join(cell)
