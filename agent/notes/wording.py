"""The wording of our comments, as notes.

The first line holds the answer: people have two seconds.

Words from tickets are untrusted: they appear only as excerpts, in which no markup, link or mention works.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.domain import Role, id_of
from agent.notes.links import by_links
from agent.notes.phrasing import joined, listed, neighbour, percent, spoken, worded
from agent.triage.cutoffs import Abstained, Verdict
from agent.triage.opinion import Opinion
from connectors.base import PRIVATELY
from connectors.markup import excerpt
from connectors.note import Note, Paragraph, Section, SectionKind, Span, Style
from heuristics import Kind

CLEAR = "**Role: {roles}** ({confidence})"
EITHER_OR = "**Role: {roles}?** ({confidence})"
PERHAPS = "**Role: perhaps {roles}?** ({confidence})"
CONFIRMED = "**Role: {roles}** (confirmed by staff)"
SAID = "**Role: {roles}** (said by staff)"
MOVED = "**Role: {roles}** (moved there by staff; suggested was {suggested})"
NONE_OF_OURS = "**None of our roles** (said by staff)"
CORRECTED = "**Role: {roles}** (said by staff; suggested was {suggested})"
WHY = "Why: {reasons}."
NEXT_REASON = "; "
PHRASES = "it says "
ALIKE = "like "
WORDS = "the words as a whole are like those of its tickets"
RIGHT_OR_WRONG = "Right? Answer {privately}: `/role ok`. Wrong? `/role` and {roles}."
WHICH = "Which one? Answer {privately}: {commands}, or `/role` and another role's name."
ONE_OF = "one of: {roles}, none"
ANY_ROLE = "a role's name, or none"
HANDLES = "{role}: {description}"
BURST = "{count} more like this one were filed within the hour before: {numbers}."
SHORT = "In short: {facts}."
BETTER_SUBJECT = "The subject says little. A better one, in the ticket's own words: {subject}"
REPLACES = "This replaces my earlier comment."

PHRASES_SHOWN = 3
NEIGHBOURS_SHOWN = 2
ROLES_OFFERED = 8
BURST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Beside:
    """What a note tells beside the opinion.

    `subjects` holds the first words of the neighbours' tickets, `fixes` what helped on them; `roles` say what each
    handles, `privately` how staff write to each other in the ticket's system; at `link`, people answer with a click.
    `subject` is a better one for this ticket, `short` what its long text says, `burst` the keys of tickets filed alike.
    """

    subjects: Mapping[str, str] = field(default_factory=dict)
    fixes: Mapping[str, str] = field(default_factory=dict)
    roles: Sequence[Role] = ()
    privately: str = PRIVATELY
    link: str | None = None
    subject: str | None = None
    short: Sequence[str] = ()
    burst: Sequence[str] = ()


def of_opinion(opinion: Opinion, beside: Beside, answer: Paragraph | None = None) -> Note | None:
    """Return the note on an opinion, with the answer to a command; None where nothing should be posted."""
    verdict = opinion.verdict
    answered = [Section(SectionKind.ANSWER, (answer,))] if answer else []
    if isinstance(verdict, Abstained):
        return Note(tuple(answered)) if answered else None
    told = (_head(opinion, verdict), *_why(opinion, verdict, beside), *_matter(beside))
    link = beside.link
    how = by_commands(opinion, verdict, beside.privately) if link is None else by_links(opinion, verdict, link)
    better = [worded(BETTER_SUBJECT, subject=[Span(beside.subject, Style.QUOTED)])] if beside.subject else []
    commands = (*better, *_what_they_handle(verdict, beside.roles), how)
    return Note((Section(SectionKind.ROLE, told), *answered, Section(SectionKind.COMMANDS, commands)), choices(verdict))


def asked(verdict: Verdict) -> tuple[str, ...]:
    """Return the roles between which an either-or asks."""
    return (*verdict.roles, verdict.alternative) if verdict.alternative else verdict.roles


def choices(verdict: Verdict) -> tuple[tuple[str, ...], ...]:
    """Return what can be confirmed: all the roles, or one of those between which an either-or asks."""
    return tuple((role,) for role in asked(verdict)) if verdict.alternative else (verdict.roles,)


def by_commands(opinion: Opinion, verdict: Verdict, privately: str) -> Paragraph:
    """Return the commands that answer, with the roles that they may name; `privately`: how staff write them."""
    if verdict.alternative:
        commands = [(Span(f"/role {answer}", Style.CODE),) for answer in (*asked(verdict), "none")]
        return worded(WHICH, privately=spoken(privately), commands=joined(commands, ", "))
    others = sorted(role for role in opinion.roles if role not in verdict.roles)
    named = worded(ONE_OF, roles=", ".join(others)) if 0 < len(others) <= ROLES_OFFERED else worded(ANY_ROLE)
    return worded(RIGHT_OR_WRONG, privately=spoken(privately), roles=named)


def reviewed(roles: Sequence[str], how: str, suggested: Sequence[str] = ()) -> Note:
    """Return the note on a ticket that staff have reviewed.

    `how` is "corrected", "confirmed" or "moved", `suggested` what a correction or a move replaced.
    """
    corrected = CORRECTED if suggested else SAID
    sentence = {"confirmed": CONFIRMED, "moved": MOVED}.get(how, corrected)
    said = worded(sentence, roles=listed(roles, "and"), suggested=listed(suggested, "and"))
    return Note((Section(SectionKind.ROLE, (said,)),), (tuple(roles),))


def none_of_ours() -> Note:
    """Return the note on a ticket that staff have called none of ours."""
    return Note((Section(SectionKind.ROLE, (worded(NONE_OF_OURS),)),))


def with_answer(note: Note, answer: Paragraph | None) -> Note:
    """Return the note with an answer to a command below it."""
    return Note((*note.sections, Section(SectionKind.ANSWER, (answer,))), note.choices) if answer else note


def decided(roles: Sequence[str], confidence: float) -> Note:
    """Return the note on what was suggested, from the ledger alone."""
    said = worded(CLEAR, roles=listed(roles, "or"), confidence=percent(confidence))
    return Note((Section(SectionKind.ROLE, (said,)),), (tuple(roles),))


def headline(note: Note) -> Paragraph:
    """Return the note in one line: the answer to a command where it holds one, else its first paragraph."""
    answers = [section for section in note.sections if section.kind is SectionKind.ANSWER]
    return (*answers, *note.sections)[0].paragraphs[0]


def replacing(note: Note) -> Note:
    """Return the note, saying that it replaces an earlier comment, which cannot be edited."""
    return Note((*note.sections, Section(SectionKind.REPLACES, (worded(REPLACES),))), note.choices)


def _head(opinion: Opinion, verdict: Verdict) -> Paragraph:
    if verdict.clear:
        return worded(CLEAR, roles=listed(verdict.roles, "and"), confidence=percent(verdict.probability))
    confidence = dict(opinion.ranked())
    return worded(
        EITHER_OR if verdict.alternative else PERHAPS,
        roles=listed(asked(verdict), "or"),
        confidence=", ".join(percent(confidence[role]) for role in asked(verdict)),
    )


def _why(opinion: Opinion, verdict: Verdict, beside: Beside) -> list[Paragraph]:
    why = _reasons(opinion, verdict, beside.subjects, beside.fixes)
    return [worded(WHY, reasons=joined(why, spoken(NEXT_REASON)))] if why else []


def _matter(beside: Beside) -> Iterator[Paragraph]:
    """Yield what the ticket is about: a long text in short, and how many were filed alike."""
    if beside.short:
        yield worded(SHORT, facts=joined([(Span(fact, Style.QUOTED),) for fact in beside.short], ", "))
    if beside.burst:
        numbers = ", ".join(id_of(key) for key in beside.burst[-BURST_SHOWN:])
        yield worded(BURST, count=str(len(beside.burst)), numbers=numbers)


def _what_they_handle(verdict: Verdict, roles: Sequence[Role]) -> list[Paragraph]:
    """Return one line on each of the roles that people have to choose between, as far as the roles' file says it."""
    if verdict.clear or not verdict.alternative:
        return []
    told = {role.name: role.description for role in roles if role.description}
    lines = [worded(HANDLES, role=role, description=told[role]) for role in asked(verdict) if role in told]
    return [joined(lines, ". ")] if lines else []


def _reasons(
    opinion: Opinion, verdict: Verdict, subjects: Mapping[str, str], fixes: Mapping[str, str]
) -> list[Paragraph]:
    reasons = []
    if phrases := _phrases(opinion, verdict):
        reasons.append((Span(spoken(PHRASES)), *joined([(excerpt(phrase),) for phrase in phrases], ", ")))
    alike = [n for n in opinion.neighbours if set(n.roles) & set(asked(verdict)) and n.ticket_key in subjects]
    if alike:
        like = [neighbour(n, subjects[n.ticket_key], fixes.get(n.ticket_key)) for n in alike[:NEIGHBOURS_SHOWN]]
        reasons.append((Span(spoken(ALIKE)), *joined(like, ", ")))
    if not reasons and opinion.model_version:
        reasons.append((Span(spoken(WORDS)),))
    return reasons


def _phrases(opinion: Opinion, verdict: Verdict) -> list[str]:
    """Return the matched words that support the verdict, the weightiest first, none that is part of another."""
    votes = [h for h in opinion.hits if h.kind is Kind.VOTE and h.role in asked(verdict)]
    words = list(dict.fromkeys(h.phrase.casefold() for h in sorted(votes, key=lambda h: -h.weight)))
    whole = [word for word in words if not any(word != other and word in other for other in words)]
    return whole[:PHRASES_SHOWN]
