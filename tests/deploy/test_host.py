"""What runs on a host without containers: the systemd unit, and the balancer's configuration."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.config.loading import load

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT = DEPLOY / "rolecall.service"
MOST_EXPOSED = 2.0
"""Of `systemd-analyze security`: 0 is locked up, 10 is wide open; a unit without any confinement has 9.6."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
needs_nginx = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")


def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=120)


@needs_systemd
def test_systemd_understands_every_line_of_the_unit_and_the_check_can_fail(tmp_path: Path) -> None:
    unit = tmp_path / "rolecall.service"
    text = UNIT.read_text().replace("/opt/rolecall/bin/rolecall", shutil.which("true") or "/bin/true")
    unit.write_text(text)
    done = analyzed("verify", "--man=no", str(unit))
    if "Failed to" in done.stderr and "bus" in done.stderr:
        pytest.skip("systemd-analyze verify needs what this machine does not run")
    assert (done.returncode, "rolecall.service" in done.stderr) == (0, False), done.stderr
    unit.write_text(text.replace("ProtectHome=yes", "ProtectHome=perhaps"))
    assert "protect home" in analyzed("verify", "--man=no", str(unit)).stderr


@needs_systemd
def test_the_unit_is_confined() -> None:
    done = analyzed(
        "security", "--offline=true", "--json=short", "--no-pager", f"--threshold={MOST_EXPOSED * 10:.0f}", str(UNIT)
    )
    assert done.returncode == 0, done.stdout[-2_000:]
    assert json.loads(done.stdout)


def test_the_units_variables_are_settings_of_rolecall(tmp_path: Path) -> None:
    lines = [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith("Environment=")]
    variables = dict(pair.split("=", 1) for line in lines for pair in line.split())
    (tmp_path / "agent.toml").write_text("")
    settings = load(tmp_path / "agent.toml", variables, None)
    assert (settings.data, settings.log_format) == (Path("/var/lib/rolecall"), "json")
    assert settings.secrets.files == Path("/etc/rolecall/secrets")


def test_the_units_state_is_where_its_settings_put_it() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    assert unit["Service"]["StateDirectory"] == "rolecall"
    assert unit["Service"]["User"] == "rolecall"


@needs_nginx
def test_nginx_understands_the_balancers_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "nginx.conf").read_text().replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(text)
    done = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
