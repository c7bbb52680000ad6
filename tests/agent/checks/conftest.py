"""An installation to look at, with what its checks found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.checks import findings, look
from agent.config.settings import Settings

TICKETS = Path(__file__).parents[2] / "tickets"
CheckThat = Callable[..., list[str]]


@pytest.fixture
def check(tmp_path: Path) -> CheckThat:
    """Return a function that checks the installation in `tmp_path` and returns the lines of `rolecall check`."""

    def check(**sections: Any) -> list[str]:
        files = {"data": tmp_path / "data", "rules": TICKETS / "rules.toml", "roles": TICKETS / "roles.toml"}
        settings = Settings(**{**files, "server": {"port": 0}, "intake": {"min_free_bytes": 0}, **sections})

        async def report() -> list[str]:
            with look(Path("agent.toml"), settings) as installation:
                return [f"{f.level} {f.subject}: {f.text}" async for f in findings(installation)]

        return asyncio.run(report())

    return check
