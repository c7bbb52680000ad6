"""Put versions of the model to the same reviewed tickets, each answering as if it had not seen them.

A version's honest answers to its own training tickets were computed when it was trained and lie in its folder; to all
other tickets it answers now. Memory speaks from the reviews older than each ticket. So any two versions can be compared
on the latest reviewed tickets, and the gate never has to make do with a handful of test tickets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain import Example
from agent.fitting.evaluation import correct, losses
from agent.learning import baselines, promotion
from agent.learning.calibration import fit_fusion, honest_probabilities
from agent.learning.duplicates import group_duplicates
from agent.learning.rollback import LiveEvidence, live_evidence
from agent.serving.artefact import Manifest
from agent.serving.encoder import Encoder
from agent.serving.model import RoleModel, load
from agent.serving.registry import Registry
from agent.store import tickets
from agent.store.database import Database
from agent.triage.fusion import Fusion
from agent.triage.memory import Recalled, Remembered, recall_as_filed, remember
from agent.triage.recollection import embed_kept
from heuristics import Hit, RuleSet

POOL = 450
"""Reviewed tickets that versions are compared on, the latest: three windows."""

HONEST = "honest"

Floats = NDArray[np.float64]


def honest_arrays(manifest: Manifest, examples: Sequence[Example], honest: Floats) -> dict[str, Floats]:
    """Return a version's honest answers to its training tickets (float64[n, roles]) in its manifest's ticket order."""
    row = {e.ticket_key: i for i, e in enumerate(examples)}
    return {HONEST: honest[[row[key] for part in manifest.tickets.values() for key in part]]}


def contest(database: Database, registry: Registry, rules: RuleSet, roles: Sequence[str]) -> Contest:
    """Call up the latest reviewed tickets of roles that exist today."""
    latest = [e for e in database.call(tickets.reviewed) if set(e.roles) & set(roles)][-POOL:]
    fired = [rules.match(e.subject, e.body, e.filed_at.date()) for e in latest]
    return Contest(database, registry, tuple(roles), latest, fired, database.call(tickets.rejected))


@dataclass(frozen=True, slots=True)
class Contest:
    """The tickets to answer, oldest review first, with what the rules find in them."""

    database: Database
    registry: Registry
    roles: tuple[str, ...]
    examples: Sequence[Example]
    fired: Sequence[Sequence[Hit]]
    rejected: Mapping[str, tuple[str, ...]]

    @property
    def labels(self) -> Floats:
        """The reviewed roles as 0/1, float64[n, roles]."""
        rows = [[float(role in e.roles) for role in self.roles] for e in self.examples]
        return np.array(rows).reshape(len(rows), len(self.roles))

    def rule_on(self, version: str) -> promotion.Ruling:
        """Return the gate's ruling on a version that is to replace the one that serves."""
        challenger = load(self.registry.folder(version), self.registry.encoders)
        pointer = self.registry.active()
        champion = self._load(pointer.version) if pointer else None
        best = self._best_ever({version, pointer.version} if pointer else {version})
        served = set(champion.roles if champion else challenger.roles)
        return promotion.rule(
            promotion.Evidence(
                self.grade(self.answers(challenger)),
                self.grade(self.answers(champion)) if champion else None,
                self._floors(challenger.manifest),
                {"rules alone": self.grade(self._rules_alone(challenger.manifest))},
                self.grade(self.answers(best)) if best else None,
                roles_added=tuple(sorted(set(challenger.roles) - served)),
                roles_removed=tuple(sorted(served - set(challenger.roles))),
            )
        )

    def live(self) -> LiveEvidence | None:
        """Return what tickets reviewed since the last promotion say about it; None where nothing can be compared."""
        pointer = self.registry.active()
        if pointer is None or pointer.predecessor is None:
            return None
        serving, before = self._load(pointer.version), self._load(pointer.predecessor)
        seen = _trained_on(serving.manifest) | _trained_on(before.manifest)
        fresh = [i for i, e in enumerate(self.examples) if e.ticket_key not in seen]
        fresh = [i for i in fresh if self.examples[i].filed_at > serving.manifest.created_at]
        now, then = (self.grade(self.answers(model)).right[fresh] for model in (serving, before))
        return live_evidence(now, then)

    def answers(self, model: RoleModel) -> Floats:
        """Return what a version would have said of each ticket before its review, float64[n, roles]."""
        fusion = Fusion.from_arrays(model.roles, model.artefact.calibration)
        recalled = self._recalled(model, fusion)
        said = fusion.probabilities(
            model.probabilities([e.text for e in self.examples]),
            self.fired,
            recalled.evidence,
            recalled.corrections,
            recalled.lessons,
        )
        kept = model.artefact.calibration.get(HONEST)
        if kept is not None:
            row = {e.ticket_key: i for i, e in enumerate(self.examples)}
            keys = [key for part in model.manifest.tickets.values() for key in part]
            for key, answer in zip(keys, kept, strict=True):
                if key in row:
                    said[row[key]] = answer
        columns = [fusion.roles.index(role) if role in fusion.roles else None for role in self.roles]
        nothing = np.zeros(len(said))
        return np.column_stack([nothing if column is None else said[:, column] for column in columns])

    def _recalled(self, model: RoleModel, fusion: Fusion) -> Recalled:
        encoder = Encoder.load(self.registry.encoders / model.manifest.encoder)
        vectors = embed_kept(self.database, encoder, model.manifest.encoder, self.examples)
        # a ticket without a role of this model's still has its place in the order of reviews
        reviews = [
            Remembered(e.ticket_key, vector, e.roles, e.strength, self.rejected.get(e.ticket_key, ()))
            for e, vector in zip(self.examples, vectors, strict=True)
        ]
        memory = remember(reviews, fusion.roles)
        place = {key: i for i, key in enumerate(memory.ticket_keys)}
        recalled = recall_as_filed(memory, fusion.base, np.arange(len(place)), multi_label=fusion.multi_label)
        silence = np.zeros(len(fusion.roles))

        def spread(values: Floats) -> Floats:
            return np.array([values[place[e.ticket_key]] if e.ticket_key in place else silence for e in self.examples])

        return Recalled(spread(recalled.evidence), spread(recalled.corrections), spread(recalled.lessons), ())

    def grade(self, answers: Floats) -> promotion.Answers:
        """Return which answers (float64[n, roles]) are right, and their log-losses."""
        return promotion.Answers(correct(answers, self.labels), losses(answers, self.labels))

    def _floors(self, challenger: Manifest) -> dict[str, promotion.Answers]:
        """Return what cheaper ways say, each fitted on the challenger's tickets and cross-fitted on these."""
        learnt = _trained_on(challenger)
        inside = np.flatnonzero([e.ticket_key in learnt for e in self.examples])
        outside = np.setdiff1d(np.arange(len(self.examples)), inside)
        texts, labels = [e.text for e in self.examples], self.labels
        groups = group_duplicates(texts)
        encoder = Encoder.load(self.registry.encoders / challenger.encoder)
        vectors = embed_kept(self.database, encoder, challenger.encoder, self.examples)

        def majority(known: NDArray[np.intp], judged: NDArray[np.intp]) -> Floats:
            return baselines.majority(labels[known], len(judged))

        def tfidf(known: NDArray[np.intp], judged: NDArray[np.intp]) -> Floats:
            return baselines.tfidf([texts[i] for i in known], labels[known], [texts[i] for i in judged])

        def frozen(known: NDArray[np.intp], judged: NDArray[np.intp]) -> Floats:
            return baselines.frozen(vectors[known], labels[known], vectors[judged])

        floors = {}
        for name, answer in {"majority": majority, "TF-IDF": tfidf, "frozen encoder": frozen}.items():
            said = np.zeros_like(labels)
            fitted = baselines.cross_fitted(
                lambda known, judged, answer=answer: answer(inside[known], inside[judged]),  # type: ignore[misc]
                labels[inside],
                groups[inside],
            )
            said[inside] = fitted
            if len(outside):
                said[outside] = answer(inside, outside)
            floors[name] = self.grade(said)
        return floors

    def _rules_alone(self, challenger: Manifest) -> Floats:
        """Return what the rules say, with the records that the challenger's tickets gave them."""
        learnt = _trained_on(challenger)
        known = np.flatnonzero([e.ticket_key in learnt for e in self.examples])
        fired, labels = [self.fired[i] for i in known.tolist()], self.labels[known]
        fusion = fit_fusion(self.roles, labels, model=None, fired=fired)
        said = fusion.probabilities(None, self.fired)
        said[known] = honest_probabilities(fusion, labels, model=None, fired=fired)
        return said

    def _best_ever(self, others: set[str]) -> RoleModel | None:
        served = {move.version for move in self.registry.history()} - others
        candidates = [m for m in self.registry.versions() if m.version in served]
        best = max(candidates, key=lambda m: float(m.metrics.get("accuracy", 0.0)), default=None)
        return self._load(best.version) if best else None

    def _load(self, version: str) -> RoleModel:
        return load(self.registry.folder(version), self.registry.encoders)


def _trained_on(manifest: Manifest) -> set[str]:
    return {key for part in manifest.tickets.values() for key in part}
