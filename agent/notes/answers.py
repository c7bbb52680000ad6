"""The wording of answers to commands: why one did not count, what became of one, and the evidence for a role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.notes.phrasing import joined, percent, worded
from agent.notes.reasons import because
from agent.triage.cutoffs import Abstained
from agent.triage.opinion import Opinion
from connectors.markup import excerpt
from connectors.note import Note, Paragraph, Section, SectionKind, Span, Style
from heuristics import Hit, Kind

NONE_OF_OURS = "**Role: none of ours** (said by staff)"
NOTHING_TO_CONFIRM = "`/role ok` did not count: I had named no role here when it was written. Write `/role NAME`."
WHICH_ONE = "`/role ok` did not count: it does not say which one. Write {commands}."
TAKEN_BACK = "I took the last answer back."
NOTHING_TO_UNDO = "There is no answer to take back."
PUBLIC = "The command counted, but the requester can read it: please make that note private."
UNKNOWN_AUTHOR = (
    "A command did not count, because I do not know {author} as staff. Whoever runs Rolecall can add it to `staff`."
)
ACCOUNT, NO_ACCOUNT = "account {id}", "its author"
EVIDENCE = "The evidence: {parts}"
VOTE, VETO = "rule {rule} found {phrase} (for {role}, weight {weight})", "rule {rule} found {phrase} (never {role})"
NEIGHBOUR = "ticket {number} {subject} is {similarity} alike ({roles})"
CHANCES = "all in all {chances}"
SILENT = "nothing is suggested. {reason}"
NOTHING = "no rule and no reviewed ticket"

HITS_SHOWN, ROLES_SHOWN = 5, 3


def none_of_ours() -> Note:
    """Return the note on a ticket that staff have called none of ours."""
    return Note((Section(SectionKind.ROLE, (worded(NONE_OF_OURS),)),))


def with_answer(note: Note, answer: Paragraph | None) -> Note:
    """Return the note with an answer to a command below it."""
    return Note((*note.sections, Section(SectionKind.ANSWER, (answer,))), note.choices) if answer else note


def which_one(choices: Sequence[Sequence[str]]) -> Paragraph:
    """Return the answer to `/role ok` where we had named several roles as possible."""
    commands = [(Span(f"/role {', '.join(roles)}", Style.CODE),) for roles in choices]
    return worded(WHICH_ONE, commands=joined(commands, " or "))


def unknown_author(account_id: str | None) -> Paragraph:
    """Return the answer to a command of somebody who is not known to be staff."""
    author = worded(ACCOUNT, id=[excerpt(account_id)]) if account_id else worded(NO_ACCOUNT)
    return worded(UNKNOWN_AUTHOR, author=author)


def evidence(opinion: Opinion, subjects: Mapping[str, str]) -> Paragraph:
    """Return the answer to `/role why`: what rules, memory and model say. `subjects`: first words of the neighbours."""
    return worded(EVIDENCE, parts=joined(list(_parts(opinion, subjects)), "; "))


def _parts(opinion: Opinion, subjects: Mapping[str, str]) -> Iterator[Paragraph]:
    hits = {hit.rule_id: hit for hit in reversed(opinion.hits)}
    alike = [neighbour for neighbour in opinion.neighbours if neighbour.ticket_key in subjects]
    yield from map(_rule, sorted(hits.values(), key=lambda hit: -hit.weight)[:HITS_SHOWN])
    for near in alike:
        number, similarity = near.ticket_key.partition(":")[2], percent(near.similarity)
        roles, subject = ", ".join(near.roles) or "none of ours", [excerpt(subjects[near.ticket_key])]
        yield worded(NEIGHBOUR, number=number, subject=subject, similarity=similarity, roles=roles)
    if not hits and not alike:
        yield worded(NOTHING)
    chances = [f"{role} {percent(probability)}" for role, probability in opinion.ranked()[:ROLES_SHOWN]]
    yield worded(CHANCES, chances=", ".join(chances))
    if isinstance(opinion.verdict, Abstained):
        yield worded(SILENT, reason=because(opinion, opinion.verdict))


def _rule(hit: Hit) -> Paragraph:
    rule, phrase = [excerpt(hit.rule_id)], [excerpt(hit.phrase)]
    if hit.kind is Kind.VETO:
        return worded(VETO, rule=rule, phrase=phrase, role=hit.role)
    return worded(VOTE, rule=rule, phrase=phrase, role=hit.role, weight=f"{hit.weight:g}")
