"""How much each cue weighs: `message` for picking the message with the solution, `sentence` for choosing from it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of `picking.features` by name, and those of cues by part and kind."""

    message: Mapping[str, float]
    sentence: Mapping[str, Mapping[str, float]]


@cache
def shipped() -> Weights:
    """Return the weights that Rolecall comes with."""
    table = tomllib.loads((resources.files("agent.writing") / "weights.toml").read_text("utf-8"))
    return Weights(table["message"], table["sentence"])
