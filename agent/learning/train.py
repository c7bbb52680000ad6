"""One training run, from reviewed tickets to a version that serves, or a reason why not.

    reviewed tickets → training set → split → fit in a child process → fusion and cut-offs → artefact → ACTIVE

Everything that decides how answers are weighed is fitted on honest probabilities: out-of-fold for the tickets that the
model was fitted on, its own for those it never saw. The few test tickets are a report, not a judge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlmodel import Session

from agent.config.settings import LearningSettings
from agent.data_directory import DataDirectory
from agent.errors import NotPossibleYet
from agent.fitting import child, evaluation, version
from agent.fitting.head import predict
from agent.fitting.job import FitResult, Job, Part, Progress, Recipe, Sample
from agent.learning import curve
from agent.learning.calibration import fit_fusion, honest_probabilities
from agent.learning.contest import contest, honest_arrays
from agent.learning.cutoffs import fit_cutoffs, precision_coverage
from agent.learning.promotion import Outcome
from agent.learning.splits import Split, split
from agent.learning.training_set import TrainingSet, build
from agent.roles import RoleCatalogue
from agent.serving.registry import Registry
from agent.store import tickets
from agent.store.database import Database
from agent.store.tables import Training, utcnow
from agent.triage.fusion import base_rates
from agent.triage.memory import Remembered, recall_as_filed, remember
from heuristics import RuleSet

OUTCOMES = {
    Outcome.PROMOTE: "promoted",
    Outcome.KEEP: "kept the old one",
    Outcome.NOT_ENOUGH_EVIDENCE: "kept the old one for want of evidence",
    Outcome.ASK: "waits for a person",
}
LEAST_TICKETS = 20
LEAST_ROLES = 2
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Trainer:
    """What a training run needs."""

    database: Database
    directory: DataDirectory
    catalogue: RoleCatalogue
    rules: RuleSet
    settings: LearningSettings
    precision_target: float

    async def train(self, trigger: str, on_progress: Callable[[Progress], None] = child.ignore) -> Training:
        """Train, promote what is good enough, and return the ledger's row about it.

        Raises NotPossibleYet with too few reviewed tickets, and child.FitFailed; either is in the ledger, too.
        """
        run = self.database.call(_begin, Training(started_at=utcnow(), trigger=trigger))
        try:
            self._look_back()
            outcome = await self._train(on_progress)
        except BaseException as error:
            reason = str(error) or type(error).__name__
            self.database.call(_end, run.id, {"outcome": "failed", "reason": reason, "finished_at": utcnow()})
            raise
        return self.database.call(_end, run.id, outcome | {"finished_at": utcnow()})

    def _look_back(self) -> None:
        """Let the predecessor serve again where live tickets have turned against the version that serves."""
        registry = Registry(self.directory.models, self.directory.encoders)
        evidence = contest(self.database, registry, self.rules, self.catalogue.names).live()
        if evidence is not None and evidence.roll_back:
            registry.rollback(evidence.reason)

    async def _train(self, on_progress: Callable[[Progress], None]) -> dict[str, Any]:
        reviewed = self.database.call(tickets.examples)
        chosen = build(
            reviewed,
            window=self.settings.window,
            roles=self.catalogue.names,
            successors=self.catalogue.successors(role for e in reviewed for role in e.roles),
        )
        if len(chosen.examples) < LEAST_TICKETS or len(chosen.roles) < LEAST_ROLES:
            raise NotPossibleYet(
                f"{len(chosen.examples)} reviewed tickets of {len(chosen.roles)} roles are too few to learn from: "
                f"at least {LEAST_TICKETS} of {LEAST_ROLES}. `rolecall import` takes in what people have tagged"
            )
        _, validation, test = self.settings.split
        parts = split(chosen.examples, chosen.groups, validation=validation / 100, test=test / 100)
        job = self._job(chosen, parts)
        limits = child.Limits(self.settings.timeout_seconds, self.settings.memory_mb)
        result = await child.run(job, self.directory.path / "training", on_progress=on_progress, limits=limits)
        try:
            return self._publish(chosen, parts, job, result)
        finally:
            result.discard()

    def _job(self, chosen: TrainingSet, parts: Split) -> Job:
        part: dict[int, Part] = dict.fromkeys(parts.validation.tolist(), "validation")
        part |= dict.fromkeys(parts.test.tolist(), "other")
        samples = tuple(
            Sample(e.ticket_key, e.text, e.roles, float(weight), str(group), part.get(index, "train"))
            for index, (e, weight, group) in enumerate(zip(chosen.examples, chosen.weights, chosen.groups, strict=True))
        )
        recipe = Recipe(
            trainer=self.settings.trainer,
            base_model=self.settings.base_model,
            seed=self.settings.seed,
            threads=self.settings.threads,
            cross_fit_folds=FOLDS,
        )
        multi_label = any(len(e.roles) > 1 for e in chosen.examples)
        return Job(samples, chosen.roles, recipe, self.directory.encoders, multi_label)

    def _publish(self, chosen: TrainingSet, parts: Split, job: Job, result: FitResult) -> dict[str, Any]:
        labels, evidence = job.labels(), self._evidence(chosen, job, result)
        fusion = fit_fusion(job.roles, labels, **evidence, trust=chosen.weights, multi_label=job.multi_label)
        honest = honest_probabilities(fusion, labels, **evidence, trust=chosen.weights)
        cutoffs = fit_cutoffs(honest, labels, job.roles, target=self.precision_target, multi_label=job.multi_label)
        report = evaluation.evaluate(honest, labels, job.roles, multi_label=job.multi_label)
        test = evaluation.evaluate(honest[parts.test], labels[parts.test], job.roles, multi_label=job.multi_label)
        registry = Registry(self.directory.models, self.directory.encoders)
        metrics = {
            "accuracy": report.accuracy,
            "pooled": asdict(report),
            "test": asdict(test),
            "precision_coverage": curve.rows(precision_coverage(honest, labels, multi_label=job.multi_label)),
        }
        manifest = version.describe(job, result, registry, utcnow(), metrics, parts.manifest(chosen.examples))
        arrays = fusion.to_arrays() | cutoffs.to_arrays(job.roles) | honest_arrays(manifest, chosen.examples, honest)
        version.write(registry, manifest, result, result.head(), arrays)
        ruling = contest(self.database, registry, self.rules, self.catalogue.names).rule_on(manifest.version)
        if ruling.outcome is Outcome.PROMOTE:
            registry.activate(manifest.version, ruling.reason)
        return {
            "outcome": OUTCOMES[ruling.outcome],
            "version": manifest.version,
            "reason": ruling.reason,
            "metrics": manifest.metrics | {"gate": dict(ruling.numbers)},
        }

    def _evidence(self, chosen: TrainingSet, job: Job, result: FitResult) -> dict[str, Any]:
        """Return what each voice says about the training set without knowing the answer, as `fit_fusion` takes it."""
        arrays, multi_label = result.arrays(), job.multi_label
        model = arrays["out_of_fold"].astype(np.float64)
        unseen = np.isnan(model).all(axis=1)
        model[unseen] = predict(result.head(), arrays["embeddings"][unseen], multi_label=multi_label)
        rejected = self.database.call(tickets.rejected)
        reviews = [
            Remembered(e.ticket_key, vector, e.roles, e.strength, rejected.get(e.ticket_key, ()))
            for e, vector in zip(chosen.examples, arrays["base_embeddings"], strict=True)
        ]
        recalled = recall_as_filed(
            remember(reviews, job.roles),
            base_rates(job.labels(), chosen.weights),
            np.arange(len(reviews)),
            multi_label=multi_label,
        )
        return {
            "model": model,
            "fired": [self.rules.match(e.subject, e.body, e.filed_at.date()) for e in chosen.examples],
            "memory": recalled.evidence,
            "corrections": recalled.corrections,
            "lessons": recalled.lessons,
        }


def _begin(session: Session, run: Training) -> Training:
    session.add(run)
    session.flush()
    return run


def _end(session: Session, run_id: int | None, values: dict[str, Any]) -> Training:
    run = session.get_one(Training, run_id)
    for name, value in values.items():
        setattr(run, name, value)
    return run
