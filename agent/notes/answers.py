"""The wording of answers to commands, below what our comment says anyway."""

from __future__ import annotations

from collections.abc import Sequence

from agent.notes.phrasing import joined, listed, spoken, worded
from connectors.markup import excerpt
from connectors.note import Paragraph, Span, Style

UNKNOWN_ROLE = "I know no role {name}. {hint}"
NEAR_ROLES = "Did you mean {roles}?"
ROLES = "The roles are: {roles}."
SOME_ROLES = "The roles are: {roles}, and {more} more."
NO_NAME = "Put the name of a role behind `/role`. {hint}"
MISPLACED = "Write `/role` at the start of a line: elsewhere it does not count."
CONTRADICTORY = "Your note has two different commands, so I followed neither. Write the one that is right."
NOTHING_TO_CONFIRM = "`/role ok` did not count: I had named no role here when it was written. Write `/role NAME`."
OK_TO_WHICH = "`/role ok` did not count: it does not say which one. Write {commands}."
TAKEN_BACK = "I took the last answer back."
NOTHING_TO_UNDO = "There is no answer to take back."
PUBLIC = "The command counted, but the requester can read it: please make that note private."
UNKNOWN_AUTHOR = (
    "A command did not count, because I do not know {author} as staff. Whoever runs Rolecall can add it to `staff`."
)
ACCOUNT, NO_ACCOUNT = "account {id}", "its author"

ROLES_SHOWN = 40


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


def which_one(choices: Sequence[Sequence[str]]) -> Paragraph:
    """Return the answer to `/role ok` where we had named several roles as possible."""
    commands = [(Span(f"/role {', '.join(roles)}", Style.CODE),) for roles in choices]
    return worded(OK_TO_WHICH, commands=joined(commands, f" {spoken('or')} "))


def unknown_author(account_id: str | None) -> Paragraph:
    """Return the answer to a command of somebody who is not known to be staff."""
    author = worded(ACCOUNT, id=[excerpt(account_id)]) if account_id else worded(NO_ACCOUNT)
    return worded(UNKNOWN_AUTHOR, author=author)


def _named(roles: Sequence[str]) -> Paragraph:
    """Return a sentence that names the roles: whoever reads it has no shell to ask."""
    more = len(roles) - ROLES_SHOWN
    if more > 0:
        return worded(SOME_ROLES, roles=", ".join(roles[:ROLES_SHOWN]), more=str(more))
    return worded(ROLES, roles=", ".join(roles))
