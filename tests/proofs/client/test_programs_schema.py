"""What programs call keeps what its OpenAPI document promises, whatever is sent to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.domain import Strength, Via
from agent.pages.signing import tokens, users
from agent.pages.signing.rights import Rights
from agent.store import search
from agent.store.database import Database
from agent.store.tables import Review, Ticket, utcnow
from tests.client.served import start
from tests.proofs.client.test_schema import hold

EXAMPLES = 10  # for each operation and phase
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "unsupported_method",
)
"""Not that every odd request is refused: an unknown parameter of an address is nobody's business."""


def planted(session: Any) -> str:
    """Store a ticket and what somebody said of it; return an operator's token."""
    now = utcnow()
    search.add(session, Ticket(key="desk:0", subject="Pump leaks", body="It leaks oil.", filed_at=now))
    session.add(Review(ticket_key="desk:0", roles=[], strength=Strength.CLOSED, via=Via.CLOSURE, origin="x", at=now))
    users.add(session, "robot", Rights.OPERATOR, "tests", now)
    return tokens.make(session, "robot", "tests", 1, "tests", now)


def test_no_call_leads_to_an_error_of_ours_or_to_an_undocumented_answer(tmp_path: Path) -> None:
    server, url, _ = start(tmp_path / "data")
    with server:
        try:
            database = Database(tmp_path / "data/rolecall.sqlite3")
            token = database.call(planted)
            database.close()
            hold(tmp_path, f"{url}/api/openapi.json", f"Authorization: Bearer {token}", CHECKS, EXAMPLES)
        finally:
            server.terminate()
