"""One's own account, all accounts, and the log of who changed what."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from starlette.responses import Response

from agent.errors import BadInput
from agent.pages.guard import Refused, Visit, redirect
from agent.pages.signing import audit, tokens, users
from agent.pages.signing.passwords import LEAST, acceptable
from agent.pages.signing.rights import Rights
from agent.pages.texts import Texts
from agent.store.people import Audit

LINES = 50
LONGEST_NUMBER = 9
MOST_GROUPS, LONGEST_GROUP = 50, 200


async def account(visit: Visit) -> Response:
    """Show one's own account."""
    return await _account(visit)


async def change_account(visit: Visit) -> Response:
    """Change one's own password, or switch single keys on or off."""
    site, who = visit.site, visit.who
    if visit.field("do") == "keys":
        await site.database.write(users.switch_keys, who.key, visit.field("keys") == "on")
        return redirect("/account")
    if visit.field("do") in ("token", "revoke"):
        return await _change_tokens(visit)
    new = visit.field("password")
    if not await site.passwords.right(who.password, visit.field("old")):
        return await _account(visit, "account.wrong")
    if not acceptable(new):
        return await _account(visit, "link.too_short")
    if new != visit.field("again"):
        return await _account(visit, "link.not_the_same")
    kept = await site.passwords.hashed(new)
    await site.database.write(users.change_password, who.key, kept, users.hashed(visit.token), site.now())
    return await _account(visit, done="account.changed")


async def everybody(visit: Visit) -> Response:
    """Show all accounts."""
    return await _everybody(visit)


async def change_user(visit: Visit) -> Response:
    """Make an account, or reset, disable or change one; nobody disables or demotes themselves."""
    site, name, by, now = visit.site, visit.field("name"), visit.who.name, visit.site.now()
    do, own = visit.field("do"), users.key_of(name) == visit.who.key
    rights = visit.field("rights")
    if do in ("add", "rights") and rights not in tuple(Rights):
        raise Refused(400, "malformed")
    if own and do in ("reset", "disable", "rights"):
        raise Refused(409, "own_account")
    try:
        match do:
            case "add":
                token = await site.database.write(users.add, name, Rights(rights), by, now)
            case "reset":
                token = await site.database.write(users.reset, name, by, now)
            case "disable":
                await site.database.write(users.disable, name, by, now)
                return redirect("/users")
            case "rights":
                await site.database.write(users.change_rights, name, Rights(rights), by, now)
                return redirect("/users")
            case "limit":
                return await _limit(visit)
            case _:
                raise Refused(400, "malformed")
    except BadInput:
        return await _everybody(visit, wrong=site.texts("users.wrong", most=users.LONGEST_NAME))
    return await _everybody(visit, link=link(site.settings.server.public_url, token), name=name)


VALUES = {"rights": "rights", "before": "rights", "verdict": "logged_verdict"}
OF_STAGES = {"from": "ladder", "to": "ladder", "why": "logged_why"}
"""Particulars of the log that are words of ours, and where the pages say them; elsewhere, a person wrote them."""


async def show_log(visit: Visit) -> Response:
    """Show who changed what, newest first."""
    before = visit.request.query_params.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    lines = await visit.site.database.read(partial(audit.latest, limit=LINES, before=number))
    older = lines[-1].id if len(lines) == LINES else None
    texts = visit.site.texts
    who = [_said(texts, "logged_by", line.who.replace(" ", "_"), line.who) for line in lines]
    told = [list(_told(texts, line)) for line in lines]
    return visit.page("log.html", lines=list(zip(lines, who, told, strict=True)), older=older)


def _told(texts: Texts, line: Audit) -> Iterator[tuple[str, str]]:
    """Yield the particulars of a line of the log, in the words of the pages where these are ours."""
    ours = VALUES | (OF_STAGES if line.action == audit.Action.STAGE else {})
    for name, value in line.detail.items():
        told = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if told:
            yield _said(texts, "logged", name, name), _said(texts, ours[name], told, told) if name in ours else told


def _said(texts: Texts, begun: str, name: str, otherwise: str) -> str:
    return texts(f"{begun}.{name}") if texts.has(f"{begun}.{name}") else otherwise


def link(public_url: str | None, token: str, here: str = "") -> str:
    """Return the address of a one-time link; on a page without a public address, its path."""
    return f"{public_url or here}/sign-in/{token}"


async def _change_tokens(visit: Visit) -> Response:
    """Make a token and show it this once, or end one."""
    site, who, given = visit.site, visit.who, visit.field("number" if visit.field("do") == "revoke" else "days")
    if not (given.isascii() and given.isdigit() and len(given) < LONGEST_NUMBER):
        raise Refused(400, "malformed")
    if visit.field("do") == "revoke":
        await site.database.write(tokens.revoke, int(given), who.name, site.now(), who.key)
        return redirect("/account")
    try:
        token = await site.database.write(tokens.make, who.name, visit.field("label"), int(given), who.name, site.now())
    except BadInput:
        return await _account(visit, wrong_token=True)
    return await _account(visit, token=token)


async def _account(
    visit: Visit, wrong: str | None = None, *, done: str | None = None, token: str = "", wrong_token: bool = False
) -> Response:
    theirs = await visit.site.database.read(tokens.listed, visit.who.key)
    limits = {"least": LEAST, "most_days": tokens.MOST_DAYS, "days": tokens.DAYS, "most_tokens": tokens.MOST_OF_ONE}
    return visit.page(
        "account.html",
        422 if wrong or wrong_token else 200,
        wrong=wrong,
        done=done,
        token_made=token,
        wrong_token=wrong_token,
        tokens=theirs,
        now=visit.site.now(),
        longest=users.LONGEST_NAME,
        **limits,
    )


async def _limit(visit: Visit) -> Response:
    """Limit an account to the helpdesks and groups that the form names; where it names none, take the limit away."""
    site, helpdesks = visit.site, visit.form.get("helpdesk", [])
    groups = [line.strip() for line in visit.field("groups").splitlines() if line.strip()]
    strange = set(helpdesks) - set(site.connectors)
    if strange or len(groups) > MOST_GROUPS or any(len(group) > LONGEST_GROUP for group in groups):
        raise Refused(400, "malformed")
    change = partial(users.limit, name=visit.field("name"), helpdesks=helpdesks, groups=groups)
    try:
        made = await site.database.write(partial(change, by=visit.who.name, now=site.now()))
    except BadInput:
        return await _everybody(visit, wrong=site.texts("users.wrong_limit"))
    return await _everybody(visit, limited=made) if made.empty else redirect("/users")


async def _everybody(visit: Visit, **more: object) -> Response:
    everybody = await visit.site.database.read(users.listed)
    shown = {"link": None, "limited": None, "name": "", "wrong": None, **more}
    shown["helpdesks"] = tuple(visit.site.connectors)
    return visit.page("users.html", 422 if shown["wrong"] else 200, everybody=everybody, rights=tuple(Rights), **shown)
