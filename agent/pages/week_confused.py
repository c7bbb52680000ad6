"""Which suggested role had to be which other, as a matrix and as its table: it says where to look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from agent.pages import charts
from agent.pages.document import Part, Table
from agent.pages.words import Words
from agent.report.cases import Case
from agent.report.week import corrections

MOST_ROLES, PAIRS = 12, 12
FEWEST = 2
"""Pairs below which a table says as much."""


def confused(found: Sequence[Case], words: Words, weeks: int) -> Part:
    """Return what was corrected into what in so many weeks, most often first."""
    texts, counts = words.texts, corrections(found)
    pairs = counts.most_common(PAIRS)
    rows = tuple((words.role(wrong), to(right, words), texts.figure(times)) for (wrong, right), times in pairs)
    head = tuple(texts(f"report.{name}") for name in ("suggested", "was_right", "times"))
    chart = _drawn(counts, words) if len(counts) >= FEWEST else None
    sentences = (texts("report.corrections_what"),) if chart else ()
    return Part(texts("report.corrections", weeks=weeks), sentences, table=Table(head, rows), chart=chart)


def to(role: str, words: Words) -> Markup:
    """Return the role that was right; "" is none of ours."""
    return words.role(role) if role else words.roles(())


def _drawn(counts: Counter[tuple[str, str]], words: Words) -> Markup:
    """Draw the roles that were mistaken most, suggested beside, right below; both in the order of the roles."""
    often: Counter[str] = Counter()
    for pair, times in counts.items():
        for role in pair:
            often[role] += times
    most = [role for role, _ in often.most_common(MOST_ROLES)]
    order = [*words.catalogue.names, *sorted(set(most) - set(words.catalogue.names) - {""}), ""]
    shown = [role for role in order if role in most]
    names = {role: role or str(words.texts("feedback.none_of_ours").striptags()) for role in shown}
    rows = [names[role] for role in shown if any(role == wrong for wrong, _ in counts)]
    columns = [names[role] for role in shown if any(role == right for _, right in counts)]
    cells = {(names[a], names[b]): times for (a, b), times in counts.items() if a in names and b in names}
    return charts.matrix(
        rows, columns, cells, str(words.texts("report.corrections_chart").striptags()), words.texts.figure
    )
