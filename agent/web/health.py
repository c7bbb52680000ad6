"""`/healthz`: the process is alive. `/readyz`: it can take in and work off events, or why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from agent.serving.active import ActiveModel
from agent.serving.model import RoleModel
from agent.store import status
from agent.store.database import Database

NO_MODEL = "none yet: rules and similar tickets decide"


@dataclass(frozen=True, slots=True)
class Health:
    """The two health endpoints."""

    database: Database
    active: ActiveModel[RoleModel]
    troubles: Sequence[Callable[[], str | None]]
    """Each says why events cannot be taken in now, or None."""

    async def alive(self, _request: Request) -> Response:
        """Answer 200 as long as the event loop runs."""
        return PlainTextResponse("ok\n")

    async def ready(self, _request: Request) -> Response:
        """Answer 200 if events are taken in and worked off, else 503 with the reason."""
        model = self.active.current
        state: dict[str, object] = {"status": "ready", "model": model.version if model else NO_MODEL}
        if self.active.problem:
            state["model_problem"] = self.active.problem
        if reasons := [reason for trouble in self.troubles if (reason := trouble())]:
            state |= {"status": "not ready", "reason": "; ".join(reasons)}
        try:
            state["events"] = await self.database.read(status.counts)
        except SQLAlchemyError as error:
            state |= {"status": "not ready", "reason": f"database: {type(error).__name__}"}
        return JSONResponse(state, 200 if state["status"] == "ready" else 503)
