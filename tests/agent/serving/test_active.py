"""The model in use follows the pointer and survives broken ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from agent.serving.active import ActiveModel
from agent.serving.artefact import Manifest
from agent.serving.model import RoleModel, load
from agent.serving.registry import BrokenPointer, Pointer, read_pointer

Build = Callable[..., Manifest]


def point(tmp_path: Path, version: str, predecessor: str | None = None) -> None:
    """Replace the pointer as the registry does: by rename."""
    temporary = tmp_path / "models/.new"
    temporary.write_text(Pointer(version=version, predecessor=predecessor).model_dump_json())
    temporary.replace(tmp_path / "models/ACTIVE")


@pytest.fixture
def active(tmp_path: Path) -> ActiveModel[RoleModel]:
    return ActiveModel(tmp_path / "models", partial(load, encoders=tmp_path / "encoders"))


def test_without_any_model_there_is_none_and_no_problem(active: ActiveModel[RoleModel]) -> None:
    assert not active.refresh()
    assert active.current is None
    assert active.problem is None


def test_the_pointer_is_followed_once(active: ActiveModel[RoleModel], build: Build, tmp_path: Path) -> None:
    build("v1")
    build("v2")
    point(tmp_path, "v1")
    assert active.refresh()
    assert not active.refresh()
    first = active.current
    point(tmp_path, "v2", "v1")
    assert active.refresh()
    assert first is not None
    assert active.current is not None
    assert (first.version, active.current.version) == ("v1", "v2")
    assert first.probabilities(["oil"]).shape == (1, 3), "a request under way keeps its model"


def test_a_broken_model_does_not_replace_a_working_one(
    active: ActiveModel[RoleModel], build: Build, tmp_path: Path
) -> None:
    build("v1")
    build("v2")
    (tmp_path / "models/v2/head.safetensors").write_bytes(b"")
    point(tmp_path, "v1")
    active.refresh()
    point(tmp_path, "v2", "v1")
    assert not active.refresh()
    assert active.current is not None
    assert active.current.version == "v1"
    assert "head.safetensors" in str(active.problem)


def test_the_problem_is_gone_when_a_good_model_is_active_again(
    active: ActiveModel[RoleModel], build: Build, tmp_path: Path
) -> None:
    build("v1")
    point(tmp_path, "missing")
    assert not active.refresh()
    assert "missing" in str(active.problem)
    point(tmp_path, "v1")
    assert active.refresh()
    assert active.problem is None


def test_after_a_restart_the_predecessor_stands_in_for_a_broken_model(
    active: ActiveModel[RoleModel], build: Build, tmp_path: Path
) -> None:
    build("v1")
    point(tmp_path, "broken", "v1")
    assert active.refresh()
    assert active.current is not None
    assert active.current.version == "v1"
    assert "broken" in str(active.problem)


@pytest.mark.parametrize("content", ["", "{", '{"version": "../../etc"}', '{"version": 3}', "[]"])
def test_a_pointer_that_says_nothing_keeps_the_model(
    active: ActiveModel[RoleModel], build: Build, tmp_path: Path, content: str
) -> None:
    build("v1")
    point(tmp_path, "v1")
    active.refresh()
    (tmp_path / "models/ACTIVE").unlink()
    (tmp_path / "models/ACTIVE").write_text(content)
    with pytest.raises(BrokenPointer):
        read_pointer(tmp_path / "models")
    assert not active.refresh()
    assert active.current is not None
    assert "ACTIVE" in str(active.problem)
