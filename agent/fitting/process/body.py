"""Tune the upper layers of an encoder by comparing all texts of a batch with one another.

Stock SetFit draws pairs and encodes both texts of every pair: 168 encodings a text for 105 texts. Here a text is
encoded once a step and takes part in all of the step's pairs; the lower layers do not learn, so their output is
computed once; and a step that is too big for memory is run in pieces (gradient caching: Gao et al. 2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agent.fitting.job import Recipe
from agent.fitting.process.base import Base, padded
from agent.fitting.process.contrast import affinity, balanced_batches, contrastive_loss
from agent.fitting.process.session import Tuning
from agent.serving.model import batches_by_length, return_freed_memory

WARM_UP = 0.1  # of the steps
LARGEST_GRADIENT = 1.0
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # torch's own defaults
TOKENS_PER_PIECE = 512  # a piece of similar lengths; small, since padding costs more than a call

Weights = dict[str, Tensor]


def count_steps(recipe: Recipe, texts: int) -> int:
    """Return how many steps make the recipe's epochs, at least its floor."""
    return max(recipe.least_steps, math.ceil(recipe.epochs * texts / recipe.batch_size))


def tune(
    base: Base,
    outputs: Sequence[Tensor],
    labels: NDArray[np.float64],
    recipe: Recipe,
    *,
    validate: Callable[[], float] | None = None,
    stop_after: int | None = None,
    report: Callable[[int, int], None],
) -> Tuning:
    """Tune `base.body` in place on the lower outputs of the training texts (labels 0/1, [texts, roles]).

    `validate` returns a loss of the body as it is; with it, the best weights seen are kept, those of the untouched
    base among them, and tuning ends when nothing got better for `recipe.patience` looks. `stop_after` ends it at the
    step that such a run found best. Deterministic for a given recipe and thread count.
    """
    torch.default_generator.manual_seed(recipe.seed)  # as torch.manual_seed, which imports the compiler, see AdamW
    base.body.requires_grad_(requires_grad=False)
    parameters = {name: weight.requires_grad_() for name, weight in base.body.tunable(recipe.frozen_layers).items()}
    optimiser = AdamW(parameters.values(), recipe.weight_decay)
    steps = count_steps(recipe, len(outputs))
    wanted = torch.tensor(labels, dtype=torch.float32)
    kept, kept_step, waited = _snapshot(parameters), 0, 0
    losses = {} if validate is None else {0: validate()}
    last = steps if stop_after is None else min(steps, stop_after)
    for step, rows in enumerate(balanced_batches(labels, recipe.batch_size, last, recipe.seed), start=1):
        base.body.train()
        base.body.zero_grad()
        _backward(base, [outputs[row] for row in rows], affinity(wanted[rows]), recipe)
        nn.utils.clip_grad_norm_(parameters.values(), LARGEST_GRADIENT)
        optimiser.step(recipe.learning_rate * _pace(step - 1, steps))
        report(step, last)
        if step % recipe.check_every == 0 or step == last:
            return_freed_memory()  # steps leave gaps that the next ones do not fit into: 100 MB after all folds
        if validate is None:
            continue
        if step % recipe.check_every == 0 or step == last:
            losses[step] = validate()
            if losses[step] < losses[kept_step]:
                kept, kept_step, waited = _snapshot(parameters), step, 0
            elif (waited := waited + 1) >= recipe.patience:
                break
    if validate is None:
        kept, kept_step = _snapshot(parameters), last
    base.body.load_state_dict(kept, strict=False)
    base.body.eval()
    return Tuning(kept, kept_step, losses)


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), to the bit as torch's.

    torch's own imports its compiler at the first step: 70 MB and a second of CPU for six lines of arithmetic.
    """

    def __init__(self, parameters: Iterable[Tensor], weight_decay: float) -> None:
        self._states = [(weight, torch.zeros_like(weight), torch.zeros_like(weight)) for weight in parameters]
        self._weight_decay, self._steps = weight_decay, 0

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter against its gradient."""
        self._steps += 1
        root = (1 - BETA2**self._steps) ** 0.5
        for weight, mean, square in self._states:
            if weight.grad is None:  # no text needed it
                continue
            weight.mul_(1 - rate * self._weight_decay)
            mean.lerp_(weight.grad, 1 - BETA1)
            square.mul_(BETA2).addcmul_(weight.grad, weight.grad, value=1 - BETA2)
            weight.addcdiv_(mean, (square.sqrt() / root).add_(EPSILON), value=-rate / (1 - BETA1**self._steps))


def _pace(step: int, steps: int) -> float:
    warm = max(1, int(WARM_UP * steps))
    return min((step + 1) / warm, (steps - step) / max(1, steps - warm))


def _snapshot(parameters: Mapping[str, Tensor]) -> Weights:
    return {name: parameter.detach().clone() for name, parameter in parameters.items()}


def _backward(base: Base, outputs: Sequence[Tensor], attraction: Tensor, recipe: Recipe) -> None:
    """Leave the gradient of one step's loss in the parameters, holding at most `micro_batch_tokens` of activations."""
    pieces = list(batches_by_length([len(row) for row in outputs], len(outputs), TOKENS_PER_PIECE))
    order = torch.tensor([index for piece in pieces for index in piece]).argsort()
    if sum(map(len, outputs)) <= recipe.micro_batch_tokens:
        embeddings = torch.cat([_embed(base, outputs, piece, recipe) for piece in pieces])[order]
        contrastive_loss(embeddings, attraction, recipe.contrast_temperature).backward()  # type: ignore[no-untyped-call]
        return
    states, found = [], []
    with torch.no_grad():
        for piece in pieces:
            states.append(torch.get_rng_state())  # the second run must drop the same units
            found.append(_embed(base, outputs, piece, recipe))
    embeddings = torch.cat(found)[order].requires_grad_()
    loss = contrastive_loss(embeddings, attraction, recipe.contrast_temperature)
    (gradient,) = torch.autograd.grad(loss, embeddings)
    after = torch.get_rng_state()
    for piece, state in zip(pieces, states, strict=True):
        torch.set_rng_state(state)
        _embed(base, outputs, piece, recipe).backward(gradient[piece])  # type: ignore[no-untyped-call]
    torch.set_rng_state(after)


def _embed(base: Base, outputs: Sequence[Tensor], piece: Sequence[int], recipe: Recipe) -> Tensor:
    hidden, mask = padded([outputs[index] for index in piece])
    return base.body.upper(hidden, mask, recipe.frozen_layers, recipe.dropout)
