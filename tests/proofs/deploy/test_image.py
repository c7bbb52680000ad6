"""The Dockerfile, built for real by buildah, which needs no engine, on a fresh Debian with Python.

Debian's own python3 stands for the image python:3.11-slim-bookworm, and the configured package index for torch's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
BASE, IMAGE = "localhost/python-base", "localhost/rolecall"
TOOLS = ("buildah", "mmdebstrap")
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
CERTIFICATES = Path("/etc/ssl/certs")

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="building an image needs root on Linux"),
    pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {' and '.join(TOOLS)}"),
    pytest.mark.skipif(not SOURCES.exists(), reason="needs the Debian sources of this machine"),
    pytest.mark.skipif(not (ROOT / "constraints.txt").exists(), reason="constraints.txt is not there"),
]


@dataclass(frozen=True)
class Buildah:
    """Images and containers below one folder."""

    folder: Path

    def __call__(self, *arguments: str, timeout: float = 3_000) -> str:
        """Run a command and return what it prints; the end of its complaints is in the failure."""
        store = ["--root", f"{self.folder}/store", "--runroot", f"{self.folder}/run"]
        environ = os.environ | {"BUILDAH_ISOLATION": "chroot"}
        done = subprocess.run(
            ["buildah", *store, *arguments], capture_output=True, text=True, timeout=timeout, env=environ, cwd=ROOT
        )
        assert done.returncode == 0, f"{arguments[0]}: {done.stdout[-2_000:]}{done.stderr[-4_000:]}"
        return done.stdout.strip()

    def run(self, container: str, *command: str) -> str:
        """Run a command in a container, as its user."""
        return self("run", container, "--", *command)


@pytest.fixture(scope="module")
def buildah() -> Iterator[Buildah]:
    folder = Path(tempfile.mkdtemp(prefix="rolecall-image-"))
    try:
        yield built(Buildah(folder))
    finally:
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((each for each in mounted if each.startswith(f"{folder}/")), reverse=True):
            subprocess.run(["umount", mount], check=True)
        shutil.rmtree(folder)


def built(tool: Buildah) -> Buildah:
    """Make the base image and, from the Dockerfile, ours."""
    tar = tool.folder / "base.tar"
    include = "--include=python3,python3-venv,ca-certificates"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", include, "bookworm", str(tar), str(SOURCES)], check=True
    )
    container = tool("from", "scratch")
    tool("add", "--quiet", container, str(tar), "/")
    tool("commit", "--quiet", "--rm", container, BASE)
    tar.unlink()
    tool(
        "build",
        "--format",
        "docker",
        *pip_of_this_machine(tool.folder),
        "--file",
        str(DOCKERFILE),
        "--tag",
        IMAGE,
        str(ROOT),
    )
    return tool


@pytest.fixture(scope="module")
def container(buildah: Buildah) -> str:
    return buildah("from", "--network", "host", IMAGE)


def pip_of_this_machine(folder: Path) -> list[str]:
    """Let pip in the build use the package index of this machine, wherever it is configured."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    values = {}
    for line in listed.splitlines():
        name, _, quoted = line.partition("=")
        values[name.strip(":").split(".")[-1]] = quoted.strip("'")
    file = folder / "pip.conf"
    file.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in values.items()))
    words = {word for value in values.values() for word in value.split()}
    # An index on disk is one folder of pages that point to files beside it.
    paths = {word for word in words if word.startswith("/")}
    paths |= {str(Path(word.removeprefix("file://")).parent) for word in words if word.startswith("file://")}
    folders = {path for path in paths if Path(path).exists()} | {str(CERTIFICATES)}
    options = [f"--volume={path}:{path}:ro" for path in sorted(folders)] + [f"--volume={file}:/etc/pip.conf:ro"]
    index = values.get("index-url", "https://pypi.org/simple")
    return [*options, f"--build-arg=PYTHON_IMAGE={BASE}", f"--build-arg=TORCH_INDEX={index}", "--network=host"]


def test_the_server_runs_as_a_user_without_rights_and_cannot_change_its_own_code(
    buildah: Buildah, container: str
) -> None:
    assert buildah.run(container, "id", "-u") == "10001"
    writable = "import os; print([p for p in ('/opt/rolecall', '/app/config', '/app', '/') if os.access(p, os.W_OK)])"
    assert buildah.run(container, "python", "-c", writable) == "[]"
    lasting = "import os; print([os.access(p, os.W_OK) for p in ('/app/data', '/app/models')])"
    assert buildah.run(container, "python", "-c", lasting) == "[True, True]"


def test_torch_comes_without_cuda(buildah: Buildah, container: str) -> None:
    assert buildah.run(container, "python", "-c", "import torch; print(torch.version.cuda)") == "None"
    installed = "import importlib.metadata as m; print([d.name for d in m.distributions() if 'nvidia' in d.name])"
    assert buildah.run(container, "python", "-c", installed) == "[]"


def test_nothing_of_the_workplace_is_in_the_image(buildah: Buildah, container: str) -> None:
    assert sorted(buildah.run(container, "ls", "-A", "/app").split()) == ["config", "data", "models"]
    hidden = "find /app /opt/rolecall -name .env -o -name .git -o -path '*/tests/desk.py'"
    found = buildah.run(container, "sh", "-c", f"{hidden} | grep -v '^/app/data'; true")
    assert found == ""


def test_the_shipped_settings_are_found_and_the_server_answers_its_health_check(
    buildah: Buildah, container: str
) -> None:
    config = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
    assert (config["Entrypoint"], config["Cmd"]) == (["rolecall"], ["serve"])
    check = "exec " + " ".join(map(_quoted, config["Healthcheck"]["Test"][1:]))
    script = f"rolecall serve & pid=$!; for i in $(seq 60); do sleep 1; ({check}) 2>/dev/null && break; done; "
    script += f"({check}); healthy=$?; kill $pid; wait $pid; echo healthy=$healthy stopped=$?"
    ended = buildah.run(container, "sh", "-c", script)
    assert ended.endswith("healthy=0 stopped=143"), "uvicorn shuts down in order, then ends by the signal that it got"


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
