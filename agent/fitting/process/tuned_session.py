"""The fits of one job that tune the encoder, on the same remembered output of its lower layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from agent.fitting.head import calibrated_loss
from agent.fitting.job import Job
from agent.fitting.process import stock
from agent.fitting.process.base import Base, load_weights, lower_outputs, upper_embeddings
from agent.fitting.process.body import tune
from agent.fitting.process.session import Report, Rows, Session, Tuning
from agent.serving.artefact import Head
from agent.serving.model import Embeddings


class TunedSession(Session):
    """Holds the lower layers' output for every text of a job, and the base as it was before any tuning."""

    def __init__(self, job: Job, base: Base, source: Path, scratch: Path, report: Report) -> None:
        if 0 < base.body.depth <= job.recipe.frozen_layers:  # the last block of a shallow encoder learns all the same
            job = replace(job, recipe=replace(job.recipe, frozen_layers=base.body.depth - 1))
        self._base, self._source, self._scratch, self._report = base, source, scratch, report
        texts = [sample.text for sample in job.samples]
        self._layers = job.recipe.frozen_layers if job.recipe.trainer == "contrastive" else base.body.depth
        self._outputs = lower_outputs(base, texts, self._layers, lambda done: report("read", done, len(texts)))
        if job.recipe.trainer == "contrastive":
            base.body.keep_upper(self._layers)
        super().__init__(job, upper_embeddings(base, self._outputs, self._layers))
        tunable = base.body.tunable(self._layers).items()
        self._untouched = {name: parameter.detach().clone() for name, parameter in tunable}

    def tune(self, rows: Rows, *, phase: str = "tune", stop_after: int | None = None) -> tuple[Tuning, Head | None]:
        """Tune the base on some rows as the recipe says; the stock trainer brings a head with it.

        Our own starts from the untouched base every time, and watches the validation texts unless `stop_after` says
        when to end.
        """
        job, labels = self._job, self._labels[rows]

        def report(done: int, total: int) -> None:
            self._report(phase, done, total)

        if stop_after == 0:
            return Tuning({}, 0), None
        if job.recipe.trainer == "setfit":
            texts = [self.texts[row] for row in rows]
            weights, head = stock.train(
                self._source,
                texts,
                labels,
                job.recipe,
                multi_label=job.multi_label,
                scratch=self._scratch,
                report=report,
            )
            load_weights(self._base.body, weights)
            return Tuning(dict(self._base.body.state_dict()), 1), head
        self._base.body.load_state_dict(self._untouched, strict=False)
        if (labels.sum(axis=0) > 0).sum() < 2 or labels.sum(axis=0).max(initial=0) < 2:
            return Tuning({}, 0), None  # nothing to tell apart, or no two texts to bring together
        watched = len(job.rows("validation")) > 0 and stop_after is None
        tuning = tune(
            self._base,
            [self._outputs[row] for row in rows],
            labels,
            job.recipe,
            validate=(lambda: self._validation_loss(rows)) if watched else None,
            stop_after=stop_after,
            report=report,
        )
        return tuning, None

    def embeddings(self, tuning: Tuning) -> Embeddings:
        """Return what the body, as the last tuning left it, makes of every text: float32[samples, dim]."""
        if tuning.steps == 0:
            return self.base_embeddings
        if self._job.recipe.trainer == "setfit":  # it tunes the lower layers, too: what is remembered is out of date
            return upper_embeddings(self._base, lower_outputs(self._base, self.texts, 0, lambda done: None), 0)
        return upper_embeddings(self._base, self._outputs, self._layers)

    def _validation_loss(self, rows: Rows) -> float:
        """Return the loss of a head fitted on `rows`, judged on the validation texts."""
        job = self._job
        judged = job.rows("validation")
        both = np.concatenate([rows, judged])
        embeddings = np.zeros_like(self.base_embeddings)
        embeddings[both] = upper_embeddings(self._base, [self._outputs[row] for row in both], self._layers)
        head = self.head(embeddings, rows)
        return calibrated_loss(head, embeddings[judged], self._labels[judged], multi_label=job.multi_label)
