"""`rolecall check`: check whether the installation works, and name what to fix if not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import typer
from rich.console import Console
from rich.markup import escape

from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for


def check(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Validate settings, rules, roles, database and model, and reach every configured system. Changes nothing."""
    from agent.core import Parts, connect
    from agent.intake.storage import shortage
    from agent.web.health import RULES_ALONE
    from agent.work.schedule import who_trains
    from connectors.errors import ConnectorError

    console = Console(highlight=False, soft_wrap=True)
    parts = parts_for(config, data)

    async def reach(parts: Parts) -> AsyncIterator[tuple[str, bool, str]]:
        for source, connector in connect(parts.settings).items():
            try:
                yield source, True, await connector.check()
            except ConnectorError as error:
                yield source, False, str(error)
            finally:
                await connector.aclose()

    async def report() -> bool:
        model, problem = parts.active.current, parts.active.problem
        short = shortage(parts.database.folder, parts.settings.intake.min_free_bytes)
        lines = [
            ("settings", True, str(config)),
            ("roles", True, ", ".join(parts.classifier.catalogue.names)),
            ("rules", True, f"{len(parts.classifier.rules.rules)} rules, version {parts.classifier.rules.version}"),
            ("database", True, str(parts.directory.database)),
            ("disk", short is None, short or "room for events"),
            ("training", *who_trains(parts.settings, parts.database)),
            ("model", problem is None, problem or (model.version if model else RULES_ALONE)),
        ]
        if model is not None and not model.keeps(parts.settings.triage.precision_target):
            waits = f"{model.cutoffs.target:g}, as trained: the one asked for waits for the next training"
            lines.append(("precision target", False, waits))
        for source in sorted(parts.classifier.catalogue.sources - parts.settings.connectors.keys()):
            console.print(f"[yellow]warn[/] roles: groups of {escape(source)}, which is no connector of these settings")
        if not parts.settings.connectors:
            lines.append(("connectors", False, "none configured: nobody can send tickets"))
        lines += [line async for line in reach(parts)]
        for name, good, text in lines:
            console.print(f"[{'green]ok  ' if good else 'red]FAIL'}[/] {name}: {escape(text)}")
        return all(good for _, good, _ in lines)

    if not asyncio.run(report()):
        raise typer.Exit(1)
