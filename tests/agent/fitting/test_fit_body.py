"""The contrastive trainer: what it compares, what it costs in memory, what it leaves alone."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.fitting.job import Recipe
from tests.shared import Late

if TYPE_CHECKING:
    from agent.fitting.process.base import Base

pytestmark = pytest.mark.xdist_group("torch")  # one worker imports it
torch, bases, bodies = Late("torch"), Late("agent.fitting.process.base"), Late("agent.fitting.process.body")
contrast = Late("agent.fitting.process.contrast")

RECIPE = Recipe(frozen_layers=1, batch_size=8, learning_rate=5e-3, least_steps=15, epochs=1, dropout=0.0)
HYDRAULIC = [
    "pump leaks oil",
    "hose burst",
    "hydraulic cylinder seal",
    "oil hose leaks",
    "cylinder leaks hydraulic oil",
]
ELECTRIC = ["lamp dark", "cable short wire", "fuse short", "wire cut lamp", "dark lamp fuse"]
TEXTS = HYDRAULIC + ELECTRIC
LABELS = np.repeat(np.eye(2), 5, axis=0)


@pytest.fixture
def base(tiny_base: Path) -> Base:
    return bases.open_base(tiny_base, max_tokens=16)


def lower(base: Base) -> list[torch.Tensor]:
    """Return the lower outputs of TEXTS."""
    return bases.lower_outputs(base, TEXTS, RECIPE.frozen_layers, lambda done: None)


def gap(embeddings: np.ndarray) -> float:
    """Return how much nearer texts of one role are than texts of two."""
    similarity, same = embeddings @ embeddings.T, LABELS @ LABELS.T > 0
    return float(similarity[same].mean() - similarity[~same].mean())


def run(base: Base, recipe: Recipe = RECIPE) -> np.ndarray:
    """Tune and return the embeddings of TEXTS."""
    outputs = lower(base)
    bodies.tune(base, outputs, LABELS, recipe, report=lambda done, total: None)
    return bases.upper_embeddings(base, outputs, recipe.frozen_layers)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=9), st.integers(2, 40), st.integers(0, 3))
def test_batches_are_balanced_and_hold_no_text_twice(counts: list[int], size: int, seed: int) -> None:
    if sum(counts) == 0:
        return
    truth = np.repeat(np.arange(len(counts)), counts)
    labels = np.eye(len(counts))[truth]
    share = max(2, size // sum(count > 0 for count in counts))
    for batch in contrast.balanced_batches(labels, size, 5, seed):
        assert len(set(batch)) == len(batch) > 0
        assert len(batch) <= max(size, share)
        for role in set(truth[batch]):
            assert (truth[batch] == role).sum() == min(share, counts[role])


def test_texts_with_several_roles_are_drawn_once_a_batch() -> None:
    labels = np.ones((3, 4))
    for batch in contrast.balanced_batches(labels, 8, 4, seed=0):
        assert sorted(batch) == [0, 1, 2]


def test_texts_attract_each_other_by_the_share_of_roles_in_common() -> None:
    labels = torch.tensor([[1.0, 0, 0], [1, 1, 0], [0, 0, 1]])
    expected = [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]
    torch.testing.assert_close(contrast.affinity(labels), torch.tensor(expected))


def test_the_loss_is_the_one_of_the_paper_written_as_a_loop() -> None:
    torch.manual_seed(0)
    embeddings = torch.nn.functional.normalize(torch.randn(6, 4), dim=1)
    roles = [0, 0, 1, 1, 1, 2]  # the last has no partner
    attraction = contrast.affinity(torch.eye(3)[roles])
    total, anchors = 0.0, 0
    for anchor in range(6):
        partners = [other for other in range(6) if other != anchor and roles[other] == roles[anchor]]
        if not partners:
            continue
        anchors += 1
        others = sum(torch.exp(embeddings[anchor] @ embeddings[o] / 0.2).item() for o in range(6) if o != anchor)
        shares = [np.exp((embeddings[anchor] @ embeddings[p] / 0.2).item()) / others for p in partners]
        total += -float(np.mean(np.log(shares)))
    assert contrast.contrastive_loss(embeddings, attraction, 0.2).item() == pytest.approx(total / anchors, rel=1e-5)


def test_a_batch_without_any_partners_moves_nothing_and_divides_by_nothing() -> None:
    embeddings = torch.nn.functional.normalize(torch.randn(3, 4), dim=1).requires_grad_()
    loss = contrast.contrastive_loss(embeddings, contrast.affinity(torch.eye(3)), 0.1)
    loss.backward()
    assert loss.item() == 0.0
    assert embeddings.grad is not None
    assert not embeddings.grad.any()


def test_remembered_lower_layers_change_no_embedding(base: Base) -> None:
    rows = base.tokenizer.encode_batch(TEXTS)
    with torch.no_grad():
        whole = base.body(torch.tensor([r.ids for r in rows]), torch.tensor([r.attention_mask for r in rows])).numpy()
    np.testing.assert_allclose(bases.upper_embeddings(base, lower(base), 1), whole, atol=1e-5)


def test_tuning_brings_the_texts_of_a_role_together(base: Base) -> None:
    before = gap(bases.upper_embeddings(base, lower(base), 1))
    assert gap(run(base)) > before + 0.3


def test_frozen_layers_stay_as_they_were(base: Base) -> None:
    before = {name: tensor.clone() for name, tensor in base.body.state_dict().items()}
    tuning = bodies.tune(base, lower(base), LABELS, RECIPE, report=lambda done, total: None)
    changed = {name for name, tensor in base.body.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed
    assert all(name.startswith("encoder.layer.1.") for name in changed)
    assert changed <= set(tuning.weights)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_step_in_pieces_is_the_same_step(tiny_base: Path, dropout: float) -> None:
    recipe = replace(RECIPE, dropout=dropout, least_steps=4)
    at_once = run(bases.open_base(tiny_base, 16), recipe)
    in_pieces = run(bases.open_base(tiny_base, 16), replace(recipe, micro_batch_tokens=1))
    np.testing.assert_allclose(in_pieces, at_once, atol=2e-4)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_seed_gives_the_same_weights(tiny_base: Path, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        recipe = replace(RECIPE, dropout=0.2)
        first, again = (run(bases.open_base(tiny_base, 16), recipe) for _ in range(2))
        other = run(bases.open_base(tiny_base, 16), replace(recipe, seed=1))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_the_weights_that_validate_best_are_kept_and_tuning_stops(base: Base) -> None:
    losses = iter([1.0, 0.4, 0.6, 0.7, 0.8, 0.1])
    outputs = lower(base)
    recipe = replace(RECIPE, check_every=2, patience=3, least_steps=40)
    seen: list[int] = []
    tuning = bodies.tune(
        base, outputs, LABELS, recipe, validate=lambda: next(losses), report=lambda done, total: seen.append(done)
    )
    assert tuning.steps == 2
    assert tuning.losses == {0: 1.0, 2: 0.4, 4: 0.6, 6: 0.7, 8: 0.8}
    assert max(seen) == 8
    kept = base.body.state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in tuning.weights.items())


def test_tuning_that_never_helps_is_undone(base: Base) -> None:
    losses = iter(np.linspace(1, 2, 50))
    before = bases.upper_embeddings(base, lower(base), 1)
    outputs = lower(base)
    tuning = bodies.tune(base, outputs, LABELS, RECIPE, validate=lambda: float(next(losses)), report=lambda d, t: None)
    assert tuning.steps == 0
    np.testing.assert_array_equal(bases.upper_embeddings(base, outputs, 1), before)


def test_tuning_needs_the_upper_layers_only(tiny_base: Path) -> None:
    whole, upper = (bases.open_base(tiny_base, max_tokens=16) for _ in range(2))
    outputs = lower(upper)
    upper.body.keep_upper(RECIPE.frozen_layers)
    held = {name for name, parameter in upper.body.named_parameters() if parameter.numel()}
    assert held == set(whole.body.tunable(RECIPE.frozen_layers))
    bodies.tune(upper, outputs, LABELS, RECIPE, report=lambda done, total: None)
    np.testing.assert_array_equal(bases.upper_embeddings(upper, outputs, RECIPE.frozen_layers), run(whole))


def test_parameters_move_as_with_the_optimiser_of_torch() -> None:
    torch.manual_seed(0)
    ours = [torch.randn(7, 5), torch.randn(5), torch.randn(3)]
    theirs = [weight.clone() for weight in ours]
    gradients = [[torch.randn(weight.shape) for weight in ours[:2]] for _ in range(4)]  # the third one never has any
    mine, known = bodies.AdamW(ours, 0.01), torch.optim.AdamW(theirs, weight_decay=0.01)
    for step, found in enumerate(gradients):
        rate = 0.1 / (step + 1)
        for weights in (ours, theirs):
            for weight, gradient in zip(weights, found, strict=False):
                weight.grad = gradient.clone()
        mine.step(rate)
        known.param_groups[0]["lr"] = rate
        known.step()
    for weight, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(weight, wanted)


def test_tuning_does_without_the_compiler_of_torch(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._compile import _disable_dynamo  # what torch's own optimisers do at their first step

    monkeypatch.setitem(sys.modules, "torch._dynamo", None)
    run(bases.open_base(tiny_base, max_tokens=16), replace(RECIPE, micro_batch_tokens=8, least_steps=2))
    with pytest.raises(ImportError):
        _disable_dynamo(lambda: None)()
