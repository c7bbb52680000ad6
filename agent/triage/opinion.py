"""Form an opinion on one ticket: pool rules, model and memory, and apply the cut-offs.

Pure apart from the encoder's arithmetic; a few milliseconds of CPU, so it is called off the event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from agent.config.settings import TriageSettings
from agent.domain import Outcome, Reason, RoleCatalogue
from agent.serving.active import ActiveModel
from agent.serving.model import Embeddings
from agent.text.reading import Reading, read
from agent.triage.cutoffs import Abstained, Cutoffs, Verdict, judge
from agent.triage.described import Descriptions, asking
from agent.triage.evidence import Evidence, Floats, Neighbour, Recall
from agent.triage.fusion import Fusion, pool
from agent.triage.memory_store import MemoryStore
from agent.triage.model import TicketModel
from heuristics import Hit, RuleSet, tally, vetoed


@dataclass(frozen=True, slots=True, eq=False)
class Grounds:
    """What an opinion was formed from, for `agent.triage.explanation`."""

    evidence: Evidence
    fusion: Fusion
    cutoffs: Cutoffs
    model: TicketModel | None
    described: str | None = None
    """The role without a reviewed ticket that is asked about, because its description fits."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """The answer to one ticket, and the evidence for it. `probabilities`: float64[roles], in the order of `roles`.

    `left_out` is what did not count of its text: what others wrote, and the signature.
    """

    verdict: Verdict | Abstained
    roles: tuple[str, ...]
    probabilities: Floats
    hits: tuple[Hit, ...]
    neighbours: tuple[Neighbour, ...]
    rules_version: str
    model_version: str | None
    grounds: Grounds
    left_out: str = ""

    @property
    def outcome(self) -> Outcome:
        """Whether the suggestion is clear, asks which of two roles it is, or is none."""
        if isinstance(self.verdict, Abstained):
            return Outcome.NONE
        return Outcome.CLEAR if self.verdict.clear else Outcome.EITHER_OR

    @property
    def suggested(self) -> tuple[str, ...]:
        """The roles that are suggested; none where nothing is."""
        return () if isinstance(self.verdict, Abstained) else self.verdict.roles

    @property
    def reason(self) -> Reason | None:
        """Why there is no suggestion; None where there is one."""
        return self.verdict.reason if isinstance(self.verdict, Abstained) else None

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


@dataclass(slots=True, eq=False)
class RoleClassifier:
    """Rules, model and memory that together answer a ticket. Others take the place of `rules` when these change."""

    catalogue: RoleCatalogue
    rules: RuleSet
    active: ActiveModel[TicketModel]
    memory: MemoryStore
    settings: TriageSettings
    descriptions: Descriptions = field(default_factory=Descriptions)

    def opinion(
        self, subject: str, body: str, on: date, *, hidden: str | None = None, source: str | None = None
    ) -> Opinion:
        """Return the opinion on a ticket filed on that day, in the system `source` if it is given.

        `hidden` is the key of a ticket that is answered as if it had no review: its own, when answers are judged. The
        memory leaves it out; a model that learnt from it gives the answer that it would have given before.
        """
        model, rules, reading = self.active.current, self.rules, read(subject, body)
        text = reading.text
        fusion, cutoffs = self.weighing(model)
        hits = rules.match(reading.subject, reading.body, on)
        vectors = model.embed([text]) if model is not None and text else None
        recalled = self._recall(text, fusion, hidden, model, vectors)
        heads = model.heads([text], vectors) if model is not None and text else None
        evidence = fusion.gather(heads, [hits], recalled)
        answer = pool(evidence, fusion.weights)[0]
        if model is not None and hidden is not None and hidden in model.honest:
            honest = model.honest[hidden]
            answer = np.pad(honest, (0, len(answer) - len(honest)))
        roles, probabilities = self._active_only(fusion.roles, answer, on, source)
        outside = recalled is not None and any(recalled.none_of_ours)
        verdict = Abstained(Reason.NONE_OF_OURS) if outside else judge(probabilities, roles, cutoffs)
        asked = described = None
        if leaves_room(verdict, cutoffs):
            described = self.descriptions.fitting(self.memory.current, model, self.catalogue, text, vectors)
        if described in set(roles) - vetoed(hits):
            asked = asking(verdict, probabilities, roles, described, cutoffs)
        if asked is not None:
            probabilities, verdict = asked
        return Opinion(
            _judged(verdict, reading, roles, hits, taught=model is not None or _similar(recalled)),
            roles,
            probabilities,
            hits,
            recalled.neighbours[0] if recalled else (),
            rules.version,
            model.version if model else None,
            Grounds(evidence, fusion, cutoffs, model, described if asked else None),
            reading.left_out,
        )

    def weighing(self, model: TicketModel | None) -> tuple[Fusion, Cutoffs]:
        """Return the pool for today's roles, and their cut-offs."""
        if model is None:
            target = self.settings.precision_target
            return Fusion.untrained(self.catalogue.names), Cutoffs(
                target, target, silent_below=self.settings.silent_below
            )
        return model.fusion.for_roles(self.catalogue.names), model.cutoffs

    def _recall(
        self, text: str, fusion: Fusion, hidden: str | None, model: TicketModel | None, vectors: Embeddings | None
    ) -> Recall | None:
        """Return what the memory says. `vectors`: what the model's encoder makes of the text, which may be its own."""
        memory = self.memory.current
        if memory is None or not text:
            return None
        shared = model is not None and model.encoder is memory.encoder
        return memory.recall(text, fusion, hidden, vectors if shared else None)

    def _active_only(
        self, roles: Sequence[str], probabilities: Floats, on: date, source: str | None
    ) -> tuple[tuple[str, ...], Floats]:
        active = {role.name for role in self.catalogue.active(on, source)}
        kept = [i for i, role in enumerate(roles) if role in active]
        return tuple(roles[i] for i in kept), probabilities[kept]


def leaves_room(verdict: Verdict | Abstained, cutoffs: Cutoffs) -> bool:
    """Return whether nothing is lost by asking: no role is likely enough, or an either-or has no second role."""
    if cutoffs.multi_label:
        return False
    if isinstance(verdict, Abstained):
        return verdict.reason is Reason.UNSURE
    return not verdict.clear and verdict.alternative is None


def _similar(recalled: Recall | None) -> bool:
    return recalled is not None and any(recalled.neighbours)


def _judged(
    verdict: Verdict | Abstained, reading: Reading, roles: Sequence[str], hits: Sequence[Hit], *, taught: bool
) -> Verdict | Abstained:
    """Return the verdict where something speaks for a role: a rule that votes for one not ruled out, or what we learnt.

    `taught`: whether a model or a similar ticket speaks.
    Without a model every role is equally likely, and without text the most frequent one is: that is no answer.
    """
    if (tally(hits).keys() - vetoed(hits)) & set(roles):
        return verdict
    if isinstance(verdict, Abstained) and verdict.reason is not Reason.UNSURE:
        return verdict
    if reading.says_nothing:
        return Abstained(Reason.HARDLY_ANY_TEXT)
    return verdict if taught else Abstained(Reason.UNTAUGHT)
