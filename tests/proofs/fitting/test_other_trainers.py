"""The stock trainer and encoders of other families end in the same artefact as our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.fitting.job import Job, Recipe, Sample
from agent.fitting.process.run import fit
from agent.serving.heads import probabilities_of
from agent.serving.model import Encoder

pytestmark = pytest.mark.filterwarnings("default")  # other people's libraries warn as they like

ROLES = ("Hydraulics", "Electrical", "Locksmith")
TEXTS = (
    ("pump leaks oil", "Hydraulics"),
    ("hose burst", "Hydraulics"),
    ("hydraulic cylinder seal leaks", "Hydraulics"),
    ("lamp dark", "Electrical"),
    ("cable short wire", "Electrical"),
    ("door lock key", "Locksmith"),
)
Report = Callable[[str, int, int], None]


def quiet(phase: str, done: int, total: int) -> None:
    """Hear nothing."""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    samples = tuple(Sample(text, text, (role,)) for text, role in TEXTS)
    return Job(samples, ROLES, Recipe(), tmp_path / "encoders")


def named(folder: Path, job: Job, head: object) -> list[str]:
    """Return the roles that the exported files give the training texts."""
    logits = Encoder.load(folder).embed([s.text for s in job.samples]) @ head.weights.T + head.bias  # type: ignore[attr-defined]
    return [job.roles[column] for column in probabilities_of(logits, multi_label=False).argmax(axis=1)]


@pytest.mark.parametrize("count", [6, 5])
def test_the_stock_trainer_is_served_like_ours(job: Job, tmp_path: Path, count: int) -> None:
    recipe = replace(job.recipe, trainer="setfit", setfit_iterations=2, setfit_max_steps=4, cross_fit_folds=2)
    job = replace(job, samples=job.samples[:count], recipe=recipe)  # with five texts a role has no example
    result = fit(job, tmp_path, quiet)
    assert result.tuned
    assert result.parity > 0.9999
    assert named(tmp_path, job, result.head()) == [role for _, role in TEXTS[:count]]
    assert np.isfinite(result.arrays()["out_of_fold"]).all()
    assert not (tmp_path / "setfit").exists()


def test_the_stock_trainer_fits_several_roles_a_text(job: Job, tmp_path: Path) -> None:
    recipe = replace(job.recipe, trainer="setfit", setfit_iterations=2, setfit_max_steps=4)
    samples = tuple(replace(s, roles=tuple({s.roles[0], "Electrical"})) for s in job.samples[:3]) + job.samples[3:]
    result = fit(replace(job, samples=samples, recipe=recipe, multi_label=True), tmp_path, quiet)
    assert np.isfinite(result.head().weights).all()


def test_an_encoder_of_another_family_is_tuned_and_served(job: Job, tmp_path: Path) -> None:
    base = modern_encoder(tmp_path / "modern")
    recipe = replace(job.recipe, base_model=str(base), frozen_layers=1, learning_rate=1e-2, least_steps=30)
    (tmp_path / "fit").mkdir()
    result = fit(replace(job, recipe=recipe), tmp_path / "fit", quiet)
    assert result.tuned
    assert result.parity > 0.9999
    assert np.abs(result.arrays()["embeddings"] - result.arrays()["base_embeddings"]).max() > 0.01
    assert named(tmp_path / "fit", job, result.head()) == [role for _, role in TEXTS]


def modern_encoder(folder: Path) -> Path:
    """Write a ModernBERT of two layers with random weights, in the Hugging Face layout."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import ModernBertConfig, ModernBertModel, PreTrainedTokenizerFast

    words = sorted({word for text, _ in TEXTS for word in text.split()})
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    torch.manual_seed(0)
    config = ModernBertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        bos_token_id=2,
        eos_token_id=3,
    )
    ModernBertModel(config).save_pretrained(folder, safe_serialization=True)
    return folder
