"""One training run, from reviewed tickets to a version that serves, or a reason why not.

    reviewed tickets → training set → split → fit in a child process → fusion and cut-offs → artefact → ACTIVE

Fusion and cut-offs are fitted on honest probabilities: out-of-fold for the tickets that the model was fitted on, its
own for those it never saw. The few test tickets are reported, and decide nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlmodel import Session, select

from agent.config.settings import LearningSettings
from agent.data_directory import DataDirectory
from agent.domain import RoleCatalogue, TrainingOutcome
from agent.errors import NotPossibleYet
from agent.fitting import child, evaluation
from agent.fitting.head import predict
from agent.fitting.job import FitResult, Job, Part, Progress, Recipe, Sample, describe, write_version
from agent.learning.calibration import fit_fusion
from agent.learning.contest import Contest, contest
from agent.learning.training_set import Split, TrainingSet, build, split
from agent.learning.turn import turn
from agent.serving.pruning import tidied
from agent.serving.registry import Registry
from agent.store import tickets
from agent.store.database import Database
from agent.store.tables import Training, utcnow
from agent.triage.cutoffs import fit_cutoffs, precision_coverage, rows
from agent.triage.evidence import Floats, OwnReviews
from agent.triage.fusion import Fusion
from agent.triage.memory import recall_as_filed, remember, reviewed_embeddings
from agent.triage.model import honest_arrays
from heuristics import RuleSet

LEAST_TICKETS = 20
LEAST_ROLES = 2
FOLDS = 5
STOPPED = "stopped midway"


@dataclass(frozen=True, slots=True)
class Trainer:
    """Runs trainings, with the collaborators that they need."""

    database: Database
    directory: DataDirectory
    catalogue: RoleCatalogue
    rules: RuleSet
    settings: LearningSettings
    precision_target: float

    async def train(self, trigger: str, on_progress: Callable[[Progress], None] = child.ignore) -> Training:
        """Train, promote the version if it is good enough, and return the ledger's row.

        Raises NotPossibleYet with too few reviewed tickets, and child.FitFailed; either is in the ledger, too.
        """
        async with turn(self.directory.path, on_progress, self.database):
            with tidied(self._registry, self._scratch, self.settings.keep_versions, utcnow()):
                return await self._record(trigger, on_progress)

    async def _record(self, trigger: str, on_progress: Callable[[Progress], None]) -> Training:
        run = self.database.call(_begin, Training(started_at=utcnow(), trigger=trigger))
        try:
            self._look_back()
            outcome = await self._train(on_progress)
        except BaseException as error:
            reason = str(error) or type(error).__name__
            failed = {"outcome": TrainingOutcome.FAILED, "reason": reason, "finished_at": utcnow()}
            self.database.call(_end, run.id, failed)
            raise
        return self.database.call(_end, run.id, outcome | {"finished_at": utcnow()})

    @property
    def _registry(self) -> Registry:
        return Registry(self.directory.models, self.directory.encoders)

    @property
    def _scratch(self) -> Path:
        return self.directory.path / "training"

    def _contest(self) -> Contest:
        return contest(self.database, self._registry, self.rules, self.catalogue)

    def _look_back(self) -> None:
        """Roll back if live reviews show that the active version is worse than its predecessor."""
        evidence = self._contest().live()
        if evidence is not None and evidence.roll_back:
            self._registry.rollback(evidence.reason)

    async def _train(self, on_progress: Callable[[Progress], None]) -> dict[str, Any]:
        reviewed = self.database.call(tickets.examples, self.catalogue)
        chosen = build(reviewed, window=self.settings.window, roles=self.catalogue.names)
        if len(chosen.examples) < LEAST_TICKETS or len(chosen.roles) < LEAST_ROLES:
            raise NotPossibleYet(
                f"{len(chosen.examples)} reviewed tickets of {len(chosen.roles)} roles are too few to learn from: "
                f"at least {LEAST_TICKETS} of {LEAST_ROLES}. `rolecall import` takes in what people have tagged"
            )
        _, validation, test = self.settings.split
        parts = split(chosen.examples, chosen.groups, validation=validation / 100, test=test / 100)
        job = self._job(chosen, parts)
        limits = child.Limits(self.settings.timeout_seconds, self.settings.memory_mb)
        result = await child.run(job, self._scratch, on_progress=on_progress, limits=limits)
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
        return Job(samples, chosen.roles, recipe, self.directory.encoders, chosen.multi_label)

    def _publish(self, chosen: TrainingSet, parts: Split, job: Job, result: FitResult) -> dict[str, Any]:
        labels = job.labels()
        fusion, honest = self._weigh(chosen, job, result)
        cutoffs = fit_cutoffs(honest, labels, job.roles, target=self.precision_target, multi_label=fusion.multi_label)
        report = evaluation.evaluate(honest, labels, job.roles, multi_label=fusion.multi_label)
        test = evaluation.evaluate(honest[parts.test], labels[parts.test], job.roles, multi_label=fusion.multi_label)
        metrics = {
            "accuracy": report.accuracy,
            "pooled": asdict(report),
            "test": asdict(test),
            "precision_coverage": rows(precision_coverage(honest, labels, multi_label=fusion.multi_label)),
        }
        registry = self._registry
        manifest = describe(job, result, registry, utcnow(), metrics, parts.manifest(chosen.examples))
        arrays = fusion.to_arrays() | cutoffs.to_arrays(job.roles)
        arrays |= honest_arrays(manifest, [e.ticket_key for e in chosen.examples], honest, labels)
        write_version(registry, manifest, result, result.head(), arrays)
        decision = self._contest().decide(manifest.version)
        if decision.outcome is TrainingOutcome.PROMOTED:
            registry.activate(manifest.version, decision.reason)
        return {
            "outcome": decision.outcome,
            "version": manifest.version,
            "reason": decision.reason,
            "metrics": manifest.metrics | {"gate": dict(decision.numbers)},
        }

    def _weigh(self, chosen: TrainingSet, job: Job, result: FitResult) -> tuple[Fusion, Floats]:
        """Return the fitted pool, and its answers to the training set as if it had not seen it, float64[n, roles]."""
        arrays, reviews = result.arrays(), OwnReviews(job.labels(), chosen.weights)
        model = arrays["out_of_fold"].astype(np.float64)
        unseen = np.isnan(model).all(axis=1)
        model[unseen] = predict(result.head(), arrays["embeddings"][unseen], multi_label=job.multi_label)
        fired = [self.rules.match(e.subject, e.body, e.filed_at.date()) for e in chosen.examples]
        counted = Fusion.counted(job.roles, fired, reviews, multi_label=job.multi_label)
        rejected = self.database.call(tickets.rejected, self.catalogue)
        memory = remember(reviewed_embeddings(chosen.examples, arrays["base_embeddings"], rejected), job.roles)
        recalled = recall_as_filed(memory, counted, np.arange(len(memory)))
        fusion = fit_fusion(counted, model, fired, recalled, reviews)
        return fusion, fusion.answer(model, fired, recalled, reviews)


def _begin(session: Session, run: Training) -> Training:
    """Record that a training began, and that any which is still recorded as running did not end: they take turns."""
    for stopped in session.exec(select(Training).where(Training.outcome == TrainingOutcome.RUNNING)):
        stopped.outcome, stopped.reason, stopped.finished_at = TrainingOutcome.FAILED, STOPPED, run.started_at
    session.add(run)
    session.flush()
    return run


def _end(session: Session, run_id: int | None, values: dict[str, Any]) -> Training:
    run = session.get_one(Training, run_id)
    for name, value in values.items():
        setattr(run, name, value)
    return run
