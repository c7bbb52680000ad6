"""`rolecall queue` and `rolecall db` show and settle what the server left for a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlmodel import Session, select
from typer.testing import CliRunner

from agent.cli import app
from agent.cli.queue_status import lines, of_server
from agent.data_directory import DataDirectory
from agent.store import inbox
from agent.store.arrivals import Arrival, accept
from agent.store.database import Database, newest_version
from agent.store.status import Figures
from agent.store.tables import Decision, Inbox, Ticket, utcnow
from connectors.events import Event, Kind


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """Return options that name an installation with two dead letters and one event that waits."""
    (tmp_path / "agent.toml").write_text("")
    (tmp_path / "data").mkdir()
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
    events = [Event(Kind.CREATED, str(n), f"d{n}") for n in range(3)]
    database.call(accept, [Arrival("desk", event, b"", utcnow()) for event in events])
    for job in database.call(inbox.claim, 2, utcnow()):
        database.call(inbox.bury, job, "no \x1b[31mright", utcnow())
    database.close()
    return ["--config", str(tmp_path / "agent.toml"), "--data", str(tmp_path / "data")]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_dead_letters_are_listed_without_control_characters(options: list[str]) -> None:
    listed = run("queue", "list", *options)
    *lines, following = listed.splitlines()
    assert following.startswith("Next: `rolecall queue retry NUMBER`")
    assert [line.split()[:3] for line in lines] == [
        ["1", "desk:0", "created"],
        ["2", "desk:1", "created"],
    ]
    assert "\x1b" not in listed


def test_letters_are_put_back_or_dropped(options: list[str]) -> None:
    run("queue", "drop", "1", *options)
    run("queue", "retry", "--all", *options)
    status = run("queue", "status", *options)
    assert "waiting: 2" in status
    assert "set aside: 0" in status


def test_the_kill_switch_is_shown(options: list[str]) -> None:
    run("queue", "pause", "--reason", "wrong rules", *options)
    assert "comments: paused, wrong rules" in run("queue", "status", *options)
    run("queue", "resume", *options)
    assert "comments: on" in run("queue", "status", *options)


def figures_of(waiting: int) -> Figures:
    return Figures({"waiting": waiting} if waiting else {}, NOW - timedelta(hours=2) if waiting else None, None, None)


NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("waiting", "pace", "said"),
    [
        (0, None, "nothing waits"),
        (100_000, 37.0, "45 minutes, at 37.0 events a second lately"),
        (100_000, None, "28 minutes once work goes on, at the usual 60 events a second; nothing was done lately"),
        (1, 50.0, "less than a second, at 50.0 events a second lately"),
        (2_000_000, 10.0, "2 days, at 10.0 events a second lately"),
    ],
)
def test_the_time_to_drain_is_said_in_plain_words(waiting: int, pace: float | None, said: str) -> None:
    assert f"time to drain: {said}" in list(lines(figures_of(waiting), pace, NOW))


def test_the_age_of_the_oldest_event_is_said() -> None:
    assert "oldest: received 2026-11-22 05:00:00 UTC, 2 hours ago" in list(lines(figures_of(1), None, NOW))
    assert "oldest: none" in list(lines(figures_of(0), None, NOW))


METRICS = b'rolecall_breaker_open{source="desk"} 1.0\nrolecall_breaker_open{source="other"} 0.0\n'


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(METRICS)

    def log_message(self, *_: object) -> None:
        pass


def test_the_server_itself_says_whom_it_leaves_alone() -> None:
    with HTTPServer(("127.0.0.1", 0), Metrics) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.handle_request).start()
        assert "leaves desk alone" in of_server(url)
    assert "does not answer" in of_server(url)


def test_the_server_is_asked_where_it_listens_and_not_where_it_might(options: list[str], tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Metrics) as server, DataDirectory(tmp_path / "data").serving() as note:
        note(f"http://127.0.0.1:{server.server_port}")
        Thread(target=server.handle_request).start()
        assert f"server: answers at http://127.0.0.1:{server.server_port}; leaves desk" in run(
            "queue", "status", *options
        )
    assert "server: does not answer at http://127.0.0.1:8080" in run("queue", "status", *options)


def test_in_shadow_mode_comments_are_not_on(options: list[str], tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text("[triage]\nshadow = true\n")
    assert "comments: none are posted, [triage] shadow is on\n" in run("queue", "status", *options)
    run("queue", "pause", *options)
    assert "comments: none are posted, [triage] shadow is on; paused as well, by hand" in run(
        "queue", "status", *options
    )


def test_nothing_to_list_or_to_retry_is_said(options: list[str]) -> None:
    assert run("queue", "list", "--state", "working", *options) == "no event is working\n"
    run("queue", "retry", "--all", *options)
    assert run("queue", "list", *options) == "no event is set aside\n"
    assert run("queue", "retry", "--all", *options) == "nothing is set aside\n"


def test_one_event_is_shown_whole(options: list[str]) -> None:
    assert "delivery_id: d2" in run("queue", "show", "3", *options)


def test_the_schema_is_checked_and_upgraded(options: list[str]) -> None:
    assert f"needs {newest_version()}" in run("db", "check", *options)
    assert f"schema {newest_version()}" in run("db", "upgrade", *options)


def test_resuming_leaves_the_tickets_of_configured_connectors_to_catch_up_on(
    options: list[str], tmp_path: Path
) -> None:
    def worked_off(session: Session) -> None:
        for row in session.exec(select(Inbox)):
            row.state, row.done_at = "done", utcnow()
            session.add(Ticket(key=row.ticket_key, subject="VPN", body="", filed_at=utcnow()))

    run("queue", "pause", *options)
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
    source = database.call(lambda session: session.exec(select(Inbox.source)).first())
    database.call(worked_off)
    database.close()
    connector = f'[connectors.{source}]\nkind = "django-helpdesk"\nurl = "http://127.0.0.1:9"\n'
    secrets = f'token = "{"t" * 40}"\nwebhook_secrets = ["{"s" * 40}"]\n'
    (tmp_path / "agent.toml").write_text(connector + secrets)
    assert run("queue", "resume", *options) == "comments: on; tickets to catch up on: 3\n"
    assert run("queue", "resume", *options) == "comments: on\n"


def test_tickets_that_are_left_alone_and_queues_in_shadow_are_named(options: list[str], tmp_path: Path) -> None:
    silent = {"outcome": "none", "roles": [], "detail": {}, "rules_version": "r", "at": utcnow()}
    database = Database.open_file(tmp_path / "data" / "rolecall.sqlite3")
    reasons = ["ignored_sender"] * 2 + ["outside_pilot", "unsure"]
    rows = [Decision(ticket_key=f"desk:{n}", reason=reason, **silent) for n, reason in enumerate(reasons)]
    database.call(lambda session: session.add_all(rows))
    database.close()
    helpdesk = 'url = "https://desk.example"\ntoken = "t"\nwebhook_secrets = "0123456789abcdef"\n'
    (tmp_path / "agent.toml").write_text(f"""[triage]\nshadow = {{ plant = ["hr", "it"] }}
[connectors.plant]\nkind = "django-helpdesk"\n{helpdesk}""")
    status = run("queue", "status", *options)
    assert "comments: on; none are posted in hr of plant, it of plant, [triage] shadow\n" in status
    assert "left alone by [triage]: 2 ignored_sender, 1 outside_pilot, of the latest 1,000 decisions\n" in status
