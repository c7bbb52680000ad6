"""A base encoder small enough to train in a test: two layers, forty words, random but fixed weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.fitting.job import Job
from tests.agent.fitting.tiny_job import tiny_job
from tests.shared import made_once

VOCABULARY = """
pump leaks oil hose burst hydraulic cylinder seal lamp dark cable fuse wire short engine smoke turbo fuel
filter start door lock key badge lost printer paper jam toner screen network slow wifi down router cut
"""


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the sentence-transformers layout."""
    return made_once(tmp_path_factory, "tiny-base", write_tiny_base)


def write_tiny_base(folder: Path) -> None:
    """Write the weights, the tokenizer and the description of the base encoder into a folder."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    from agent.fitting.process.bert import Bert, BertShape

    vocabulary = {word: index for index, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *VOCABULARY.split()])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "model_type": "bert",
        "vocab_size": len(vocabulary),
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
        "hidden_size": 32,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
    }
    (folder / "config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    save_file(Bert(BertShape.of(config, "mean")).state_dict(), folder / "model.safetensors")


@pytest.fixture
def job(tiny_base: Path, tmp_path: Path) -> Job:
    return tiny_job(tiny_base, tmp_path / "encoders")
