"""A model's file that the system refuses to read ends nothing: an older model or the rules serve, and it is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from agent.serving.active import ActiveModel
from agent.serving.artefact import Manifest, UnreadableArtefact, read
from agent.serving.model import RoleModel, load
from tests.agent.cli.test_damaged_installations import bound_by_permissions
from tests.agent.serving.test_active import point

Build = Callable[..., Manifest]


@pytest.fixture
def active(tmp_path: Path) -> ActiveModel[RoleModel]:
    return ActiveModel(tmp_path / "models", partial(load, encoders=tmp_path / "encoders"))


@pytest.mark.parametrize("name", ["head.safetensors", "manifest.json", "."])
def test_the_predecessor_serves_until_the_file_is_mended(
    active: ActiveModel[RoleModel], build: Build, tmp_path: Path, name: str
) -> None:
    build("v1")
    build("v2")
    point(tmp_path, "v2", "v1")
    refused = tmp_path / "models/v2" / name
    refused.chmod(0)
    with bound_by_permissions():
        assert active.refresh()
        assert active.current is not None
        assert active.current.version == "v1"
        assert active.problem is not None
        assert "Permission denied; `rolecall check` says whose it is" in active.problem
        assert str(tmp_path) not in active.problem
        active.refresh()
        assert not active.refresh(), "nothing changed, so nothing is read again"
        refused.chmod(0o700)
        assert active.refresh()
    assert active.current.version == "v2"
    assert active.problem is None


def test_without_a_predecessor_the_rules_serve(active: ActiveModel[RoleModel], build: Build, tmp_path: Path) -> None:
    build("v1")
    point(tmp_path, "v1")
    (tmp_path / "models/v1/head.safetensors").chmod(0)
    with bound_by_permissions():
        assert not active.refresh()
    assert active.current is None
    assert active.problem is not None


def test_an_encoder_that_cannot_be_read_is_told_as_well(build: Build, tmp_path: Path) -> None:
    manifest = build("v1")
    (tmp_path / "encoders" / manifest.encoder / "body.onnx").chmod(0)
    with bound_by_permissions(), pytest.raises(UnreadableArtefact, match=r"model v1: body\.onnx cannot be read"):
        read(tmp_path / "models/v1", tmp_path / "encoders")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_the_owner_of_the_data(build: Build, tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    build("v1")
    paths = [tmp_path / "models", *(tmp_path / "models").rglob("*")]
    assert {path.stat().st_uid for path in paths} == {65534}
