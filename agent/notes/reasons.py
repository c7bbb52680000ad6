"""Why there is no suggestion, in one sentence, and what would help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.domain import Reason
from agent.notes.phrasing import percent, spoken
from agent.triage.cutoffs import Abstained
from agent.triage.opinion import Opinion
from heuristics import Kind

SENTENCES: Mapping[Reason, str] = {
    Reason.UNSURE: "No role is likely enough: best is {best}, {confidence}.",
    Reason.UNTAUGHT: "No model yet, no rule hits, and no reviewed ticket is like it.",
    Reason.HARDLY_ANY_TEXT: "It has hardly any text of its own.",
    Reason.RULED_OUT: "Rules rule out every role ({rules}).",
    Reason.NO_ROLE: "No role is active today.",
    Reason.NONE_OF_OURS: "Staff called similar tickets none of ours.",
    Reason.CLOSED: "It was closed before Rolecall looked.",
    Reason.STAFF_FIRST: "Staff chose a role before Rolecall looked.",
    Reason.IGNORED_QUEUE: "Rolecall is set to leave its queue alone.",
    Reason.IGNORED_SENDER: "Rolecall is set to leave its sender alone.",
    Reason.IGNORED_TAG: "Rolecall is set to leave one of its tags alone.",
    Reason.OUTSIDE_PILOT: "Rolecall is set to look at other queues only.",
}
OPERATOR = "Whoever runs Rolecall can change that:"
HELP: Mapping[Reason, str] = {
    Reason.UNSURE: "Give the ticket its role: the next similar one learns from it at once.",
    Reason.UNTAUGHT: "Write a rule for its words into rules.toml, or teach: `rolecall import`, then `rolecall train`.",
    Reason.HARDLY_ANY_TEXT: "Ask whoever filed it what is wrong, or give the ticket its role.",
    Reason.RULED_OUT: "Look at these rules in rules.toml: `rolecall rules test` shows what they find.",
    Reason.NONE_OF_OURS: "If a role should handle it after all, give it with `/role NAME`.",
    Reason.NO_ROLE: "Look at `from` and `until` in roles.toml.",
    Reason.OUTSIDE_PILOT: f"{OPERATOR} `only` under `[triage]` in agent.toml.",
} | dict.fromkeys(
    (Reason.IGNORED_QUEUE, Reason.IGNORED_SENDER, Reason.IGNORED_TAG),
    f"{OPERATOR} `ignore` under `[triage]` in agent.toml.",
)


def why_none(opinion: Opinion, verdict: Abstained) -> str:
    """Return why there is no suggestion on a ticket, and what would help, in one or two sentences."""
    barring = (hit.rule_id for hit in opinion.hits if hit.kind is Kind.VETO)
    why = because(verdict.reason, verdict.role, verdict.probability, barring)
    return " ".join(filter(None, (why, spoken(HELP.get(verdict.reason, "")))))


def why_left_alone(reason: Reason) -> str:
    """Return why a ticket is left alone, and who can change that."""
    return f"{spoken(SENTENCES[reason])} {spoken(HELP[reason])}"


def because(reason: Reason, best: str | None, probability: float, barring: Iterable[str]) -> str:
    """Return why there is no suggestion on a ticket, in one sentence.

    `best` is the most probable role, `barring` the rules that rule a role out.
    """
    rules = ", ".join(sorted(set(barring)))
    return spoken(SENTENCES[reason]).format(best=best, confidence=percent(probability), rules=rules)
