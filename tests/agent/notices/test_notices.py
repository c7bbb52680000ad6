"""Notices reach a real service, once and together; what cannot be sent waits, is shown, and holds up nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import Session
from structlog.testing import capture_logs

from agent import logs
from agent.config.notify import NotifySettings
from agent.core import Parts
from agent.metrics import Metrics
from agent.notices import notices as watching
from agent.notices import outbox, sending
from agent.notices.notices import Notices
from agent.notices.outbox import PAUSES, QUIET
from agent.notices.sending import deliver, understood, without_secrets
from agent.store import comments, coordination
from agent.store.tables import Decision, Ticket, utcnow
from tests.agent.notices.conftest import TOKEN, Receiver
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

NOW = utcnow()
MINUTE = timedelta(minutes=1)


@dataclass
class Storage:
    low: bool = False
    reason: str | None = None

    def trouble(self) -> str | None:
        return self.reason


@pytest.fixture
def notices(parts: Parts, desk: Desk, receiver: Receiver) -> Callable[..., Notices]:
    """Return a function that makes the notices of one installation."""
    metrics = Metrics()

    def make(*urls: str, down: Mapping[str, timedelta] = {}, **settings: Any) -> Notices:
        notify = NotifySettings(urls=urls or (receiver.address(),), **settings)
        given = parts.settings.model_copy(update={"notify": notify})
        memory = parts.classifier.memory
        return Notices(lambda: given, parts.database, metrics, memory, {"desk": desk}, Storage(), lambda: down)

    return make


def counted(notices: Notices) -> tuple[float, ...]:
    values = {
        s.labels["outcome"]: s.value for s in notices.metrics.notices.collect()[0].samples if s.name[-6:] == "_total"
    }
    return values["sent"], values["failed"]


async def test_all_that_is_new_comes_in_one_message_and_once(
    notices: Callable[..., Notices], receiver: Receiver
) -> None:
    watch = notices(down={"desk": timedelta(hours=1)})
    watch.database.call(comments.pause, "by hand")
    for minute in range(3):
        await watch.round(NOW + minute * MINUTE)
    (message,) = receiver.messages
    assert message["title"] == "Rolecall: 2 things to look at"
    assert message["message"].splitlines() == [
        "- desk has not answered for 60 minutes. Nothing is lost: events wait, and are tried again.",
        "- All comments are paused: by hand. `rolecall queue resume` ends it.",
    ]
    assert counted(watch) == (1, 0)


async def test_what_has_ended_is_told_once_and_is_news_when_it_begins_again(
    notices: Callable[..., Notices], receiver: Receiver
) -> None:
    watch = notices()
    watch.database.call(comments.pause, "by hand")
    await watch.round(NOW)
    watch.database.call(comments.resume)
    await watch.round(NOW + QUIET)
    assert len(receiver.messages) == 1
    for minute in (1, 2):
        await watch.round(NOW + QUIET + minute * MINUTE)
    assert receiver.texts[1:] == ["- Over: Comments are no longer paused."]
    watch.database.call(comments.pause, "again")
    await watch.round(NOW + 2 * QUIET)
    assert receiver.texts[2:] == ["- All comments are paused: again. `rolecall queue resume` ends it."]


async def test_a_week_that_is_over_is_told_where_that_is_wanted(
    notices: Callable[..., Notices], receiver: Receiver
) -> None:
    def file(session: Session) -> None:
        at = NOW - timedelta(days=7)
        session.add(Ticket(key="desk:1", subject="", body="", filed_at=at))
        row = {"ticket_key": "desk:1", "at": at, "outcome": "clear", "roles": ["Network"], "confidence": 0.9}
        session.add(Decision(**row, reason="", detail={}, rules_version="v"))

    silent, watch = notices(), notices(week=True)
    watch.database.call(file)
    await silent.round(NOW)
    assert receiver.texts == []
    for minute in (0, 1):
        await watch.round(NOW + minute * MINUTE)
    (text,) = receiver.texts
    assert "a role was clearly suggested for 1 of 1 tickets" in text


async def test_what_was_not_taken_is_tried_again_for_that_address_alone(
    notices: Callable[..., Notices], receiver: Receiver
) -> None:
    watch = notices("json://127.0.0.1:1/never", receiver.address())
    watch.database.call(comments.pause, "by hand")
    with capture_logs() as lines:
        await watch.round(NOW)
        await watch.round(NOW + PAUSES[0] / 2)
        await watch.round(NOW + PAUSES[0])
    assert len(receiver.messages) == 1
    assert counted(watch) == (1, 2)
    assert [line["attempt"] for line in lines if line["event"] == "notice_not_sent"] == [1, 2]
    ((_, message),) = watch.database.call(outbox.kept)
    assert (message.left, message.tries) == ((1,), 2)
    assert message.error is not None
    assert message.error.startswith("address 1: ")


async def test_a_service_that_stays_away_is_given_up_and_that_is_kept_for_a_week(
    notices: Callable[..., Notices], receiver: Receiver
) -> None:
    watch, now = notices(), NOW
    watch.database.call(comments.pause, "by hand")
    receiver.status = 500
    for wait in (timedelta(0), *PAUSES):
        now += wait
        await watch.round(now)
    ((_, message),) = watch.database.call(outbox.kept)
    assert (message.due, message.tries) == (None, len(PAUSES) + 1)
    receiver.status = 200
    await watch.round(now + timedelta(days=1))
    assert receiver.messages == []
    await watch.round(now + timedelta(days=7))
    assert watch.database.call(outbox.kept) == []


async def test_a_day_has_so_many_messages_and_the_rest_comes_together_the_day_after(
    notices: Callable[..., Notices], receiver: Receiver
) -> None:
    away: dict[str, timedelta] = {}
    watch = notices(down=away, most_per_day=2)
    for number in range(5):
        away[f"plant-{number}"] = timedelta(hours=1)
        await watch.round(NOW + number * MINUTE)
    assert len(receiver.messages) == 2
    await watch.round(NOW + timedelta(hours=23))
    assert len(receiver.messages) == 2
    await watch.round(NOW + timedelta(days=1))
    assert [text.count("- plant-") for text in receiver.texts] == [1, 1, 3]


async def test_of_several_servers_one_sends_and_another_when_it_is_gone(
    notices: Callable[..., Notices], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    away: dict[str, timedelta] = {"plant": timedelta(hours=1)}
    one, other = notices(), notices(down=away)
    await one.round(NOW)
    monkeypatch.setattr(watching, "gethostname", lambda: "other")
    await other.round(NOW + MINUTE)
    assert receiver.messages == []
    monkeypatch.undo()
    await one.round(NOW + 2 * MINUTE)  # it tells what the other one saw
    assert [text[:7] for text in receiver.texts] == ["- plant"]
    away["mill"] = timedelta(hours=1)
    monkeypatch.setattr(watching, "gethostname", lambda: "other")
    await other.round(NOW + 8 * MINUTE)
    assert [text[:7] for text in receiver.texts[1:]] == ["- mill "]


async def test_without_an_address_nothing_is_kept(parts: Parts, notices: Callable[..., Notices]) -> None:
    watch = notices()
    silent = replace(watch, settings=lambda: parts.settings)
    silent.database.call(comments.pause, "by hand")
    await silent.round(NOW)
    assert silent.database.call(outbox.kept) == []
    assert silent.database.call(coordination.value, "notice of paused") is None


@pytest.fixture
def restored_root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_no_part_of_an_address_is_in_what_is_said_about_it(
    receiver: Receiver, capfd: pytest.CaptureFixture[str], restored_root: logging.Logger
) -> None:
    logs.configure("json", logging.DEBUG)
    logging.getLogger("other").warning("a line of another library")
    receiver.status = 500
    with capture_logs() as lines:
        reason = await deliver(receiver.address(), "title", "body")
    assert reason is not None
    assert "500" in reason
    out, err = capfd.readouterr()
    assert TOKEN not in reason + str(lines) + out + err
    assert "a line of another library" in err
    assert "Failed to send" not in err
    assert without_secrets("no host geheim%21, geheim!", "slack://geheim%21/x") == "no host ***, ***"
    assert TOKEN not in repr(NotifySettings(urls=(SecretStr(receiver.address()),)))


async def test_why_a_notice_did_not_arrive_is_said_however_little_is_logged(
    receiver: Receiver, restored_root: logging.Logger
) -> None:
    logs.configure("json", logging.CRITICAL)
    receiver.status = 500
    assert "500" in str(await deliver(receiver.address(), "title", "body"))


async def test_no_redirect_is_followed(receiver: Receiver) -> None:
    receiver.status = 307
    assert "307" in str(await deliver(receiver.address(), "title", "body"))


async def test_a_service_that_hangs_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(sending, "_deliver", lambda *_: released.wait() and None)
    assert await deliver("json://127.0.0.1", "title", "body", seconds=0.01) == "no answer within 0.01 s"
    released.set()


async def test_code_of_a_service_that_breaks_ends_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError(TOKEN)

    monkeypatch.setattr(sending, "_deliver", broken)
    assert await deliver("json://127.0.0.1", "title", "body") == "RecursionError"


@pytest.mark.parametrize(
    ("address", "name"),
    [("json://127.0.0.1", "JSON"), ("mailto://u:p@example.org", "E-Mail"), ("nonsense://x", None), ("", None)],
)
def test_addresses_are_told_from_other_words(address: str, name: str | None) -> None:
    assert understood(address) == name


@pytest.mark.parametrize(("given", "count"), [("", 0), ("ntfy://topic", 1), (["ntfy://a", "ntfy://b"], 2)])
def test_an_address_may_stand_alone(given: object, count: int) -> None:
    assert len(NotifySettings.model_validate({"urls": given}).urls) == count


async def test_the_loop_outlives_a_database_that_fails(
    notices: Callable[..., Notices], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    rounds: list[datetime] = []
    ended = asyncio.Event()

    async def fail(self: Notices, now: datetime) -> None:
        rounds.append(now)
        if len(rounds) == 3:
            ended.set()
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(watching, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(Notices, "round", fail)
    task = asyncio.create_task(notices().run())
    await asyncio.wait_for(ended.wait(), PATIENCE_SECONDS)
    assert not task.done()
    task.cancel()


def test_secrets_that_expire_are_known_by_name() -> None:
    from agent.config.secrets.azure import KeyVault

    properties = SimpleNamespace(
        name="rolecall-x", enabled=True, not_before=None, updated_on=None, expires_on=NOW + timedelta(days=3)
    )
    client = SimpleNamespace(
        vault_url="https://vault", list_properties_of_secrets=lambda: [properties],
        get_secret=lambda name: SimpleNamespace(value="v"),
    )  # fmt: skip
    (found,) = KeyVault(client).read(()).values()  # type: ignore[arg-type]
    assert found.expires == NOW + timedelta(days=3)
