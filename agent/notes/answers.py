"""The wording of answers to commands: why one did not count, and what became of one."""

from __future__ import annotations

from collections.abc import Sequence

from agent.notes.phrasing import joined, worded
from connectors.markup import excerpt
from connectors.note import Note, Paragraph, Section, SectionKind, Span, Style

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
