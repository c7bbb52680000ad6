"""Roles that no reviewed ticket has yet: where a suggestion is unsure, ask about the one whose description fits.

Neither head nor memory ever names such a role. What `roles.toml` says of it is a text like any other, so a ticket can
be compared with it. Descriptions differ in how like they are to any ticket at all: counted is by how much a likeness is
above what is usual on this desk, in standard deviations over the remembered tickets.

It fills the second place of an either-or where that is free, and speaks where no role is likely enough; it takes no
other role's place, and is never clear. Measured on the frozen MiniLM with a linear head, each role in turn left out of
150 training tickets: of its tickets 29 % (excavators) and 50 % (San Diego) were asked about with the right role, by
name alone 19 and 33 %, without this none; of all other tickets 1.8 and 0.7 % were asked about with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.domain import Role, RoleCatalogue
from agent.serving.model import Embeddings
from agent.triage.cutoffs import CLOSE, Abstained, Cutoffs, Verdict, judge
from agent.triage.evidence import Floats
from agent.triage.memory_store import CurrentMemory
from agent.triage.model import TicketModel

LEAST = 30
"""Remembered tickets that tell what is usual; with fewer, no description speaks."""

ABOVE_USUAL, ABOVE_OTHERS = 1.0, 1.0
"""Standard deviations: of a likeness above what is usual, and above that of every other role."""

NEAR = 1.1 * CLOSE
"""Its confidence as a share of the likeliest one's: enough to be asked about. Where none is likely enough, it gets
a half. Of the tickets that were asked about, 77 and 91 % were its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """The roles' descriptions as vectors, [roles, dim], and how like tickets they are: mean and deviation, [roles]."""

    roles: tuple[str, ...]
    vectors: Embeddings
    usual: Floats
    spread: Floats

    def fitting(self, embedding: Embeddings) -> str | None:
        """Return the role whose description fits a text clearly better than any other. `embedding`: float32[dim]."""
        fits = (self.vectors @ embedding - self.usual) / self.spread
        best, *others = (int(index) for index in np.argsort(-fits, kind="stable"))
        if fits[best] < ABOVE_USUAL or (others and fits[best] - fits[others[0]] < ABOVE_OTHERS):
            return None
        return self.roles[best]


def described(roles: Sequence[Role], vectors: Embeddings, remembered: Embeddings) -> Described | None:
    """Return the descriptions, embedded, beside the remembered tickets; None where these are too few."""
    if len(remembered) < LEAST or not roles:
        return None
    likeness = (remembered @ vectors.T).astype(np.float64)
    spread = np.maximum(likeness.std(axis=0), 1e-6)
    return Described(tuple(role.name for role in roles), vectors, likeness.mean(axis=0), spread)


@dataclass
class Descriptions:
    """What the current memory's encoder makes of the roles' descriptions, made again only for another memory."""

    _memory: CurrentMemory | None = field(default=None, init=False)
    _known: Described | None = field(default=None, init=False)
    _vectors: tuple[str, tuple[Role, ...], Embeddings] | None = field(default=None, init=False)

    def fitting(
        self,
        memory: CurrentMemory | None,
        model: TicketModel | None,
        catalogue: RoleCatalogue,
        text: str,
        vectors: Embeddings | None,
    ) -> str | None:
        """Return the role without a reviewed ticket whose description fits a text; None where none does.

        `vectors`: what the model's encoder makes of the text, which may be the memory's.
        """
        if memory is None or model is None or not (unknown := without_ticket(memory, model.roles)):
            return None
        known = self.of(memory, catalogue.roles)
        if known is None:
            return None
        if vectors is None or model.encoder is not memory.encoder:
            vectors = memory.encoder.embed([text])
        role = known.fitting(vectors[0])
        return role if role in unknown else None

    def of(self, memory: CurrentMemory, roles: tuple[Role, ...]) -> Described | None:
        """Return the descriptions of these roles. Threads may make them at the same time, which is alike."""
        if self._memory is not memory:
            self._known = described(roles, self._embedded(memory, roles), memory.memory.embeddings)
            self._memory = memory
        return self._known

    def _embedded(self, memory: CurrentMemory, roles: tuple[Role, ...]) -> Embeddings:
        kept = self._vectors
        if kept is None or kept[:2] != (memory.fingerprint, roles):
            texts = [f"{role.name}: {role.description}" if role.description else role.name for role in roles]
            kept = self._vectors = memory.fingerprint, roles, memory.encoder.embed(texts)
        return kept[2]


def without_ticket(memory: CurrentMemory, known: Sequence[str]) -> frozenset[str]:
    """Return the roles that no remembered ticket has, and no model's head knows (`known`)."""
    counts = memory.memory.labels.sum(axis=0)
    return frozenset(role for role, count in zip(memory.roles, counts, strict=True) if not count) - frozenset(known)


def asking(
    verdict: Verdict | Abstained, probabilities: Floats, roles: Sequence[str], role: str, cutoffs: Cutoffs
) -> tuple[Floats, Verdict] | None:
    """Return the suggestion that asks about a role, too, and its probabilities [roles]; None where that is none.

    `verdict` leaves room for it (`agent.triage.opinion`). All other roles keep their proportions.
    """
    own = np.arange(len(roles)) == list(roles).index(role)
    rest = np.where(own, 0.0, probabilities)
    moved = np.where(own, NEAR * rest.max() if isinstance(verdict, Verdict) else rest.sum(), rest)
    moved *= probabilities.sum() / moved.sum()
    asked = judge(moved, roles, cutoffs)
    return (moved, asked) if isinstance(asked, Verdict) and not asked.clear else None
