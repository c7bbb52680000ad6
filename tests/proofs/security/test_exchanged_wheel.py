"""What the Dockerfile says to pip, said of a wheel of our own: one that was exchanged on the way is refused."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

from dockerfile_parse import DockerfileParser

DOCKERFILE = Path(__file__).parents[3] / "deploy" / "Dockerfile"


def test_a_wheel_that_was_exchanged_on_the_way_is_refused(tmp_path: Path) -> None:
    good, bad = wheel(tmp_path / "good", "True"), wheel(tmp_path / "bad", "False")
    sha256 = hashlib.sha256(good.read_bytes()).hexdigest()
    (tmp_path / "requirements.txt").write_text(f"tiny==1.0 \\\n    --hash=sha256:{sha256}\n")
    venv.create(tmp_path / "venv")
    options = dockerfile_options()

    refused = install(tmp_path, bad.parent, options)
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert not installed(tmp_path)
    assert install(tmp_path, good.parent, options).returncode == 0
    assert installed(tmp_path)


def test_without_hashes_it_would_be_taken(tmp_path: Path) -> None:
    """The control."""
    bad = wheel(tmp_path / "bad", "False")
    (tmp_path / "requirements.txt").write_text("tiny==1.0\n")
    venv.create(tmp_path / "venv")
    options = [option for option in dockerfile_options() if option != "--require-hashes"]
    assert install(tmp_path, bad.parent, options).returncode == 0
    assert installed(tmp_path)


def wheel(folder: Path, content: str) -> Path:
    """Write a wheel by hand: all that pip needs of one."""
    folder.mkdir()
    file, info = folder / "tiny-1.0-py3-none-any.whl", "tiny-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as held:
        held.writestr("tiny.py", f"genuine = {content}\n")
        held.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        held.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        held.writestr(f"{info}/RECORD", f"tiny.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return file


def dockerfile_options() -> list[str]:
    """Return how the Dockerfile calls pip for all but torch and ourselves."""
    runs = [step["value"] for step in DockerfileParser(str(DOCKERFILE)).structure]
    commands = [command.strip() for run in runs for command in run.split(" && ")]
    (words,) = [shlex.split(each) for each in commands if each.endswith("--requirement requirements.txt")]
    return words[words.index("install") :]


def install(folder: Path, wheels: Path, options: list[str]) -> subprocess.CompletedProcess[str]:
    python = folder / "venv/bin/python"
    offline = ["--no-index", "--find-links", str(wheels), "--isolated", "--no-cache-dir", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "--python", str(python), *options, *offline]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def installed(folder: Path) -> list[Path]:
    return list((folder / "venv").glob("lib/python*/site-packages/tiny.py"))
