"""The help shows a flag as a word alone: nothing has to stand behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from agent.cli import app


def types_behind_flags(command: Any, name: str = "rolecall") -> Iterator[tuple[str, str]]:
    """Yield the flags of a command, and of those below it, behind which the help names a type."""
    context = typer.Context(command)
    for each in command.get_params(context):
        if getattr(each, "is_flag", False) and each.display_type_rich(context):
            yield name, each.name
    for below, other in getattr(command, "commands", {}).items():
        yield from types_behind_flags(other, f"{name} {below}")


def test_no_type_stands_behind_a_flag() -> None:
    assert list(types_behind_flags(get_command(app))) == []


def test_control_typer_alone_names_one() -> None:
    plain = typer.Typer()
    plain.command()(lambda: None)
    assert ("rolecall", "help") in set(types_behind_flags(get_command(plain)))
