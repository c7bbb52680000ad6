"""A wheel holds every file that the pages need: templates, style, keys and sentences."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_wheel_holds_all_that_the_pages_load(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "static", "texts"):
        files = [file for file in (ROOT / "agent" / "pages" / folder).iterdir() if file.is_file()]
        assert len(files) > 1
        assert {f"agent/pages/{folder}/{file.name}" for file in files} <= held
