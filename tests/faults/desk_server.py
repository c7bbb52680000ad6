"""A whole Rolecall server for the misbehaving helpdesk, with its guards switched off or its death arranged on request.

python -m tests.faults.desk_server '{"data": ..., "port": ..., "desk": URL, ...}'
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvicorn
from sqlmodel import Session

import agent.app
from agent import logs
from agent.app import create_app
from agent.intake.group_commit import GroupCommit
from agent.parts import assemble
from agent.settings import Settings
from agent.store.arrivals import Arrival
from agent.store.database import Database
from tests.faults.http_desk import HttpDesk

TICKETS = Path(__file__).parents[1] / "tickets"
DEATH = 9


@dataclass(frozen=True)
class Plan:
    """What the server is told. `die_at` names a moment: `before:QUERY` or `after:QUERY`, at its `occasion`-th time."""

    data: str
    port: int
    desk: str
    settle_seconds: float = 1.5
    timeout_seconds: float = 0.5
    blind: bool = False
    die_at: str = ""
    occasion: int = 1
    database_url: str = ""
    comments_per_hour: int = 1_000
    intake: dict[str, float] = field(default_factory=dict)
    hasty: bool = False

    @property
    def store(self) -> str:
        """The address of the database."""
        return self.database_url or f"sqlite:///{self.data}/rolecall.sqlite3"

    def arguments(self) -> list[str]:
        return [json.dumps(self.__dict__)]


class Fuse:
    """Ends the process, as kill -9 would, when the named moment has come so many times."""

    def __init__(self, moment: str, occasion: int) -> None:
        self._moment, self._left = moment, occasion

    def pass_by(self, moment: str) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left <= 0:
                os._exit(DEATH)


class MortalDatabase(Database):
    """A database that can end the process before or after any of its queries."""

    fuse: Fuse

    def _transact(self, engine: Any, query: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def fused(session: Session) -> Any:
            self.fuse.pass_by(f"before:{query.__name__}")
            result = query(session, *args, **kwargs)
            self.fuse.pass_by(f"within:{query.__name__}")
            return result

        result = super()._transact(engine, fused)
        self.fuse.pass_by(f"after:{query.__name__}")
        return result

    def alone(self, statement: str, parameters: tuple[object, ...]) -> Any:
        self.fuse.pass_by("before:accept")
        result = super().alone(statement, parameters)
        self.fuse.pass_by("after:accept")
        return result


class MortalDesk(HttpDesk):
    """A connector that can end the process before or after a write to the helpdesk."""

    fuse: Fuse

    async def post_comment(self, ticket_id: str, text: str) -> str:
        self.fuse.pass_by("before:post")
        identifier = await super().post_comment(ticket_id, text)
        self.fuse.pass_by("after:post")
        return identifier

    async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> None:
        self.fuse.pass_by("before:edit")
        await super().edit_comment(ticket_id, comment_id, text)
        self.fuse.pass_by("after:edit")


def settings_of(plan: Plan) -> Settings:
    return Settings(
        data=Path(plan.data),
        rules=TICKETS / "rules.toml",
        roles=TICKETS / "roles.toml",
        log_format="json",
        database_url=plan.database_url or None,  # type: ignore[arg-type]
        work={"settle_seconds": plan.settle_seconds, "retry_seconds": [0.1, 0.2, 0.3] * 20},  # type: ignore[arg-type]
        triage={"silent_below": 0.2},  # type: ignore[arg-type]
        intake=plan.intake,  # type: ignore[arg-type]
        learning={"nightly_at": None},  # type: ignore[arg-type]
        brakes={"answers": 1_000_000, "comments_per_hour": plan.comments_per_hour},  # type: ignore[arg-type]  # the invented staff corrects everything
    )


class HastyCommit(GroupCommit):
    """Says that arrivals are kept before they are."""

    async def accept(self, arrivals: Sequence[Arrival]) -> list[bool]:
        asyncio.ensure_future(super().accept(arrivals)).add_done_callback(lambda done: done.exception())
        return [True] * len(arrivals)


def main(plan: Plan) -> None:
    settings, fuse = settings_of(plan), Fuse(plan.die_at, plan.occasion)
    logs.configure("json")
    parts = assemble(settings)
    desk = MortalDesk(plan.desk, plan.timeout_seconds, plan.blind)
    desk.fuse = fuse
    if plan.die_at:
        mortal = MortalDatabase(parts.database.engine.url.render_as_string(hide_password=False))
        mortal.fuse = fuse
        parts = replace(parts, database=mortal)
    if plan.hasty:
        agent.app.GroupCommit = HastyCommit  # type: ignore[misc]
    app = create_app(parts, {desk.source: desk}, ["false"])
    uvicorn.run(app, port=plan.port, loop="uvloop", http="httptools", log_config=None, access_log=False)


if __name__ == "__main__":
    main(Plan(**json.loads(sys.argv[1])))
