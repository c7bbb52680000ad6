"""Compare versions of the model on the same reviewed tickets, each answering as if it had not seen them.

A version's honest answers to its own training tickets were computed when it was trained and lie in its folder; to all
other tickets it answers now. The memory uses only the reviews older than each ticket. So any two versions can be
compared on the latest reviewed tickets, and promotion never depends on a handful of test tickets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain import Example, RoleCatalogue
from agent.fitting.evaluation import Report, correct, evaluate, losses
from agent.learning import promotion
from agent.learning.due import RECENT
from agent.learning.promotion import Grades, PromotionDecision
from agent.learning.rollback import LiveEvidence, live_evidence
from agent.learning.training_data import labels_of
from agent.learning.training_set import newest, usable
from agent.learning.weighing import fit_fusion
from agent.serving.model import Embeddings, Encoder
from agent.serving.registry import Registry
from agent.store import tickets
from agent.store.database import Database
from agent.triage.evidence import Floats, OwnReviews, Recall
from agent.triage.fusion import Fusion
from agent.triage.memory import embed_kept, recall_as_filed, remember, reviewed_embeddings
from agent.triage.model import TicketModel, load, trained_on
from heuristics import Hit, RuleSet


def contest(database: Database, registry: Registry, rules: RuleSet, catalogue: RoleCatalogue) -> Contest:
    """Load the latest reviewed tickets, those that a training is judged on."""
    latest = newest(usable(database.call(tickets.reviewed, catalogue), catalogue.names), RECENT)
    fired = [rules.match(*e.words, e.filed_at.date()) for e in latest]
    return Contest(database, registry, catalogue, latest, fired, database.call(tickets.rejected, catalogue))


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Judges answers of one shape, float64[n, roles], by the reviewed roles (0/1); made by `Contest.judge`."""

    roles: tuple[str, ...]
    labels: Floats
    multi_label: bool

    def grade(self, answers: Floats) -> Grades:
        """Return which answers are right, and their log-losses."""
        return Grades(
            correct(answers, self.labels, multi_label=self.multi_label),
            losses(answers, self.labels, multi_label=self.multi_label),
        )

    def report(self, answers: Floats) -> Report:
        """Return the quality of the answers."""
        return evaluate(answers, self.labels, self.roles, multi_label=self.multi_label)


@dataclass(frozen=True, slots=True)
class Contest:
    """The tickets to answer, oldest review first, with what the rules find in them."""

    database: Database
    registry: Registry
    catalogue: RoleCatalogue
    examples: Sequence[Example]
    fired: Sequence[Sequence[Hit]]
    rejected: Mapping[str, tuple[str, ...]]

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of today."""
        return self.catalogue.names

    @property
    def labels(self) -> Floats:
        """The reviewed roles as 0/1, float64[n, roles]."""
        return labels_of(self.examples, self.roles)

    def judge(self, *models: TicketModel | None) -> Judge:
        """Return a judge for all of these models: multi-label if any of them is."""
        several = any(model.fusion.multi_label for model in models if model is not None)
        return Judge(self.roles, self.labels, several)

    def load(self, version: str) -> TicketModel:
        """Load a version. Raises BadInput, ArtefactError."""
        return load(self.registry.folder(version), self.registry.encoders, self.catalogue)

    def decide(self, version: str) -> PromotionDecision:
        """Return whether a version may replace the one that serves."""
        challenger = self.load(version)
        pointer = self.registry.active()
        champion = self.load(pointer.version) if pointer else None
        best = self._best_ever({version, pointer.version} if pointer else {version})
        served = set(champion.roles if champion else challenger.roles)
        judge = self.judge(challenger, champion, best)
        return promotion.decide(
            promotion.Comparison(
                judge.grade(self.answers(challenger)),
                judge.grade(self._rules_alone(challenger, judge)),
                judge.grade(self.answers(champion)) if champion else None,
                judge.grade(self.answers(best)) if best else None,
                roles_added=tuple(sorted(set(challenger.roles) - served)),
                roles_removed=tuple(sorted(served - set(challenger.roles))),
            )
        )

    def live(self) -> LiveEvidence | None:
        """Return the evidence of tickets reviewed since the last promotion; None where nothing can be compared."""
        pointer = self.registry.active()
        if pointer is None or pointer.predecessor is None:
            return None
        serving, before = self.load(pointer.version), self.load(pointer.predecessor)
        seen = {*trained_on(serving.manifest), *trained_on(before.manifest)}
        fresh = [i for i, e in enumerate(self.examples) if e.ticket_key not in seen]
        fresh = [i for i in fresh if self.examples[i].filed_at > serving.manifest.created_at]
        judge = self.judge(serving, before)
        now, then = (judge.grade(self.answers(model)).right[fresh] for model in (serving, before))
        return live_evidence(now, then)

    def answers(self, model: TicketModel) -> Floats:
        """Return a version's answers to each ticket as before its review, float64[n, roles]."""
        said = np.zeros((len(self.examples), len(model.roles)))
        for row, example in enumerate(self.examples):
            said[row] = model.honest.get(example.ticket_key, 0.0)
        others = [row for row, e in enumerate(self.examples) if e.ticket_key not in model.honest]
        if others:
            encoder, tuned = model.manifest.encoder, model.manifest.tuned
            vectors = None if tuned else self._embeddings(encoder)[others]
            heads = model.heads([self.examples[row].text for row in others], vectors)
            recalled = self._recalled(model.roles, model.fusion, encoder).rows(np.array(others))
            said[others] = model.fusion.answer(heads, [self.fired[row] for row in others], recalled)
        columns = [model.roles.index(role) if role in model.roles else None for role in self.roles]
        nothing = np.zeros(len(said))
        return np.column_stack([nothing if column is None else said[:, column] for column in columns])

    def without_model(self, fusion: Fusion, encoder: str) -> Floats:
        """Return what rules and memory say to each ticket as before its review, float64[n, roles].

        `fusion` is for today's roles; `encoder` is the fingerprint of the one that compares the tickets.
        """
        return fusion.answer(None, self.fired, self._recalled(self.roles, fusion, encoder))

    def _embeddings(self, encoder: str) -> Embeddings:
        loaded = Encoder.load(self.registry.encoders / encoder)
        return embed_kept(self.database, loaded, encoder, self.examples)

    def _recalled(self, roles: tuple[str, ...], fusion: Fusion, encoder: str) -> Recall:
        reviews = reviewed_embeddings(self.examples, self._embeddings(encoder), self.rejected)
        memory = remember(reviews, roles)
        recalled = recall_as_filed(memory, fusion, np.arange(len(memory)))
        place = {key: i for i, key in enumerate(memory.ticket_keys)}
        silence = np.zeros(len(roles))

        def spread(values: Floats) -> Floats:
            """Return one row per ticket: zeros for those that the memory lacks, having none of this model's roles."""
            return np.array([values[place[e.ticket_key]] if e.ticket_key in place else silence for e in self.examples])

        return Recall(spread(recalled.evidence), spread(recalled.corrections), spread(recalled.lessons))

    def _learnt(self, model: TicketModel) -> NDArray[np.intp]:
        """Return the rows of the tickets that a version was made from."""
        learnt = set(trained_on(model.manifest))
        return np.flatnonzero([e.ticket_key in learnt for e in self.examples])

    def _rules_alone(self, challenger: TicketModel, judge: Judge) -> Floats:
        """Return the grades of the rules alone, with the records from the challenger's tickets."""
        known = self._learnt(challenger)
        fired, reviews = [self.fired[i] for i in known.tolist()], OwnReviews(judge.labels[known], np.ones(len(known)))
        counted = Fusion.counted(self.roles, fired, reviews, multi_label=judge.multi_label)
        fusion = fit_fusion(counted, None, fired, None, reviews)
        said = fusion.answer(None, self.fired)
        said[known] = fusion.answer(None, fired, own=reviews)
        return said

    def _best_ever(self, others: set[str]) -> TicketModel | None:
        served = {move.version for move in self.registry.history()} - others
        candidates = [m for m in self.registry.versions() if m.version in served]
        best = max(candidates, key=lambda m: float(m.metrics.get("accuracy", 0.0)), default=None)
        return self.load(best.version) if best else None
