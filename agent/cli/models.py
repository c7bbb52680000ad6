"""`rolecall models`: versions of the role model, and which one serves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for

if TYPE_CHECKING:
    from agent.learning.registry import Registry

app = typer.Typer(help="List trained versions, and choose which one serves.", no_args_is_help=True)

WhyOption = Annotated[str, typer.Option("--why", help="The reason, kept in the history.")]


@app.command("list")
def list_(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """List all versions, oldest first; the one that serves has an arrow."""
    registry = _registry(config, data)
    pointer = registry.active()
    table = Table("", "version", "trainer", "roles", "tickets", "accuracy")
    for m in registry.versions():
        accuracy = m.metrics.get("accuracy")
        table.add_row(
            "→" if pointer and pointer.version == m.version else "",
            m.version,
            m.trainer,
            str(len(m.roles)),
            str(sum(map(len, m.tickets.values()))),
            "" if accuracy is None else f"{accuracy:.2f}",
        )
    Console().print(table)
    for move in registry.history()[-5:]:
        Console(highlight=False).print(escape(f"{move.at}  {move.kind} {move.version}: {move.why}"))


@app.command()
def activate(version: str, why: WhyOption = "by hand", config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Let a version serve. A running server takes it up within seconds."""
    typer.echo(f"{_registry(config, data).activate(version, why).version} serves")


@app.command()
def rollback(why: WhyOption, config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Let the predecessor serve again."""
    typer.echo(f"{_registry(config, data).rollback(why).version} serves")


def _registry(config: Path, data: Path | None) -> Registry:
    from agent.directory import DataDirectory
    from agent.learning.registry import Registry

    directory = DataDirectory(settings_for(config, data).data)
    return Registry(directory.models, directory.encoders)
