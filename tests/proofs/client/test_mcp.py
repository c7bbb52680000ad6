"""An assistant starts `rolecall mcp`, speaks with it over its standard input and output, and reaches a real server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from agent.pages.signing import tokens, users
from agent.pages.signing.rights import Rights
from agent.store.database import Database
from agent.store.tables import utcnow
from tests.client.served import ROOT, start

pytestmark = pytest.mark.anyio


async def test_an_assistant_starts_it_and_asks(tmp_path: Path) -> None:
    server, url, _ = start(tmp_path)
    with server:
        database = Database(tmp_path / "rolecall.sqlite3")
        database.call(users.add, "robot", Rights.VIEWER, "tests", utcnow())
        token = database.call(tokens.make, "robot", "assistant", 1, "tests", utcnow())
        database.close()
        for given, reason in ((token, None), ("rolecall_" + "x" * 43, "(401)")):
            command = StdioServerParameters(
                command=sys.executable,
                args=["-m", "agent.cli", "mcp", "--url", url],
                env={"PATH": os.environ["PATH"], "API_TOKEN": given},
                cwd=ROOT,
            )
            async with Client(stdio_client(command)) as assistant:
                assert len((await assistant.list_tools()).tools) == 4
                result = await assistant.call_tool("suggest_role", {"subject": "hydraulic hose leaks"})
            if reason is None:
                assert result.structured_content["evidence"]
            else:
                assert (result.is_error, reason in result.content[0].text) == (True, True)
        server.terminate()
