"""How `rolecall serve` ends: by the signal that it got, or as any command does after an error."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from agent.cli.serve import run
from agent.errors import BadInput
from agent.work.background import failures


class Stopped:
    """A server that was stopped by a signal and hands it on, as uvicorn does; before, its work may have failed."""

    config = SimpleNamespace(host="127.0.0.1", port=1)
    started = True

    def __init__(self, *failed: Exception) -> None:
        self._failed = failed

    def run(self) -> None:
        failures.extend(self._failed)
        signal.raise_signal(signal.SIGTERM)


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)
    failures.clear()


def test_after_a_failure_of_its_work_it_ends_with_that_error() -> None:
    with pytest.raises(BadInput, match="the database"):
        run(Stopped(BadInput("the database")))


def test_control_a_signal_from_outside_ends_it_as_a_signal() -> None:
    program = "from agent.cli.serve import run; from tests.agent.cli.test_serve import Stopped; run(Stopped())"
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGTERM
