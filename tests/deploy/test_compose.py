"""The compose file: its schema, its three ways to run, and what it promises."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
FILE = DEPLOY / "compose.yaml"
WAYS = ("rolecall", "gpu", "cluster")


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def valid(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True)


def test_it_follows_the_compose_specification_and_the_check_can_fail(tmp_path: Path, compose: dict[str, Any]) -> None:
    done = valid(FILE)
    assert done.returncode == 0, done.stdout
    broken = copy.deepcopy(compose)
    broken["services"]["rolecall"]["prots"] = []
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(broken))
    assert valid(tmp_path / "broken.yaml").returncode == 1


def test_one_server_starts_by_default_the_others_by_their_profile(compose: dict[str, Any]) -> None:
    profiles = {name: service.get("profiles") for name, service in compose["services"].items()}
    cluster = ["cluster"]
    assert profiles == {
        "rolecall": None,
        "gpu": ["gpu"],
        "cluster": cluster,
        "postgres": cluster,
        "balancer": cluster,
    }


@pytest.mark.parametrize("way", WAYS)
def test_every_server_is_confined_and_given_time_to_finish(compose: dict[str, Any], way: str) -> None:
    server = compose["services"][way]
    assert (server["read_only"], server["cap_drop"], server["tmpfs"]) == (True, ["ALL"], ["/tmp"])
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert server["stop_grace_period"] == "60s"
    assert server["mem_limit"]


@pytest.mark.parametrize("way", WAYS)
def test_every_server_takes_the_promised_variables(compose: dict[str, Any], way: str) -> None:
    environment = compose["services"][way]["environment"]
    assert {"API_KEY", "HF_TOKEN", "MODEL_PATH"} <= environment.keys()
    assert environment["API_KEY"] is None
    assert environment["MODEL_PATH"] == "${MODEL_PATH:-/app/models}"


def test_what_is_to_last_lies_on_named_volumes(compose: dict[str, Any]) -> None:
    assert {"data", "models"} <= compose["volumes"].keys()
    for way in ("rolecall", "gpu"):
        assert compose["services"][way]["volumes"] == ["data:/app/data", "models:${MODEL_PATH:-/app/models}"]


def test_the_gpu_way_asks_for_one_gpu_and_a_torch_that_can_use_it(compose: dict[str, Any]) -> None:
    gpu = compose["services"]["gpu"]
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert "/whl/cu" in gpu["build"]["args"]["TORCH_INDEX"]


def test_the_cluster_has_three_servers_that_wait_for_postgresql(compose: dict[str, Any]) -> None:
    cluster = compose["services"]["cluster"]
    assert cluster["deploy"]["replicas"] == 3
    assert cluster["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert "ports" not in cluster, "three servers cannot share one port of the host: the balancer has it"


def test_no_password_stands_in_the_file(compose: dict[str, Any]) -> None:
    assert {secret["file"] for secret in compose["secrets"].values()} == {
        "./secrets/database_url",
        "./secrets/database_password",
    }
    named = ("TOKEN", "SECRETS", "PASSWORD", "KEY", "SECRET")
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert value is None or not name.endswith(named), name


def test_the_runbook_explains_every_variable_that_has_a_default() -> None:
    variables = set(re.findall(r"\$\{([A-Z_]+)", FILE.read_text()))
    runbook = (DEPLOY / "README.md").read_text()
    assert variables
    assert [name for name in sorted(variables) if f"`{name}`" not in runbook] == []
