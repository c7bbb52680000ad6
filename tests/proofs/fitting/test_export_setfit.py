"""A model in SetFit's own layout gives SetFit's own code the same answers, without a pickle."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from agent.errors import BadInput
from agent.fitting.child import Limits
from agent.fitting.export_setfit import export
from agent.model_api.classifier import train
from agent.model_api.training_request import job, request_of
from agent.serving.model import load
from agent.serving.registry import Registry

TEXTS = ["oil pump leaks", "wire cut", "door lock", "printer paper jam in the network", "smoke"]
EXAMPLES = [
    *({"text": text, "label": "oil"} for text in ("pump leaks oil", "hose burst", "oil hose leaks", "pump seal")),
    *({"text": text, "label": "wire"} for text in ("lamp dark", "cable short wire", "fuse short", "wire cut lamp")),
    *({"text": text, "label": "key"} for text in ("door lock key", "lost key", "badge lost", "door lock")),
]
SETFIT = textwrap.dedent(
    """
    import json, sys
    from safetensors.torch import load_file
    from setfit import SetFitModel
    folder, fill, texts = sys.argv[1], sys.argv[2] == "fill", json.loads(sys.argv[3])
    model = SetFitModel.from_pretrained(folder)
    if fill:
        model.model_head.load_state_dict(load_file(folder + "/model_head.safetensors"))
    print("ANSWER", json.dumps([list(model.predict(texts)), model.predict_proba(texts).tolist()]))
    """
)


@pytest.fixture(scope="module")
def registry(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Return a registry with a version whose body was tuned."""
    folder = tmp_path_factory.mktemp("models")
    request = request_of({"model_name": "m", "examples": EXAMPLES, "trainer": "setfit", "num_iterations": 1})
    registry = Registry(folder / "m", folder / "encoders")
    planned = job(request, str(tiny_base), registry.encoders)
    asyncio.run(train(planned, registry, folder / "scratch", Limits(), "a test"))
    return registry


@pytest.mark.parametrize("pickle_head", [False, True])
def test_setfit_answers_as_we_do(registry: Registry, tmp_path: Path, pickle_head: bool) -> None:
    pointer = registry.active()
    assert pointer is not None
    folder = tmp_path / "layout"
    export(registry, pointer.version, folder, pickle_head=pickle_head)
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "config.json", "config_setfit.json", "tokenizer.json", "README.md"} <= names
    assert ("model_head.pkl" in names) == pickle_head
    command = [sys.executable, "-c", SETFIT, str(folder), "as it is" if pickle_head else "fill", json.dumps(TEXTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    labels, probabilities = json.loads(done.stdout.partition("ANSWER ")[2])
    ours = load(registry.folder(pointer.version), registry.encoders)
    expected = ours.probabilities(TEXTS)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    assert labels == [ours.roles[column] for column in expected.argmax(axis=1)]


def test_an_existing_folder_is_left_alone(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exists already"):
        export(registry, "v1", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_cannot_be_read_leaves_nothing(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"manifest\.json is missing"):
        export(registry, "v1", tmp_path / "layout")
    assert list(tmp_path.iterdir()) == []
