"""Two servers on one database, and a system that deletes both old tokens at each renewal: one renews, both go on.

The one that renews is killed between the system's answer and its storing: one new log-in is asked for, in words, once,
and nothing is lost.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from sqlmodel import Session

from agent.errors import NotPossibleYet
from tests.agent.store.test_tokens import SOURCE, Rotating
from tests.patience import PATIENCE_SECONDS
from tests.postgres import new_database
from tests.proofs.gateway import Gateway
from tests.proofs.servers.beside import Beside, until
from tests.stubs.server import Asked, Reply, serving

SECRET = "the-signing-secret-of-the-webhook"
SLOW_SECONDS = 0.3
"""What a renewal takes: two that came together would be seen."""
ROUNDS = 4
SPENT = f"the log-in of {SOURCE} is spent: log in there again"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database of the servers holds."""

    url: str

    def call(self, work: Callable[[Session], T]) -> T:
        with Session(create_engine(self.url, poolclass=NullPool), expire_on_commit=False) as session:
            found = work(session)
            session.commit()
            return found

    def do(self, statement: str) -> None:
        self.call(lambda session: session.execute(text(statement)))

    def asked(self, statement: str) -> list[Any]:
        return self.call(lambda session: list(session.execute(text(statement)).scalars()))


class Served:
    """The system over HTTP. `together` is how many renewals it ever saw at once, `refused` how many it refused."""

    def __init__(self, system: Rotating) -> None:
        self.system = system
        self.renewing = self.together = self.refused = 0
        self._lock, self._counted = threading.Lock(), threading.Lock()

    def __call__(self, asked: Asked) -> Reply:
        request = httpx.Request(
            asked.method,
            httpx.URL("http://system.test", path=asked.path, params=dict(asked.query)),
            headers={name: value for name, value in asked.headers.items() if name not in ("host", "content-length")},
            content=asked.body,
        )
        renews = asked.path == "/oauth/tokens"
        if renews:
            with self._counted:
                self.renewing += 1
                self.together = max(self.together, self.renewing)
            time.sleep(SLOW_SECONDS)
        with self._lock:
            answer = self.system(request)
        if renews:
            with self._counted:
                self.renewing -= 1
                self.refused += answer.status_code != 200
        return Reply(answer.status_code, answer.content)

    def expire(self) -> None:
        """The access token runs out."""
        with self._lock:
            self.system.valid = ("", self.system.valid[1])

    def file(self, count: int) -> list[int]:
        with self._lock:
            return [self.system.file("no vpn at the plant").id for _ in range(count)]

    def notes(self, number: int) -> int:
        return len(self.system.tickets[number].comments)


class Server(Beside):
    """One of the servers; it reaches the system through a gateway of its own, which can end it."""

    connector = SOURCE

    def __init__(self, folder: Path, database: str, system: str) -> None:
        super().__init__(folder, Path(), Path())
        self.database, self.gateway = database, Gateway(system)

    def connect(self, login: str) -> None:
        secrets = {"CLIENT_ID": "c", "CLIENT_SECRET": "s", "REFRESH_TOKEN": login, "WEBHOOK_SECRETS": SECRET}
        self.configure({"kind": "rotating", "url": self.gateway.url}, secrets, poll_seconds=3_600)
        file = self.folder / "agent.toml"
        file.write_text(f'database_url = "{self.database}"\n{file.read_text()}')
        (self.folder / "connectors").mkdir(exist_ok=True)
        (self.folder / "connectors" / "rotating.toml").write_text(manifest())

    def tell(self, number: int) -> None:
        """Deliver the webhook of a new ticket, signed."""
        at = datetime.now(UTC).isoformat()
        detail = {"id": str(number), "created_at": at, "actor_id": "7"}
        body = json.dumps({"type": "zen:event-type:ticket.created", "time": at, "detail": detail})
        signed = base64.b64encode(hmac.digest(SECRET.encode(), f"{at}{body}".encode(), hashlib.sha256)).decode()
        name = "x-zendesk-webhook-signature"
        headers = {name: signed, f"{name}-timestamp": at}
        answer = httpx.post(f"{self.url}/hooks/{SOURCE}", content=body, headers=headers, timeout=60, trust_env=False)
        assert answer.status_code == 202, answer.text


def manifest() -> str:
    """Return Zendesk's, with a log-in that is renewed in rotation."""
    written = (resources.files("connectors.presets") / "zendesk.toml").read_text("utf-8")
    changed = written.replace('["client_id", "client_secret"]', '["client_id", "client_secret", "refresh_token"]')
    changed = changed.replace(
        'send = "json"', 'send = "json"\ngrant = "refresh_token"\nrefresh_token = "{refresh_token}"'
    )
    assert changed.count("refresh_token") == 4
    return changed


@pytest.fixture
def rows(cluster: str) -> Rows:
    return Rows(new_database(cluster))


@pytest.fixture
def served(rows: Rows) -> Served:
    return Served(Rotating(rows))  # type: ignore[arg-type]  # it asks for rows alone


@pytest.fixture
def servers(rows: Rows, served: Served, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    with ExitStack() as stack:
        system = stack.enter_context(serving(served))
        first, second = (Server(tmp_path / name, rows.url, system) for name in ("one", "two"))
        for server in (first, second):
            stack.enter_context(server.gateway)
            stack.enter_context(server)
            server.connect("log-in-1")
            server.start()
        yield first, second


def noted(served: Served, numbers: Sequence[int]) -> bool:
    return all(served.notes(number) for number in numbers)


def again(servers: Sequence[Server], rows: Rows, login: str) -> None:
    """Start servers anew with a log-in, when all that waits is due."""
    for server in servers:
        server.stop()
        server.connect(login)
    rows.do("UPDATE inbox SET due_at = now() WHERE state = 'waiting'")
    rows.do("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
    for server in servers:
        server.start()


def test_one_renews_both_go_on_and_a_kill_before_the_storing_asks_for_one_log_in(
    servers: tuple[Server, Server], served: Served, rows: Rows
) -> None:
    first, second = servers
    numbers: list[int] = []
    for _ in range(ROUNDS):
        served.expire()
        renewals, filed = served.system.renewals, served.file(6)
        for number, server in zip(filed, (first, second) * 3, strict=True):
            server.tell(number)
        seconds = until(lambda filed=filed: noted(served, filed), "a note on each ticket")  # type: ignore[misc]
        print(f"noted_seconds={seconds:.1f}")
        assert served.system.renewals == renewals + 1, "the loser takes the winner's pair"
        numbers += filed
    assert (served.together, served.refused, served.system.unstored) == (1, 0, [])

    served.expire()
    lost = served.file(4)
    renewals = served.system.renewals
    first.gateway.strike(first.pid, "after", lambda what: what == "POST /oauth/tokens")
    second.gateway.strike(second.pid, "after", lambda what: what == "POST /oauth/tokens")
    first.tell(lost[0])
    until(lambda: first.gateway.struck.is_set() or second.gateway.struck.is_set(), "a server is killed at its renewal")
    dead, left = (first, second) if first.gateway.struck.is_set() else (second, first)
    dead.gone()
    left.gateway.spare()
    assert served.system.renewals == renewals + 1
    for number in lost[1:]:
        left.tell(number)
    waits = "another server is renewing the token"
    until(lambda: any(waits in (error or "") for error in rows.asked("SELECT error FROM inbox")), "the other waits")

    rows.do("UPDATE oauth_token SET claimed_until = now() - interval '1 second'")  # as 90 seconds later
    again([left], rows, "log-in-1")
    until(lambda: any(SPENT in (error or "") for error in rows.asked("SELECT error FROM inbox")), "the words")
    again([first, second], rows, "log-in-1")
    with pytest.raises(NotPossibleYet) as caught:
        left.run("check")
    assert SPENT in str(caught.value)
    assert "ROLECALL_CONNECTORS__PLANT_2__REFRESH_TOKEN" in str(caught.value)
    assert (served.system.renewals, served.refused) == (renewals + 2, 1), "it is asked once, whoever looks"
    assert not noted(served, lost)

    served.system.log_in("log-in-2")
    again([first, second], rows, "log-in-2")
    until(lambda: noted(served, lost), "what waited is done")
    for server in servers:
        server.wait_until_idle(PATIENCE_SECONDS)
    assert [served.notes(number) for number in (*numbers, *lost)] == [1] * (6 * ROUNDS + 4)
    assert set(rows.asked("SELECT state FROM inbox")) == {"done"}
    assert (served.together, served.refused, served.system.unstored) == (1, 1, [])
    print(f"renewals={served.system.renewals} together={served.together} log_ins_asked_for={served.refused}")
