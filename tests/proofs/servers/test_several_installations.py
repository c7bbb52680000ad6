"""Several installations on one real helpdesk, two of them with one account: nobody answers another's comment."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.demo.helpdesk import HelpdeskServer, HelpdeskUnavailable, ensure_environment
from agent.demo.installation import Installation
from agent.demo.staff import Staff
from agent.notes.speak import mark_of
from connectors.markup import by_rolecall

CONFIG = Path(__file__).parents[3] / "config"
ACCOUNTS = ("agent", "agent", "admin")
MARK = f"[//]: # ({mark_of(b'a fourth installation', 'django-helpdesk:1')})"


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HelpdeskServer, list[Installation]]]:
    """Start a helpdesk that tells three installations of everything, each with a data folder of its own."""
    try:
        python = ensure_environment()
    except HelpdeskUnavailable as error:
        pytest.skip(f"no real helpdesk here: {error}")
    folder = tmp_path_factory.mktemp("several")
    with ExitStack() as stack:
        installations = [
            stack.enter_context(Installation(folder / str(number), CONFIG / "rules.toml", CONFIG / "roles.toml"))
            for number in range(len(ACCOUNTS))
        ]
        told = " ".join(installation.webhook_url for installation in installations)
        helpdesk = stack.enter_context(HelpdeskServer(python, folder / "helpdesk", told))
        for installation, account in zip(installations, ACCOUNTS, strict=True):
            quick = {"poll_seconds": 1, "settle_seconds": 1}
            installation.configure(helpdesk, account, triage={"silent_below": 0.1}, work=quick)
            installation.start()
        yield helpdesk, installations


@pytest.fixture
def tech(several: tuple[HelpdeskServer, list[Installation]]) -> Iterator[Staff]:
    helpdesk, _ = several
    with Staff(helpdesk.url, helpdesk.tokens["tech"]) as tech:
        yield tech


def settle(installations: list[Installation]) -> None:
    """Wait until nobody has anything to do, two looks at the helpdesk long."""
    for _ in range(2):
        for installation in installations:
            installation.wait_until_idle(60)
        time.sleep(1.1)


def reviews(installation: Installation) -> list[tuple[str, list[str]]]:
    """Return who reviewed and with which roles."""
    with sqlite3.connect(installation.folder / "data" / "rolecall.sqlite3") as database:
        return [(actor, json.loads(roles)) for actor, roles in database.execute("SELECT actor, roles FROM review")]


def test_each_says_it_once_and_none_takes_another_for_staff(
    several: tuple[HelpdeskServer, list[Installation]], tech: Staff
) -> None:
    helpdesk, installations = several
    ticket = tech.file(helpdesk.queues["WO"], "replace radiator cap", "replace radiator cap")
    settle(installations)

    def by_account() -> list[int | None]:
        return sorted(comment.author or 0 for comment in tech.comments(ticket) if by_rolecall(comment.text))

    once = sorted(helpdesk.user_ids[account] for account in ACCOUNTS)
    assert by_account() == once
    assert [reviews(installation) for installation in installations] == [[], [], []]

    tech.reply(ticket, f"/role Bucket\n\n{MARK}")
    settle(installations)
    assert [reviews(installation) for installation in installations] == [[], [], []]

    tech.reply(ticket, "/role Bucket")  # the control: from people the same words count, once for each
    settle(installations)
    assert by_account() == sorted([*once, helpdesk.user_ids["tech"]])
    staff = (str(helpdesk.user_ids["tech"]), ["Bucket"])
    assert [reviews(installation) for installation in installations] == [[staff]] * 3
    told = [comment.text for comment in tech.comments(ticket) if by_rolecall(comment.text)]
    assert sum("(said by staff; suggested was " in text for text in told) == 3
