"""`rolecall secrets`: show where secrets come from, never their values."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer
from rich.markup import escape

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption

if TYPE_CHECKING:
    from agent.config.loading import Given

app = typer.Typer(help="Show where secrets come from, never their values.", no_args_is_help=True)

DOTENV = Path(".env")
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@app.callback()
def secrets() -> None:
    """Show where secrets come from, never their values."""


@app.command()
def check(config: ConfigOption = CONFIG) -> None:
    """Read every source, and show which source each secret comes from and which other sources also have it."""
    from agent.config.loading import PLAIN_NAMES, load, read_given
    from agent.config.secrets import Secrets
    from agent.errors import SettingsError

    console = Console(highlight=False, soft_wrap=True)
    given, memory, good = read_given(config), Secrets(), True
    origins: dict[str, list[str]] = {}
    for reading in memory.read_each(given.secrets, given.local, given.references | PLAIN_NAMES.keys()):
        values = reading.values or {}
        for name, found in values.items():
            origins.setdefault(name, []).append(found.origin)
        good &= reading.problem is None
        count = f"{len(values)} found" if values else "nothing found"
        _line(console, reading.problem is None, reading.source, reading.problem.reason if reading.problem else count)
    for name, (winner, *hidden) in sorted(origins.items()):
        also = f" (hides {'; '.join(hidden)})" if hidden else ""
        console.print(f"     {escape(name)} ← {escape(winner + also)}")
    for warning in _careless(given):
        console.print(f"[yellow]warn[/] {escape(warning)}")
    if good:
        try:
            load(config, secrets=memory)
        except SettingsError as error:
            good = False
            for fault in error.faults:
                _line(console, False, "settings", str(fault))
    if not good:
        raise typer.Exit(1)


def _line(console: Console, good: bool, what: str, text: str) -> None:
    console.print(f"[{'green]ok  ' if good else 'red]FAIL'}[/] {escape(what)}: {escape(text)}")


def _careless(given: Given) -> Iterator[str]:
    from agent.config.secrets import REFERENCE, referred

    document: Mapping[str, object] = given.file.document if given.file else {}
    for path in _secret_settings(document.get("connectors"), given.file.path if given.file else None):
        value: object = document
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if value and not referred([value]):
            yield f'{".".join(path)} stands in the settings file: move it to a source, or write "{REFERENCE}NAME" there'
    if DOTENV.is_file() and DOTENV.stat().st_mode & OTHERS:
        yield f"{DOTENV} can be read by others on this machine: chmod 600 {DOTENV}"


def _secret_settings(connectors: object, file: Path | None) -> Iterator[tuple[str, ...]]:
    """Yield the path of every setting that is never shown: `SecretStr` in ours, `repr=False` in a connector's."""
    from pydantic import BaseModel, SecretStr

    from agent.config.manifests import FOLDER, beside, document_of
    from agent.config.settings import Settings
    from connectors.registry import find

    def of_section(section: type[BaseModel], at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, field in section.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from of_section(field.annotation, (*at, name))
            elif not field.repr or field.annotation is SecretStr or SecretStr in get_args(field.annotation):
                yield (*at, name)

    yield from of_section(Settings, ())
    for name, table in connectors.items() if isinstance(connectors, dict) else ():
        kind = str(table.get("kind", name)) if isinstance(table, dict) else ""
        chosen = find(kind, document_of(kind, beside(file, FOLDER) if file else None))
        if chosen is not None:
            yield from (("connectors", name, each.name) for each in fields(chosen.settings) if not each.repr)
