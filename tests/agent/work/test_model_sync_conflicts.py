"""Two servers move their pointers at once: both end on one of them, and the version of the other is still there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.data_directory import DataDirectory
from agent.serving.artefact import read
from agent.serving.registry import POINTER, Registry
from agent.store import blobs, coordination
from agent.store.database import Database
from agent.work.model_sync import ModelSync
from tests.agent.serving.conftest import build as build

Build = Callable[..., object]


class Interleaved(Database):
    """A database on which something happens just before this server names its model, once."""

    meanwhile: Callable[[], None] | None = None

    def call(self, query: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if query is coordination.put and self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return super().call(query, *args, **kwargs)


@dataclass
class Server:
    """One data directory, and its view of the shared database."""

    database: Interleaved
    directory: DataDirectory
    sync: ModelSync

    @property
    def registry(self) -> Registry:
        return Registry(self.directory.models, self.directory.encoders)

    @property
    def serves(self) -> str | None:
        active = self.registry.active()
        return active.version if active else None

    def activate(self, version: str) -> None:
        self.registry.activate(version, "test")

    def keeps(self, version: str) -> bool:
        """Tell whether a version can be used here, after reading every file of it."""
        read(self.registry.folder(version), self.registry.encoders)
        return True


@pytest.fixture
def servers(tmp_path: Path, build: Build) -> Iterator[tuple[Server, Server]]:
    """Two servers that serve v1; one has made v2, the other v3."""
    Database.open_file(tmp_path / "db.sqlite3").close()
    one, other = (make(tmp_path / name, f"sqlite:///{tmp_path}/db.sqlite3") for name in ("one", "other"))
    for server, version in ((one, "v1"), (one, "v2"), (other, "v3")):
        build(version)
        server.directory.models.mkdir(exist_ok=True)
        (tmp_path / "models" / version).rename(server.directory.models / version)
        shutil.copytree(tmp_path / "encoders", server.directory.encoders, dirs_exist_ok=True)
    one.activate("v1")
    settle(one, other)
    assert (one.serves, other.serves) == ("v1", "v1")
    yield one, other
    for server in (one, other):
        server.database.close()


def make(folder: Path, url: str) -> Server:
    database, directory = Interleaved(url), DataDirectory(folder)
    directory.create()
    return Server(database, directory, ModelSync(database, directory, keep_versions=10))


def settle(*servers: Server) -> None:
    """Let everybody look often enough to have seen what the others did."""
    for _ in range(3):
        for server in servers:
            server.sync.run()


def pointers(*servers: Server) -> set[str]:
    return {(server.directory.models / POINTER).read_text("utf-8") for server in servers}


def test_the_first_to_publish_wins_and_the_loser_keeps_its_version(servers: tuple[Server, Server]) -> None:
    one, other = servers
    one.activate("v2")
    other.activate("v3")
    settle(one, other)
    assert (one.serves, other.serves) == ("v2", "v2")
    assert len(pointers(one, other)) == 1
    assert other.keeps("v3")
    other.activate("v3")
    settle(one, other)
    assert (one.serves, other.serves) == ("v3", "v3")


def test_of_two_that_publish_in_the_same_moment_one_pointer_stays(servers: tuple[Server, Server]) -> None:
    """Both have seen that nobody moved the shared pointer before either writes it."""
    one, other = servers
    one.activate("v2")
    other.activate("v3")
    one.database.meanwhile = other.sync.run
    settle(one, other)
    assert (one.serves, other.serves) == ("v2", "v2")  # it wrote last
    assert len(pointers(one, other)) == 1
    assert other.keeps("v2")
    assert other.keeps("v3")


def spoil(server: Server, version: str, scratch: Path) -> None:
    """Replace a published file of a version by another."""
    scratch.write_bytes(b"not a head")
    server.database.call(blobs.keep, f"models/{version}/head.safetensors", scratch)


def test_after_a_damaged_version_the_next_one_is_taken_over(servers: tuple[Server, Server], tmp_path: Path) -> None:
    one, other = servers
    one.activate("v2")
    one.sync.run()
    spoil(one, "v2", tmp_path / "spoilt")
    settle(other)
    assert other.serves == "v1"
    assert not other.registry.folder("v2").exists()
    one.registry.rollback("test")
    settle(one, other)
    assert (one.serves, other.serves) == ("v1", "v1")
    assert len(pointers(one, other)) == 1


def test_who_refused_a_damaged_version_can_still_publish_its_own(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    one, other = servers
    one.activate("v2")
    one.sync.run()
    spoil(one, "v2", tmp_path / "spoilt")
    settle(other)
    other.activate("v3")
    settle(other, one)
    assert (one.serves, other.serves) == ("v3", "v3")
    assert one.keeps("v2")
