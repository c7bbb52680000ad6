"""The wording of our comments, as notes, and of answers to commands.

The first line holds the answer: people have two seconds.

Words from tickets are untrusted: they appear only as excerpts, in which no markup, link or mention works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.domain import Role
from agent.notes.links import by_links
from agent.notes.phrasing import joined, listed, neighbour, percent, worded
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
CORRECTED = "**Role: {roles}** (said by staff; suggested was {suggested})"
WHY = "Why: {reasons}."
PHRASES = "it says "
ALIKE = "like "
WORDS = "the words as a whole are like those of its tickets"
RIGHT_OR_WRONG = "Right? Answer {privately}: `/role ok`. Wrong? `/role` and {roles}."
WHICH_ONE = "Which one? Answer {privately}: {commands}, or `/role` and another role's name."
ONE_OF = "one of: {roles}, none"
ANY_ROLE = "a role's name, or none"
HANDLES = "{role}: {description}"
UNKNOWN_ROLE = "I know no role {name}. {hint}"
NEAR_ROLES = "Did you mean {roles}?"
ROLES = "The roles are: {roles}."
SOME_ROLES = "The roles are: {roles}, and {more} more."
NO_NAME = "Put the name of a role behind `/role`. {hint}"
MISPLACED = "Write `/role` at the start of a line: elsewhere it does not count."
CONTRADICTORY = "Your note has two different commands, so I followed neither. Write the one that is right."
BETTER_SUBJECT = "The subject says little. A better one, in the ticket's own words: {subject}"
REPLACES = "This replaces my earlier comment."

PHRASES_SHOWN = 3
NEIGHBOURS_SHOWN = 2
ROLES_SHOWN = 40
ROLES_OFFERED = 8


def of_opinion(
    opinion: Opinion,
    subjects: Mapping[str, str],
    answer: Paragraph | None = None,
    *,
    roles: Sequence[Role] = (),
    privately: str = PRIVATELY,
    fixes: Mapping[str, str] | None = None,
    subject: str | None = None,
    link: str | None = None,
) -> Note | None:
    """Return the note on an opinion, or None where nothing should be posted.

    `subjects` holds the first words of the neighbours' tickets, `answer` a line that answers a command; `roles` say
    what each handles, `privately` how staff write to each other in the ticket's system; `fixes` what helped on the
    neighbours' tickets, `subject` a better one for this ticket; at `link`, people answer with a click.
    """
    verdict = opinion.verdict
    answered = [Section(SectionKind.ANSWER, (answer,))] if answer else []
    if isinstance(verdict, Abstained):
        return Note(tuple(answered)) if answered else None
    why = _reasons(opinion, verdict, subjects, fixes or {})
    paragraphs = [_head(opinion, verdict), *([worded(WHY, reasons=joined(why, "; "))] if why else [])]
    better = [worded(BETTER_SUBJECT, subject=[Span(subject, Style.QUOTED)])] if subject else []
    how = _commands(opinion, verdict, privately) if link is None else by_links(opinion, verdict, link)
    commands = (*better, *_what_they_handle(verdict, roles), how)
    return Note(
        (Section(SectionKind.ROLE, tuple(paragraphs)), *answered, Section(SectionKind.COMMANDS, commands)),
        _choices(verdict),
    )


def reviewed(roles: Sequence[str], how: str, suggested: Sequence[str] = ()) -> Note:
    """Return the note on a ticket that staff have reviewed.

    `how` is "corrected", "confirmed" or "moved", `suggested` what a correction or a move replaced.
    """
    corrected = CORRECTED if suggested else SAID
    sentence = {"confirmed": CONFIRMED, "moved": MOVED}.get(how, corrected)
    said = worded(sentence, roles=listed(roles, "and"), suggested=listed(suggested, "and"))
    return Note((Section(SectionKind.ROLE, (said,)),), (tuple(roles),))


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


def unknown_role(name: str, close: Sequence[str], roles: Sequence[str]) -> Paragraph:
    """Return the answer to `/role NAME` with a name that no role has, or with none."""
    hint = worded(NEAR_ROLES, roles=listed(close, "or")) if close else _named(roles)
    return worded(UNKNOWN_ROLE, name=[excerpt(name)], hint=hint) if name else worded(NO_NAME, hint=hint)


def misplaced() -> Paragraph:
    """Return the answer to `/role` in the middle of a line or of a sentence."""
    return worded(MISPLACED)


def contradictory() -> Paragraph:
    """Return the answer to two different commands in one reply."""
    return worded(CONTRADICTORY)


def _named(roles: Sequence[str]) -> Paragraph:
    """Return a sentence that names the roles: whoever reads it has no shell to ask."""
    more = len(roles) - ROLES_SHOWN
    if more > 0:
        return worded(SOME_ROLES, roles=", ".join(roles[:ROLES_SHOWN]), more=str(more))
    return worded(ROLES, roles=", ".join(roles))


def _head(opinion: Opinion, verdict: Verdict) -> Paragraph:
    if verdict.clear:
        return worded(CLEAR, roles=listed(verdict.roles, "and"), confidence=percent(verdict.probability))
    asked = _asked(verdict)
    confidence = dict(opinion.ranked())
    return worded(
        EITHER_OR if verdict.alternative else PERHAPS,
        roles=listed(asked, "or"),
        confidence=", ".join(percent(confidence[role]) for role in asked),
    )


def _asked(verdict: Verdict) -> tuple[str, ...]:
    """Return the roles between which an either-or asks."""
    return (*verdict.roles, verdict.alternative) if verdict.alternative else verdict.roles


def _choices(verdict: Verdict) -> tuple[tuple[str, ...], ...]:
    """Return what can be confirmed: all the roles, or one of those between which an either-or asks."""
    return tuple((role,) for role in _asked(verdict)) if verdict.alternative else (verdict.roles,)


def _what_they_handle(verdict: Verdict, roles: Sequence[Role]) -> list[Paragraph]:
    """Return one line on each of the roles that people have to choose between, as far as the roles' file says it."""
    if verdict.clear or not verdict.alternative:
        return []
    told = {role.name: role.description for role in roles if role.description}
    lines = [worded(HANDLES, role=role, description=told[role]) for role in _asked(verdict) if role in told]
    return [joined(lines, ". ")] if lines else []


def _commands(opinion: Opinion, verdict: Verdict, privately: str) -> Paragraph:
    if verdict.alternative:
        commands = [(Span(f"/role {answer}", Style.CODE),) for answer in (*_asked(verdict), "none")]
        return worded(WHICH_ONE, privately=privately, commands=joined(commands, ", "))
    others = sorted(role for role in opinion.roles if role not in verdict.roles)
    offered = worded(ONE_OF, roles=", ".join(others)) if 0 < len(others) <= ROLES_OFFERED else worded(ANY_ROLE)
    return worded(RIGHT_OR_WRONG, privately=privately, roles=offered)


def _reasons(
    opinion: Opinion, verdict: Verdict, subjects: Mapping[str, str], fixes: Mapping[str, str]
) -> list[Paragraph]:
    reasons = []
    if phrases := _phrases(opinion, verdict):
        reasons.append((Span(PHRASES), *joined([(excerpt(phrase),) for phrase in phrases], ", ")))
    alike = [n for n in opinion.neighbours if set(n.roles) & set(_asked(verdict)) and n.ticket_key in subjects]
    if alike:
        like = [neighbour(n, subjects[n.ticket_key], fixes.get(n.ticket_key)) for n in alike[:NEIGHBOURS_SHOWN]]
        reasons.append((Span(ALIKE), *joined(like, ", ")))
    if not reasons and opinion.model_version:
        reasons.append((Span(WORDS),))
    return reasons


def _phrases(opinion: Opinion, verdict: Verdict) -> list[str]:
    """Return the matched words that support the verdict, the weightiest first, none that is part of another."""
    votes = [h for h in opinion.hits if h.kind is Kind.VOTE and h.role in _asked(verdict)]
    words = list(dict.fromkeys(h.phrase.casefold() for h in sorted(votes, key=lambda h: -h.weight)))
    whole = [word for word in words if not any(word != other and word in other for other in words)]
    return whole[:PHRASES_SHOWN]


NONE_OF_OURS = "**None of our roles** (said by staff)"
NOTHING_TO_CONFIRM = "`/role ok` did not count: I had named no role here when it was written. Write `/role NAME`."
OK_TO_WHICH = "`/role ok` did not count: it does not say which one. Write {commands}."
TAKEN_BACK = "I took the last answer back."
NOTHING_TO_UNDO = "There is no answer to take back."
PUBLIC = "The command counted, but the requester can read it: please make that note private."
UNKNOWN_AUTHOR = (
    "A command did not count, because I do not know {author} as staff. Whoever runs Rolecall can add it to `staff`."
)
ACCOUNT, NO_ACCOUNT = "account {id}", "its author"


def none_of_ours() -> Note:
    """Return the note on a ticket that staff have called none of ours."""
    return Note((Section(SectionKind.ROLE, (worded(NONE_OF_OURS),)),))


def with_answer(note: Note, answer: Paragraph | None) -> Note:
    """Return the note with an answer to a command below it."""
    return Note((*note.sections, Section(SectionKind.ANSWER, (answer,))), note.choices) if answer else note


def which_one(choices: Sequence[Sequence[str]]) -> Paragraph:
    """Return the answer to `/role ok` where we had named several roles as possible."""
    commands = [(Span(f"/role {', '.join(roles)}", Style.CODE),) for roles in choices]
    return worded(OK_TO_WHICH, commands=joined(commands, " or "))


def unknown_author(account_id: str | None) -> Paragraph:
    """Return the answer to a command of somebody who is not known to be staff."""
    author = worded(ACCOUNT, id=[excerpt(account_id)]) if account_id else worded(NO_ACCOUNT)
    return worded(UNKNOWN_AUTHOR, author=author)
