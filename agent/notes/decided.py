"""What was decided on a ticket, in one sentence, from the ledger's row alone."""

from __future__ import annotations

from agent.domain import Outcome, Reason
from agent.notes.phrasing import listed, percent
from agent.notes.reasons import because
from agent.store.comments import Withheld
from agent.store.tables import Comment, Decision
from agent.triage.cutoffs import CLOSE
from heuristics import Kind

CLEAR = "{roles}, {confidence}"
PERHAPS = "Perhaps {roles}, {confidence}"
EITHER_OR = "{roles} or {second}? {confidence}, {lower}"


NOT_POSTED = {
    Withheld.HOURLY_LIMIT: "as many comments as `comments_per_hour` allows were posted; it follows when there is room",
    Withheld.DELETED: "a person deleted the comment, and it stays deleted",
    Withheld.IN_SHADOW: "a suggested role is in shadow: `rolecall ladder`",
}
REMOVED = "it was removed: `rolecall comments remove`, or a merge with another ticket"
PAUSED = "comments are paused ({why}): `rolecall queue resume`"


def not_posted(comment: Comment | None, paused: str | None) -> str | None:
    """Return why no comment is on a ticket, None where one is or nothing is known of it; `paused`: why all are."""
    if comment is not None and comment.removed_at is not None:
        return REMOVED
    if comment is not None and comment.withheld is not None:
        return NOT_POSTED[Withheld(comment.withheld)]
    there = comment is not None and comment.remote_id is not None
    return PAUSED.format(why=paused) if paused and not there else None


def decided(row: Decision) -> str:
    """Return the role that was suggested and how sure that was, or the reason for silence."""
    probabilities: dict[str, float] = row.detail.get("probabilities", {})
    if row.outcome == Outcome.NONE:
        best = max(probabilities, key=probabilities.__getitem__, default=None)
        barring = (hit["rule"] for hit in row.detail.get("hits", ()) if hit["kind"] == Kind.VETO)
        return because(Reason(row.reason), best, row.confidence or 0.0, barring)
    said = {"roles": listed(row.roles, "and"), "confidence": percent(row.confidence or 0.0)}
    if row.outcome == Outcome.CLEAR:
        return CLEAR.format(**said)
    first, second = (*sorted(probabilities.items(), key=lambda pair: -pair[1])[:2], ("", 0.0), ("", 0.0))[:2]
    if second[1] and second[1] >= CLOSE * first[1]:
        return EITHER_OR.format(**said, second=second[0], lower=percent(second[1]))
    return PERHAPS.format(**said)
