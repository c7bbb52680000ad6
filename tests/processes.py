"""Server processes of the tests: started, waited for, killed."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listening(port: int) -> bool:
    """Tell whether somebody accepts connections on the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def start(module: str, *args: str, log: Path) -> subprocess.Popen[bytes]:
    """Start `python -m MODULE ARGS`, its output appended to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module, *args], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT
        )


def await_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the port is open; AssertionError with the end of the log when the process died instead."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not listening(port):
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        assert time.monotonic() < deadline, f"not listening after {PATIENCE_SECONDS} s"
        time.sleep(0.01)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 and reap."""
    process.kill()
    process.wait()


@contextlib.contextmanager
def server(module: str, args: Sequence[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server process for the length of a block."""
    process = start(module, *args, log=log)
    try:
        await_listening(process, port, log)
        yield process
    finally:
        kill(process)
