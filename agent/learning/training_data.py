"""The tickets of one training: those that the heads learn from, and those that everything is judged on.

Heads learn from a training set in which no role is lost and none has more than half (agent.learning.training_set), and
from older tickets (`wider`), if it is to be so: on these no encoder is tuned. Weights and cut-offs are fitted on the
latest reviewed tickets as they came, and candidates are judged on these: where a role has half of a desk's tickets, it
has to have half of these, or its probability would be far too low.

    known = usable(reviewed, catalogue.names)
    data = training_data(known, build(known), rules)
    data.learnt, data.recent                    # rows of data.examples, which are in the order of their reviews
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.domain import Example
from agent.learning.due import RECENT
from agent.learning.training_set import Groups, Indices, TrainingSet, group_duplicates, newest
from agent.triage.evidence import Floats, OwnReviews
from agent.triage.memory import TRUST
from heuristics import Hit, RuleSet


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Reviewed tickets in the order of their reviews: labels 0/1 [n, roles], near-duplicate groups [n], rule hits.

    `learnt`: the rows that heads are fitted on; `recent`: the rows that weights and cut-offs are fitted on.
    """

    examples: Sequence[Example]
    roles: tuple[str, ...]
    labels: Floats
    groups: Groups
    fired: Sequence[Sequence[Hit]]
    learnt: Indices
    recent: Indices

    @property
    def texts(self) -> list[str]:
        """The texts that models see."""
        return [example.text for example in self.examples]

    @property
    def trust(self) -> Floats:
        """How much each review counts, float64[n]."""
        return np.array([TRUST[example.strength] for example in self.examples], dtype=np.float64)

    @property
    def multi_label(self) -> bool:
        """Whether any ticket has several roles: then every ticket may have."""
        return bool((self.labels.sum(axis=1) > 1).any())

    def reviews(self, rows: Indices) -> OwnReviews:
        """Return the reviews of some rows."""
        return OwnReviews(self.labels[rows], self.trust[rows])


def labels_of(examples: Sequence[Example], roles: Sequence[str]) -> Floats:
    """Return the reviewed roles as 0/1, float64[n, roles]."""
    rows = [[float(role in example.roles) for role in roles] for example in examples]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(roles))


def training_data(
    known: Sequence[Example], chosen: TrainingSet, rules: RuleSet, wider: Sequence[Example] = ()
) -> TrainingData:
    """Return the tickets of one training, of all that are usable (`known`, in the order of their reviews).

    Heads learn from the training set and from `wider`.
    """
    learnt = {example.ticket_key for example in (*chosen.examples, *wider)}
    recent = {example.ticket_key for example in newest(known, RECENT)}
    examples = [example for example in known if example.ticket_key in learnt | recent]
    return TrainingData(
        examples,
        chosen.roles,
        labels_of(examples, chosen.roles),
        group_duplicates([example.text for example in examples]),
        [rules.match(*e.words, e.filed_at.date()) for e in examples],
        _rows(examples, learnt),
        _rows(examples, recent),
    )


def _rows(examples: Sequence[Example], keys: set[str]) -> Indices:
    return np.flatnonzero([example.ticket_key in keys for example in examples])
