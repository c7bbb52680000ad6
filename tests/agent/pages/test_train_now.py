"""Train now: one training at a time, begun by an operator in a process of its own, and seen by everybody."""

from __future__ import annotations

import asyncio
import fcntl
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from agent.core import Parts
from agent.learning.turn import LOCK, STEP, taken
from agent.pages import training
from agent.pages.signing.rights import Rights
from agent.store import coordination
from agent.store.people import Audit
from agent.store.tables import Training, utcnow
from agent.work.by_hand import ByHand
from tests.agent.pages.conftest import signed_in, words_of
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.serving_app import running

pytestmark = pytest.mark.anyio


async def test_an_operator_begins_a_training_unless_one_runs(
    parts: Parts, desk: Desk, tmp_path: Path, monkeypatch: Any
) -> None:
    told = tmp_path / "told"
    command = (sys.executable, "-c", f"import sys; open({str(told)!r}, 'w').write(' '.join(sys.argv[1:]))")
    async with running(parts, desk, command) as server:
        boss, kim = signed_in(server, Rights.OPERATOR, "Boss"), signed_in(server, Rights.VIEWER, "Kim")
        page = words_of(await boss.see("/models"))
        assert "Train now" in page
        assert "Train now" not in words_of(await kim.see("/models"))
        with (parts.directory.path / LOCK).open("a") as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            parts.database.call(lambda s: s.add(Training(started_at=utcnow(), trigger="nightly")))
            parts.database.call(coordination.put, STEP, "cross-fit 3")
            page = words_of(await kim.see("/models"))
            assert "A training runs" in page
            assert "It answers tickets that it has not seen." in page
            assert (await boss.post("/models", do="train")).status_code == 409
            assert not told.exists()
        assert not taken(parts.directory.path, parts.database), "looking holds nobody up"
        assert "A training runs" not in words_of(await kim.see("/models")), "the control"
        assert (await boss.post("/models", do="train")).status_code == 303
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not told.exists() or not told.read_text():
                await asyncio.sleep(0.02)
        assert told.read_text() == "--trigger on the pages"
        monkeypatch.setattr(training, "missing", lambda *_: "this needs: pip install torch")
        assert "pip install torch" in words_of((await boss.post("/models", do="train")).text)
    lines = parts.database.call(lambda s: [(a.who, a.action) for a in s.exec(select(Audit))])
    assert lines == [("Boss", "training")]


async def test_two_clicks_begin_one_training_and_a_command_that_is_not_there_harms_nobody(tmp_path: Path) -> None:
    gone = ByHand([str(tmp_path / "gone")])
    assert gone.begin()
    assert not gone.begin(), "it has not ended yet"
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not gone.begin():
            await asyncio.sleep(0.01)
    await asyncio.sleep(0)
