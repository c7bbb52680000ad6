"""Status: does all work? What is paused, waits or was set aside, and who is not known."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlmodel import Session, col, select
from starlette.responses import Response

from agent.pages.guard import Refused, Visit, redirect
from agent.pages.ladder import ladder_of
from agent.pages.signing import audit
from agent.pages.site import Site
from agent.store import comments, dead_letters, resumption, served_files, status
from agent.store.among import among
from agent.store.finding import of_few
from agent.store.inbox import DEAD
from agent.store.served_files import Served
from agent.store.stages import Stage
from agent.store.status import Figures
from agent.store.tables import Account, Inbox, Watermark, utcnow

SET_ASIDE_SHOWN, UNKNOWN_SHOWN = 50, 50
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Now:
    """What the database says of the installation's state."""

    figures: Figures
    rate: float | None
    paused_since: datetime | None
    unknown: Sequence[Account]
    polled: Mapping[str, datetime]
    hidden: bool = False
    servers: Sequence[Served] = ()


async def show(visit: Visit) -> Response:
    """Show the state of everything."""
    site = visit.site
    now, dead = await site.database.read(_read, site), await visit.read(_dead)
    disk = shutil.disk_usage(site.directory.path)
    least = site.settings.intake.min_free_bytes
    model = site.active.current
    helpdesks = [
        (name, site.settings.connectors[name].kind if name in site.settings.connectors else "", now.polled.get(name))
        for name in site.connectors
    ]
    return visit.page(
        "status.html",
        current="status",
        now=now,
        dead=dead,
        set_aside=now.figures.events.get("dead", 0) if visit.limit is None else 0,
        unknown_shown=UNKNOWN_SHOWN,
        helpdesks=helpdesks,
        waits=site.waits(),
        disk=disk,
        short=disk.free < least,
        least=least,
        model=model.version if model else None,
        settings=site.settings,
        per_hour=site.settings.brakes.comments_per_hour,
        differing={name: served_files.in_words(each) for name, each in served_files.differing(now.servers).items()},
    )


async def change(visit: Visit) -> Response:
    """Pause or resume comments, or retry or drop an event that was set aside."""
    site, who, now = visit.site, visit.who.name, visit.site.now()
    note = partial(audit.noted, who=who, at=now)
    write = site.database.write
    match visit.field("do"):
        case "pause":
            reason = " ".join(visit.field("reason").split())[:LONGEST_REASON]
            if not reason:
                raise Refused(422, "no_reason")
            if not all(map(str.isprintable, reason)):
                raise Refused(400, "malformed")
            pause = partial(comments.pause, reason=f"{reason} ({who})")
            await write(partial(note, change=pause, action=audit.Action.PAUSED, reason=reason))
        case "resume":
            resume = partial(resumption.resume, sources=list(site.connectors), now=now)
            await write(partial(note, change=resume, action=audit.Action.RESUMED))
        case "retry" | "drop" as do:
            seq = visit.field("event")
            if not (seq.isascii() and seq.isdigit() and len(seq) < 18):
                raise Refused(400, "malformed")
            retry = partial(dead_letters.retry, seq=int(seq), now=now)
            settle = retry if do == "retry" else partial(dead_letters.drop, seq=int(seq))
            action = audit.Action.RETRIED if do == "retry" else audit.Action.DROPPED
            if not await write(partial(note, change=settle, action=action, event=int(seq))):
                raise Refused(409, "not_set_aside")
        case _:
            raise Refused(400, "malformed")
    site.wake.set()
    return redirect("/status")


def _dead(session: Session) -> Sequence[Inbox]:
    """Return the oldest events that were set aside; of an account that sees few tickets, by these."""
    dead = select(Inbox).where(DEAD).limit(SET_ASIDE_SHOWN)
    if (few := of_few(session)) is not None:
        return session.exec(dead.where(among(Inbox.ticket_key, few)).order_by(col(Inbox.seq) + 0)).all()
    return session.exec(dead.order_by(col(Inbox.seq))).all()


def _read(session: Session, site: Site) -> Now:
    figures = status.figures(session)
    refused = select(Account).where(Account.refused > 0).order_by(col(Account.refused).desc(), Account.source)
    unknown = session.exec(refused.limit(UNKNOWN_SHOWN + 1)).all()
    polled = {row.source: row.at for row in session.exec(select(Watermark))}
    rate = status.rate(session, site.now())
    hidden = ladder_of(site).stages(session).together(()) is Stage.SHADOW
    servers = served_files.said(session, utcnow())
    return Now(figures, rate, comments.paused_since(session), unknown, polled, hidden, servers)
