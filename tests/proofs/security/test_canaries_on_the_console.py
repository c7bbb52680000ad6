"""The other form of the log keeps secrets too; tests/security/test_canaries.py has the one that servers use."""

from __future__ import annotations

from pathlib import Path

from tests.security.test_canaries import prove_that_no_secret_sings


def test_no_secret_sings_on_the_console(tmp_path: Path) -> None:
    prove_that_no_secret_sings(tmp_path, "console")
