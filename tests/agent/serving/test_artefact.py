"""A model folder is whole and unaltered, or it is refused with a reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.serving.artefact import (
    ArtefactError,
    CorruptArtefact,
    Head,
    Manifest,
    MissingArtefact,
    UnsupportedArtefact,
    read,
    read_manifest,
    write,
)
from agent.serving.heads import LexicalHead, Lexicon

Build = Callable[..., Manifest]
ROLES = ("Hydraulics", "Electrical", "Locksmith")


def rewrite(path: Path, **changes: object) -> None:
    """Change fields of a manifest on disk."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("tuned", [False, True])
def test_what_was_written_is_read_back(build: Build, tmp_path: Path, tuned: bool) -> None:
    manifest = build("v1", tuned=tuned, metrics={"accuracy": 0.5})
    artefact = read(tmp_path / "models/v1", tmp_path / "encoders")
    assert artefact.manifest == manifest
    assert artefact.manifest.tickets == {"train": ("helpdesk:1", "helpdesk:2")}
    assert artefact.head.weights.shape == (3, 3)
    assert artefact.calibration["fusion"].tolist() == [0.5, 2.0]


def lexical_head(roles: int = 3) -> LexicalHead:
    lexicon = Lexicon(np.array([1, 5], dtype=np.uint32), np.ones(2, dtype=np.float32))
    return LexicalHead(lexicon, np.ones((2, roles), dtype=np.float32), np.zeros(roles, dtype=np.float32))


def with_lexical(build: Build, tmp_path: Path, head: LexicalHead) -> Path:
    """Write a second version with a lexical head, and return its folder."""
    build("v1")
    plain = read(tmp_path / "models/v1", tmp_path / "encoders")
    manifest = plain.manifest.model_copy(update={"version": "v2"})
    write(tmp_path / "models/v2", manifest, plain.head, plain.calibration, plain.encoder, head)
    return tmp_path / "models/v2"


def test_a_lexical_head_lies_beside_the_other_and_is_read_back(build: Build, tmp_path: Path) -> None:
    folder = with_lexical(build, tmp_path, lexical_head())
    kept = read(folder, tmp_path / "encoders").lexical
    assert kept is not None
    assert kept.lexicon.grams.tolist() == [1, 5]
    assert read(tmp_path / "models/v1", tmp_path / "encoders").lexical is None


UNORDERED = Lexicon(np.array([5, 1], dtype=np.uint32), np.ones(2, dtype=np.float32))


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (lexical_head(roles=2), "lexical.safetensors knows 2 roles, the manifest 3"),
        (replace(lexical_head(), bias=np.array([0, np.nan, 0], dtype=np.float32)), "not finite"),
        (replace(lexical_head(), weights=np.ones((1, 3), dtype=np.float32)), "different sizes"),
        (replace(lexical_head(), lexicon=UNORDERED), "order"),
    ],
)
def test_a_lexical_head_that_cannot_answer_is_refused(
    build: Build, tmp_path: Path, head: LexicalHead, told: str
) -> None:
    folder = with_lexical(build, tmp_path, head)
    with pytest.raises(CorruptArtefact, match=told):
        read(folder, tmp_path / "encoders")


def test_a_lexical_head_that_was_changed_or_lost_is_found(build: Build, tmp_path: Path) -> None:
    folder = with_lexical(build, tmp_path, lexical_head())
    (folder / "lexical.safetensors").write_bytes(b"other")
    with pytest.raises(CorruptArtefact, match="is not the file that was written"):
        read(folder, tmp_path / "encoders")
    (folder / "lexical.safetensors").unlink()
    with pytest.raises(MissingArtefact):
        read(folder, tmp_path / "encoders")


def test_a_model_on_the_frozen_base_does_not_copy_it(build: Build, tmp_path: Path) -> None:
    build("cheap")
    build("tuned", tuned=True)
    assert {path.name for path in (tmp_path / "models/cheap").iterdir()} == {
        "head.safetensors",
        "calibration.safetensors",
        "manifest.json",
    }
    assert (tmp_path / "models/tuned/body.onnx").is_file()
    assert [path for path in (tmp_path / "models").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["head.safetensors", "calibration.safetensors", "tokenizer.json", "body.onnx"])
def test_one_changed_byte_is_found(build: Build, tmp_path: Path, name: str) -> None:
    build("v1", tuned=True)
    path = tmp_path / "models/v1" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArtefact, match=name):
        read(tmp_path / "models/v1", tmp_path / "encoders")


@pytest.mark.parametrize("name", ["head.safetensors", "calibration.safetensors", "tokenizer.json", "body.onnx"])
def test_a_missing_file_is_named(build: Build, tmp_path: Path, name: str) -> None:
    build("v1", tuned=True)
    (tmp_path / "models/v1" / name).unlink()
    with pytest.raises(MissingArtefact, match=name):
        read(tmp_path / "models/v1", tmp_path / "encoders")


def test_a_missing_shared_encoder_is_named(build: Build, tmp_path: Path) -> None:
    build("v1")
    shutil.rmtree(tmp_path / "encoders")
    with pytest.raises(MissingArtefact, match=r"(tokenizer\.json|body\.onnx) is missing"):
        read(tmp_path / "models/v1", tmp_path / "encoders")


def test_a_newer_format_asks_for_an_update(build: Build, tmp_path: Path) -> None:
    build("v1")
    rewrite(tmp_path / "models/v1/manifest.json", format=3)
    with pytest.raises(UnsupportedArtefact, match="update"):
        read_manifest(tmp_path / "models/v1")


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": []},
        {"roles": ["A", "A", "B"]},
        {"roles": "Hydraulics"},
        {"encoder": "../../etc"},
        {"version": "../v1"},
        {"files": {"../../etc/passwd": "0" * 64}},
        {"surprise": 1},
        {"tuned": None},
    ],
)
def test_a_manifest_that_breaks_the_schema_is_refused(build: Build, tmp_path: Path, changes: dict[str, object]) -> None:
    build("v1")
    rewrite(tmp_path / "models/v1/manifest.json", **changes)
    with pytest.raises(CorruptArtefact):
        read_manifest(tmp_path / "models/v1")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_manifest_that_is_no_manifest_is_refused(build: Build, tmp_path: Path, content: bytes) -> None:
    build("v1")
    (tmp_path / "models/v1/manifest.json").write_bytes(content)
    with pytest.raises(ArtefactError):
        read_manifest(tmp_path / "models/v1")


def test_a_head_for_other_roles_is_refused(build: Build, tmp_path: Path) -> None:
    build("v1")
    rewrite(tmp_path / "models/v1/manifest.json", roles=[*ROLES, "Plumbing"])
    with pytest.raises(CorruptArtefact, match="3 roles, the manifest 4"):
        read(tmp_path / "models/v1", tmp_path / "encoders")


def test_a_head_with_a_number_that_is_none_is_refused(build: Build, tmp_path: Path) -> None:
    manifest: Manifest = build("v1")
    broken = Head(np.full((3, 3), np.nan, dtype=np.float32), np.zeros(3, dtype=np.float32))
    write(tmp_path / "models/v2", manifest, broken, {}, tmp_path / "encoders" / manifest.encoder)
    with pytest.raises(CorruptArtefact, match="not finite"):
        read(tmp_path / "models/v2", tmp_path / "encoders")


def test_a_write_that_fails_leaves_nothing_behind(build: Build, tmp_path: Path) -> None:
    manifest = build("v1", tuned=True)
    head = Head(np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.float32))
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "models/v2", manifest, head, {}, tmp_path / "nowhere")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["v1"]


def test_a_version_is_never_overwritten(build: Build) -> None:
    build("v1")
    with pytest.raises(OSError, match="not empty"):
        build("v1")
