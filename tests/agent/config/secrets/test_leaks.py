"""What is logged about an error shows where it happened, not what the variables held."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PROGRAM = """
import structlog
from agent import logs

def call(token):
    raise RuntimeError("it broke")

logs.configure({form!r})
try:
    call("-".join(["hush", "hush"]))
except RuntimeError:
    structlog.get_logger().exception("handler_failed")
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_logged_traceback_shows_no_variables(form: str) -> None:
    program = PROGRAM.format(form=form)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert "it broke" in done.stderr
    assert "handler_failed" in done.stderr
    assert "hush-hush" not in done.stderr
