"""Form an opinion on one ticket: rules, model and memory pooled, and what may be said of it.

Pure apart from the encoder's arithmetic; a few milliseconds of CPU, so it is called off the event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.config.settings import TriageSettings
from agent.domain import ticket_text
from agent.roles import RoleCatalogue
from agent.serving.active import ActiveModel
from agent.serving.model import RoleModel
from agent.triage.abstention import Abstained, Cutoffs, Verdict, judge
from agent.triage.fusion import Fusion
from agent.triage.memory import Neighbour, recall
from agent.triage.recollection import Recollection
from heuristics import Hit, RuleSet

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What Rolecall thinks of one ticket, and why. `probabilities`: float64[roles], in the order of `roles`."""

    verdict: Verdict | Abstained
    roles: tuple[str, ...]
    probabilities: Floats
    hits: tuple[Hit, ...]
    neighbours: tuple[Neighbour, ...]
    rules_version: str
    model_version: str | None

    def ranked(self) -> list[tuple[str, float]]:
        """Return (role, probability), most probable first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(self.roles[i], float(self.probabilities[i])) for i in order]

    def detail(self) -> dict[str, Any]:
        """Return the evidence as the ledger keeps it."""
        return {
            "probabilities": {role: round(p, 4) for role, p in self.ranked()},
            "hits": [{"rule": h.rule_id, "role": h.role, "kind": h.kind, "phrase": h.phrase} for h in self.hits],
            "neighbours": [
                {"ticket": n.ticket_key, "roles": n.roles, "similarity": n.similarity} for n in self.neighbours
            ],
        }


@dataclass(frozen=True, slots=True)
class Mind:
    """Everything that an opinion is formed with."""

    catalogue: RoleCatalogue
    rules: RuleSet
    active: ActiveModel
    recollection: Recollection
    settings: TriageSettings

    def opinion(self, subject: str, body: str, on: date, *, hidden: str | None = None) -> Opinion:
        """Return what to think of a ticket filed on that day.

        `hidden` is the key of a reviewed ticket that must not be remembered: the one that is asked about, when answers
        are judged.
        """
        model = self.active.current
        text = ticket_text(subject, body)
        fusion = self._fusion(model)
        hits = self.rules.match(subject, body, on)
        recollected = self.recollection.current
        memory: tuple[Floats, ...] = ()
        neighbours: tuple[Neighbour, ...] = ()
        if recollected is not None and recollected.memory.roles == fusion.roles and text:
            own = np.array([[key == hidden for key in recollected.memory.ticket_keys]])
            recalled = recall(recollected.memory, recollected.encoder.embed([text]), fusion.base, hidden=own)
            memory, neighbours = (recalled.evidence, recalled.corrections, recalled.lessons), recalled.neighbours[0]
        probabilities = fusion.probabilities(
            model.probabilities([text]) if model is not None and text else None, [hits], *memory
        )[0]
        roles, probabilities = self._active_only(fusion.roles, probabilities, on)
        return Opinion(
            judge(probabilities, roles, self.cutoffs(model), multi_label=fusion.multi_label),
            roles,
            probabilities,
            hits,
            neighbours,
            self.rules.version,
            model.version if model else None,
        )

    def _fusion(self, model: RoleModel | None) -> Fusion:
        if model is None:
            return Fusion.untrained(self.catalogue.names)
        return Fusion.from_arrays(model.roles, model.artefact.calibration).for_roles(self.catalogue.names)

    def cutoffs(self, model: RoleModel | None) -> Cutoffs:
        """Return from which probability each role may be asserted."""
        if model is None:
            return Cutoffs(
                self.settings.precision_target, self.settings.precision_target, silent_below=self.settings.silent_below
            )
        return Cutoffs.from_arrays(model.roles, model.artefact.calibration, silent_below=self.settings.silent_below)

    def _active_only(self, roles: Sequence[str], probabilities: Floats, on: date) -> tuple[tuple[str, ...], Floats]:
        active = {role.name for role in self.catalogue.active(on)}
        kept = [i for i, role in enumerate(roles) if role in active]
        return tuple(roles[i] for i in kept), probabilities[kept]
