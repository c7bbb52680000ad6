"""The Kubernetes manifests, rendered by kustomize and checked against Kubernetes' own schemas."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSION = "1.31"

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


def rendered(overlay: str) -> str:
    done = subprocess.run(["kubectl", "kustomize", str(KUBERNETES / overlay)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def validated(folder: Path, manifest: str) -> subprocess.CompletedProcess[str]:
    file = folder / "manifest.yaml"
    file.write_text(manifest)
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "--kubernetes-version", VERSION, str(file)]
    return subprocess.run(command, capture_output=True, text=True)


def server(overlay: str) -> dict[str, Any]:
    (found,) = [each for each in yaml.safe_load_all(rendered(overlay)) if each["kind"] == "StatefulSet"]
    return dict(found)


@pytest.mark.parametrize("overlay", ["base", "cluster"])
def test_the_manifests_follow_kubernetes_schemas(tmp_path: Path, overlay: str) -> None:
    done = validated(tmp_path, rendered(overlay))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_check_can_fail(tmp_path: Path) -> None:
    assert validated(tmp_path, rendered("base").replace("replicas: 1", "replicas: one")).returncode != 0


@pytest.mark.parametrize(("overlay", "replicas"), [("base", 1), ("cluster", 3)])
def test_the_pods_are_confined(overlay: str, replicas: int) -> None:
    spec = server(overlay)["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert spec["replicas"] == replicas
    assert (pod["securityContext"]["runAsNonRoot"], pod["automountServiceAccountToken"]) == (True, False)
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


def test_secrets_are_mounted_so_that_a_change_reaches_a_running_server() -> None:
    """Kubernetes updates mounted Secrets, but neither environment variables nor files mounted by `subPath`."""
    pod = server("base")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "secrets"]
    directory = {each["name"]: each["value"] for each in container["env"]}["ROLECALL_SECRETS__FILES"]
    assert (mount["mountPath"], "subPath" in mount) == (directory, False)


def test_every_mount_has_its_volume() -> None:
    spec = server("base")["spec"]
    pod = spec["template"]["spec"]
    volumes = {each["name"] for each in pod["volumes"]}
    volumes |= {each["metadata"]["name"] for each in spec["volumeClaimTemplates"]}
    assert {each["name"] for each in pod["containers"][0]["volumeMounts"]} == volumes
