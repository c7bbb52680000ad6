"""What is no Python file and has to be in the package all the same."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_manifest_and_example_is_package_data() -> None:
    """A proof in tests/proofs/deploy installs the wheel."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["connectors"]
    folder = ROOT / "connectors"
    files = [path.relative_to(folder).as_posix() for path in (folder / "presets").rglob("*") if path.suffix != ".py"]
    data = [name for name in files if name.endswith((".toml", ".json"))]
    assert len(data) > 8
    assert [name for name in data if not any(fnmatch(name, pattern) for pattern in patterns)] == []
