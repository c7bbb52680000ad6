"""A server that is killed in the middle of a training leaves no process behind, and the next one goes on."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.agent.fitting.conftest import tiny_base
from tests.client.served import EXAMPLES, KEY, start
from tests.client.setfit_api import SetFitApi
from tests.patience import PATIENCE_SECONDS
from tests.training_processes import alive, training_processes

__all__ = ["tiny_base"]


def until(happened: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_killed_server_leaves_its_job_to_the_next_one(tmp_path: Path, tiny_base: Path) -> None:
    settings = {"API_KEY": KEY, "ROLECALL_API__BASE_MODELS": f'["{tiny_base}"]'}
    server, url, _ = start(tmp_path, **settings)
    with server:
        api = SetFitApi(url, KEY)
        long = api.train("long", EXAMPLES, trainer="setfit", num_iterations=500)["job_id"]
        short = api.train("short", EXAMPLES, trainer="frozen")["job_id"]
        until(lambda: api.job(long)["progress"])
        (training,) = training_processes(server.pid)
        server.kill()
    until(lambda: not alive(training))
    server, url, _ = start(tmp_path, **settings)
    with server:
        api = SetFitApi(url, KEY)
        assert api.job(short)["status"] == "pending"
        until(lambda: api.job(long)["progress"])
        cancel = urllib.request.Request(f"{url}/v1/jobs/{long}", headers={"X-API-Key": KEY}, method="DELETE")
        urllib.request.urlopen(cancel).close()
        assert api.job(long)["status"] == "failed"
        assert api.wait(short, PATIENCE_SECONDS)["status"] == "completed"
        server.terminate()
