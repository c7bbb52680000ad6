"""The words for an explanation: the same in `/role why`, on the command line and on pages.

    lines = explained(explain(opinion), subjects, catalogue.roles)      # a paragraph each

Words of tickets appear only as excerpts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.domain import Role
from agent.notes.phrasing import joined, listed, neighbour, percent, percents_apart, spoken, worded
from agent.notes.reasons import why_none
from agent.triage.cutoffs import Abstained, Verdict
from agent.triage.evidence import Neighbour
from agent.triage.explanation import Explanation, RoleSaid, RuleSaid, Voice
from agent.triage.thresholds import Basis, Threshold
from connectors.markup import excerpt
from connectors.note import Paragraph
from heuristics import Kind

CLEAR = "Clear: {role} has {confidence} and needs {needs}."
NOT_CLEAR = "Either-or, not clear: {role} has {confidence} and needs {needs}."
NEVER_CLEAR = "Either-or, not clear: {role} has {confidence}, and is never clear yet."
NONE = "No suggestion. {why}"
ROLE = "{role}: {voices}; together {confidence}, {needs}."
NEEDS, NEVER_NEEDS = "needs {threshold}", "never clear yet"
NOBODY = "nothing speaks for or against it"
OTHERS = "Other roles: {count}, none above {confidence}."
OVERRULED = "The rules alone say {role}; {voices} outweigh them."
BY_RECORD = (
    "The rules alone say {role}, although what hit speaks for {voted}: how often these rules were right on tickets "
    "with known roles, and how common each role is, count too."
)
VOTES = "Rule {rule}, weight {weight}, speaks for {role}: it found {phrases}. {record}"
VETOES = "Rule {rule} rules out {role}: it found {phrases}."
RECORD = "It was right on about {right} of {seen} tickets with known roles."
NO_RECORD = "It has not been checked on tickets with known roles yet."
SIMILAR = "Similar tickets: {tickets}."
NO_RULE = "No rule hit."
NO_SIMILAR = "No similar ticket with a known role."
FROM = {
    Basis.OWN: (
        "{role} is clear from {threshold}: from there on it was right on {right} of {count} tickets, judged as if they "
        "had been new; {target} of 100 are asked for."
    ),
    Basis.SHARED: (
        "{role} is clear from {threshold}, like all roles together: they were right on {right} of {count} tickets from "
        "there on, and its own answers are too few, {own}; {target} of 100 are asked for."
    ),
    Basis.RAISED: (
        "{role} is clear from {threshold}: that is more than all roles together need, for its own answers, {own}, were "
        "worse; from there on it was right on {right} of {count}; {target} of 100 are asked for."
    ),
    Basis.FEW: (
        "{role} is clear from {threshold} and not lower, for its own answers are too few, {own}; all roles together "
        "were right on {right} of {count} tickets from there on; {target} of 100 are asked for."
    ),
    Basis.TARGET: "{role} is clear from {threshold}, the precision asked for: no model has a record yet.",
    Basis.UNKNOWN: "{role} is clear from {threshold}; the record behind it was not kept: the next training makes one.",
}
NEVER = (
    "{role} is never clear yet: {whose} were right on {right} of {count}, and from no confidence on often enough; "
    "{target} of 100 are asked for. More known roles help."
)
NEVER_UNKNOWN = "{role} is never clear yet; the record behind it was not kept: the next training makes one."
ITS_OWN, OF_ALL = "its own answers", "it has too few answers of its own, and those of all roles"
HANDLES = "{role} handles: {description}."
ASK = "{owner} knows more about {role}."
MADE_BY = "Model {model}, rules {rules}."
NO_MODEL = "No model yet: rules and similar tickets decide (rules {rules})."

ROLES_SHOWN = 3
SMALL = 0.01
"""Roles below this confidence are only counted."""


def explained(
    explanation: Explanation, subjects: Mapping[str, str], roles: Sequence[Role] = ()
) -> tuple[Paragraph, ...]:
    """Return why a suggestion is what it is, most important paragraph first.

    `subjects` holds the first words of the neighbours' tickets; `roles` say what each handles and who knows more.
    """
    return (
        _outcome(explanation),
        *_roles(explanation.roles),
        *_overruled(explanation),
        *_rules(explanation.rules),
        _similar(explanation.opinion.neighbours, subjects),
        *_thresholds(explanation),
        *_people(explanation, roles),
        _makers(explanation),
    )


def _outcome(explanation: Explanation) -> Paragraph:
    verdict = explanation.opinion.verdict
    if isinstance(verdict, Abstained):
        return worded(NONE, why=why_none(explanation.opinion, verdict))
    role = _weakest(explanation, verdict)
    if role.threshold.confidence is None:
        return worded(NEVER_CLEAR, role=role.role, confidence=percent(role.confidence))
    confidence, needs = percents_apart(role.confidence, role.threshold.confidence)
    return worded(CLEAR if verdict.clear else NOT_CLEAR, role=role.role, confidence=confidence, needs=needs)


def _weakest(explanation: Explanation, verdict: Verdict) -> RoleSaid:
    """Return the named role with the lowest confidence: it decides."""
    return [said for said in explanation.roles if said.role in verdict.roles][-1]


def _roles(roles: Sequence[RoleSaid]) -> Iterator[Paragraph]:
    likely = [said for said in roles[:ROLES_SHOWN] if said.confidence >= SMALL] or list(roles[:1])
    yield from (_role(said) for said in likely)
    if rest := roles[len(likely) :]:
        yield worded(OTHERS, count=str(len(rest)), confidence=percent(max(rest[0].confidence, SMALL)))


def _role(said: RoleSaid) -> Paragraph:
    voices = ", ".join(f"{spoken(voice)} {percent(share)}" for voice, share in said.alone.items())
    needed = said.threshold.confidence
    confidence, needs = (percent(said.confidence), "") if needed is None else percents_apart(said.confidence, needed)
    need = worded(NEVER_NEEDS) if needed is None else worded(NEEDS, threshold=needs)
    return worded(ROLE, role=said.role, voices=voices or spoken(NOBODY), confidence=confidence, needs=need)


def _overruled(explanation: Explanation) -> Iterator[Paragraph]:
    """Yield a sentence where the rules alone would say another role than is likeliest, or than they speak for."""
    rules, others = explanation.leader(Voice.RULES), [v for v in explanation.roles[0].alone if v is not Voice.RULES]
    voted = sorted({rule.role for rule in explanation.rules if rule.kind is Kind.VOTE})
    if rules is not None and voted and rules not in voted:
        yield worded(BY_RECORD, role=rules, voted=listed(voted, "and"))
    elif rules is not None and others and rules != explanation.roles[0].role:
        yield worded(OVERRULED, role=rules, voices=listed([spoken(voice) for voice in others], "and"))


def _rules(rules: Sequence[RuleSaid]) -> Iterator[Paragraph]:
    for rule in rules:
        phrases = joined([(excerpt(phrase),) for phrase in rule.phrases], ", ")
        record = spoken(NO_RECORD) if rule.right is None else worded(RECORD, right=str(rule.right), seen=str(rule.seen))
        yield worded(
            VETOES if rule.kind is Kind.VETO else VOTES,
            rule=[excerpt(rule.rule)],
            role=rule.role,
            weight=f"{rule.weight:g}",
            phrases=phrases,
            record=record,
        )
    if not rules:
        yield worded(NO_RULE)


def _similar(neighbours: Sequence[Neighbour], subjects: Mapping[str, str]) -> Paragraph:
    shown = [neighbour(near, subjects[near.ticket_key]) for near in neighbours if near.ticket_key in subjects]
    return worded(SIMILAR, tickets=joined(shown, ", ")) if shown else worded(NO_SIMILAR)


def _asked(explanation: Explanation) -> tuple[str, ...]:
    """Return the roles that the suggestion names or asks about; without one, the likeliest."""
    verdict = explanation.opinion.verdict
    if isinstance(verdict, Verdict):
        return (*verdict.roles, verdict.alternative) if verdict.alternative else verdict.roles
    return (verdict.role,) if verdict.role else ()


def _thresholds(explanation: Explanation) -> Iterator[Paragraph]:
    asked = _asked(explanation)
    yield from (_threshold(said.threshold) for said in explanation.roles if said.role in asked)


def _threshold(known: Threshold) -> Paragraph:
    never = NEVER_UNKNOWN if known.basis is Basis.UNKNOWN else NEVER
    return worded(
        never if known.confidence is None else FROM[known.basis],
        role=known.role,
        threshold=percent(known.confidence or 0.0),
        right=str(known.right),
        count=str(known.count),
        own=str(known.own),
        whose=spoken(OF_ALL if known.basis is Basis.SHARED else ITS_OWN),
        target=f"{known.target * 100:g}",
    )


def _people(explanation: Explanation, roles: Sequence[Role]) -> Iterator[Paragraph]:
    asked = _asked(explanation)
    for role in (role for role in roles if role.name in asked):
        if role.description:
            yield worded(HANDLES, role=role.name, description=role.description.rstrip("."))
        if role.owner:
            yield worded(ASK, role=role.name, owner=role.owner)


def _makers(explanation: Explanation) -> Paragraph:
    opinion = explanation.opinion
    made_by = MADE_BY if opinion.model_version else NO_MODEL
    return worded(made_by, model=opinion.model_version or "", rules=opinion.rules_version)
