"""Every command on an installation with any damage: each change tries one of each kind, this all others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.cli.test_damaged_installations import DAMAGES, EVERY_CHANGE, installation, no_trace, port

__all__ = ["installation", "port"]


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage not in EVERY_CHANGE])
def test_no_command_ends_in_a_trace(
    damage: str,
    installation: Path,
    tmp_path: Path,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    no_trace(damage, installation, tmp_path, port, monkeypatch, capfd)
