"""Write a model in SetFit's own layout, in a process of its own: it takes torch to read and write checkpoints."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from agent.errors import BadInput
from agent.packages import require
from agent.serving.registry import Registry

MODULE = "agent.fitting.process.write_setfit"


def export(registry: Registry, version: str, target: Path, *, pickle_head: bool = False) -> None:
    """Write `version` into the new folder `target`; with `pickle_head` also the pickle that SetFit loads by itself.

    Raises NotPossibleYet without torch, and BadInput with the reason; nothing is left behind then.
    """
    require("torch", "onnx", "setfit")
    if target.exists():
        raise BadInput(f"{target} exists already")
    building = target.with_name(f".building-{target.name}")
    shutil.rmtree(building, ignore_errors=True)
    command = [sys.executable, "-m", MODULE, str(registry.folder(version)), str(registry.encoders), str(building)]
    command += ["--pickle-head"] if pickle_head else []
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603 - our own module, and paths
    if done.returncode:
        shutil.rmtree(building, ignore_errors=True)
        lines = done.stderr.strip().splitlines()
        raise BadInput(f"{version} cannot be exported: {lines[-1] if lines else done.returncode}")
    building.rename(target)
