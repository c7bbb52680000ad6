"""One training run, from reviewed tickets to a version that serves, or a reason why not.

    reviewed tickets → training data → each lane: fit in a child process, weigh → the best → artefact → ACTIVE

The cheap lane comes first; where nothing serves yet, its model serves while the others run. All are judged on the same
answers to tickets that they had not learnt, and the best challenges what serves (agent.learning.promotion).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, select

from agent.config.settings import LearningSettings
from agent.data_directory import DataDirectory
from agent.domain import Example, RoleCatalogue, TrainingOutcome
from agent.errors import NotPossibleYet
from agent.fitting import child
from agent.fitting.job import Progress, Recipe
from agent.fitting.job import Trainer as Lane
from agent.learning import due
from agent.learning.candidates import Candidate, Setup, lanes
from agent.learning.contest import Contest, contest
from agent.learning.training_data import TrainingData, training_data
from agent.learning.training_set import build, latest, split, still_needed, usable
from agent.learning.turn import turn
from agent.serving.pruning import tidied
from agent.serving.registry import Registry
from agent.store import tickets
from agent.store.database import Database
from agent.store.tables import Training, utcnow
from heuristics import RuleSet

LEAST_TICKETS = 20
LEAST_ROLES = 2
FOLDS = 5
SERVES = "serves"
"""The phase in which the model of the quick lane serves, and the slow one is yet to come."""
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
            with tidied(self._registry, self.directory.training, self.settings.keep_versions, utcnow()):
                return await self._record(trigger, on_progress)

    async def _record(self, trigger: str, on_progress: Callable[[Progress], None]) -> Training:
        run = self.database.call(_begin, Training(started_at=utcnow(), trigger=trigger))
        try:
            self._look_back()
            outcome = await self._due(trigger, on_progress)
        except BaseException as error:
            reason = str(error) or type(error).__name__
            failed = {"outcome": TrainingOutcome.FAILED, "reason": reason, "finished_at": utcnow()}
            self.database.call(_end, run.id, failed)
            raise
        return self.database.call(_end, run.id, outcome | {"finished_at": utcnow()})

    async def _due(self, trigger: str, on_progress: Callable[[Progress], None]) -> dict[str, Any]:
        """Train, unless it is night and there is nothing to train for; return what the ledger keeps."""
        known = usable(self.database.call(tickets.reviewed, self.catalogue), self.catalogue.names)
        basis = due.basis_of(known, self.catalogue, self.rules, self.settings)
        if trigger == due.NIGHTLY and self._registry.active() is not None:
            last = self.database.call(due.last_training)
            if reason := due.reason_to_wait(last, basis, known, self.settings.retrain, utcnow()):
                return {"outcome": TrainingOutcome.SKIPPED, "reason": reason}
        trained = await self._train(known, on_progress)
        needed = still_needed(known, self.catalogue.names)
        kept = {due.BASIS: basis, due.NEEDED: needed, due.KNOWN: len(known)}
        return trained | {"metrics": trained["metrics"] | kept}

    @property
    def _registry(self) -> Registry:
        return Registry(self.directory.models, self.directory.encoders)

    def _contest(self) -> Contest:
        return contest(self.database, self._registry, self.rules, self.catalogue)

    def _look_back(self) -> None:
        """Roll back if live reviews show that the active version is worse than its predecessor."""
        evidence = self._contest().live()
        if evidence is not None and evidence.roll_back:
            self._registry.rollback(evidence.reason)

    async def _train(self, known: Sequence[Example], on_progress: Callable[[Progress], None]) -> dict[str, Any]:
        chosen = build(known, window=self.settings.window)
        if len(chosen.examples) < LEAST_TICKETS or len(chosen.roles) < LEAST_ROLES:
            raise NotPossibleYet(
                f"{len(chosen.examples)} reviewed tickets of {len(chosen.roles)} roles are too few to learn from: "
                f"at least {LEAST_TICKETS} of {LEAST_ROLES}. `rolecall import` takes in what people have tagged"
            )
        _, validation, test = self.settings.split
        parts = split(chosen.examples, chosen.groups, validation=validation / 100, test=test / 100)
        wider = (latest(known, window=window) for window in due.head_windows(self.settings))
        data = [training_data(known, chosen, self.rules, examples) for examples in wider]
        setups = [Setup(one, parts.manifest(chosen.examples)) for one in differing(data)]
        candidates: list[Candidate] = []
        first: dict[str, Any] | None = None
        try:
            for lane in (planned := lanes(self.settings.trainer)):
                for setup in setups:
                    candidates.append(await self._fit(setup, lane, on_progress))
                    if len(candidates) == 1 and self._registry.active() is None:
                        first = self._publish(candidates[0])  # it serves while the others run
                        if first["outcome"] is TrainingOutcome.PROMOTED and planned[1:]:
                            on_progress(Progress(SERVES, 0, 0, 0.0))
                best = min(candidates, key=lambda candidate: candidate.weighed.loss)
                setups = [best.setup]  # what the cheap lane did best with is good enough for the slow one
            if first is not None and best is candidates[0]:
                return first
            last = self._publish(best)
        finally:
            for candidate in candidates:
                candidate.result.discard()
        if first is None or first["outcome"] is not TrainingOutcome.PROMOTED or last["outcome"] is first["outcome"]:
            return last
        return first | {"reason": f"{first['reason']}; {best.job.recipe.trainer} after it: {last['reason']}"}

    async def _fit(self, setup: Setup, lane: Lane, on_progress: Callable[[Progress], None]) -> Candidate:
        """Fit a lane's heads, and weigh them with rules and memory."""
        recipe = Recipe(
            trainer=lane,
            base_model=self.settings.base_model,
            seed=self.settings.seed,
            threads=self.settings.threads,
            cross_fit_folds=FOLDS,
        )
        job = setup.job(recipe, self.directory.encoders)
        limits = child.Limits(self.settings.timeout_seconds, self.settings.memory_mb)
        result = await child.run(job, self.directory.training, on_progress=on_progress, limits=limits)
        try:
            return setup.candidate(
                job, result, self.database.call(tickets.rejected, self.catalogue), self.precision_target
            )
        except BaseException:
            result.discard()
            raise

    def _publish(self, candidate: Candidate) -> dict[str, Any]:
        """Write the candidate's version, let it serve if it is good enough, and return what the ledger keeps."""
        registry, setup = self._registry, candidate.setup
        manifest = setup.write(candidate, registry, utcnow())
        decision = self._contest().decide(manifest.version)
        if decision.outcome is TrainingOutcome.PROMOTED:
            registry.activate(manifest.version, decision.reason)
        return {
            "outcome": decision.outcome,
            "version": manifest.version,
            "reason": decision.reason,
            "metrics": manifest.metrics | {"gate": dict(decision.numbers)},
        }


def differing(data: Sequence[TrainingData]) -> list[TrainingData]:
    """Return those that do not learn from as many tickets as the one before: there may be no older ones."""
    return [one for at, one in enumerate(data) if not at or len(one.learnt) != len(data[at - 1].learnt)]


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
