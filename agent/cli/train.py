"""`rolecall train`: learn from the reviewed tickets now, as the schedule does every night."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for
from agent.packages import TRAINING, require

if TYPE_CHECKING:
    from agent.fitting.job import Progress as Step


def train(
    trigger: Annotated[str, typer.Option(help="Who asked, for the ledger.")] = "by hand",
    trainer: Annotated[
        str | None, typer.Option(help="contrastive, frozen or setfit. [default: setting learning.trainer]")
    ] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Train on the latest reviewed tickets, and let the result serve if it is good enough.

    Can be interrupted at any time: the model that serves stays until a complete new one takes its place.
    """
    require(*TRAINING)

    from agent.learning.train import Trainer

    parts = parts_for(config, data, learning__trainer=trainer)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(), console=console, transient=True,
    )  # fmt: skip
    with bar:
        line = bar.add_task("training", total=None)

        def show(step: Step) -> None:
            bar.update(line, description=step.phase, completed=step.done, total=step.total)

        run = asyncio.run(
            Trainer(
                parts.database,
                parts.directory,
                parts.mind.catalogue,
                parts.mind.rules,
                parts.settings.learning,
                parts.settings.triage.precision_target,
            ).train(trigger, show)
        )
    console.print(f"{run.outcome}: {run.version}, {escape(run.reason or '')}")
