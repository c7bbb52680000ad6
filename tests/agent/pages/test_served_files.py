"""Servers on one database that serve different rules or roles say so: on Status, and in `rolecall check`."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent.checks import look
from agent.checks.served_files import served_files
from agent.core import Parts
from agent.domain import Role, RoleCatalogue
from agent.pages.signing.rights import Rights
from agent.store.served_files import SILENT_AFTER, Served, differing, said, say, version_of
from agent.store.tables import utcnow
from agent.work.served_files import Teller
from tests.agent.pages.conftest import signed_in, words_of
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio


def told(parts: Parts) -> list[str]:
    with look(Path("agent.toml"), parts.settings) as installation:
        return [finding.text for finding in served_files(installation)]


async def test_servers_that_differ_are_named_with_their_versions(parts: Parts, desk: Desk) -> None:
    assert told(parts) == [], "no server says anything"
    Teller(parts.database, parts.classifier).run()
    (here,) = parts.database.call(said, utcnow())
    assert told(parts) == [], "the control: one server that serves what stands here"
    async with running(parts, desk) as server:
        boss = signed_in(server, Rights.OPERATOR, "Boss")
        assert "servers differ" not in words_of(await boss.see("/status"))
        parts.database.call(say, Served("web-2:7", here.rules, here.roles), utcnow())
        assert "the same on all 2 servers" in words_of(await boss.see("/status"))
        parts.database.call(say, Served("web-2:7", "0" * 16, here.roles), utcnow())
        page = words_of(await boss.see("/status"))
        assert f"{'0' * 16} on web-2:7" in page
        assert ("rules.toml servers differ" in page, "roles.toml" in page) == (True, False)
        (finding,) = told(parts)
        assert f"{here.rules} on {here.server} and this command, {'0' * 16} on web-2:7" in finding


def test_a_server_that_has_ended_counts_no_longer(parts: Parts) -> None:
    now = utcnow()
    parts.database.call(say, Served("web-1:7", "a", "b"), now - SILENT_AFTER - timedelta(seconds=1))
    assert parts.database.call(said, now) == []
    parts.database.call(say, Served("web-2:7", "a", "c"), now - SILENT_AFTER + timedelta(seconds=9))
    assert [one.server for one in parts.database.call(said, now)] == ["web-2:7"]


def test_a_server_says_at_once_what_has_changed_and_else_now_and_again(parts: Parts) -> None:
    teller, seen = Teller(parts.database, parts.classifier), []
    for roles in (("Network",), ("Network",), ("Access",)):
        parts.classifier.catalogue = RoleCatalogue([Role(name) for name in roles])
        teller.run()
        (served,) = parts.database.call(said, utcnow())
        seen.append(served.roles)
        parts.database.call(say, Served(served.server, "", "forgotten"), utcnow())
    assert seen == [version_of(RoleCatalogue([Role("Network")])), "forgotten", version_of(parts.classifier.catalogue)]


def test_files_on_which_servers_differ_are_told_apart() -> None:
    found = [Served("a", "1", "x"), Served("b", "1", "y"), Served("c", "1", "x")]
    assert differing(found) == {"roles.toml": {"x": ["a", "c"], "y": ["b"]}}
    assert differing(found[:1]) == differing([]) == {}
