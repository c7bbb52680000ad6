"""The ladder on the page of roles: how far each may go, what it has shown, what is offered, and what that would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlmodel import Session, col, func, select
from starlette.responses import Response

from agent.errors import BadInput
from agent.ladder import moving
from agent.ladder.moving import Ladder, NotEarned
from agent.ladder.rehearsal import Rehearsal, rehearse
from agent.ladder.standing import Place, places
from agent.pages.guard import Refused, Visit, redirect
from agent.pages.kept import kept
from agent.pages.site import Site
from agent.store import tickets
from agent.store.stages import Stage, StageMove

REHEARSED = 500
"""Latest tickets that a dry run looks at."""


@dataclass(frozen=True, slots=True)
class Rungs:
    """Where all roles stand, and a dry run of one of them where that was asked for."""

    places: Sequence[Place]
    capped: bool
    tried: str = ""
    stage: Stage | None = None
    dry: Rehearsal | None = None

    @property
    def hidden(self) -> bool:
        """Whether every role is in shadow, and no setting keeps them there."""
        return not self.capped and bool(self.places) and all(place.stage is Stage.SHADOW for place in self.places)

    def of(self, role: str) -> Place | None:
        """Return where a role stands."""
        return next((place for place in self.places if place.role == role), None)


def ladder_of(site: Site) -> Ladder:
    """Return what says where every role stands."""
    shadow = site.settings.triage.shadow is True
    return Ladder(site.classifier.catalogue, site.settings.ladder, shadow=shadow)


async def rungs(visit: Visit) -> Rungs:
    """Return where all roles stand, with the dry run that the address asks for."""
    site, asked = visit.site, visit.request.query_params
    ladder, share = ladder_of(site), site.settings.checks.share
    version = await site.database.read(_version)  # a move is seen at once, and what was forgotten by nobody
    found = await kept(site, f"ladder {version}", lambda: site.database.read(places, ladder, share, site.now()))
    role, stage = asked.get("role", ""), _stage(asked.get("stage", ""))
    if role not in site.classifier.catalogue.names or stage is None:
        return Rungs(found, ladder.shadow)
    changes = {name: connector.capabilities.changes for name, connector in site.connectors.items()}
    dry = await visit.read(rehearse, site.classifier.catalogue, role, stage, changes, REHEARSED)
    return Rungs(found, ladder.shadow, role, stage, dry)


async def change(visit: Visit) -> Response:
    """Take a stage, lower a role, or move all of them out of the shadow."""
    site, role, stage = visit.site, visit.field("role"), _stage(visit.field("stage"))
    ladder, who, now, do = ladder_of(site), visit.who.name, site.now(), visit.field("do")
    if do == "begin":
        await site.database.write(moving.begin, ladder, who, now)
        return redirect("/roles")
    if do not in ("take", "lower") or stage is None:
        raise Refused(400, "malformed")
    if role not in site.classifier.catalogue.names:
        raise Refused(422, "no_role")
    move = partial(moving.take if do == "take" else moving.lower, ladder=ladder, role=role, stage=stage)
    try:
        await site.database.write(partial(move, who=who, now=now))
    except NotEarned as error:
        raise Refused(409, "not_earned") from error
    except BadInput as error:
        raise Refused(409, "not_on_ladder") from error
    return redirect("/roles")


def _stage(word: str) -> Stage | None:
    return next((stage for stage in Stage if stage.word == word), None)


def _version(session: Session) -> tuple[int, int]:
    """Return what changes with everything that was moved or forgotten."""
    moved = session.exec(select(func.max(col(StageMove.id)))).one() or 0
    return tickets.newest_forgotten(session), moved
