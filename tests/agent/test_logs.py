"""What a line of the log holds: the event's own context in both formats, and nothing that a ticket could forge."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.logs import LossyStream

SCRIPT = """
import logging, sys, structlog
from agent import logs
logs.configure(sys.argv[1], logging.INFO)
hostile = "1\\n2026-01-01T00:00:00Z [info     ] forged \\x1b[31m\\u2028x"
with structlog.contextvars.bound_contextvars(seq=3, ticket=hostile, kind="created"):
    structlog.get_logger().info("attempt", error=hostile, bare="\\x1b[2J")
    logging.getLogger("library").warning(hostile)
    for log in (structlog.get_logger(), logging.getLogger("library")):
        try:
            raise ValueError(hostile)
        except ValueError:
            log.exception("failed")
"""


MANY = """
import logging, sys, structlog
from agent import logs
logs.configure(sys.argv[1])
for _ in range(5_000):
    structlog.get_logger().error("event", text="x" * 100)
logging.getLogger("library").error("line")
print("alive")
"""


def printed(form: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, form], capture_output=True, check=True)
    text = done.stderr.decode()
    assert "\x1b" not in text
    assert "\u2028" not in text
    return text.splitlines()


def test_every_json_line_is_one_object_with_its_event_and_ticket() -> None:
    lines = [json.loads(line) for line in printed("json")]
    assert [line["event"] for line in lines][::2] == ["attempt", "failed"]
    assert len(lines) == 4
    for line in lines:
        assert (line["seq"], line["kind"]) == (3, "created")
        assert line["ticket"].startswith("1\n2026")


def test_every_console_line_at_the_margin_is_one_of_ours() -> None:
    lines = [line for line in printed("console") if not line.startswith("    ")]
    assert len(lines) == 4
    for line in lines:
        assert line.startswith("2")
        assert "seq=3" in line
        assert "kind=created" in line
        assert "forged" in line  # as a value, in the middle


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_says_what_failed(form: str) -> None:
    assert len(re.findall("ValueError: 1", "\n".join(printed(form)))) == 2


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_full_disk_under_the_log_loses_lines_and_stops_nothing(form: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-c", MANY, form], stdout=subprocess.PIPE, stderr=full)
    assert done.stdout == b"alive\n"


def test_a_stream_that_was_closed_loses_lines_and_stops_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        closed.write("a line")
    stream = LossyStream(closed)
    stream.write("a line")
    stream.flush()
