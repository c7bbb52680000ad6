"""Operators' files, which come from spreadsheets and other people too: each is used, or every fault is named."""

# ruff: noqa: PT017 - whether an error comes is up to the input

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.config.loading import load
from agent.config.roles_file import RolesError, load_roles
from agent.config.rules_file import RulesError, load_rules
from agent.config.secrets import Secrets
from agent.errors import BadInput, SettingsError
from agent.feedback.form import Told
from agent.feedback.history import read as read_history
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
        assert bool(history.faulty) == bool(history.faults)
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


def _toml(*names: str) -> list[bytes]:
    texts = [(ROOT / name).read_bytes() for name in names]
    return [*(text[:3_000] for text in texts), *ODD_TOML]


def _file(file: Path, use: Callable[[Path], None], seeds: list[bytes]) -> Target:
    def check(data: bytes) -> None:
        file.write_bytes(data)
        use(file)

    return Target(check, seeds)
