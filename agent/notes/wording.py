"""The wording of our comments, as notes. The first line holds the answer: people have two seconds.

Words from tickets are untrusted: they appear only as excerpts, in which no markup, link or mention works.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from agent.domain import Band
from agent.triage.cutoffs import Abstained, Verdict
from agent.triage.opinion import Opinion
from connectors.markup import excerpt
from connectors.note import Note, Paragraph, Section, SectionKind, Span, Style
from heuristics import Kind

HEAD = "**Role: {roles}** ({band})"
GUESS = "**Role: not sure, perhaps {roles}**"
REVIEWED = "**Role: {roles}** ({how} by staff)"
WHY = "Why: {reasons}."
PHRASES = "it says "
ALIKE = "reviewed before: "
WORDS = "the words as a whole resemble its reviewed tickets"
HOW_TO_ANSWER = "Right? Answer with a private note `/role ok`. Wrong? `/role NAME`."
UNKNOWN_ROLE = "I know no role {name}. {hint}"
NEAR_ROLES = "Did you mean {roles}?"
ROLES = "The roles are: {roles}."
SOME_ROLES = "The roles are: {roles}, and {more} more."
NO_NAME = "Put the name of a role behind `/role`. {hint}"
MISPLACED = "Write `/role` at the start of a line: elsewhere it does not count."
CONTRADICTORY = "Your note has two different commands, so I followed neither. Write the one that is right."
REPLACES = "This replaces my earlier comment."

_MARKED = re.compile(r"\*\*(?P<strong>.+?)\*\*|`(?P<code>[^`]+)`|\{(?P<value>\w+)\}|(?P<plain>[^*`{]+|.)")

PHRASES_SHOWN = 3
NEIGHBOURS_SHOWN = 2
ROLES_SHOWN = 40
RUNNER_UP = 0.5
"""A second role is named beside a guess when it is at least this share as probable."""


def of_opinion(opinion: Opinion, subjects: Mapping[str, str], answer: Paragraph | None = None) -> Note | None:
    """Return the note on an opinion, or None where nothing should be posted.

    `subjects` holds the first words of the neighbours' tickets, `answer` a line that answers a command.
    """
    verdict = opinion.verdict
    answered = [Section(SectionKind.ANSWER, (answer,))] if answer else []
    if isinstance(verdict, Abstained):
        return Note(tuple(answered)) if answered else None
    why = _reasons(opinion, verdict, subjects)
    paragraphs = [_head(opinion, verdict), *([worded(WHY, reasons=_joined(why, "; "))] if why else [])]
    commands = Section(SectionKind.COMMANDS, (worded(HOW_TO_ANSWER),))
    return Note((Section(SectionKind.ROLE, tuple(paragraphs)), *answered, commands))


def reviewed(roles: Sequence[str], how: str) -> Note:
    """Return the note on a ticket that staff have reviewed; `how` is "corrected" or "confirmed"."""
    said = worded(REVIEWED, roles=_listed(roles, "and"), how=how)
    return Note((Section(SectionKind.ROLE, (said,)),))


def headline(note: Note) -> Paragraph:
    """Return the note in one line: the answer to a command where it holds one, else its first paragraph."""
    answers = [section for section in note.sections if section.kind is SectionKind.ANSWER]
    return (*answers, *note.sections)[0].paragraphs[0]


def replacing(note: Note) -> Note:
    """Return the note, saying that it replaces an earlier comment, which cannot be edited."""
    return Note((*note.sections, Section(SectionKind.REPLACES, (worded(REPLACES),))))


def unknown_role(name: str, close: Sequence[str], roles: Sequence[str]) -> Paragraph:
    """Return the answer to `/role NAME` with a name that no role has, or with none."""
    hint = worded(NEAR_ROLES, roles=_listed(close, "or")) if close else _named(roles)
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
    if verdict.band is not Band.GUESS:
        return worded(HEAD, roles=_listed(verdict.roles, "and"), band=verdict.band)
    second, probability = next(((r, p) for r, p in opinion.ranked() if r not in verdict.roles), ("", 0.0))
    close = probability >= RUNNER_UP * verdict.probability
    return worded(GUESS, roles=_listed((*verdict.roles, second) if close else verdict.roles, "or"))


def _reasons(opinion: Opinion, verdict: Verdict, subjects: Mapping[str, str]) -> list[Paragraph]:
    reasons = []
    if phrases := _phrases(opinion, verdict):
        reasons.append((Span(PHRASES), *_joined([(excerpt(phrase),) for phrase in phrases], ", ")))
    alike = [n for n in opinion.neighbours if set(n.roles) & set(verdict.roles) and n.ticket_key in subjects]
    if alike:
        like = [(excerpt(subjects[n.ticket_key]), Span(f" ({_listed(n.roles, 'and')})")) for n in alike]
        reasons.append((Span(ALIKE), *_joined(like[:NEIGHBOURS_SHOWN], ", ")))
    if not reasons and opinion.model_version:
        reasons.append((Span(WORDS),))
    return reasons


def _phrases(opinion: Opinion, verdict: Verdict) -> list[str]:
    """Return the matched words that support the verdict, the weightiest first, none that is part of another."""
    votes = [h for h in opinion.hits if h.kind is Kind.VOTE and h.role in verdict.roles]
    words = list(dict.fromkeys(h.phrase.casefold() for h in sorted(votes, key=lambda h: -h.weight)))
    whole = [word for word in words if not any(word != other and word in other for other in words)]
    return whole[:PHRASES_SHOWN]


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _joined(parts: Sequence[Paragraph], between: str) -> Paragraph:
    return tuple(span for part in parts for span in (Span(between), *part))[1:]


def worded(sentence: str, **values: str | Sequence[Span]) -> Paragraph:
    """Return the spans of one of our sentences, with `**strong**`, `` `code` `` and `{value}` interpreted.

    Values are inserted literally, even if they look like markup; a string takes the style of the words around it.
    """
    return tuple(_spans(sentence, Style.PLAIN, values))


def _spans(sentence: str, style: Style, values: dict[str, str | Sequence[Span]]) -> Iterator[Span]:
    for found in _MARKED.finditer(sentence):
        match found.lastgroup:
            case "strong":
                yield from _spans(found["strong"], Style.STRONG, values)
            case "code":
                yield Span(found["code"], Style.CODE)
            case "value":
                value = values[found["value"]]
                yield from [Span(value, style)] if isinstance(value, str) else value
            case _:
                yield Span(found[0], style)
