"""`rolecall evaluate writing FILE.jsonl`: measure the notes that the writer makes of annotated conversations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from agent.cli.console import Console

if TYPE_CHECKING:
    from agent.writing.judging import Judged, Summary

EXCERPT = 90
LEGEND = (
    "picked: solution message found; evid.: share of the marked fragments shown; forb.: notes that show a failed try "
    "or an order to the writer; verb.: notes of which every sentence stands in its message; outc.: solved or not, told "
    "rightly; R-L: ROUGE-L with the reference; words: median; ms: CPU time, 95th percentile"
)


def evaluate_writing(file: Path, most: int) -> None:
    """Judge the writer on each conversation of the file; print figures for each language, and where it fell short."""
    from agent.errors import NotPossibleYet
    from agent.writing.judging import judge, read, summed
    from agent.writing.weights import shipped

    shipped()
    judged = [judge(ticket) for ticket in read(file)]
    if not judged:
        raise NotPossibleYet(f"{file} holds no conversation: write one as a JSON object a line")
    console = Console(highlight=False)
    languages = sorted({each.ticket.language for each in judged})
    table = Table("lang", "n", "picked", "evid.", "forb.", "verb.", "outc.", "R-L", "words", "ms")
    rows = [(language, [each for each in judged if each.ticket.language == language]) for language in languages]
    for name, some in (*rows, *([("all", judged)] if len(rows) > 1 else [])):
        table.add_row(escape(name), *_row(summed(some)))
    console.print(table)
    _show_misses(console, judged, most)
    total = summed(judged)
    console.print(f"{total.tickets} conversations, {total.subjects} subjects that say too little got a suggestion")
    solved = "" if total.solved is None else f", {total.solved:.0%} of the solved ones have one that does"
    console.print(f"{total.invented} notes claim a fix where there is none{solved}")
    console.print(LEGEND)


def _row(figures: Summary) -> list[str]:
    shares = figures.picked, figures.evidence
    return [
        str(figures.tickets),
        *("-" if share is None else f"{share:.2f}" for share in shares),
        str(figures.forbidden),
        *("-" if share is None else f"{share:.2f}" for share in (figures.faithful, figures.outcome, figures.rouge_l)),
        f"{figures.words_median:.0f}",
        f"{figures.p95_ms:.1f}",
    ]


def _show_misses(console: Console, judged: list[Judged], most: int) -> None:
    table = Table("ticket", "outcome", "missing or wrong", title="notes that fell short")
    short = [
        each for each in judged if each.forbidden or each.hits < len(each.ticket.evidence) or each.outcome is False
    ]
    for each in sorted(short, key=lambda each: not each.forbidden)[:most]:
        shown = " ".join(sentence.text for sentence in each.written.sentences())
        missing = [text for text in each.ticket.evidence if " ".join(text.split()) not in " ".join(shown.split())]
        what = "shows what it must not" if each.forbidden else "; ".join(missing) or f"is {each.ticket.outcome}"
        table.add_row(escape(each.ticket.id), each.written.outcome, escape(what[:EXCERPT]))
    if short:
        console.print(table)
