"""Packages that a serving replica lacks: which module needs which, and the one line that installs it.

The default install has them all. `deploy/serving-requirements.txt` leaves them out.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from agent.errors import NotPossibleYet

TRAINING = ("torch", "onnx", "scipy", "sklearn")
"""Modules without which nothing can be trained, whatever the recipe."""

_NAMES = {"sklearn": "scikit-learn"}


def missing(*modules: str) -> str | None:
    """Return the line that installs those of the modules that are missing, in a sentence; None where none is."""
    lacking = [_requirement(module) for module in modules if find_spec(module) is None]
    return f"this needs: pip install {' '.join(map(shlex.quote, lacking))}" if lacking else None


def require(*modules: str) -> None:
    """Raise NotPossibleYet where any of the modules is not installed."""
    if reason := missing(*modules):
        raise NotPossibleYet(reason)


def _requirement(module: str) -> str:
    """Return our requirement that provides a module, else its bare name."""
    from importlib import metadata  # takes longer to import than most commands need in all

    name = _NAMES.get(module, module.replace("_", "-"))
    ours = (line for line in metadata.requires("rolecall") or () if ";" not in line)
    return next((line for line in ours if re.split(r"[^\w.-]", line)[0] == name), name)


@contextmanager
def without(module: str) -> Iterator[None]:
    """Hide `module` from the libraries that the block imports, unless it is loaded already.

    scikit-learn imports pandas wherever it finds it, to know tables that none of our code has: 65 MB of a process.
    Source: https://docs.python.org/3/reference/import.html#the-module-cache
    """
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(module, None)
