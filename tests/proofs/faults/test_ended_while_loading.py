"""A server that is ended while its model is being loaded keeps what it took in, and leaves at once when asked to."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx

from tests.patience import PATIENCE_SECONDS
from tests.proofs.bench import abuse, starting
from tests.upgrade.helpdesk import Helpdesk

ENDED_BY = [signal.SIGTERM, signal.SIGKILL] * 3
TICKETS = 4
ALWAYS = {"ROLECALL_WORK__SETTLE_SECONDS": "0.1", "ROLECALL_TRIAGE__SILENT_BELOW": "0"}


def ready(client: httpx.Client, running: abuse.Running) -> str:
    """Return what the server says of itself."""
    return client.get(f"http://127.0.0.1:{running.port}/readyz").text


def file_tickets(client: httpx.Client, running: abuse.Running, desk: Helpdesk) -> None:
    """File tickets, each acknowledged."""
    hook = f"http://127.0.0.1:{running.port}/hooks/django-helpdesk/{abuse.SECRET}"
    for _ in range(TICKETS):
        number = len(desk.tickets)
        told = desk.file(f"VPN {number}", f"It drops every morning, case {number}")
        assert client.post(hook, json=told).status_code == 202


def test_a_server_ended_while_it_loads_loses_nothing(tmp_path: Path) -> None:
    starting.installed(tmp_path)
    log = tmp_path / "log"
    ended_before, desk, loading = log.read_text().count("Finished server process"), Helpdesk(), 0
    with desk.serving() as address, httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
        for ended_by in ENDED_BY:
            with abuse.server(tmp_path, address, ALWAYS | starting.variables()) as running:
                file_tickets(client, running, desk)
                loading += "being loaded" in ready(client, running)
                running.process.send_signal(ended_by)
                assert running.process.wait(PATIENCE_SECONDS) == -ended_by
        assert loading > 0, "no server was still loading when it was ended"
        asked = ENDED_BY.count(signal.SIGTERM)
        assert log.read_text().count("Finished server process") == ended_before + asked, "it left in good order"
        with abuse.server(tmp_path, address, ALWAYS | starting.variables()):
            starting.answered(desk, len(ENDED_BY) * TICKETS)
    assert [len(desk.comments(number)) for number in desk.tickets] == [1] * (len(ENDED_BY) * TICKETS)
    assert "Traceback" not in log.read_text()
