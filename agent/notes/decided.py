"""What was decided on a ticket, in one sentence, from the ledger's row alone."""

from __future__ import annotations

from agent.domain import Outcome, Reason
from agent.notes.phrasing import listed, percent
from agent.notes.reasons import because
from agent.store.tables import Decision
from heuristics import Kind

CLEAR = "{roles}, {confidence}"
EITHER_OR = "Perhaps {roles}, {confidence}"


def decided(row: Decision) -> str:
    """Return the role that was suggested and how sure that was, or the reason for silence."""
    if row.outcome == Outcome.NONE:
        probabilities: dict[str, float] = row.detail.get("probabilities", {})
        best = max(probabilities, key=probabilities.__getitem__, default=None)
        barring = (hit["rule"] for hit in row.detail.get("hits", ()) if hit["kind"] == Kind.VETO)
        return because(Reason(row.reason), best, row.confidence or 0.0, barring)
    sentence = CLEAR if row.outcome == Outcome.CLEAR else EITHER_OR
    return sentence.format(roles=listed(row.roles, "and"), confidence=percent(row.confidence or 0.0))
