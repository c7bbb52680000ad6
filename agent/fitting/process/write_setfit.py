"""`python -m agent.fitting.process.write_setfit MODEL ENCODERS TARGET [--pickle-head]`: a model in SetFit's own layout.

    model.safetensors, config.json, tokenizer files, modules.json, 1_Pooling/   the encoder, as sentence-transformers
    config_setfit.json                                                        labels, normalised embeddings
    model_head.safetensors                                                    linear.weight, linear.bias
    model_head.pkl                                                            only on request

SetFit 1.2 reads a head from a pickle alone. Without one, `SetFitModel.from_pretrained` makes the head that config.json
asks for, and two lines, which the folder's README shows, fill it from model_head.safetensors.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import load_file, save_file

from agent.fitting.process.base import PIPELINE_PREFIX
from agent.fitting.process.source import WEIGHTS, locate
from agent.serving.artefact import BODY, Artefact, Head, read

KEPT = (".json", ".txt", ".model")
NOT_KEPT = ("data_config.json", "train_script.py")
PICKLE_HEAD = "--pickle-head"
CARD = """---
library_name: setfit
tags: [setfit, sentence-transformers, text-classification]
base_model: {base_model}
---
# {version}

A text classifier with the labels {labels}.

```python
from safetensors.torch import load_file
from setfit import SetFitModel

model = SetFitModel.from_pretrained("FOLDER")
model.model_head.load_state_dict(load_file("FOLDER/model_head.safetensors"))
model.predict(["a text"])
```

The head is no pickle, so SetFit does not load it by itself: without the line above its weights are random.
"""


def write(model: Path, encoders: Path, target: Path, *, pickle_head: bool = False) -> None:
    """Write the folder. Raises ArtefactError, UnusableBaseModel, OSError; KeyError for a weight without a place."""
    artefact = read(model, encoders)
    base = locate(artefact.manifest.base_model, encoders)
    target.mkdir(parents=True)
    for path in sorted(base.rglob("*")):
        if path.suffix in KEPT and path.name not in NOT_KEPT and path.is_file():
            place = target / path.relative_to(base)
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, place)
    weights = load_file(base / WEIGHTS)
    if artefact.manifest.tuned:
        weights |= tuned(artefact.encoder / BODY, weights)
    save_file(weights, target / WEIGHTS, metadata={"format": "pt"})
    _configure(artefact, target)
    head = {
        "linear.weight": torch.from_numpy(artefact.head.weights),
        "linear.bias": torch.from_numpy(artefact.head.bias),
    }
    save_file(head, target / "model_head.safetensors")
    if pickle_head:
        _pickle(artefact.head, target, multi_label=artefact.manifest.multi_label)


def tuned(graph: Path, base: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the weights of an exported graph by their names in the base's checkpoint."""
    names = {name.removeprefix("bert."): name for name in base}
    found = {tensor.name.removeprefix(PIPELINE_PREFIX): tensor for tensor in onnx.load(graph).graph.initializer}
    return {
        name: torch.from_numpy(numpy_helper.to_array(found[short]).copy())
        for short, name in names.items()
        if short in found
    }


def _configure(artefact: Artefact, target: Path) -> None:
    manifest = artefact.manifest
    several = {"multi_target_strategy": "one-vs-rest"} if manifest.multi_label else {}
    _update(
        target / "config.json",
        {"use_differentiable_head": True, "head_params": {"out_features": len(manifest.roles)}, **several},
    )
    _update(target / "config_setfit.json", {"labels": list(manifest.roles), "normalize_embeddings": True})
    length = manifest.recipe.get("max_tokens")
    if length is not None:
        _update(target / "sentence_bert_config.json", {"max_seq_length": length})
    card = CARD.format(
        base_model=manifest.base_model, version=manifest.version, labels=", ".join(map(json.dumps, manifest.roles))
    )
    (target / "README.md").write_text(card, "utf-8")


def _update(file: Path, values: dict[str, Any]) -> None:
    known = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    file.write_text(json.dumps(known | values, indent=2), "utf-8")


def _pickle(head: Head, target: Path, *, multi_label: bool) -> None:
    import joblib
    from setfit import SetFitHead

    roles, dim = head.weights.shape
    module = SetFitHead(in_features=dim, out_features=roles, device="cpu", multitarget=multi_label)
    module.load_state_dict(
        {"linear.weight": torch.from_numpy(head.weights), "linear.bias": torch.from_numpy(head.bias)}
    )
    joblib.dump(module, target / "model_head.pkl")


if __name__ == "__main__":
    folder, encoders, target = (Path(argument) for argument in sys.argv[1:] if argument != PICKLE_HEAD)
    write(folder, encoders, target, pickle_head=PICKLE_HEAD in sys.argv)
