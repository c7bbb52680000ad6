"""The structure that a newcomer can rely on: short files, rooms of a bounded size, every room in the import rules."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "connectors", "heuristics")
LONGEST_FILE = 250
"""Lines."""
BIGGEST_ROOM = 0.12
"""Share of the lines of all three packages that a first folder below `agent/` may hold."""


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    too_long = {str(file): count for file, count in sizes().items() if count > LONGEST_FILE}
    assert too_long == {}


def test_no_room_of_the_agent_has_outgrown_the_house() -> None:
    rooms: Counter[str] = Counter()
    for file, count in sizes().items():
        if file.parts[0] == "agent" and len(file.parts) > 2:
            rooms[file.parts[1]] += count
    limit = BIGGEST_ROOM * sum(sizes().values())
    assert len(rooms) > 10
    assert {room: lines for room, lines in rooms.items() if lines > limit} == {}


def test_every_room_stands_in_the_import_rules() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract.get("containers") == ["agent"])
    named = {name.strip("() ") for layer in layers for name in layer.replace("|", ":").split(":")}
    there = {
        path.stem for path in (ROOT / "agent").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert there - {"__init__"} - named == set()


def sizes() -> dict[Path, int]:
    """Return the lines of each source file, by its path in the project."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return {file.relative_to(ROOT): len(file.read_text("utf-8").splitlines()) for file in files}
