"""Versions never collide, the pointer moves whole, and there is always a way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from agent.errors import BadInput, NotPossibleYet
from agent.serving.artefact import ArtefactError, Head, Manifest, write
from agent.serving.registry import BrokenPointer, Registry, new_version

Make = Callable[[str], str]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models", tmp_path / "encoders")


@pytest.fixture
def make(registry: Registry) -> Make:
    """Return a function that writes a version and returns its name."""
    encoder = registry.encoders / ("a" * 64)
    encoder.mkdir(parents=True)
    (encoder / "body.onnx").write_bytes(b"graph")
    (encoder / "tokenizer.json").write_bytes(b"{}")

    def write_version(version: str) -> str:
        manifest = Manifest(
            version=version,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            roles=("A", "B"),
            multi_label=False,
            trainer="frozen",
            base_model="none",
            encoder=encoder.name,
            tuned=False,
            seed=0,
        )
        head = Head(np.zeros((2, 3), dtype=np.float32), np.zeros(2, dtype=np.float32))
        write(registry.folder(version), manifest, head, {"temperature": np.ones(1)}, encoder)
        return version

    return write_version


def test_an_empty_registry_lists_nothing_and_serves_nothing(registry: Registry) -> None:
    assert registry.versions() == []
    assert registry.active() is None
    assert registry.history() == []


def test_names_sort_by_time_and_never_collide() -> None:
    early, late = datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2, 4, tzinfo=UTC)
    assert new_version(early) < new_version(late)
    assert len({new_version(early) for _ in range(200)}) == 200


def test_half_written_versions_are_never_listed(registry: Registry, make: Make) -> None:
    make("v1")
    (registry.models / ".building-x").mkdir()
    (registry.models / ".building-x/manifest.json").write_text("{}")
    (registry.models / "v2").mkdir()
    assert [manifest.version for manifest in registry.versions()] == ["v1"]


def test_activating_remembers_the_predecessor_and_the_reason(registry: Registry, make: Make) -> None:
    registry.activate(make("v1"), "first")
    pointer = registry.activate(make("v2"), "better by two points")
    assert registry.active() == pointer
    assert (pointer.version, pointer.predecessor) == ("v2", "v1")
    assert [(move.kind, move.version, move.why) for move in registry.history()] == [
        ("activate", "v1", "first"),
        ("activate", "v2", "better by two points"),
    ]


def test_activating_what_serves_already_keeps_the_way_back(registry: Registry, make: Make) -> None:
    registry.activate(make("v1"), "first")
    registry.activate(make("v2"), "second")
    assert registry.activate("v2", "again").predecessor == "v1"
    assert len(registry.history()) == 2


def test_a_version_that_cannot_be_read_is_not_activated(registry: Registry, make: Make) -> None:
    registry.activate(make("v1"), "first")
    make("v2")
    (registry.folder("v2") / "head.safetensors").write_bytes(b"")
    for version in ("v2", "v3"):
        with pytest.raises(ArtefactError):
            registry.activate(version, "why not")
    pointer = registry.active()
    assert pointer is not None
    assert pointer.version == "v1"


@pytest.mark.parametrize("version", ["", ".", "..", "../v1", ".building-x", "a/b", "v1\n", "v" * 200])
def test_a_name_that_leaves_the_folder_is_refused(registry: Registry, version: str) -> None:
    with pytest.raises(BadInput):
        registry.activate(version, "mischief")


def test_activating_mends_a_damaged_pointer_and_keeps_the_way_back(registry: Registry, make: Make) -> None:
    first, second = make("20260101T000000Z-000001"), make("20260102T000000Z-000002")
    registry.activate(first, "a test")
    (registry.models / "ACTIVE").write_text("{")
    with pytest.raises(BrokenPointer, match=r"rolecall models activate VERSION"):
        registry.active()
    pointer = registry.activate(second, "a test")
    assert (pointer.version, pointer.predecessor) == (second, first)
    (registry.models / "ACTIVE").write_text("{")
    assert registry.activate(second, "a test").version == second
    assert registry.active() is not None


def test_rolling_back_twice_goes_further_back_and_not_forth(registry: Registry, make: Make) -> None:
    for version in ("v1", "v2", "v3"):
        registry.activate(make(version), version)
    assert registry.rollback("v3 was worse").version == "v2"
    assert registry.rollback("so was v2").version == "v1"
    with pytest.raises(NotPossibleYet):
        registry.rollback("and now?")
    assert [move.kind for move in registry.history()] == ["activate"] * 3 + ["rollback"] * 2


def test_rolling_back_to_a_broken_model_is_refused(registry: Registry, make: Make) -> None:
    registry.activate(make("v1"), "first")
    registry.activate(make("v2"), "second")
    (registry.folder("v1") / "calibration.safetensors").unlink()
    with pytest.raises(ArtefactError):
        registry.rollback("v2 was worse")
    pointer = registry.active()
    assert pointer is not None
    assert pointer.version == "v2"


def test_a_history_cut_short_by_a_crash_is_still_read(registry: Registry, make: Make) -> None:
    registry.activate(make("v1"), "first")
    with (registry.models / "history.jsonl").open("a") as file:
        file.write(json.dumps({"at": "x"})[:-3])
    assert [move.version for move in registry.history()] == ["v1"]
    registry.activate(make("v2"), "second")
    assert [move.version for move in registry.history()] == ["v1", "v2"]
