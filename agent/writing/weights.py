"""How much each cue weighs: `message` for picking the message with the solution, `sentence` for choosing from it."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from agent.store import coordination
from agent.store.database import Database
from agent.writing.cues import Cue
from agent.writing.marking import Marked

LEARNT = "weights of notes"
"""Shared value: the weights of messages that serve, in JSON; absent where the shipped ones do."""

SHORT = 4
"""Words; a shorter sentence says little."""

_LOGGED = re.compile(
    r"\W?[^\n]{0,20}\d{2}:\d{2}[^\n]{0,40}?\b(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b"
)
"""The line of a log: a time, then how grave it is. What a program wrote is no word of what helped."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of `picking.features` by name, and those of cues by part and kind."""

    message: Mapping[str, float]
    sentence: Mapping[str, Mapping[str, float]]

    def score(self, marked: Marked, part: str) -> float:
        """Return how well a sentence fits a part; below 0 where it must not stand there."""
        text = marked.sentence.text
        asks = text.rstrip().endswith("?") and (marked.has(Cue.REQUEST) or not marked.has(Cue.ACTION))
        if marked.has(Cue.INJECTED) or asks or _LOGGED.match(text):
            return -1.0
        weights = self.sentence.get(part, {})
        base = weights.get("any", 0.0) + weights.get("short", 0.0) * (len(text.split()) < SHORT)
        return base + sum(weights.get(kind, 0.0) * (0.75 + 0.25 * min(n, 3)) for kind, n in marked.cues.items())


@cache
def shipped() -> Weights:
    """Return the weights that Rolecall comes with."""
    table = tomllib.loads((resources.files("agent.writing") / "weights.toml").read_text("utf-8"))
    return Weights(table["message"], table["sentence"])


def serving(database: Database) -> Weights:
    """Return the weights that serve: learnt from this desk's notes, or the shipped ones."""
    told = database.call(coordination.value, LEARNT)
    return shipped() if told is None else replace(shipped(), message=json.loads(told))
