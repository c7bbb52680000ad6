"""Whatever is damaged in an installation, every command ends with a message that names what to mend, never a trace."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from agent.cli import app, main
from agent.store.database import Database

TICKETS = Path(__file__).parents[2] / "tickets"
CAPABILITY_VERSION = 0x20080522
PASS_BY_PERMISSIONS = 0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
VERSION = "20260101T000000Z-abcdef"
POINTER = f'{{"version": "{VERSION}", "predecessor": null}}'
EXIT_CODES = {0, 1, 2, 74}  # but not 70, a fault of our own

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "export": ("known.csv",),
    "import": ("tickets.csv",),
    "backfill": ("gone",),
    "init": ("--kind", "redmine", "--url", "https://127.0.0.1:1", "--yes"),
    "backup": ("backup.zip",),
    "restore": ("backup.zip",),
    "predict": ("VPN is down",),
    "models activate": (VERSION, "--why", "a test"),
    "models rollback": ("--why", "a test"),
    "models compare": (VERSION, VERSION),
    "models curve": ("--out", "curve.svg"),
    "models export": ("exported",),
    "models push": ("owner/name",),
    "dataset train": ("none.csv", "--model", "m"),
    "dataset evaluate": ("none.csv", "--model", "m"),
    "rules test": ("VPN is down",),
    "queue show": ("1",),
    "queue retry": ("--all",),
    "queue drop": ("1",),
    "evaluate": ("tickets.csv",),
    "connectors rename": ("old", "new"),
    "connectors read": ("old", "7"),
    "forget": ("--ticket", "old:1", "--yes", "--no-train"),
    "connectors remove": ("old", "--yes"),
    "act assign": ("old:1", "Network"),
    "act tag": ("old:1", "Network"),
    "act subject": ("old:1", "VPN is down"),
    "act moves": ("old:1",),
    "ladder take": ("Network", "tag"),
    "ladder lower": ("Network", "shadow"),
    "users add": ("maria",),
    "users rights": ("maria", "--rights", "viewer"),
    "users limit": ("maria", "--all"),
    "users reset": ("maria",),
    "users disable": ("maria",),
    "users token": ("maria",),
    "users revoke": ("1",),
}
ONLY_SETTINGS = {"login", "demo", "notices test"}
"""They read no data directory, and go on to other machines where the settings are good."""

ABOUT_SYSTEMS = {"connectors show", "connectors test", "connectors setup", "connectors record"}
"""They tell what Rolecall ships for a kind of system, and need no installation: tests/agent/cli/test_systems.py."""

ELSEWHERE = {"mcp"}
"""They speak to a server that may be on another machine: tests/agent/programs/test_mcp.py."""

MAKES_SETTINGS = {"restore", "init"}
"""They need no settings: where there are none, they bring them."""

WITHOUT_DAMAGE = (
    *(
        "there is no such",
        "there is no account",
        "there is no token",
        "no connector is called",
        "nobody can be asked here",
        "there is no earlier model",
        "there is no event",
        "was not set aside",
        "holds no row",
        "`rolecall ladder lower`",
        "has not earned",
    ),
    *(
        "nothing is kept of old",
        "`rolecall train`",
        "`rolecall import`",
        "settings server.host",
        "set database_url",
        "none configured",
        "nothing is kept of",
        "`rolecall connectors list`",
        VERSION,
        "ACTIVE",
    ),
)
"""Of what a command says that ends without success on an empty installation, too: what to do next."""


@dataclass(frozen=True)
class Damage:
    """What is done to an installation, and of what the message has to name one; `settings` reach every command."""

    do: Callable[[Path], object]
    named: tuple[str, ...]
    settings: bool = False


def _version(folder: Path, manifest: str) -> None:
    model = folder / "data/models" / VERSION
    model.mkdir(parents=True)
    (model / "manifest.json").write_text(manifest)
    (folder / "data/models/ACTIVE").write_text(POINTER)


def _pointer(folder: Path, text: str) -> None:
    (folder / "data/models").mkdir()
    (folder / "data/models/ACTIVE").write_text(text)


def _file_for_directory(folder: Path) -> None:
    shutil.rmtree(folder / "data")
    (folder / "data").write_text("")


def _directory_for_file(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _schema(folder: Path, statement: str) -> None:
    with sqlite3.connect(folder / "data/rolecall.sqlite3") as connection:
        connection.execute(statement)
    connection.close()


def _page(folder: Path) -> None:
    with (folder / "data/rolecall.sqlite3").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 8_000)


DAMAGES = {
    "nothing": Damage(lambda folder: None, ()),
    "ACTIVE damaged": Damage(lambda folder: _pointer(folder, "{"), ("ACTIVE",)),
    "ACTIVE pointing nowhere": Damage(lambda folder: _pointer(folder, POINTER), (VERSION,)),
    "ACTIVE a directory": Damage(lambda folder: (folder / "data/models/ACTIVE").mkdir(parents=True), ("ACTIVE",)),
    "manifest truncated": Damage(lambda folder: _version(folder, '{"format": 1, '), (VERSION,)),
    "manifest of a future release": Damage(lambda folder: _version(folder, '{"format": 999}'), (VERSION,)),
    "no database": Damage(
        lambda folder: (folder / "data/rolecall.sqlite3").write_bytes(b"no database " * 100), ("rolecall.sqlite3",)
    ),
    "database damaged": Damage(_page, ("rolecall.sqlite3",)),
    "database a directory": Damage(
        lambda folder: _directory_for_file(folder / "data/rolecall.sqlite3"), ("rolecall.sqlite3",)
    ),
    "database of a future release": Damage(
        lambda folder: _schema(folder, "UPDATE alembic_version SET version_num = 'future'"),
        ("rolecall.sqlite3", "this release needs"),
    ),
    "tables missing": Damage(lambda folder: _schema(folder, "DROP TABLE inbox"), ("rolecall.sqlite3",)),
    "data unreadable": Damage(lambda folder: (folder / "data").chmod(0o000), ("data",)),
    "data read-only": Damage(lambda folder: (folder / "data").chmod(0o555), ("data",)),
    "data a file": Damage(_file_for_directory, ("data",)),
    "roles missing": Damage(lambda folder: (folder / "roles.toml").unlink(), ("roles.toml",)),
    "rules a directory": Damage(lambda folder: _directory_for_file(folder / "rules.toml"), ("rules.toml",)),
    ".env no text": Damage(lambda folder: (folder / ".env").write_bytes(b"A=\xff"), (".env",), settings=True),
    "settings no TOML": Damage(
        lambda folder: (folder / "agent.toml").write_text("[server\n"), ("agent.toml:1",), settings=True
    ),
    "settings missing": Damage(lambda folder: (folder / "agent.toml").unlink(), ("agent.toml",), settings=True),
    "a setting unknown": Damage(
        lambda folder: (folder / "agent.toml").write_text("[secrets]\nsource = []\n"),
        ("agent.toml:2: secrets.source",),
        settings=True,
    ),
}


EVERY_CHANGE = ("nothing", "ACTIVE damaged", "database damaged", "settings no TOML")
"""One damage of each kind is tried with every change; the others belong to the proofs."""


def commands() -> Iterator[tuple[str, bool]]:
    """Yield every command's words, and whether it has a data directory."""

    def walk(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
        if isinstance(command, TyperGroup):
            for name, each in command.commands.items():
                yield from walk(each, (*words, name))
        else:
            yield " ".join(words), any(p.name == "data" for p in getattr(command, "params"))  # noqa: B009 - typer's own

    yield from walk(typer.main.get_command(app), ())


@pytest.fixture
def port() -> Iterator[int]:
    """Yield a port that is in use, so that `serve` ends by itself; nothing answers there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Yield an installation in good order, without a model."""
    folder = tmp_path_factory.mktemp("installation")
    for name in ("roles.toml", "rules.toml"):
        shutil.copy(TICKETS / name, folder)
    (folder / "tickets.csv").write_text("id,created_at,subject,body,role\n")
    (folder / "data").mkdir()
    Database.open_file(folder / "data/rolecall.sqlite3").close()
    return folder


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Run a block as a user that permissions bind; root passes by them with two capabilities (capabilities(7))."""
    if os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, held = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, held) == 0
    less = (ctypes.c_uint32 * 6)(*held)
    less[0] &= ~PASS_BY_PERMISSIONS  # of those in effect; those permitted bring them back
    assert libc.capset(header, less) == 0
    try:
        yield
    finally:
        assert libc.capset(header, held) == 0


def run(words: str, has_data: bool, capfd: pytest.CaptureFixture[str], name: str = "data") -> tuple[int, str]:
    """Run a command as `rolecall` does; return its exit code and all that it printed."""
    data = ["--data", name] if has_data else []
    with pytest.raises(SystemExit) as ended:
        main([*words.split(), *ARGUMENTS.get(words, ()), "--config", "agent.toml", *data])
    out, err = capfd.readouterr()
    return (ended.value.code if isinstance(ended.value.code, int) else -1), out + err


@pytest.fixture
def no_trace(
    installation: Path, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[str], None]:
    """Return what runs every command on copies of the installation with a damage, and holds it to its promise."""

    def hold(damage: str) -> None:
        hurt, named = DAMAGES[damage], []
        for words, has_data in commands():
            if words in ABOUT_SYSTEMS | ELSEWHERE:
                continue
            if (words in ONLY_SETTINGS and not hurt.settings) or (
                words in MAKES_SETTINGS and damage == "settings missing"
            ):
                continue
            folder = tmp_path / words.replace(" ", "-")
            shutil.copytree(installation, folder)
            (folder / "agent.toml").write_text(f"[server]\nport = {port}\n[learning]\ntrainer = 'frozen'\n")
            monkeypatch.chdir(folder)
            hurt.do(folder)
            with bound_by_permissions():
                code, told = run(words, has_data, capfd)
            assert "Traceback" not in told, f"{words}: {told}"
            assert code in EXIT_CODES, f"{words}: {code} {told}"
            told_of_it = any(name in told for name in hurt.named)
            assert not code or told_of_it or any(name in told for name in WITHOUT_DAMAGE), f"{words}: {code} {told}"
            assert not hurt.settings or (code == 2 and told_of_it), f"{words}: {code} {told}"
            named += [words] if told_of_it else []
        assert "check" in named or not hurt.named or hurt.settings

    return hold


BEGIN = {"serve", "init", "restore", "check", "connectors read"}
"""They begin an installation in a folder that is not there; the last two only look at what there is."""

SLIPS = {"decisions", "import", "backfill", "queue pause", "train", "models list", "users add"}
"""Every other command is tried with a slip in the name of its data directory by the proofs."""


@pytest.fixture
def slipped(
    installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[Container[str]], int]:
    """Return what holds commands to naming the nearest installation and to making nothing; it says how many it ran."""
    shutil.copytree(installation, tmp_path, dirs_exist_ok=True)
    (tmp_path / "agent.toml").write_text("")
    monkeypatch.chdir(tmp_path)

    def hold(which: Container[str]) -> int:
        before, tried = sorted(tmp_path.rglob("*")), 0
        for words, has_data in commands():
            if has_data and words in which and words not in BEGIN | ELSEWHERE:
                code, told = run(words, has_data, capfd, "dta")
                assert (code, f"there is one in {tmp_path / 'data'}" in told) == (2, True), f"{words}: {code} {told}"
                tried += 1
        assert "there is an installation in" in run("check", True, capfd, "dta")[1]
        assert sorted(tmp_path.rglob("*")) == before
        return tried

    return hold


def test_a_slip_in_the_name_of_the_data_directory_makes_nothing(slipped: Callable[[Container[str]], int]) -> None:
    assert slipped(SLIPS) == len(SLIPS)


@pytest.mark.parametrize("words", ["decisions", "queue pause", "train", "db check", "rules test"])
def test_without_an_installation_nothing_is_made_where_the_settings_say(
    words: str, installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("roles.toml", "rules.toml"):
        shutil.copy(installation / name, tmp_path)
    (tmp_path / "agent.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, told = run(words, False, capfd)
    assert (code, "`rolecall serve`" in told) == ((0, False) if words == "rules test" else (2, True)), told
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("damage", EVERY_CHANGE)
def test_no_command_ends_in_a_trace(damage: str, no_trace: Callable[[str], None]) -> None:
    no_trace(damage)
