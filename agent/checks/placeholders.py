"""Check that no secret is still the one of env.example, which everybody knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from agent.checks.finding import Finding, fail
from agent.checks.installation import Installation

PLACEHOLDER = "change-me"


def placeholders(installation: Installation) -> Iterator[Finding]:
    """Yield every setting that is never shown and holds the example's value."""
    for name, chosen in installation.settings.connectors.items():
        for field in fields(chosen.settings):
            if not field.repr and _example(getattr(chosen.settings, field.name)):
                setting = f"connectors.{name}.{field.name}"
                yield fail("secrets", f"{setting} is the example's, which everybody knows: openssl rand -hex 24")


def _example(value: Any) -> bool:
    return any(PLACEHOLDER in str(each) for each in (value if isinstance(value, tuple) else (value,)))
