"""`/healthz`: the process is alive. `/readyz`: it can take in and work off events, or why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from agent.store import status
from agent.store.database import Database

if TYPE_CHECKING:
    from agent.serving.active import ActiveModel
    from agent.triage.model import TicketModel

NO_MODEL = "none yet: rules and similar tickets decide"
LOADING = "being loaded: what is taken in now is worked off then"


@dataclass(frozen=True, slots=True)
class Health:
    """The two health endpoints."""

    database: Database
    active: Callable[[], ActiveModel[TicketModel] | None]
    """Returns the model in use, None while it is being loaded."""
    troubles: Sequence[Callable[[], str | None]]
    """Each says why events cannot be taken in now, or None."""

    async def alive(self, _request: Request) -> Response:
        """Answer 200 as long as the event loop runs."""
        return PlainTextResponse("ok\n")

    async def ready(self, _request: Request) -> Response:
        """Answer 200 if events are taken in and worked off, else 503 with the reason."""
        active = self.active()
        state: dict[str, object] = {"status": "ready", "model": LOADING}
        if active is not None:
            state["model"] = active.current.version if active.current else NO_MODEL
            if active.problem:
                state["model_problem"] = active.problem
        if reasons := [reason for trouble in self.troubles if (reason := trouble())]:
            state |= {"status": "not ready", "reason": "; ".join(reasons)}
        try:
            state["events"] = await self.database.read(status.counts)
        except SQLAlchemyError as error:
            state |= {"status": "not ready", "reason": f"database: {type(error).__name__}"}
        return JSONResponse(state, 200 if state["status"] == "ready" else 503)
