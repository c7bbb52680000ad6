"""The random histories of tests/agent/work/test_histories.py, many and long: that file has the control."""

from __future__ import annotations

from tests.agent.work.test_histories import History, run


def test_ten_thousand_steps() -> None:
    run(History, histories=100, steps=100)
