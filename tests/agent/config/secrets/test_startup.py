"""Clients of vaults are slow to import, and most installations have none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_the_command_line_and_the_settings_load_no_vaults_client_until_one_is_asked() -> None:
    clients = ("azure", "huggingface_hub", "infisical_sdk", "requests")
    program = f"import sys, agent.cli, agent.config.settings; print([m for m in {clients} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
