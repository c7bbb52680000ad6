"""Flags in the help: a word that stands alone, without a value behind it."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption


class Command(TyperCommand):
    """A command whose help names no type behind a flag."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, with flags as words alone."""
        return _alone(super().get_params(ctx))


class Group(TyperGroup):
    """The same for commands that have others below them."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters, with flags as words alone."""
        return _alone(super().get_params(ctx))


def stand_alone(app: typer.Typer) -> None:
    """Make the help of all commands of an app, and of those below it, show flags as words alone."""
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            stand_alone(group.typer_instance)


def _alone(params: list[Any]) -> list[Any]:
    for each in params:
        if isinstance(each, TyperOption) and each.is_flag:
            each.metavar = ""
    return params
