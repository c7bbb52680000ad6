"""Models: which version serves, what became of the latest trainings, and the way forward and back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from sqlmodel import Session, col, select
from starlette.responses import Response

from agent.errors import RolecallError
from agent.learning.due import needed
from agent.pages import learning_curve, training
from agent.pages.guard import Refused, Visit, redirect
from agent.pages.signing import audit
from agent.pages.site import Site
from agent.serving.artefact import Manifest
from agent.serving.registry import Move, Registry
from agent.store.tables import Training

TRAININGS, MOVES = 10, 10
LONGEST_REASON = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Version:
    """A version as its row says it; `right` of `judged` tickets that it had not seen, None where that was not kept."""

    name: str
    tickets: int
    right: int | None
    judged: int
    serves: bool


async def show(visit: Visit) -> Response:
    """Show all versions, the latest trainings and the latest moves."""
    site = visit.site
    trainings = await site.database.read(_trainings)
    more = await site.database.read(needed)
    trained = await site.database.read(learning_curve.read)
    registry = _registry(site)
    try:
        found = await asyncio.to_thread(registry.versions)
        pointer = await asyncio.to_thread(registry.active)
    except RolecallError as error:
        log.warning("models_unreadable", error=str(error))
        raise Refused(503, "models_unreadable") from error
    serving = pointer.version if pointer else None
    moves = await asyncio.to_thread(registry.history)
    return visit.page(
        "models.html",
        current="models",
        versions=[_version(manifest, serving) for manifest in reversed(found)],
        serving=serving,
        predecessor=pointer.predecessor if pointer else None,
        trainings=trainings,
        curve=learning_curve.curve(trained, site.words),
        needed=site.words.needed(more),
        moves=[(move, _when(move)) for move in moves[-MOVES:][::-1]],
        training=await training.now(visit),
    )


def _when(move: Move) -> datetime | None:
    """Return when the pointer moved; None where a person wrote something else into the history."""
    try:
        return datetime.fromisoformat(move.at)
    except ValueError:
        return None


async def change(visit: Visit) -> Response:
    """Make a version serve, or its predecessor again, with the reason."""
    site, version, do = visit.site, visit.field("version"), visit.field("do")
    why = " ".join(visit.field("why").split())[:LONGEST_REASON]
    if do == "train":
        await training.begin(visit)
        return redirect("/models")
    if not why or not why.isprintable():
        raise Refused(422, "no_reason")
    registry = _registry(site)
    reason = f"{why} ({visit.who.name})"
    try:
        before = await asyncio.to_thread(registry.active)
        if do == "promote" and before is not None and before.version == version:
            raise Refused(409, "not_moved")
        if do == "promote":
            pointer = await asyncio.to_thread(registry.activate, version, reason)
        elif do == "roll_back":
            pointer = await asyncio.to_thread(registry.rollback, reason)
        else:
            raise Refused(400, "malformed")
    except RolecallError as error:
        log.warning("model_not_moved", error=str(error))
        raise Refused(409, "not_moved") from error
    action = audit.Action.PROMOTED if do == "promote" else audit.Action.ROLLED_BACK
    note = partial(audit.note, who=visit.who.name, action=action, at=site.now(), version=pointer.version, why=why)
    await site.database.write(note)
    return redirect("/models")


def _registry(site: Site) -> Registry:
    return Registry(site.directory.models, site.directory.encoders)


def _version(manifest: Manifest, serving: str | None) -> Version:
    judged = len(manifest.tickets.get("judged", ())) or len(manifest.tickets.get("test", ()))
    accuracy = manifest.metrics.get("accuracy")
    right = round(accuracy * judged) if isinstance(accuracy, int | float) and judged else None
    tickets = sum(map(len, manifest.tickets.values()))
    return Version(manifest.version, tickets, right, judged, manifest.version == serving)


def _trainings(session: Session) -> Sequence[Training]:
    return session.exec(select(Training).order_by(col(Training.id).desc()).limit(TRAININGS)).all()
