"""Tickets, suggestions and known roles as pages show them, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.domain import Outcome, Strength, id_of, source_of
from agent.notes.explaining import explained
from agent.notes.phrasing import rendered
from agent.pages.guard import Visit
from agent.pages.reasons import reason
from agent.pages.standing import Standing
from agent.pages.ticket import comment
from agent.programs.answers import (
    DecisionAnswer,
    Explanation,
    KnownRole,
    RoleEvidence,
    RuleEvidence,
    SimilarTicket,
    Suggestion,
    WholeTicket,
)
from agent.store.tables import Decision
from agent.triage.cutoffs import Abstained
from agent.triage.explanation import explain
from agent.triage.opinion import Opinion
from connectors.base import Markup
from connectors.note import Note, Section, SectionKind

ROLES_SHOWN = 10
SUBJECT = 200
"""Characters of a similar ticket's subject."""


def hidden(visit: Visit, standing: Standing) -> bool:
    """Return whether a ticket is a random check that waits, and whoever asks may answer it."""
    return standing.blind and visit.may("reviewer")


def of_standing(visit: Visit, standing: Standing) -> dict[str, object]:
    """Return the fields of a TicketAnswer."""
    ticket, catalogue, known = standing.ticket, visit.site.classifier.catalogue, standing.review
    blind, source = hidden(visit, standing), source_of(standing.ticket.key)
    told = (
        None
        if blind or known is None
        else KnownRole(
            roles=list(catalogue.today(known.roles)),
            strength=Strength(known.strength).name.lower(),
            via=known.via,
            by=known.actor,
            at=known.at,
        )
    )
    return {
        "helpdesk": source,
        "number": id_of(ticket.key),
        "subject": ticket.subject,
        "group": ticket.group,
        "filed_at": ticket.filed_at,
        "closed_at": ticket.closed_at,
        "random_check": blind,
        "suggestion": None if blind else _suggestion(visit, standing),
        "known_role": told,
        "seen": standing.seen,
    }


def whole(visit: Visit, standing: Standing) -> WholeTicket:
    """Return a ticket with its text and our comment."""
    said = None if hidden(visit, standing) else comment(visit, standing)
    return WholeTicket.model_validate(of_standing(visit, standing) | {"text": standing.ticket.body, "comment": said})


def explanation(visit: Visit, opinion: Opinion, subjects: Mapping[str, str], fixes: Mapping[str, str]) -> Explanation:
    """Return an opinion with what led to it."""
    catalogue, found, verdict = visit.site.classifier.catalogue, explain(opinion), opinion.verdict
    sentences = Note((Section(SectionKind.ANSWER, explained(found, subjects, catalogue.roles)),))
    return Explanation(
        kind=opinion.outcome,
        roles=[] if isinstance(verdict, Abstained) else list(verdict.roles),
        confidence=None if isinstance(verdict, Abstained) else verdict.probability,
        why=rendered(sentences, Markup.MARKDOWN).split("\n\n"),
        evidence=[
            RoleEvidence(
                role=one.role,
                confidence=one.confidence,
                alone={str(voice): share for voice, share in one.alone.items()},
                needs=one.threshold.confidence,
            )
            for one in found.roles[:ROLES_SHOWN]
        ],
        rules=[
            RuleEvidence(
                rule=one.rule,
                role=one.role,
                kind=one.kind,
                weight=one.weight,
                phrases=list(one.phrases),
                right=one.right,
                seen=one.seen,
            )
            for one in found.rules
        ],
        similar=[
            SimilarTicket(
                helpdesk=source_of(near.ticket_key),
                number=id_of(near.ticket_key),
                subject=subjects.get(near.ticket_key, "")[:SUBJECT],
                roles=list(catalogue.today(near.roles)),
                similarity=near.similarity,
                fix=fixes.get(near.ticket_key),
            )
            for near in opinion.neighbours
            if near.ticket_key in subjects
        ],
        model=opinion.model_version,
        rules_version=opinion.rules_version,
    )


def of_decision(visit: Visit, row: Decision) -> DecisionAnswer:
    """Return one line of the ledger, with roles by today's names."""
    return DecisionAnswer(
        id=row.id or 0,
        helpdesk=source_of(row.ticket_key),
        number=id_of(row.ticket_key),
        at=row.at,
        kind=row.outcome,
        roles=list(visit.site.classifier.catalogue.today(row.roles)),
        confidence=row.confidence,
        reason=row.reason,
        model=row.model_version,
        rules_version=row.rules_version,
    )


def _suggestion(visit: Visit, standing: Standing) -> Suggestion:
    decision, why = standing.decision, reason(visit.site, standing)
    roles: Sequence[str] = standing.suggested(visit.site.classifier.catalogue)
    return Suggestion(
        kind=standing.outcome,
        roles=list(roles) if standing.outcome != Outcome.NONE else [],
        confidence=decision.confidence if decision else None,
        reason=why.striptags() if why is not None else None,
        at=decision.at if decision else None,
    )
