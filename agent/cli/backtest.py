"""`rolecall backtest`: what Rolecall would have said on the latest reviewed tickets."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli.console import Console
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for
from agent.packages import require

EXCERPT = 80


def backtest(
    last: Annotated[int, typer.Option(min=1, max=450, help="Number of reviewed tickets to show, latest first.")] = 100,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Show what Rolecall would have said on the latest reviewed tickets, beside the role that people gave.

    Each ticket is answered as if its review had not been seen. Posts nothing: run it before you let Rolecall comment.
    """
    require("scipy", "sklearn")

    from agent.errors import NotPossibleYet
    from agent.learning.contest import contest
    from agent.notes.phrasing import percent
    from agent.serving.registry import Registry
    from agent.triage.cutoffs import Abstained, Verdict, judge

    parts = parts_for(config, data)
    model = parts.active.current
    if model is None:
        raise NotPossibleYet("there is no model yet: run `rolecall train` first (`rules report` judges rules alone)")
    registry = Registry(parts.directory.models, parts.directory.encoders)
    trial = contest(parts.database, registry, parts.classifier.rules, parts.classifier.catalogue)
    answers = trial.answers(model)
    table = Table("ticket", "text", "Rolecall", "people", "")
    counts = {"clear": 0, "right": 0, "either-or": 0, "none": 0}
    for example, row in list(zip(trial.examples, answers, strict=True))[-last:]:
        verdict = judge(row, trial.roles, model.cutoffs)
        silent = isinstance(verdict, Abstained)
        roles = () if isinstance(verdict, Abstained) else verdict.roles
        clear = isinstance(verdict, Verdict) and verdict.clear
        kind = "clear" if clear else "none" if silent else "either-or"
        said = "none" if silent else f"{', '.join(roles)} ({kind}, {percent(verdict.probability)})"
        right = set(roles) == set(example.roles)
        counts[kind] += 1
        counts["right"] += clear and right
        text = " ".join(example.text.split())[:EXCERPT]
        mark = "" if silent else "✓" if right else "✗"
        table.add_row(*map(escape, (example.ticket_key, text, said, ", ".join(example.roles), mark)))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"clear: {counts['clear']}, right on {counts['right']}; "
        f"either-or: {counts['either-or']}; none: {counts['none']}"
    )
