"""The wheel as it is built and installed: what is no Python file is in it, and is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ASK = (
    "import json, connectors; from connectors.manifest.catalogue import document_of, examples, kind_of, presets;"
    "print(json.dumps({'from': connectors.__file__, 'kinds': {name: [kind_of(name, document_of(name)).manifest.name,"
    " len(list(examples(name)))] for name in presets()}}))"
)


def test_an_installed_wheel_has_every_manifest_and_example(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    for extra in ("connectors", "pyproject.toml"):  # as it is here, committed or not
        subprocess.run(["cp", "-r", str(ROOT / extra), f"{source}/"], check=True)
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(source)]
    subprocess.run(wheel, check=True, capture_output=True)
    target = tmp_path / "installed"
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", str(target), *map(str, tmp_path.glob("*.whl"))], check=True
    )
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(target)}, capture_output=True
    )
    told = json.loads(done.stdout)
    assert told["from"].startswith(str(target))
    here = {path.stem for path in (ROOT / "connectors/presets").glob("*.toml")}
    assert told["kinds"].keys() == here
    assert told["kinds"]["github"] == ["GitHub", len(list((ROOT / "connectors/presets/examples/github").iterdir()))]
