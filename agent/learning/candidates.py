"""The candidates of one training: each lane's embedding head, and a lexical head, weighed with rules and memory.

A lane is how the embedding head is made: on the frozen encoder, or on a tuned one. Where the settings ask for it, in
a second set-up the heads learn from older tickets, too. Honest answers to the same recent tickets tell which is best.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from agent.fitting import evaluation
from agent.fitting.head import predict
from agent.fitting.job import FitResult, Job, Part, Recipe, Sample, Trainer, describe, write_version
from agent.learning.training_data import TrainingData
from agent.learning.weighing import LexicalVoice, Weighed, lexical_voice, weigh
from agent.serving.artefact import Manifest
from agent.serving.registry import Registry
from agent.triage.cutoffs import precision_coverage, rows
from agent.triage.evidence import Heads
from agent.triage.memory import remember, reviewed_embeddings
from agent.triage.model import honest_arrays

VOICES = ("rules", "memory", "embedding head", "lexical head")
OTHER_PART = "judged"
"""Of the tickets that no head learnt from."""

OLDER_PART = "older"
"""Of the tickets that heads learnt from, and on which no encoder was tuned."""

PARTS: Mapping[str, Part] = {"train": "train", "validation": "validation", OTHER_PART: "other"}
"""How the training process treats the parts of the manifest; the head learns from all others."""


def lanes(trainer: Trainer) -> tuple[Trainer, ...]:
    """Return the lanes to fit, cheap ones first, where the settings ask for this one."""
    return ("frozen",) if trainer == "frozen" else ("frozen", trainer)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One lane's fit, weighed with the other voices of its set-up."""

    setup: Setup
    job: Job
    result: FitResult
    weighed: Weighed


@dataclass(frozen=True, eq=False)
class Setup:
    """What the lanes of a training have in common. `parts`: ticket keys by the part that they play."""

    data: TrainingData
    parts: Mapping[str, list[str]]

    @cached_property
    def lexical(self) -> LexicalVoice:
        """The lexical head, the same for every lane."""
        return lexical_voice(self.data)

    def job(self, recipe: Recipe, encoders: Path) -> Job:
        """Return the fit of a lane's embedding head."""
        part_of = {key: PARTS.get(name, "head") for name, keys in self.all_parts().items() for key in keys}
        samples = tuple(
            Sample(e.ticket_key, e.text, e.roles, float(trust), str(group), part_of[e.ticket_key])
            for e, trust, group in zip(self.data.examples, self.data.trust, self.data.groups, strict=True)
        )
        return Job(samples, self.data.roles, recipe, encoders, self.data.multi_label)

    def all_parts(self) -> dict[str, list[str]]:
        """Return the ticket keys by part, those that were only judged on included."""
        known = {key for keys in self.parts.values() for key in keys}
        learnt = {self.data.examples[row].ticket_key for row in self.data.learnt}
        others = [e.ticket_key for e in self.data.examples if e.ticket_key not in known]
        older = [key for key in others if key in learnt]
        judged = [key for key in others if key not in learnt]
        return {**self.parts, **({OLDER_PART: older} if older else {}), OTHER_PART: judged}

    def candidate(
        self, job: Job, result: FitResult, rejected: Mapping[str, tuple[str, ...]], target: float
    ) -> Candidate:
        """Return the weighed candidate of a fit. `rejected`: the roles of ours that people replaced, by ticket."""
        arrays = result.arrays()
        said = arrays["out_of_fold"]
        unseen = np.isnan(said).all(axis=1)
        said[unseen] = predict(result.head(), arrays["embeddings"][unseen], multi_label=job.multi_label)
        memory = remember(reviewed_embeddings(self.data.examples, arrays["base_embeddings"], rejected), job.roles)
        return Candidate(self, job, result, weigh(self.data, Heads(said, self.lexical.honest), memory, target))

    def write(self, candidate: Candidate, registry: Registry, now: datetime) -> Manifest:
        """Write the candidate as a version, and return its manifest. Raises OSError when the disk refuses."""
        job, weighed = candidate.job, candidate.weighed
        tickets = self.all_parts()
        manifest = describe(job, candidate.result, registry, now, self._metrics(weighed), tickets, VOICES)
        arrays = weighed.fusion.to_arrays() | weighed.cutoffs.to_arrays(job.roles)
        keys = [example.ticket_key for example in self.data.examples]
        arrays |= honest_arrays(manifest, keys, weighed.honest, self.data.labels, self.data.recent)
        write_version(registry, manifest, candidate.result, candidate.result.head(), arrays, self.lexical.head)
        return manifest

    def _metrics(self, weighed: Weighed) -> dict[str, Any]:
        labels, multi_label = self.data.labels, weighed.fusion.multi_label

        def report(chosen: Any) -> evaluation.Report:
            return evaluation.evaluate(weighed.honest[chosen], labels[chosen], self.data.roles, multi_label=multi_label)

        test = set(self.parts.get("test", ()))
        tested = np.flatnonzero([example.ticket_key in test for example in self.data.examples])
        recent = self.data.recent
        curve = precision_coverage(weighed.honest[recent], labels[recent], multi_label=multi_label)
        return {
            "accuracy": weighed.accuracy,
            "pooled": asdict(report(recent)),
            "test": asdict(report(tested)),
            "precision_coverage": rows(curve),
        }
