"""A model that one server activates serves on all of one database, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from agent.data_directory import DataDirectory
from agent.serving.active import ActiveModel
from agent.serving.model import RoleModel, load
from agent.serving.pruning import prune
from agent.serving.registry import Registry
from agent.store import blobs, coordination
from agent.store.database import Database
from agent.work.model_sync import ModelSync
from tests.agent.serving.conftest import build as build

Build = Callable[..., object]


def server(database: Database, path: Path) -> tuple[ModelSync, ActiveModel[RoleModel], DataDirectory]:
    directory = DataDirectory(path)
    directory.create()
    return (
        ModelSync(database, directory, keep_versions=10),
        ActiveModel(directory.models, partial(load, encoders=directory.encoders)),
        directory,
    )


def serving(sync: ModelSync, active: ActiveModel[RoleModel]) -> str | None:
    sync.run()
    active.refresh()
    return active.current.version if active.current else None


def test_what_one_server_activates_or_takes_back_all_serve(tmp_path: Path, build: Build) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    trainer, other = server(database, tmp_path), server(database, tmp_path / "other")
    registry = Registry(tmp_path / "models", tmp_path / "encoders")
    seen = []
    for version in ("v1", "v2"):
        build(version)
        registry.activate(version, "test")
        seen.append([serving(*s[:2]) for s in (trainer, other)])
    registry.rollback("test")
    seen.append([serving(*s[:2]) for s in (trainer, other)])
    late = server(database, tmp_path / "late")
    assert seen == [["v1", "v1"], ["v2", "v2"], ["v1", "v1"]]
    assert serving(*late[:2]) == "v1"
    database.close()


def test_a_server_that_was_away_takes_over_what_serves_now(tmp_path: Path, build: Build) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    trainer, other = server(database, tmp_path), server(database, tmp_path / "other")
    registry = Registry(tmp_path / "models", tmp_path / "encoders")
    build("v1")
    registry.activate("v1", "test")
    assert [serving(*s[:2]) for s in (trainer, other)] == ["v1", "v1"]
    build("v2")
    registry.activate("v2", "test")
    trainer[0].run()
    back = server(database, tmp_path / "other")
    assert [serving(*s[:2]) for s in (back, trainer)] == ["v2", "v2"]
    database.close()


def test_a_spoilt_copy_is_refused_and_the_old_model_serves_on(tmp_path: Path, build: Build) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    trainer, other = server(database, tmp_path), server(database, tmp_path / "other")
    registry = Registry(tmp_path / "models", tmp_path / "encoders")
    build("v1")
    registry.activate("v1", "test")
    assert [serving(*s[:2]) for s in (trainer, other)] == ["v1", "v1"]
    build("v2", temperature=2.0)
    registry.activate("v2", "test")
    trainer[0].run()
    (tmp_path / "spoilt").write_bytes(b"not a head")
    database.call(blobs.keep, "models/v2/head.safetensors", tmp_path / "spoilt")
    assert serving(*other[:2]) == "v1"
    assert not (other[2].models / "v2").exists()
    database.close()


def test_many_published_versions_leave_the_database_with_the_needed_ones(tmp_path: Path, build: Build) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    trainer, other = server(database, tmp_path), server(database, tmp_path / "other")
    registry = Registry(tmp_path / "models", tmp_path / "encoders")
    for number in range(30):
        version = f"v{number:03}"
        build(version, metrics={"accuracy": 0.9 if number == 7 else 0.8})
        registry.activate(version, "test")
        trainer[0].run()
        prune(registry, 10)
        shared = {name.split("/")[0] for name in database.call(blobs.names, "models")}
        assert len(shared) <= 11
        if number % 9 == 0:
            assert serving(*other[:2]) == version
    assert shared == {"v007", *(f"v{number:03}" for number in range(20, 30))}
    assert len(database.call(blobs.names, "encoders")) == 2
    assert len(list((tmp_path / "other/models").glob("v*"))) <= 12
    late = server(database, tmp_path / "late")
    assert serving(*late[:2]) == "v029"
    database.close()


def test_an_encoder_that_no_version_needs_leaves_the_database(tmp_path: Path, build: Build) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    (tmp_path / "old").write_bytes(b"graph")
    database.call(blobs.keep, f"encoders/{'0' * 64}/body.onnx", tmp_path / "old")
    build("v1")
    Registry(tmp_path / "models", tmp_path / "encoders").activate("v1", "test")
    server(database, tmp_path)[0].run()
    assert not [name for name in database.call(blobs.names, "encoders") if name.startswith("0" * 64)]
    database.close()


def test_what_is_withdrawn_leaves_every_server_and_another_version_can_be_agreed_on(
    tmp_path: Path, build: Build
) -> None:
    database = Database.open_file(tmp_path / "db.sqlite3")
    one, two = server(database, tmp_path), server(database, tmp_path / "other")
    registry = Registry(tmp_path / "models", tmp_path / "encoders")
    for version in ("v1", "v2"):
        build(version)
        registry.activate(version, "test")
        assert [serving(*s[:2]) for s in (one, two)] == [version] * 2
    database.call(coordination.withdraw, ["v2"])
    database.call(blobs.drop, "models/v2")
    assert [serving(*s[:2]) for s in (one, two, one, two)][-2:] == ["v1", "v1"]
    assert not list(tmp_path.glob("**/models/v2"))
    build("v3")
    registry.activate("v3", "test")
    assert [serving(*s[:2]) for s in (one, two)] == ["v3", "v3"]
    database.call(coordination.withdraw, ["v1", "v3"])
    assert [serving(*s[:2]) for s in (one, two)] == [None, None]
    build("v4")
    registry.activate("v4", "test")
    assert [serving(*s[:2]) for s in (one, two)] == ["v4", "v4"]
    database.close()
