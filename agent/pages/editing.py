"""Change the files of rules and roles from pages: written with a comment and in force at once, or shown to be pasted.

The line in the log and the file are changed together, or neither is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import Session
from starlette.responses import Response

from agent.config import edited
from agent.config.edited import Edited, with_rule
from agent.config.edited_role import Words, renamed, with_role
from agent.config.roles_file import RolesError, load_roles, reserved_words
from agent.config.rules_file import load_rules
from agent.domain import Role
from agent.errors import RolecallError
from agent.pages import roles, rules
from agent.pages.guard import Refused, Visit, redirect
from agent.pages.signing import audit

LONGEST, MOST = 200, 50
"""Characters of a word, and words of one kind, that a form may give."""

log = structlog.get_logger()


async def change_rules(visit: Visit) -> Response:
    """Approve a rule that known roles suggest, or take the last change of the file back."""
    site, file = visit.site, await rules.file_of(visit)
    check = partial(load_rules, roles=site.classifier.catalogue)
    if visit.field("do") == "restore":
        await _write(visit, file, file.before, check, audit.Action.RULES_RESTORED)
        return redirect("/rules")
    measured = await rules.measured_for(visit)
    found = [one for one in measured.proposals if one.figures.rule.id == visit.field("rule")]
    if visit.field("do") != "approve" or not found:
        raise Refused(409, "file_changed")
    one, day = found[0].figures, site.now().astimezone().date()
    remark = site.texts("rules.remark", who=visit.who.name, day=day, right=one.right, count=one.tickets).striptags()
    content = with_rule(await asyncio.to_thread(file.path.read_bytes), found[0].lines, remark)
    await _write(visit, file, content, check, audit.Action.RULE_APPROVED, rule=one.rule.id, role=one.rule.role)
    return redirect("/rules")


async def change_roles(visit: Visit) -> Response:
    """Change the words of a role, or take the last change of the file back; show the lines where nothing is written."""
    site, file = visit.site, await roles.file_of(visit)
    check = partial(sound, there=file.path)
    if visit.field("do") == "restore":
        await _write(visit, file, file.before, check, audit.Action.ROLES_RESTORED)
        return redirect("/roles")
    role = next((one for one in site.classifier.catalogue.roles if one.name == visit.field("role")), None)
    if visit.field("do") != "edit" or role is None:
        raise Refused(422, "no_role")
    words = renamed(_words(visit, role), role.name)
    if file.kept is not None:
        return await roles.page(visit, pasted=(role.name, roles.lines(said(role, words))))
    try:
        content = with_role(await asyncio.to_thread(file.path.read_bytes), role, words)
    except (RolecallError, ValueError) as error:
        raise Refused(409, "file_not_written", reason=str(error)) from error
    await _write(visit, file, content, check, audit.Action.ROLE_EDITED, role=role.name, name=words.name)
    return redirect("/roles")


def sound(path: Path, there: Path) -> None:
    """Read a file of roles before it counts. Raises RolesError, also where it takes a word that `there` leaves alone.

    Rolecall would not start with a role of that name: what it is called would mean something else after `/role`.
    """
    load_roles(path)
    if len(faults := reserved_words(path)) > len(reserved_words(there)):
        raise RolesError(faults)


def said(role: Role, words: Words) -> Role:
    """Return a role with other words."""
    groups = {source: tuple(names) for source, names in words.groups.items() if names}
    told = words.name, words.description, tuple(words.aliases), groups, words.owner or None
    return Role(*told, role.active_from, role.active_until)


def _words(visit: Visit, role: Role) -> Words:
    """Return what a form says of a role; groups of helpdesks that it does not show stay as they are. Raises Refused."""
    groups = {source: list(names) for source, names in role.groups.items()}
    groups |= {source: _lines(visit.field(f"groups {source}")) for source in visit.site.connectors}
    line = {name: " ".join(visit.field(name).split()) for name in ("name", "description", "owner")}
    if not line["name"] or any(len(text) > 5 * LONGEST or not text.isprintable() for text in line.values()):
        raise Refused(400, "malformed")
    given = {source: names for source, names in groups.items() if names}
    return Words(line["name"], line["description"], _lines(visit.field("aliases")), line["owner"], given)


def _lines(text: str) -> list[str]:
    found = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if len(found) > MOST or any(len(line) > LONGEST or not line.isprintable() for line in found):
        raise Refused(400, "malformed")
    return found


async def _write(
    visit: Visit,
    file: Edited,
    content: bytes | None,
    check: Callable[[Path], Any],
    action: audit.Action,
    **detail: str,
) -> None:
    """Put a file in the place of the one that the form's page showed, and take it up. Raises Refused."""
    if content is None or visit.field("seen") != file.seen:
        raise Refused(409, "file_changed")
    try:
        await visit.site.database.write(_change, visit, file, content, check, action, detail)
    except (RolecallError, OSError) as error:
        log.warning("file_not_written", file=file.name, error=str(error))
        raise Refused(409, "file_not_written", reason=str(error)) from error
    await asyncio.to_thread(visit.site.reread)


def _change(
    session: Session,
    visit: Visit,
    file: Edited,
    content: bytes,
    check: Callable[[Path], Any],
    action: audit.Action,
    detail: dict[str, str],
) -> None:
    audit.note(session, visit.who.name, action, visit.site.now(), file=file.name, **detail)
    session.flush()
    edited.change(file, content, check)  # last: where it fails, the line is not written either
