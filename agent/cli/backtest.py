"""`rolecall backtest`: what Rolecall would have said on the latest reviewed tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import layout
from agent.cli.console import foretold
from agent.cli.encoder import encoder_of
from agent.cli.options import CONFIG, ConfigOption, DataOption, parts_for
from agent.packages import require

if TYPE_CHECKING:
    from agent.cli.console import Console
    from agent.domain import RoleCatalogue
    from agent.store.tables import Decision
    from agent.studies.backtest import Said

MISTAKES = 10


def backtest(
    last: Annotated[int, typer.Option(min=1, max=450, help="Number of reviewed tickets, latest first.")] = 100,
    every: Annotated[bool, typer.Option("--all", help="List every ticket and every role.")] = False,
    config: ConfigOption = CONFIG,
    data: DataOption = None,
) -> None:
    """Show what Rolecall would have said on the latest reviewed tickets, beside the role that people gave.

    Each ticket is answered as if its review had not been seen; before the first training, by rules and similar tickets.
    Beside it stands what was decided when the ticket came, where Rolecall saw it. Posts nothing: run it before you let
    Rolecall comment.
    """
    require("scipy", "sklearn")

    from agent.errors import NotPossibleYet
    from agent.learning.contest import contest
    from agent.notes.decided import decided
    from agent.serving.registry import Registry
    from agent.store import tickets
    from agent.store.run_times import Work
    from agent.studies.backtest import backtest as run

    parts = parts_for(config, data)
    model = parts.active.current
    registry = Registry(parts.directory.models, parts.directory.encoders)
    trial = contest(parts.database, registry, parts.classifier.rules, parts.classifier.catalogue)
    if not trial.examples:
        raise NotPossibleYet("there is no reviewed ticket yet: `rolecall import` takes in what people have tagged")
    _, cutoffs = parts.classifier.weighing(model)
    encoder, aside = encoder_of(parts), layout.aside()
    with foretold(
        aside, parts.database, Work.BACKTEST, len(trial.examples), f"answering {len(trial.examples)} reviewed tickets"
    ):
        said = run(trial, model, cutoffs, encoder)[-last:]
    ledger = parts.database.call(tickets.first_decisions, [one.example.ticket_key for one in said])
    console = layout.console()
    if model is None:
        console.print("No model yet: answered by rules and similar tickets. Next: `rolecall train`.")
    _summary(console, said)
    _at_the_time(console, said, ledger, parts.classifier.catalogue)
    _roles(console, said, len(said) if every else layout.ROLES_SHOWN)
    _tickets(console, said, {key: decided(row) for key, row in ledger.items()}, every=every)


def _summary(console: Console, said: Sequence[Said]) -> None:
    from agent.domain import Outcome

    of = {kind: [one for one in said if one.outcome is kind] for kind in Outcome}
    right = {kind: sum(one.right for one in ones) for kind, ones in of.items()}
    console.print(f"{len(said)} reviewed tickets, each answered as if its review had not been seen:")
    console.print(f"clear: {len(of[Outcome.CLEAR])}, right on {right[Outcome.CLEAR]}")
    asked = len(of[Outcome.EITHER_OR])
    console.print(f"either-or: {asked}, the known role was among those named on {right[Outcome.EITHER_OR]}")
    console.print(f"none: {len(of[Outcome.NONE])}")


def _at_the_time(
    console: Console, said: Sequence[Said], ledger: Mapping[str, Decision], catalogue: RoleCatalogue
) -> None:
    """Print how right the clear suggestions were that Rolecall made when these tickets came."""
    from agent.domain import Outcome

    seen = [(one, ledger[one.example.ticket_key]) for one in said if one.example.ticket_key in ledger]
    clear = [(one, row) for one, row in seen if row.outcome == Outcome.CLEAR]
    right = sum(set(catalogue.today(row.roles)) == set(one.example.roles) for one, row in clear)
    if seen:
        console.print(f"when they came, Rolecall saw {len(seen)} of them: clear on {len(clear)}, right on {right}")


def _roles(console: Console, said: Sequence[Said], most: int) -> None:
    from agent.studies.backtest import by_role

    tallies, table = by_role(said), layout.table("role", "tickets", "clear", "right", "wrong")
    for one in tallies[:most]:
        layout.row(table, one.role, one.tickets, one.right + one.wrong, one.right, one.wrong)
    console.print(table)
    if more := layout.left_out(tallies, most, "roles, with fewer wrong ones"):
        console.print(more)


def _tickets(console: Console, said: Sequence[Said], then: Mapping[str, str], *, every: bool) -> None:
    from agent.domain import Outcome

    wrong = sorted((s for s in said if s.outcome is Outcome.CLEAR and not s.right), key=lambda s: -s.confidence)
    chosen = said if every else wrong[:MISTAKES]
    if chosen:
        console.print("Every ticket:" if every else "Clear, but people gave another role; sometimes theirs is wrong:")
    for one in chosen:
        mark = "-" if one.outcome is Outcome.NONE else "✓" if one.right else "✗"
        at_the_time = f"; then: {then[one.example.ticket_key]}" if one.example.ticket_key in then else ""
        head = f"{mark} {one.example.ticket_key}  {one.example.text}"
        layout.entry(console, head, f"{_beside(one)}{at_the_time}")
    if not every:
        more = len(wrong) - len(chosen)
        console.print(f"{f'{more} more of these, and e' if more else 'E'}very ticket: --all")


def _beside(one: Said) -> str:
    """Return what was said and what people gave, on one line."""
    from agent.domain import Outcome
    from agent.notes.phrasing import listed, percent

    known = f"people: {', '.join(one.example.roles)}"
    if one.outcome is Outcome.NONE:
        return f"none; {known}"
    clear = one.outcome is Outcome.CLEAR
    named = listed(one.roles, "and" if clear else "or")
    return f"{named} ({'clear' if clear else 'either-or'}, {percent(one.confidence)}); {known}"
