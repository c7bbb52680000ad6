"""`rolecall decisions` lists what was decided, in the words of the comment and of the reasons for silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from sqlmodel import Session
from typer.testing import CliRunner

from agent.cli import app
from agent.core import Parts
from agent.domain import Outcome, Reason
from agent.errors import BadInput
from agent.store import comments
from agent.store.comments import Withheld
from agent.store.database import Database
from agent.store.tables import Comment, Decision, Ticket
from tests.agent.cli.test_terminal import EVIL, FORBIDDEN
from tests.desk import Desk
from tests.serving_app import running

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
VETO = {"rule": "second-reminder", "role": "Network", "kind": "veto", "phrase": "reminder"}
VOTE = {"rule": "vpn", "role": "Network", "kind": "vote", "phrase": "VPN"}


def decision(number: int, outcome: Outcome, reason: Reason | None = None, **given: object) -> Decision:
    values = {"roles": [], "confidence": None, "detail": {}} | given
    at = NOON + timedelta(minutes=number)
    return Decision(
        ticket_key=f"desk:{number}", at=at, outcome=outcome, reason=reason or "", rules_version="r", **values
    )


def listed(folder: Path, rows: list[Decision], subjects: dict[str, str], *words: str) -> list[str]:
    """Store the decisions and the tickets, and return the lines that the command prints."""

    def fill(session: Session) -> None:
        session.add_all(Ticket(key=key, subject=text, body="", filed_at=NOON) for key, text in subjects.items())
        session.add_all(rows)

    (folder / "agent.toml").write_text("")
    (folder / "data").mkdir()
    database = Database.open_file(folder / "data" / "rolecall.sqlite3")
    database.call(fill)
    database.close()
    return run(folder, *words)


def run(folder: Path, *words: str) -> list[str]:
    places = ["--config", str(folder / "agent.toml"), "--data", str(folder / "data")]
    result = CliRunner().invoke(app, ["decisions", *words, *places], env={"COLUMNS": "200"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [line.rstrip() for line in result.output.splitlines()]


def test_the_newest_decision_comes_first_with_what_was_said_or_why_nothing(tmp_path: Path) -> None:
    near = {"probabilities": {"Network": 0.31, "Finance": 0.2}, "hits": [VOTE]}
    rows = [
        decision(1, Outcome.CLEAR, roles=["Network", "Finance"], confidence=0.934),
        decision(2, Outcome.EITHER_OR, roles=["Network"], confidence=0.51),
        decision(3, Outcome.NONE, Reason.UNSURE, confidence=0.31, detail=near),
        decision(4, Outcome.NONE, Reason.RULED_OUT, confidence=0.0, detail={"hits": [VETO, VOTE, VETO]}),
        decision(5, Outcome.NONE, Reason.CLOSED),
        decision(6, Outcome.EITHER_OR, roles=["Network"], confidence=0.31, detail=near),
        decision(7, Outcome.EITHER_OR, roles=["Network"], confidence=0.31, detail={"probabilities": {"Network": 0.31}}),
    ]
    assert listed(tmp_path, rows, {"desk:1": "VPN is\n down", "desk:3": "Hello"}) == [
        "2026-11-22 12:07 UTC desk:7",
        "    Perhaps Network, 31 %",
        "2026-11-22 12:06 UTC desk:6",
        "    Network or Finance? 31 %, 20 %",
        "2026-11-22 12:05 UTC desk:5",
        "    It was closed before Rolecall looked.",
        "2026-11-22 12:04 UTC desk:4",
        "    Rules rule out every role (second-reminder).",
        "2026-11-22 12:03 UTC desk:3 Hello",
        "    No role is likely enough: best is Network, 31 %.",
        "2026-11-22 12:02 UTC desk:2",
        "    Perhaps Network, 51 %",
        "2026-11-22 12:01 UTC desk:1 VPN is down",
        "    Network and Finance, 93 %",
    ]
    assert run(tmp_path, "--limit", "1")[::2] == ["2026-11-22 12:07 UTC desk:7"]
    for words in (["--ticket", "desk:3"], ["desk:3"]):
        assert run(tmp_path, *words)[::2] == ["2026-11-22 12:03 UTC desk:3 Hello"]
    with pytest.raises(BadInput, match="name one ticket"):
        run(tmp_path, "desk:3", "--ticket", "desk:1")


def test_of_what_was_not_posted_the_latest_decision_says_why(tmp_path: Path) -> None:
    clear = {"roles": ["Network"], "confidence": 0.9}
    listed(tmp_path, [decision(n, Outcome.CLEAR, **clear) for n in range(1, 6)], {})
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")

    def withhold(session: Session) -> None:
        session.add(decision(1, Outcome.CLEAR, **clear))
        there = {"marker": "m", "text": "t"}
        session.add(Comment(ticket_key="desk:1", withheld=Withheld.HOURLY_LIMIT, **there))
        session.add(Comment(ticket_key="desk:2", withheld=Withheld.DELETED, remote_id="7", **there))
        session.add(Comment(ticket_key="desk:3", removed_at=NOON, **there))
        session.add(Comment(ticket_key="desk:4", remote_id="8", **there))
        comments.pause(session, "audit week")

    database.call(withhold)
    database.close()
    told = [line for line in " ".join(run(tmp_path)).split("2026-11-22 ") if line]
    why = {
        n: [" ".join(line.partition("; not posted: ")[2].split()[:4]) for line in told if f"desk:{n} " in line]
        for n in "12345"
    }
    assert why == {
        "1": ["as many comments as", ""],
        "2": ["a person deleted the"],
        "3": ["it was removed: `rolecall"],
        "4": [""],
        "5": ["comments are paused (audit"],
    }


@pytest.mark.parametrize("reason", Reason)
def test_silence_for_any_reason_is_worded(tmp_path: Path, reason: Reason) -> None:
    (_, said) = listed(tmp_path, [decision(1, Outcome.NONE, reason)], {})
    assert said.endswith(".")


def test_where_there_is_none_the_next_command_is_named(tmp_path: Path) -> None:
    assert listed(tmp_path, [], {}) == ["no decision yet: `rolecall queue status` shows what waits"]
    assert run(tmp_path, "--ticket", "desk:9") == [
        "no decision yet on desk:9: `rolecall queue status` shows what waits"
    ]
    assert run(tmp_path, "9")[0].startswith("no decision yet on 9: its key begins with the helpdesk's name")


@pytest.mark.parametrize("text", [text for text in EVIL if "\ud83d" not in text])
def test_what_a_ticket_says_does_nothing_to_the_terminal(tmp_path: Path, text: str) -> None:
    lines = listed(tmp_path, [decision(1, Outcome.CLEAR, roles=["Network"], confidence=0.9)], {"desk:1": text})
    assert len(lines) == 2
    assert FORBIDDEN.findall("".join(lines)) == []


@pytest.mark.parametrize("text", ["word " * 50, "漏油" * 99, "\u202e" * 99, "x" * 5000, "👩\u200d🔧 é" * 40])
def test_no_line_is_wider_than_eighty_columns(tmp_path: Path, text: str) -> None:
    long = decision(1, Outcome.NONE, Reason.UNSURE, confidence=0.3, detail={"probabilities": {"Wide role " * 12: 0.3}})
    lines = listed(tmp_path, [long], {"desk:1": text})
    assert max(map(cell_len, lines)) <= 80
    assert lines[0].endswith("…")
    assert all(line.startswith("    ") for line in lines[1:])
    assert " ".join(" ".join(lines[1:]).split()).count("Wide role") == 12


@pytest.mark.anyio
async def test_the_decision_on_a_new_ticket_is_listed(parts: Parts, desk: Desk, tmp_path: Path) -> None:
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
    (tmp_path / "agent.toml").write_text("")
    heading, said = run(tmp_path)
    assert heading.endswith(" UTC desk:1 VPN is down")
    (comment,) = desk.comments("1")
    role, confidence = said.strip().split(", ")
    assert role == "Perhaps Network"
    assert comment.text.startswith(f"**Role: perhaps Network?** ({confidence})")
