"""Tune with the stock `setfit.Trainer`: the recipe that people know, kept for comparison."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from agent.fitting.head import UNSEEN
from agent.fitting.job import Recipe
from agent.fitting.process.source import UnusableBaseModel
from agent.serving.artefact import Head

PICKLED_HEAD = "model_head.pkl"

# read when these libraries are imported; nothing may be reported to anybody
QUIET = {"WANDB_DISABLED": "true", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}


def import_libraries() -> None:
    """Import setfit and what it pulls in, several CPU seconds, so that they can be told from the training itself."""
    os.environ.update(QUIET)
    import datasets
    import setfit

    datasets.disable_progress_bars()
    setfit.logging.set_verbosity_error()


def train(
    base: Path,
    texts: Sequence[str],
    labels: NDArray[np.float64],
    recipe: Recipe,
    *,
    multi_label: bool,
    scratch: Path,
    report: Callable[[int, int], None],
) -> tuple[dict[str, Tensor], Head]:
    """Return the tuned encoder's tensors and the head that setfit fitted (labels: 0/1, [texts, roles]).

    Raises ValueError for fewer than two roles: setfit has no negative pairs then. Raises UnusableBaseModel where setfit
    would unpickle a head that came with the base, which runs whatever its maker put there.
    """
    if (base / PICKLED_HEAD).exists():
        raise UnusableBaseModel(f"{base} brings {PICKLED_HEAD}, a pickle: take it out, a new head is trained anyway")
    if (labels.sum(axis=0) > 0).sum() < 2:
        raise ValueError("setfit needs texts of at least two roles")
    import_libraries()
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        def on_step_end(self, args: object, state: object, control: object, **_: object) -> None:
            report(getattr(state, "global_step", 0), getattr(state, "max_steps", 0))

    model = SetFitModel.from_pretrained(
        str(base), local_files_only=True, trust_remote_code=False, multi_target_strategy=_strategy(multi_label)
    )
    wanted = labels.astype(int).tolist() if multi_label else labels.argmax(axis=1).tolist()
    arguments = TrainingArguments(
        output_dir=str(scratch),
        batch_size=recipe.setfit_batch_size,
        num_epochs=recipe.setfit_epochs,
        num_iterations=recipe.setfit_iterations,
        max_steps=recipe.setfit_max_steps,
        body_learning_rate=recipe.setfit_learning_rate,
        seed=recipe.seed,
        save_strategy="no",
        report_to="none",
        show_progress_bar=False,
    )
    trainer = Trainer(
        model=model, args=arguments, train_dataset=Dataset.from_dict({"text": list(texts), "label": wanted})
    )
    trainer.add_callback(Reporter())
    trainer.train()
    return dict(model.model_body[0].auto_model.state_dict()), _head(model.model_head, labels, multi_label=multi_label)


def _strategy(multi_label: bool) -> str | None:
    return "one-vs-rest" if multi_label else None


def _head(fitted: Any, labels: NDArray[np.float64], *, multi_label: bool) -> Head:
    """Read the coefficients out of scikit-learn's classifier; roles without an example are never named."""
    roles = labels.shape[1]
    estimators = list(fitted.estimators_) if multi_label else [fitted]
    dim = next(estimator.coef_.shape[1] for estimator in estimators if hasattr(estimator, "coef_"))
    head = Head(np.zeros((roles, dim), dtype=np.float32), np.full(roles, UNSEEN, dtype=np.float32))
    if multi_label:
        for role, estimator in enumerate(estimators):
            if hasattr(estimator, "coef_"):  # otherwise constant: every text has the role, or none
                head.weights[role], head.bias[role] = estimator.coef_[0], estimator.intercept_[0]
        return head
    present = fitted.classes_
    weights, bias = fitted.coef_, fitted.intercept_
    if len(present) == 2:  # one row of coefficients, for the second role
        weights, bias = np.vstack([-weights[0], weights[0]]) / 2, np.array([-bias[0], bias[0]]) / 2
    head.weights[present], head.bias[present] = weights, bias
    return head
