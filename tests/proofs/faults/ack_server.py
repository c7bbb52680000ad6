"""A server process that only acknowledges: the real intake on a real database, or a bare endpoint to compare it with.

    python -m tests.proofs.faults.ack_server bare|sqlite|normal|DATABASE_URL FOLDER PORT

`normal` is the control of the durability proof: the same intake with synchronous=NORMAL.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import uvicorn
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from agent import logs
from agent.cli.serve import spare_collector
from agent.config.settings import IntakeSettings, ServerSettings
from agent.intake.group_commit import GroupCommit
from agent.intake.receive import Receiver, Summary
from agent.intake.storage import Storage
from agent.metrics import Metrics
from agent.store.database import Database
from agent.web.protection import WaitingRoom, limited
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings

SECRET = "a-secret-of-many-letters"
SETTINGS = DjangoHelpdeskSettings(
    url="http://127.0.0.1:9", token="token", author_id="7", webhook_secrets=(SECRET,), queues={"1": "WO"}
)


async def bare(request: Request) -> Response:
    json.loads(await request.body())
    return PlainTextResponse("kept\n", 202)


def intake_app(database: Database) -> Starlette:
    limits, source = IntakeSettings(), DjangoHelpdesk.kind
    commit = GroupCommit(database, limits, Storage(database, limits))
    receiver = Receiver({source: DjangoHelpdesk(source, SETTINGS)}, commit, {}, limits, Summary(Metrics()))
    return Starlette(routes=[Route("/hooks/{source}/{segment}", receiver, methods=["POST"])])


def app_for(case: str, folder: Path) -> Starlette:
    if case == "bare":
        return Starlette(routes=[Route("/hooks/{source}/{segment}", bare, methods=["POST"])])
    if case.startswith("postgresql"):
        return intake_app(Database.open(case))
    database = Database.open_file(folder / "rolecall.sqlite3")
    if case == "normal":
        event.listen(database.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous = NORMAL"))
        database.engine.dispose()
    return intake_app(database)


def main(case: str, folder: str, port: str) -> None:
    logs.configure("json", logging.INFO)
    spare_collector()
    uvicorn.run(
        app_for(case, Path(folder)),
        port=int(port),
        loop="uvloop",
        http="httptools" if case == "bare" else limited(ServerSettings(), WaitingRoom()),
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
