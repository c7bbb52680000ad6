"""`rolecall study`: measure how often to retrain, and on how many tickets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from agent.cli import layout
from agent.cli.console import foretold
from agent.cli.encoder import encoder_of
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for
from agent.packages import require

LEAST = 50


def study(
    windows: Annotated[
        str, typer.Option(help="Numbers of latest reviewed tickets to train on, separated by commas.")
    ] = "75,150,300,1000",
    days: Annotated[str, typer.Option(help="Days between two trainings, separated by commas.")] = "1,7,30",
    start: Annotated[int, typer.Option(min=20, help="Number of tickets to train on before the first answer.")] = 150,
    last: Annotated[int | None, typer.Option(help="Replay only this many of the latest tickets.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the page, the plot and finished cells.")] = Path("study"),
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Replay the reviewed history day by day for a grid of windows and frequencies, and say what to set.

    What is set now is always in the grid. A window larger than setting learning.window is one for the heads, that is
    learning.head_window. It takes 200 reviewed tickets: 150 to learn from before the first answer (--start), and 50 to
    answer. Uses the frozen encoder, so that a cell takes seconds to minutes. An interrupted study can be resumed:
    finished cells are not computed again.
    """
    require("matplotlib", "scipy", "sklearn")

    from agent.errors import BadInput, NotPossibleYet
    from agent.store import tickets
    from agent.store.run_times import Work
    from agent.studies.advice import advice, reviews_a_day, set_now
    from agent.studies.study import draw, page
    from agent.studies.study import study as run
    from agent.studies.timeline import dated_history

    try:
        grid = [int(w) for w in windows.split(",")], [int(d) for d in days.split(",")]
    except ValueError:
        raise BadInput("--windows and --days take whole numbers, separated by commas") from None
    if min(min(grid[0]) - 10, min(grid[1])) < 1:
        raise BadInput(
            "--windows and --days: a window holds more than 10 tickets, and trainings are at least a day apart"
        )
    parts = parts_for(config, data)
    catalogue, rules = parts.classifier.catalogue, parts.classifier.rules
    reviewed, learning = parts.database.call(tickets.reviewed, catalogue), parts.settings.learning
    known = len(reviewed)
    if min(known, last or known) < start + LEAST:
        raise NotPossibleYet(
            f"a study needs {start + LEAST} reviewed tickets ({start} to learn from first, --start, and {LEAST} to "
            f"answer), and there are {min(known, last or known)}: `rolecall import` takes in what people have tagged"
        )
    answered, a_day = min(known, last or known) - start, reviews_a_day(reviewed)
    window, every = set_now(learning, a_day)
    grid = sorted({*grid[0], window}), sorted({*grid[1], every})
    beside, ways = layout.aside(), len(grid[0]) * len(grid[1])
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}")
    bar = Progress(*columns, TimeElapsedColumn(), console=beside)
    what = f"replaying {answered} tickets in {ways} ways"
    with foretold(beside, parts.database, Work.STUDY, answered * ways, what) as heart, bar:
        lines: dict[str, object] = {}
        history = dated_history(parts.database, parts.directory, catalogue, rules, encoder_of(parts), last)

        def show(name: str, done: int) -> None:
            heart.step = f"{name}, {done} of {answered}"
            if name not in lines:
                lines[name] = bar.add_task(name, total=answered)
            bar.update(lines[name], completed=done)  # type: ignore[arg-type]  # rich hides its id type

        cells = run(history, *grid, start, out / "cells", show)
    console, wanted = layout.console(), advice(cells, learning, a_day)
    (out / "study.svg").write_text(draw(cells), "utf-8")
    (out / "study.html").write_text(page(cells, wanted), "utf-8")
    table = layout.table("window, every", "right", "macro-F1", "clear", "right when clear", "CPU s")
    for c in cells:
        shares = (f"{c.accuracy:.1%}", f"{c.macro_f1:.3f}", f"{c.coverage:.0%}", f"{c.precision:.0%}")
        layout.row(table, c.name, *shares, f"{c.seconds:.1f}")
    console.print(table)
    console.print(wanted, soft_wrap=True, markup=False)
    console.print(f"Drawn, with every figure: {out / 'study.html'}", soft_wrap=True)
