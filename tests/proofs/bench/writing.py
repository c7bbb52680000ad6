"""How well are notes written on solved tickets?

    python -m tests.proofs.bench writing [--seeds 3] [--half first|second|third|...|eleventh]

`picked` and `picked_multi` (threads with more than one answer of staff): the message that people marked as the solution
of forum threads in ../shared/data, by weights fitted without the thread's fold; the mean of several divisions. `early`:
the share of these threads, cut behind each reply that comes before the marked message, in which a fix is claimed. The
other figures are those of the shipped writer on our own annotated tickets (tests/tickets). `evidence` counts under
"Last", too, where a note does not say that it helped, and `forbidden` does not: read both with `solved`, the share of
the solved tickets whose note says so. `subjects_better`: the share of the suggested subjects, of all our tickets, that
a second reader found better; where one was suggested that nobody has judged, the benchmark says so and fails.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import numpy as np

from agent.writing import picking
from agent.writing.description import better_subject
from agent.writing.extractive import write
from agent.writing.fit import Case, cross_validated
from agent.writing.judging import judge, summed
from agent.writing.marking import mark
from agent.writing.note import SOLVED
from agent.writing.thread import Thread
from connectors.events import AuthorKind, Message, Visibility
from tests.tickets.annotated import LATER, SUBJECTS, annotated, judged, verdicts

FORUM = Path(__file__).parents[4] / "shared" / "data" / "forum_threads_solved_750.csv"
AUTHORS = {"agent": AuthorKind.STAFF, "requester": AuthorKind.REQUESTER}
PUBLIC = Visibility.PUBLIC


def forum(path: Path = FORUM) -> Iterator[tuple[Thread, frozenset[str], int]]:
    """Yield (thread, ids of the marked messages, number of answers by staff) of each thread of the forum."""
    csv.field_size_limit(sys.maxsize)
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            told = json.loads(row["comments"])
            opening = Message("0", None, row["body"], None, AuthorKind.REQUESTER, PUBLIC)
            messages = [
                Message(str(n), None, each["text"], None, AUTHORS[each["role"]], PUBLIC)
                for n, each in enumerate(told, start=1)
            ]
            marked = frozenset(str(n) for n, each in enumerate(told, start=1) if each.get("is_solution"))
            answers = sum(each["role"] == "agent" for each in told)
            yield Thread(row["subject"], (opening, *messages)), marked, answers


def early(thread: Thread, marked: frozenset[str]) -> Iterator[bool]:
    """Yield whether a fix is claimed, of a thread cut behind each reply of the requester before the marked message."""
    solved = next(place for place, message in enumerate(thread.messages) if message.id in marked)
    for end in range(2, solved):
        if thread.messages[end].author_kind is AuthorKind.REQUESTER:
            told = thread.messages[: end + 1]
            if any(message.author_kind is AuthorKind.STAFF for message in told):
                yield write(Thread(thread.subject, told)).outcome in SOLVED


def case(thread: Thread, marked: frozenset[str]) -> Case:
    """Return a thread as it is fitted to."""
    turns = mark(thread)
    places = frozenset(place for place, turn in enumerate(turns) if turn.turn.message.id in marked)
    return Case(picking.features(turns), places)


def main(arguments: list[str]) -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.bench writing")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--half", choices=("first", "second", "both", *LATER), default="both")
    options = parser.parse_args(arguments)
    figures: dict[str, str] = {}
    if FORUM.exists():
        threads = list(forum())
        cases = [case(thread, marked) for thread, marked, _ in threads]
        multi = np.array([answers > 1 for *_, answers in threads])
        right = [cross_validated(cases, seed) for seed in range(options.seeds)]
        figures["picked"] = f"{mean(float(each.mean()) for each in right):.3f}"
        figures["picked_multi"] = f"{mean(float(each[multi].mean()) for each in right):.3f}"
        cut = [claimed for thread, marked, _ in threads if marked for claimed in early(thread, marked)]
        figures["early"] = f"{mean(cut):.3f}"
    else:
        print(f"no {FORUM}: the forum threads are left out", file=sys.stderr)
    tickets = annotated(options.half)
    write(tickets[0].thread)  # the cues are read once
    total = summed([judge(ticket) for ticket in tickets])
    figures |= {
        "tickets": str(total.tickets),
        "faithful": f"{total.faithful:.3f}",
        "evidence": f"{total.evidence or 0:.3f}",
        "forbidden": str(total.forbidden),
        "invented": str(total.invented),
        "solved": f"{total.solved or 0:.3f}",
        "outcome": f"{total.outcome or 0:.3f}",
        "words_median": f"{total.words_median:.0f}",
        "words_most": str(total.words_most),
        "p95_ms": f"{total.p95_ms:.1f}",
    }
    every = tickets if options.half != "both" else [t for half in ("both", *LATER) for t in annotated(half)]
    suggested = [(ticket, better) for ticket in every if (better := better_subject(ticket.thread)) is not None]
    told = [verdicts().get((ticket.id, judged(ticket, better))) for ticket, better in suggested]
    known = [better for better in told if better is not None]
    figures["subjects"] = str(len(suggested))
    figures["subjects_better"] = f"{mean(known):.3f}" if known else "nan"
    changed = [ticket.id for (ticket, _), better in zip(suggested, told, strict=True) if better is None]
    print(" ".join(f"{name}={value}" for name, value in figures.items()))
    if changed:
        sys.exit(f"nobody has judged the subjects that are now suggested for {', '.join(changed)}: {SUBJECTS.name}")
