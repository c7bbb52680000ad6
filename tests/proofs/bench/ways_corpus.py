"""Invented work orders for the roles that are shipped in config/: enough to train on, and easy to tell apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

PARTS = {
    "Hydraulics": ["stick cylinder", "main pump", "slew motor hose", "relief valve", "oil cooler", "servo line"],
    "Engine": ["radiator cap", "turbocharger", "fuel injector", "exhaust muffler", "fan belt", "coolant thermostat"],
    "Lubrication": [
        "grease line",
        "auto lube tank",
        "grease pump",
        "lube injector bank",
        "boom grease",
        "lincoln unit",
    ],
    "Electrical": [
        "headlight globe",
        "battery isolator",
        "starter relay",
        "two-way radio",
        "camera cable",
        "alternator",
    ],
    "Bucket": ["bucket tooth", "lip shroud", "wear plate", "bucket adaptor", "heel block", "cutting edge"],
    "Cabin & HVAC": ["cab window", "air conditioner", "operator seat", "wiper arm", "cabin heater", "door handle"],
    "Structure & Undercarriage": ["track pad", "handrail", "idler roller", "boom weld", "access ladder", "sprocket"],
}
WORK = [
    "replace the broken {}",
    "{} failed again during night shift",
    "inspect and repair {}",
    "{} worn out, order one",
]
FIRST_DAY = datetime(2026, 1, 5, 8, tzinfo=UTC)


def orders() -> list[tuple[str, str]]:
    """Return texts with their roles; any seven in a row hold every role."""
    return [(work.format(parts[n]), role) for work in WORK for n in range(6) for role, parts in PARTS.items()]


def write_history(file: Path, orders: list[tuple[str, str]], first: int) -> None:
    """Write reviewed tickets as `rolecall import` takes them, one an hour from the `first`-th on."""
    rows = (
        {
            "id": str(first + index), "subject": text, "body": "", "role": role,
            "created_at": (FIRST_DAY + timedelta(hours=first + index)).isoformat(),
        }
        for index, (text, role) in enumerate(orders)
    )  # fmt: skip
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
