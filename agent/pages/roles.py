"""Roles: who handles what, from which confidence each is clear, and how far it may go. The file stays the truth."""

from __future__ import annotations

import json
from collections.abc import Sequence

from starlette.responses import Response

from agent.config.edited import Edited
from agent.domain import Role
from agent.pages.guard import Visit
from agent.pages.ladder import rungs
from agent.pages.rules import looked_at
from agent.pages.today import thresholds


async def show(visit: Visit) -> Response:
    """Show all roles; one of them in a form, where that is asked for."""
    return await page(visit, edited=visit.request.query_params.get("edit", ""))


async def file_of(visit: Visit) -> Edited:
    """Return the file of roles as it is now. Raises Refused where it cannot be read."""
    return await looked_at(visit, visit.site.settings.roles)


async def page(visit: Visit, edited: str = "", pasted: tuple[str, str] = ("", "")) -> Response:
    """Show all roles: `edited` in a form, `pasted` (its name, its lines) with what is to be pasted into the file."""
    site = visit.site
    day = site.now().astimezone().date()
    roles = [(role, role.active(day), lines(role)) for role in site.classifier.catalogue.roles]
    file, ladder = await file_of(visit), await rungs(visit)
    form = {"edited": edited if visit.may("operator") else "", "pasted": pasted, "helpdesks": tuple(site.connectors)}
    given = form | {"needs": thresholds(site), "file": file, "ladder": ladder, "share": site.settings.checks.share}
    return visit.page("roles.html", current="roles", roles=roles, **given)


def lines(role: Role) -> str:
    """Return a role as the file spells it."""
    told = [f"name = {_quoted(role.name)}"]
    told += [f"description = {_quoted(role.description)}"] if role.description else []
    told += [f"aliases = {_listed(role.aliases)}"] if role.aliases else []
    told += [f"owner = {_quoted(role.owner)}"] if role.owner else []
    told += [f"from = {role.active_from}"] if role.active_from else []
    told += [f"until = {role.active_until}"] if role.active_until else []
    groups = [f"{_quoted(source)} = {_listed(names)}" for source, names in role.groups.items()]
    told += [f"groups = {{ {', '.join(groups)} }}"] if groups else []
    return "\n".join(["[[role]]", *told, ""])


def _listed(words: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, words))}]"


def _quoted(word: str) -> str:
    return json.dumps(word, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON's strings are TOML's basic strings
