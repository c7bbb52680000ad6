"""Where the data lie, as far as the settings file and this machine tell at a glance.

The command that stops everything asks here: validating all settings, with those of every connector, takes a second on a
busy machine, and a mistake in another setting must not keep anybody from stopping Rolecall. The rules are those of
`agent.config.loading`, and a test compares the two; whatever is not plain at a glance is left to that.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

MOUNTED = Path("/run/secrets")
"""Where the default source of secrets looks."""

FILES = "ROLECALL_SECRETS__FILES"
PLAIN = {"ROLECALL_DATA", FILES}
"""Variables of the environment that are read here."""

ELSEWHERE = ("ROLECALL_DATA", "ROLECALL_SECRETS__")
"""How the names begin that decide where the data lie: ROLECALL_DATABASE_URL is one of them."""


def data_folder(
    file: Path,
    data: Path | None,
    environ: Mapping[str, str] = os.environ,
    dotenv_file: Path = Path(".env"),
    mounted: Path = MOUNTED,
) -> Path | None:
    """Return the data directory where the database is the file in it, None where only all sources together tell."""
    try:
        document = tomllib.loads(file.read_text("utf-8-sig"))
        local = dotenv_file.read_text("utf-8").upper() if dotenv_file.is_file() else ""
        variables = {name: value for name, value in environ.items() if value and name.startswith(ELSEWHERE)}
        folder = Path(variables.get(FILES, mounted))
        secrets = [entry.name.upper() for entry in folder.iterdir()] if folder.is_dir() else []
    except (OSError, ValueError, RecursionError):
        return None
    if variables.keys() - PLAIN or document.get("secrets") or "database_url" in document:
        return None
    if any(name in local for name in ELSEWHERE) or any(name.startswith(ELSEWHERE) for name in secrets):
        return None
    chosen = str(data) if data else variables.get("ROLECALL_DATA", document.get("data", "data"))
    return Path(chosen) if isinstance(chosen, str) and not chosen.startswith(("secret:", "[")) else None
