"""`rolecall check`: check whether the installation works, and name what to fix if not."""

from __future__ import annotations

import asyncio
import logging

import typer
from rich.markup import escape

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption, DataOption, settings_for


def check(config: ConfigOption = CONFIG, data: DataOption = None) -> None:
    """Validate settings, rules, roles, database and model, and reach every configured system. Changes nothing."""
    from agent import logs
    from agent.checks import Level, findings, look

    console = Console(highlight=False, soft_wrap=True)
    styles = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}
    settings = settings_for(config, data, begins=True)
    logs.configure(settings.log_format, logging.WARNING)

    async def report() -> bool:
        good = True
        with look(config, settings) as installation:
            async for finding in findings(installation):
                good &= finding.level is not Level.FAIL
                mark = f"[{styles[finding.level]}]{finding.level:4}[/]"
                console.print(f"{mark} {escape(finding.subject)}: {escape(finding.text)}")
        return good

    if not asyncio.run(report()):
        raise typer.Exit(1)
