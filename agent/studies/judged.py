"""Evaluate the current answers on reviewed tickets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain import Example, Outcome, Reason, fold, source_of
from agent.fitting.evaluation import Report, evaluate
from agent.triage.opinion import Opinion, RoleClassifier


@dataclass(frozen=True, slots=True)
class Judged:
    """A reviewed ticket with the answer that Rolecall gives without having seen its review.

    `multi_label`: whether a ticket may have several roles; then all of them have to be named.
    """

    example: Example
    opinion: Opinion
    multi_label: bool

    @property
    def predicted(self) -> tuple[str, ...]:
        """The most probable role, or, for multi-label desks, all roles more probable than not; none if untaught."""
        if self.opinion.reason is Reason.UNTAUGHT:
            return ()
        (best, _), *others = self.opinion.ranked()
        return (best, *(role for role, p in others if p >= 0.5)) if self.multi_label else (best,)

    @property
    def confidence(self) -> float:
        """The probability of the most probable role."""
        return self.opinion.ranked()[0][1]

    @property
    def right(self) -> bool:
        """Whether the predicted role is a reviewed one; for multi-label desks, whether both sets are equal."""
        reviewed = set(self.example.roles)
        if not self.predicted:
            return False
        return set(self.predicted) == reviewed if self.multi_label else set(self.predicted) <= reviewed

    @property
    def clear(self) -> bool:
        """Whether the suggestion is clear."""
        return self.opinion.outcome is Outcome.CLEAR


def already_known(reviewed: Iterable[Example], examples: Iterable[Example]) -> int:
    """Return how many of these tickets are among the reviewed ones, by their text: their answers were learnt."""
    there = {(fold(e.subject), fold(e.body)) for e in reviewed}
    return sum((fold(e.subject), fold(e.body)) in there for e in examples)


def judge_all(classifier: RoleClassifier, examples: Iterable[Example]) -> Iterator[Judged]:
    """Yield the judged answers one by one, each as if the ticket had no review."""
    fusion, _ = classifier.weighing(classifier.active.current)
    for e in examples:
        source = source_of(e.ticket_key)
        opinion = classifier.opinion(e.subject, e.body, e.filed_at.date(), hidden=e.ticket_key, source=source)
        yield Judged(e, opinion, fusion.multi_label)


NO_ANSWER = "(no answer)"
"""Stands for the role of a ticket on which neither a rule nor a model says anything: never right."""


def report(judged: Sequence[Judged]) -> Report:
    """Return the quality of the answers, over all roles predicted or reviewed, and over NO_ANSWER where it occurs."""
    named = {role for j in judged for role in (*j.opinion.roles, *j.example.roles)}
    silent = [not j.predicted for j in judged]
    roles = (*sorted(named), *([NO_ANSWER] if any(silent) else []))
    said = [{NO_ANSWER: 1.0} if none else dict(j.opinion.ranked()) for j, none in zip(judged, silent, strict=True)]
    probabilities = np.array([[row.get(role, 0.0) for role in roles] for row in said])
    labels: NDArray[np.float64] = np.array([[float(role in j.example.roles) for role in roles] for j in judged])
    return evaluate(probabilities, labels, roles, multi_label=any(j.multi_label for j in judged))
