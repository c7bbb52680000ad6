"""`rolecall evaluate`: measure the current answers, and show the wrong ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from agent.cli import layout
from agent.cli.console import Console, foretold
from agent.cli.encoder import remember
from agent.cli.evaluate_writing import evaluate_writing
from agent.cli.importing import show
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for

if TYPE_CHECKING:
    from agent.fitting.evaluation import Report
    from agent.studies.judged import Judged

WRITING = "writing"
KNOWN = (
    "{known} of these {all} tickets are known here with their roles, so Rolecall has learnt from them: the figures "
    "are too good. `rolecall evaluate` without a file judges each known ticket as if it had no role."
)


def evaluate(
    file: Annotated[
        Path | None, typer.Argument(help="Evaluate on this file, which is read as `import` reads it.")
    ] = None,
    conversations: Annotated[
        Path | None, typer.Argument(help="After the word `writing`: annotated conversations, one JSON object a line.")
    ] = None,
    wrong: Annotated[int, typer.Option(help="Number of wrong answers to show, surest first.")] = 10,
    every: Annotated[bool, typer.Option("--all", help="Show every role.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Evaluate rules, model and memory together on the latest reviewed tickets, each as if it had no review.

    Shows how many are right, with 95 % intervals, the roles that are worst, and the surest wrong answers for review:
    sometimes the reviewed role is wrong. `evaluate writing FILE.jsonl` measures the notes on solved tickets instead.
    """
    if file is not None and file.name == WRITING and conversations is not None:
        evaluate_writing(conversations, wrong)
        return
    from agent.domain import Example
    from agent.errors import NotPossibleYet
    from agent.feedback.form import Told
    from agent.feedback.history import read
    from agent.learning.due import RECENT
    from agent.learning.training_set import newest, usable
    from agent.store import tickets
    from agent.store.run_times import Work
    from agent.studies.judged import already_known, judge_all, report

    parts, aside = parts_for(config, data), Console(stderr=True, highlight=False, soft_wrap=True)
    remember(parts)
    if file is None:
        reviewed = parts.database.call(tickets.reviewed, parts.classifier.catalogue)
        examples = newest(usable(reviewed, parts.classifier.catalogue.names), RECENT)
    else:
        history = read(file, Told(), parts.classifier.catalogue)
        show(history, aside)
        examples = [Example(f"file:{r.id}", r.subject, r.body, r.roles, r.filed_at) for r in history.rows()]
        known = already_known(parts.database.call(tickets.reviewed, parts.classifier.catalogue), examples)
        if known:
            aside.print(KNOWN.format(known=known, all=len(examples)), style="yellow")
    if not examples:
        raise NotPossibleYet("there is no reviewed ticket yet: `rolecall import` takes in tagged ones, or name a file")
    console = layout.console()
    judged = judge_all(parts.classifier, examples)
    with foretold(aside, parts.database, Work.EVALUATE, len(examples), f"judging {len(examples)} tickets"):
        answers = list(track(judged, "judging", len(examples), console=aside, transient=True))
    if parts.active.current is None:
        hits = sum(bool(a.predicted) for a in answers)
        console.print("No model yet: rules and similar tickets were judged.")
        console.print(f"They answer {hits} of {len(answers)} tickets. Next: `rolecall train`.")
    _show(console, report(answers), answers, wrong, len(answers) if every else layout.ROLES_SHOWN)


def _show(console: Console, found: Report, answers: list[Judged], wrong: int, most: int) -> None:
    from agent.notes.phrasing import listed, percent
    from agent.studies.judged import NO_ANSWER

    mistakes = sorted((a for a in answers if not a.right), key=lambda a: -a.confidence)
    by_role = sorted((r for r in found.by_role if r.role != NO_ANSWER), key=lambda r: (r.f1, -r.support))
    table = layout.table("role, worst first", "tickets", "found", "right when named", "F1")
    for r in by_role[:most]:
        layout.row(table, r.role, r.support, f"{r.recall:.0%}", f"{r.precision:.0%}", f"{r.f1:.2f}")
    console.print(table)
    if more := layout.left_out(by_role, most, "roles, which are better"):
        console.print(more)
    if mistakes[:wrong]:
        console.print("Wrong answers, surest first; sometimes the known role is what is wrong:")
    for a in mistakes[:wrong]:
        said = f"{listed(a.predicted, 'and')} ({percent(a.confidence)})" if a.predicted else "no answer"
        layout.entry(
            console, f"{a.example.ticket_key}  {a.example.text}", f"{said}; people: {', '.join(a.example.roles)}"
        )
    clear = [a for a in answers if a.clear]
    right, interval, f1 = len(answers) - len(mistakes), found.accuracy_interval, found.macro_f1_interval
    between = f"95 %: {interval.low:.1%}-{interval.high:.1%}"
    console.print(f"Right on {right} of {found.tickets} tickets: {found.accuracy:.1%} ({between})")
    if all(a.predicted for a in answers):
        console.print(f"Macro-F1, the mean over roles: {found.macro_f1:.3f} (95 %: {f1.low:.3f}-{f1.high:.3f})")
    console.print(f"Clear: {len(clear)}, right on {sum(a.right for a in clear)}")
