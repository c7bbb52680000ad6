"""Decisions, the week in numbers, known roles as a file, the roles themselves, and for whom a token acts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import Path, Query
from sqlmodel import Session, col, func, select
from starlette.responses import Response

from agent.domain import Outcome, RoleCatalogue
from agent.pages import report as page
from agent.pages.document import as_markdown
from agent.pages.feedback import key_of
from agent.pages.guard import Refused, Visit
from agent.pages.kept import kept
from agent.pages.standing import of_tickets
from agent.programs.access import Caller
from agent.programs.answers import (
    Account,
    Correction,
    DecisionAnswer,
    Decisions,
    Report,
    RoleAnswer,
    Share,
)
from agent.programs.shown import hidden, of_decision
from agent.programs.tickets import Limit
from agent.report.cases import cases
from agent.report.week import Figures, Week, figures
from agent.store import finding
from agent.store.among import among
from agent.store.tables import Decision

LOOKED_AT = 2_000
"""Latest decisions among which those that a limited account sees are looked for at once."""

Before = Annotated[int | None, Query(ge=1, le=2**62)]


async def decisions(visit: Caller, before: Before = None, limit: Limit = 25) -> Decisions:
    """List what was decided, newest first."""
    return await visit.read(_decisions, visit, None, before, limit)


async def decisions_of(visit: Caller, before: Before = None, limit: Limit = 25) -> Decisions:
    """List what was decided on one ticket, newest first."""
    return await visit.read(_decisions, visit, key_of(visit), before, limit)


def _decisions(session: Session, visit: Visit, key: str | None, before: int | None, limit: int) -> Decisions:
    rows, unread = latest(session, key, before, limit)
    theirs = of_tickets(session, list({row.ticket_key for row in rows}))
    blind = {standing.ticket.key for standing in theirs if hidden(visit, standing)}
    shown: list[DecisionAnswer] = [of_decision(visit, row) for row in rows if row.ticket_key not in blind]
    return Decisions(decisions=shown, next=rows[-1].id if len(rows) == limit else unread)


def latest(session: Session, key: str | None, before: int | None, limit: int) -> tuple[Sequence[Decision], int | None]:
    """Return the latest decisions, and the number before which a limited account's others were not looked for yet."""
    number, limited = col(Decision.id), finding.LIMITED in session.info
    chosen = select(Decision).limit(limit)
    chosen = chosen if before is None else chosen.where(number < before)
    if key is not None or not limited:
        chosen = chosen if key is None else chosen.where(Decision.ticket_key == key)
        return session.exec(chosen.order_by(number.desc())).all(), None
    if (keys := finding.of_few(session)) is not None:
        few = chosen.with_only_columns(number).where(among(Decision.ticket_key, keys))
        numbers = few.order_by((number + 0).desc())  # by their tickets, not past all others
        return session.exec(select(Decision).where(number.in_(numbers)).order_by(number.desc())).all(), None
    newest = session.connection().execute(select(func.max(Decision.id))).scalar() or 0  # it tells of no ticket
    unread = min(before or newest + 1, newest + 1) - LOOKED_AT
    rows = session.exec(chosen.where(number >= unread).order_by(number.desc())).all()
    return rows, unread if unread > 1 else None


async def report(visit: Caller, week: Annotated[str, Path(max_length=20)]) -> Report:
    """Return a week in numbers, such as 2026-W47; `latest` is the last whole one."""
    site, this = visit.site, Week.containing(visit.site.now().astimezone().date())
    asked = this.shifted(-1) if week == "latest" else Week.of(week)
    if asked is None or asked > this:
        raise Refused(404, "no_week")
    made = await page.made(visit, asked)
    read = partial(visit.read, _figures, asked, site.classifier.catalogue)
    return _report(asked, await kept(site, f"figures {asked} {visit.limit}", read), as_markdown(made))


def _figures(session: Session, week: Week, catalogue: RoleCatalogue) -> Figures:
    return figures(week, cases(session, week.begin, week.end, catalogue))


def _report(week: Week, found: Figures, markdown: str) -> Report:
    low, high = found.right.interval
    return Report(
        week=str(week),
        received=found.received,
        clear=found.outcomes[Outcome.CLEAR],
        either_or=found.outcomes[Outcome.EITHER_OR],
        none=found.outcomes[Outcome.NONE],
        reasons=dict(found.reasons),
        right_when_clear=Share(right=found.right.right, count=found.right.count, low=low, high=high),
        random_checks_drawn=found.drawn,
        random_checks_answered=found.checked,
        with_feedback=found.feedback,
        corrected=found.corrected,
        corrections=[Correction(suggested=a, right=b, times=n) for (a, b), n in found.corrections.most_common()],
        by_role=dict(found.roles),
        markdown=markdown,
    )


async def export(visit: Caller, kind: Annotated[str, Query(max_length=20)] = "csv") -> Response:
    """Return every ticket with a known role as a file, CSV or Parquet. The log says who took it."""
    return await page.file(visit, kind)


async def roles(visit: Caller) -> list[RoleAnswer]:
    """List the roles that are active today."""
    active: Sequence[str] = [role.name for role in visit.site.classifier.catalogue.active(date.today())]
    return [
        RoleAnswer(name=role.name, aliases=list(role.aliases), description=role.description)
        for role in visit.site.classifier.catalogue.roles
        if role.name in active
    ]


async def account(visit: Caller) -> Account:
    """Return for whom the token acts."""
    return Account(name=visit.who.name, rights=visit.who.rights)
