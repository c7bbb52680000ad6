"""Operators' files, which come from spreadsheets and other people too: each is used, or every fault is named."""

# ruff: noqa: PT017 - whether an error comes is up to the input

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from agent.config.loading import load
from agent.config.roles_file import RolesError, load_roles
from agent.config.rules_file import RulesError, load_rules
from agent.config.secrets import Secrets
from agent.errors import BadInput, SettingsError
from agent.feedback.form import Told
from agent.feedback.history import read as read_history
from agent.tabular.table import layout_of, rows_of
from tests.fuzz.target import Target

ROOT = Path(__file__).parents[2]
ODD_TOML = (
    *(
        b"a = [[[[1]]]]",
        b"a = 1979-05-27T07:32:00Z\n[a.b]\n",
        b"x.y = 1\nx = 2",
        b"[[rule]]\nid = 3",
        b"a = 0x1f\nb = inf",
    ),
    *(b"a = " + b"[" * 3_000, b"a = " + b"9" * 5_000),
)


class Nowhere(Secrets):
    """No source of secrets: a fuzzed file may name any host."""

    def read(self, *_: Any) -> dict[str, Any]:
        return {}


def rules(scratch: Path) -> Target:
    """A rules file: a rule set that matches any text, or RulesError."""

    def use(file: Path) -> None:
        try:
            load_rules(file).match("subject", "body of a ticket", None)
        except RulesError as error:
            assert error.faults
            assert all(fault.line for fault in error.faults)

    return _file(scratch / "rules.toml", use, _toml("tests/tickets/rules.toml", "config/rules.toml"))


def roles(scratch: Path) -> Target:
    """A roles file: a catalogue, or RolesError."""

    def use(file: Path) -> None:
        try:
            load_roles(file).lookup("network")
        except RolesError as error:
            assert error.faults

    return _file(scratch / "roles.toml", use, _toml("tests/tickets/roles.toml", "config/roles.toml"))


def settings(scratch: Path) -> Target:
    """A settings file: settings, or SettingsError with every fault."""

    def use(file: Path) -> None:
        try:
            load(file, environ={}, dotenv_file=None, secrets=Nowhere())
        except SettingsError as error:
            assert error.faults

    shipped = (ROOT / "config/agent.toml").read_text().replace("# ", "")
    given = b'[connectors.django-helpdesk]\nurl = "https://h"\ntoken = "t"\nauthor_id = 2\nqueues = { 1 = "WO" }\n'
    return _file(
        scratch / "agent.toml", use, [shipped.encode()[:4_000], given, b"[learning]\nsplit = [70, 15, 15]", *ODD_TOML]
    )


def histories(scratch: Path) -> Target:
    """A history in CSV, JSON or any other kind, by the first byte: rows and faults, or BadInput."""
    catalogue = load_roles(ROOT / "tests/tickets/roles.toml")
    files = [scratch / f"history.{ending}" for ending in ("csv", "jsonl", "txt")]

    def check(data: bytes) -> None:
        file = files[(data or b"\0")[0] % 3]
        file.write_bytes(data[1:])
        try:
            history = read_history(file, Told(), catalogue)
        except BadInput:
            return
        rows = list(history.rows())
        assert len(rows) == history.valid
        assert len({row.id for row in rows}) == len(rows)
        told = "\n".join(history.faults)  # of a good row, labels that are no roles beside those that are
        assert bool(history.faulty) == bool(told) or "left out beside the roles" in told
        for row in rows:
            str(row).encode()
            assert set(row.roles) <= set(catalogue.names)
            assert row.filed_at.tzinfo is not None

    table = b"0id,subject,body,role,created_at\n1,Wifi,down,net;sparky,2026-01-05\n2,,,x,"
    line = '1{{"id": "1", "subject": "s", "role": "net", "created_at": "{}"}}\n'
    lines = [line.format(at).encode() for at in ("2026-01-05T00:00Z", "0001-01-01 00+00:01")]
    wide = "2id\tsubject\trole\tcreated\n1\tÖl\tnet\t3/4/25 5:07 PM\n"
    others = [
        b"2" + wide[1:].encode("utf-16"),
        b"0" + wide[1:].encode("cp1252"),
        b'2{"issues": [{"id": 1, "role": ["net"]}]}',
    ]
    quoted = b'0id;text;role\n1;"a\n2;b;net\n";net\n1;b;sparky\n'
    return Target(check, [table, *lines, *others, quoted, b"0id,role\n=1+1,net"])


def tables(scratch: Path) -> Target:
    """A file of rows of any kind, by the first byte: cells of every column in every row, a fault, or BadInput."""
    files = [scratch / f"table.{ending}" for ending in ("csv", "tsv", "json", "jsonl", "xlsx", "txt")]

    def check(data: bytes) -> None:
        file = files[(data or b"\0")[0] % len(files)]
        file.write_bytes(data[1:])
        try:
            with rows_of(file, layout_of(file)) as table:
                names = list(table.columns)
                for row in table.rows(names):
                    assert row.fault or len(row.cells) == len(names)
                    assert row.line >= 1
        except BadInput as error:
            assert str(error).count("\n") == 0

    table = b'id,text\n1,a\n2,"b\n3,c"\n'
    rows = b'[{"id": 1, "text": ["a", null]}, {"id": 2}]'
    workbook = scratch / "seed.xlsx"
    write_workbook(workbook)
    seeds = [b"0" + table, b"1" + table.replace(b",", b"\t"), b"2" + rows, b"3" + rows[1:-1].replace(b"}, ", b"}\n")]
    return Target(check, [*seeds, b"4" + workbook.read_bytes(), b"5" + "id|text\n1|\u00f6".encode("utf-16")])


def write_workbook(file: Path) -> None:
    """Write a workbook of two rows."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("id", "text"), (1, "a"), (2, None)):
        sheet.append(row)
    book.save(file)


def _toml(*names: str) -> list[bytes]:
    texts = [(ROOT / name).read_bytes() for name in names]
    return [*(text[:3_000] for text in texts), *ODD_TOML]


def _file(file: Path, use: Callable[[Path], None], seeds: list[bytes]) -> Target:
    def check(data: bytes) -> None:
        file.write_bytes(data)
        use(file)

    return Target(check, seeds)
