"""An acknowledgement leaves only after a completed fsync, as the kernel saw it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests import processes
from tests.patience import PATIENCE_SECONDS
from tests.proofs.bench.ack import CREATED
from tests.proofs.faults.ack_server import SECRET

REQUESTS = 100

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="the proof needs strace")


def deliver(port: int, number: int) -> None:
    ticket = json.loads(CREATED.read_text("utf-8"))
    ticket["ticket"]["id"] = ticket["ticket"]["followup_set"][0]["ticket"] = number
    url = f"http://127.0.0.1:{port}/hooks/django-helpdesk/{SECRET}"
    with urllib.request.urlopen(url, data=json.dumps(ticket).encode(), timeout=PATIENCE_SECONDS) as answer:
        assert answer.status == 202


def synced_acknowledgements(trace: str) -> int:
    """Count the 202 answers before which, since the last request was read, an fdatasync had ended."""
    synced, number = False, 0
    for line in trace.splitlines():
        if "POST /hooks" in line:
            synced = False
        elif re.search(r"f(data)?sync", line) and re.search(r"= 0$", line):
            synced = True
        elif "HTTP/1.1 202" in line:
            number += synced
    return number


@pytest.mark.parametrize(("case", "expected"), [("sqlite", REQUESTS), ("normal", 0)])
def test_every_202_follows_a_completed_sync(tmp_path: Path, case: str, expected: int) -> None:
    """`normal` is the control: without synchronous=FULL no sync is found."""
    port, trace = processes.free_port(), tmp_path / "trace"
    with processes.server(
        "tests.proofs.faults.ack_server", [case, str(tmp_path), str(port)], port, tmp_path / "log"
    ) as server:
        deliver(port, 10**6)
        calls = "trace=fsync,fdatasync,read,recvfrom,recvmsg,write,writev,sendto,sendmsg"
        command = ["strace", "-f", "-qq", "-s", "32", "-e", calls, "-o", str(trace), "-p", str(server.pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert tracer.stderr is not None
        try:
            deliver_until_traced(port, trace)
            trace.write_text("")
            for number in range(1, REQUESTS + 1):
                deliver(port, number)
        finally:
            tracer.terminate()
            tracer.wait()
            tracer.stderr.close()
    assert trace.read_text(errors="replace").count("HTTP/1.1 202") == REQUESTS
    assert synced_acknowledgements(trace.read_text(errors="replace")) == expected


def deliver_until_traced(port: int, trace: Path) -> None:
    """Return when the tracer is attached, which shows by the first answer that it saw."""
    for number in range(2 * 10**6, 2 * 10**6 + 500):
        deliver(port, number)
        if trace.exists() and "HTTP/1.1 202" in trace.read_text(errors="replace"):
            return
    raise AssertionError("strace saw nothing")
