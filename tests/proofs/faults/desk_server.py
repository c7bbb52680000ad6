"""A whole Rolecall server for the misbehaving helpdesk, with its guards switched off or its death arranged on request.

python -m tests.proofs.faults.desk_server '{"data": ..., "port": ..., "desk": URL, ...}'
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import uvicorn
from sqlmodel import Session

import agent.door
from agent import logs
from agent.app import create_app
from agent.config.settings import Settings
from agent.core import assemble
from agent.intake.group_commit import GroupCommit
from agent.store import coordination
from agent.store.arrivals import Arrival
from agent.store.database import Database
from agent.work import cluster
from agent.work.wall_clock import WallClock
from connectors.base import Stored
from connectors.events import Ticket
from tests.proofs.faults.http_desk import HttpDesk

TICKETS = Path(__file__).parents[2] / "tickets"
DEATH = 9


@dataclass(frozen=True)
class Plan:
    """What the server is told. `die_at` names a moment: `before:QUERY` or `after:QUERY`, at its `occasion`-th time.

    At `stop_at` it suspends itself once. In a cluster, `stalled_seconds` is how long the others wait before they take
    over what a silent server had in hand, and after `lease_seconds` without a heartbeat it must not write any more;
    `clock_seconds` is how far its clock is ahead of the database's, which `own_clock` makes it ignore. A number in
    `clock_file` is how far its clock is ahead at any moment; `turned_unnoticed` is what the name says.
    """

    data: str
    port: int
    desk: str
    settle_seconds: float = 1.5
    timeout_seconds: float = 0.5
    poll_seconds: float = 300
    retry_seconds: Sequence[float] = (0.1, 0.2, 0.3) * 20
    breaker_failures: int = 5
    breaker_seconds: Sequence[float] = (0.1, 0.2, 0.3)
    blind: bool = False
    die_at: str = ""
    occasion: int = 1
    database_url: str = ""
    stop_at: str = ""
    stalled_seconds: float = 10
    lease_seconds: float = 7
    clock_seconds: float = 0
    own_clock: bool = False
    clock_file: str = ""
    turned_unnoticed: bool = False
    comments_per_hour: int = 1_000_000
    intake: dict[str, float] = field(default_factory=dict)
    hasty: bool = False

    @property
    def store(self) -> str:
        """The address of the database."""
        return self.database_url or f"sqlite:///{self.data}/rolecall.sqlite3"

    def arguments(self) -> list[str]:
        return [json.dumps(self.__dict__)]


class Fuse:
    """Ends the process, as kill -9 would, when the named moment has come so many times; suspends it at another one."""

    def __init__(self, moment: str, occasion: int, stop_at: str = "") -> None:
        self._moment, self._left, self._stop_at = moment, occasion, stop_at

    def pass_by(self, moment: str) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left <= 0:
                os._exit(DEATH)
        if moment == self._stop_at:
            self._stop_at = ""
            os.kill(os.getpid(), signal.SIGSTOP)


def set_clock(ahead: Callable[[], float], own_clock: bool) -> None:
    """Let this process's clock be so many seconds ahead, or behind with a negative number."""

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=ahead())

    coordination.datetime = Ahead  # type: ignore[misc]
    if own_clock:
        coordination.follow = lambda _: timedelta(0)


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

    def autocommit(self, statement: str, parameters: tuple[object, ...]) -> None:
        self.fuse.pass_by("before:accept")
        super().autocommit(statement, parameters)
        self.fuse.pass_by("after:accept")


class MortalDesk(HttpDesk):
    """A connector that can end the process before or after a write to the helpdesk."""

    fuse: Fuse

    async def read_ticket(self, ticket_id: str) -> Ticket:
        self.fuse.pass_by(f"read:{ticket_id}")
        return await super().read_ticket(ticket_id)

    async def post_comment(self, ticket_id: str, text: str) -> Stored:
        self.fuse.pass_by("before:post")
        stored = await super().post_comment(ticket_id, text)
        self.fuse.pass_by("after:post")
        return stored

    async def edit_comment(self, ticket_id: str, comment_id: str, text: str) -> Stored:
        self.fuse.pass_by("before:edit")
        stored = await super().edit_comment(ticket_id, comment_id, text)
        self.fuse.pass_by("after:edit")
        return stored


def settings_of(plan: Plan) -> Settings:
    return Settings(
        data=Path(plan.data),
        rules=TICKETS / "rules.toml",
        roles=TICKETS / "roles.toml",
        log_format="json",
        database_url=plan.database_url or None,  # type: ignore[arg-type]
        work={  # type: ignore[arg-type]
            "settle_seconds": plan.settle_seconds,
            "poll_seconds": plan.poll_seconds,
            "retry_seconds": plan.retry_seconds,
            "breaker_failures": plan.breaker_failures,
            "breaker_seconds": plan.breaker_seconds,
        },
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
    settings, fuse = settings_of(plan), Fuse(plan.die_at, plan.occasion, plan.stop_at)
    logs.configure("json")
    cluster.STALLED_SECONDS, cluster.LEASE_SECONDS = plan.stalled_seconds, plan.lease_seconds
    cluster.HEARTBEAT_SECONDS = min(plan.stalled_seconds / 5, 2.0)
    if plan.clock_seconds:
        set_clock(lambda: plan.clock_seconds, plan.own_clock)
    if plan.clock_file:
        set_clock(lambda: float(Path(plan.clock_file).read_text()), plan.own_clock)
    if plan.turned_unnoticed:
        WallClock.stepped_back = lambda _: timedelta(0)  # type: ignore[method-assign]
    parts = assemble(settings)
    desk = MortalDesk(plan.desk, plan.timeout_seconds, plan.blind)
    desk.fuse = fuse
    if plan.die_at or plan.stop_at:
        mortal = MortalDatabase(parts.database.engine.url.render_as_string(hide_password=False))
        mortal.fuse = fuse
        parts = replace(parts, database=mortal)
    if plan.hasty:
        agent.door.GroupCommit = HastyCommit  # type: ignore[misc]
    app = create_app(parts, {desk.source: desk}, ["false"])
    uvicorn.run(app, port=plan.port, loop="uvloop", http="httptools", log_config=None, access_log=False)


if __name__ == "__main__":
    main(Plan(**json.loads(sys.argv[1])))
