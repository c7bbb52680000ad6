"""Two servers on one PostgreSQL, each with its own files: Status says where they differ, and that they agree."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from agent.app import create_app
from agent.config.settings import Settings
from agent.core import assemble
from agent.pages.signing.rights import Rights
from agent.work import served_files
from tests.agent.conftest import quick
from tests.agent.pages.conftest import signed_in, words_of
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.postgres import new_database
from tests.serving_app import running

pytestmark = pytest.mark.anyio


async def test_two_servers_say_that_their_rules_differ_until_they_agree(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["web-1", "web-2"])
    monkeypatch.setattr(served_files, "gethostname", lambda: next(names))
    address, servers = new_database(cluster), []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in ("rules.toml", "roles.toml"):
            shutil.copy(TICKETS / name, folder / name)
        files = {name: folder / f"{name}.toml" for name in ("rules", "roles")}
        servers.append(assemble(Settings(data=folder / "data", database_url=address, **files, **quick())))
    one, other = servers
    async with running(one, Desk()) as server:
        app = create_app(other, {}, ("false",))
        async with app.router.lifespan_context(app):
            boss = signed_in(server, Rights.OPERATOR, "Boss")

            async def says(words: str) -> None:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while words not in words_of(await boss.see("/status")):
                        await asyncio.sleep(0.1)

            await says("the same on all 2 servers")
            rules = one.settings.rules.read_text("utf-8")
            lone = '\n[[rule]]\nid = "lone"\nrole = "Network"\nkeywords = ["zebra crossing"]\nweight = 1.0\n'
            one.settings.rules.write_text(f"{rules}{lone}", "utf-8")
            await says("servers differ")
            page = words_of(await boss.see("/status"))
            assert ("on web-1:" in page, "on web-2:" in page) == (True, True)
            assert "roles.toml" not in page
            other.settings.rules.write_text(f"{rules}{lone}", "utf-8")
            await says("the same on all 2 servers")
