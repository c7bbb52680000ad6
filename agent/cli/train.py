"""`rolecall train`: train on the reviewed tickets now, as the schedule does every night."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from agent.cli.console import Console, foretold
from agent.cli.options import CONFIG, ConfigOption, DataOption, must_be_there, settings_for
from agent.packages import TRAINING, require

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.fitting.job import Progress as Step
    from agent.learning.train import Trainer

MOST_NAMED = 8  # roles in one line
WORDS = {
    "promoted": "promoted",
    "kept": "kept back",
    "undecided": "kept back, too little evidence",
    "asks": "waits for a person",
    "skipped": "nothing to do",
}
"""What is said of each TrainingOutcome of agent.domain, which every command would import with this file."""

QUICK_SERVES = "A first model is ready, and a running server takes it up now; a slower, often better one is being made."
PHASES = {"read": "reading the tickets", "tune": "tuning the encoder"}


def train(
    trigger: Annotated[str, typer.Option(help="Who started the training, for the record.")] = "by hand",
    trainer: Annotated[
        str | None, typer.Option(help="contrastive, frozen or setfit.", show_default="setting learning.trainer")
    ] = None,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Train on the latest reviewed tickets, and promote the result if it is good enough.

    Can be interrupted at any time: the serving model stays until a complete new one replaces it.
    """
    require(*TRAINING)

    from agent import logs
    from agent.learning.due import NEEDED, tickets_read
    from agent.learning.train import FOLDS, SERVES
    from agent.learning.training_set import left_out, usable
    from agent.learning.turn import STEP, cancelled_by_sigterm
    from agent.store import coordination, tickets
    from agent.store.run_times import Work

    settings = settings_for(config, data, learning__trainer=trainer)
    must_be_there(settings)
    logs.configure(settings.log_format, logging.WARNING)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[come]}"),
        TimeElapsedColumn(), console=console, transient=True,
    )  # fmt: skip
    chosen = trainer_of(settings)
    reviewed = chosen.database.call(tickets.reviewed, chosen.catalogue)
    known = len(usable(reviewed, chosen.catalogue.names))
    learnt = tickets_read(known, settings.learning)
    what = f"training on {learnt} of {len(reviewed)} reviewed tickets, {settings.learning.trainer}"
    for reason in left_out(reviewed, chosen.catalogue.names) if known < len(reviewed) else ():
        console.print(reason)
    work = Work(f"training, {settings.learning.trainer}")
    with foretold(console, chosen.database, work, learnt, what) as heart, bar:
        line, phases, steps = bar.add_task("getting ready", total=None, come=""), [""], [""]

        def show(step: Step) -> None:
            if step.phase == SERVES:
                console.print(QUICK_SERVES)
                return
            phase = in_words(step.phase, FOLDS)
            come = f"{step.done} of {step.total}" if step.total else ""
            heart.step = ", ".join(filter(None, (phase, come)))
            if phase != steps[-1]:
                steps.append(phase)
                chosen.database.call(coordination.put, STEP, step.phase)
            bar.update(line, description=phase, completed=step.done, total=step.total, come=come)
            if phase != phases[-1] and not console.is_terminal:  # a file gets a line a phase, not a bar
                phases.append(phase)
                console.print(f"{phase} ...")

        run = asyncio.run(cancelled_by_sigterm(chosen.train(trigger, show)))
        told = ", ".join(filter(None, (run.version, escape(run.reason or ""))))
    console.print(f"{WORDS[run.outcome]}: {told}")
    if needed := run.metrics.get(NEEDED):
        console.print(f"More known tickets would help most of {escape(more_of(needed))}")


def in_words(phase: str, folds: int) -> str:
    """Return what a training does in this phase, where its texts are in so many folds."""
    kind, _, fold = phase.partition(" ")
    return f"answering unseen tickets, part {fold} of {folds}" if kind == "cross-fit" else PHASES.get(phase, phase)


def more_of(needed: Mapping[str, int]) -> str:
    """Return how many more known tickets would help which role, of the first few."""
    others = f" and {len(needed) - MOST_NAMED} more roles" if len(needed) > MOST_NAMED else ""
    return ", ".join(f"{role}: {count} more" for role, count in list(needed.items())[:MOST_NAMED]) + others


def trainer_of(settings: Settings) -> Trainer:
    """Return the trainer of an installation, without loading what answers tickets."""
    from agent.config.roles_file import load_roles
    from agent.config.rules_file import load_rules
    from agent.data_directory import DataDirectory
    from agent.learning.train import Trainer
    from agent.store.database import open_database

    roles = load_roles(settings.roles)
    rules = load_rules(settings.rules, roles)
    directory = DataDirectory(settings.data)
    directory.create()
    database = open_database(settings.database_url, directory.database)
    return Trainer(database, directory, roles, rules, settings.learning, settings.triage.precision_target)
