"""`rolecall connectors read`: a ticket as a connector understands it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli.reading import told
from agent.errors import BadInput, NotPossibleYet
from tests.agent.cli.test_systems import folder, run
from tests.connectors.systems.fake import BOT, TECH
from tests.connectors.systems.installed import installed
from tests.stubs.server import Asked, Reply, serving

__all__ = ["folder"]


@pytest.mark.anyio
async def test_what_is_known_of_a_ticket_is_shown_and_what_is_not() -> None:
    system = installed("openproject")
    ticket = system.fake.file("Pump 7 leaks", "Oil\nunder the pump " + "x" * 90)
    comment = system.fake.say(ticket, "/role engine", TECH)
    ours = system.fake.say(ticket, "Role: Engine", BOT)
    lines = list(told(await system.connect().read_ticket(str(ticket.id)), str(BOT)))
    assert lines == [
        f'ticket {ticket.id}, open: "Pump 7 leaks"',
        f'text: "Oil under the pump {"x" * 41}…"',
        "group: Pumps & Drives",
        "requester: 7",
        "assignee: unknown",
        "priority: Normal",
        "tags: unknown",
        f"created_at: {ticket.created}",
        "closed_at: unknown",
        "merged_into: unknown",
        f"url: https://openproject.example.test/work_packages/{ticket.id}",
        "messages: 2, the oldest first",
        f'  {comment.id} by 14, Zoe (unknown), public, {comment.at.isoformat()}: "/role engine"',
        f'  {ours.id} by 99, which is ours, public, {ours.at.isoformat()}: "Role: Engine"',
        "our account: 99",
    ]
    assert list(told(await system.connect().read_ticket(str(ticket.id)), ""))[-1].startswith("our account: not known")


def test_a_connector_that_is_not_there_or_does_not_answer_is_told_with_the_next_command(folder: Path) -> None:
    missing = run(folder, "read", "plants", "7").exception
    assert isinstance(missing, BadInput)
    assert "no connector is called plants; there are plant: see" in str(missing)
    text = (folder / "agent.toml").read_text()
    (folder / "agent.toml").write_text(text + 'api_url = "http://127.0.0.1:9"\n')
    silent = run(folder, "read", "plant", "7").exception
    assert isinstance(silent, NotPossibleYet)
    assert "nothing listens there" in str(silent)
    assert "`rolecall check` says whether plant answers" in str(silent)


def test_a_ticket_that_is_not_there_is_not_taken_for_a_system_that_is_not(folder: Path) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(200, {"id": 99}) if asked.path == "/user" else Reply(404, {})

    text = (folder / "agent.toml").read_text()
    with serving(answer) as url:
        (folder / "agent.toml").write_text(f'{text}api_url = "{url}"\n')
        missing = run(folder, "read", "plant", "7").exception
    assert isinstance(missing, BadInput)
    assert "plant has no ticket 7, or hides it from our account: GET" in str(missing)
