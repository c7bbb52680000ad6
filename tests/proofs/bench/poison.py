"""What 50 crafted tickets of one person in one day change for everybody else, and that a correction still counts.

    python -m tests.proofs.bench poison [--corpus sandiego excavators]

1,000 reviewed tickets, 500 others judged. The crafted ones are closed in one queue, or copy the words of the busiest
role, or both; they have one requester, or were closed by one account. `others_changed` is the share of the 500 whose
first role differs from that of the same installation without them, at once (memory) or after the next training,
whichever is worse. The quick lane.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from agent.config.rules_file import load_rules
from agent.domain import Example, Strength
from agent.feedback.accounts import given, within_budget
from agent.studies.replay import Plan, Trained, answer, train
from agent.triage.memory import remember, reviewed_embeddings
from tests.proofs.bench.desks import rows
from tests.proofs.bench.histories import RULES, Corpus, embed, load

CORPORA = ("sandiego", "excavators")
REVIEWED, JUDGED, CRAFTED, CORRECTED = 1_000, 500, 50, 20
REQUESTERS, TECHNICIANS = 200, 5
FORMS = ("closed in one queue", "copied words", "both")
PEOPLE = ("requester", "account")
PLAN = Plan(150, timedelta())

Roles = NDArray[np.intp]


def desk_of(name: str) -> tuple[Corpus, Corpus]:
    """Return the reviewed tickets and the others, the latest of a corpus.

    Few requesters ask much, technicians share the work, and three in ten tickets are answered in words, the others
    only closed.
    """
    corpus = load(name)
    history = rows(corpus, np.arange(len(corpus.examples))[-REVIEWED - JUDGED :])
    draw = np.random.default_rng(0)
    asks = 1.0 / np.arange(1, REQUESTERS + 1)
    asked = draw.choice(REQUESTERS, size=REVIEWED, p=asks / asks.sum())
    closed = draw.choice(TECHNICIANS, size=REVIEWED, p=(0.4, 0.25, 0.2, 0.1, 0.05))
    words = draw.random(REVIEWED) < 0.3
    known = rows(history, np.arange(REVIEWED))
    examples = [
        replace(
            example,
            requester=f"requester {asked[i]}",
            reviewer=f"technician {closed[i]}",
            strength=Strength.CONFIRMED if words[i] else Strength.CLOSED,
        )
        for i, example in enumerate(known.examples)
    ]
    return replace(known, examples=examples), rows(history, np.arange(REVIEWED, REVIEWED + JUDGED))


def crafted(known: Corpus, form: str, person: str) -> Corpus:
    """Return the crafted tickets: halves of two reviewed ones each, filed on the day after the latest of these."""
    draw = np.random.default_rng(1)
    counts = Counter(example.roles[0] for example in known.examples)
    busiest, target = counts.most_common()[0][0], counts.most_common()[len(counts) // 2][0]
    day = max(example.filed_at for example in known.examples) + timedelta(days=1)
    source = [e for e in known.examples if form == FORMS[0] or e.roles[0] == busiest]
    examples = []
    for number in range(CRAFTED):
        first, second = (source[int(i)].text.split() for i in draw.integers(0, len(source), 2))
        text = " ".join(first[: len(first) // 2 + 1] + second[len(second) // 2 :])
        one = person == "requester"
        examples.append(
            Example(
                f"crafted:{number}",
                "",
                text,
                (busiest if form == FORMS[1] else target,),
                day + timedelta(minutes=number),
                Strength.CLOSED,
                "the attacker" if one else f"somebody {number}",
                f"technician {number % TECHNICIANS if one else TECHNICIANS - 1}",
            )
        )
    return as_corpus(known, examples)


def as_corpus(known: Corpus, examples: Sequence[Example]) -> Corpus:
    """Return tickets as rows of the same desk."""
    labels = np.array([[float(role in e.roles) for role in known.roles] for e in examples])
    rules = load_rules(RULES[known.name])
    fired = [rules.match(*e.words, e.filed_at.date()) for e in examples]
    return Corpus(list(examples), known.roles, labels, embed([e.text for e in examples]), fired, known.name)


def joined(*parts: Corpus) -> Corpus:
    """Return all rows in one corpus."""
    return replace(
        parts[0],
        examples=[e for part in parts for e in part.examples],
        labels=np.concatenate([part.labels for part in parts]),
        embeddings=np.concatenate([part.embeddings for part in parts]),
        fired=[hits for part in parts for hits in part.fired],
    )


def taught(known: Corpus, bounded: bool) -> Corpus:
    """Return what teaches of the reviewed tickets: all, or what is within the budget."""
    if not bounded:
        return known
    return rows(known, np.flatnonzero(within_budget([given(example) for example in known.examples])))


def trained_on(known: Corpus) -> Trained:
    """Train on all of these tickets."""
    memory = remember(reviewed_embeddings(known.examples, known.embeddings, {}), known.roles)
    return train(known, memory, len(known.examples), PLAN)


def first_roles(
    trained: Trained, remembered: Corpus, asked: Corpus, rejected: dict[str, tuple[str, ...]] | None = None
) -> Roles:
    """Return the first role of each ticket, whether it is said or not, int[n]."""
    memory = remember(reviewed_embeddings(remembered.examples, remembered.embeddings, rejected or {}), asked.roles)
    said: Roles = answer(asked, trained, memory, np.arange(len(asked.examples))).argmax(axis=1)
    return said


def corrections(trained: Trained, remembered: Corpus, others: Corpus, said: Roles, bounded: bool) -> float:
    """Correct wrong first roles in words, one at a time; return the share after which a similar ticket gets the new."""
    right = others.labels.argmax(axis=1)
    wrong = [i for i in np.flatnonzero(said != right) if len(others.texts[i].split()) >= 4][:CORRECTED]
    heeded = []
    for i in wrong:
        corrected = rows(others, np.array([i]))
        example = replace(corrected.examples[0], strength=Strength.CORRECTED, reviewer="technician 0")
        corrected = replace(corrected, examples=[example])
        similar = as_corpus(others, [replace(example, ticket_key="similar", body=f"{example.body} please")])
        known = taught(joined(remembered, corrected), bounded)
        rejected = {example.ticket_key: (others.roles[said[i]],)}
        heeded.append(first_roles(trained, known, similar, rejected)[0] == right[i])
    return float(np.mean(heeded))


def measure(name: str, bounded: bool) -> tuple[float, float]:
    """Return others_changed and the share of corrections that are heeded, the worst of all floods."""
    known, others = desk_of(name)
    usual = taught(known, bounded)
    before = trained_on(usual)
    said = first_roles(before, usual, others)
    accuracy = float(np.mean(said == others.labels.argmax(axis=1)))
    print(f"{name}, {'with' if bounded else 'without'} the budget: right {accuracy:.3f}, {len(usual.examples)} teach")
    worst, works = 0.0, corrections(before, usual, others, said, bounded)
    for form in FORMS:
        for person in PEOPLE:
            flooded = taught(joined(known, crafted(known, form, person)), bounded)
            at_once = first_roles(before, flooded, others)
            after = first_roles(trained_on(flooded), flooded, others)
            heeded = corrections(before, flooded, others, at_once, bounded)
            memory, night = float(np.mean(at_once != said)), float(np.mean(after != said))
            worst, works = max(worst, memory, night), min(works, heeded)
            print(
                f"  {form}, one {person}: at once {memory:.3f}, after a training {night:.3f}, "
                f"corrections {heeded:.2f}, {len(flooded.examples) - len(usual.examples)} teach",
                flush=True,
            )
    return worst, works


def main(argv: list[str]) -> int:
    """Print a line for each flood, without the budget as a control and with it; last the worst of all."""
    parser = argparse.ArgumentParser(prog="poison", description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", nargs="+", default=list(CORPORA), choices=CORPORA)
    options = parser.parse_args(argv)
    unbounded = [measure(name, bounded=False) for name in options.corpus]
    bounded = [measure(name, bounded=True) for name in options.corpus]
    print(
        f"others_changed={max(changed for changed, _ in bounded):.4f} "
        f"one_correction_works={int(min(works for _, works in bounded) == 1.0)} "
        f"others_changed_without_budget={max(changed for changed, _ in unbounded):.4f}"
    )
    return 0
