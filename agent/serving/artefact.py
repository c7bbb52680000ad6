"""The model folder: numbers, a tokenizer, a graph, and a manifest with their hashes. Nothing in it can run code.

    head.safetensors         weights float32[roles, dim], bias float32[roles]
    calibration.safetensors  named float arrays: temperature and whatever the fusion was fitted with
    lexical.safetensors      the lexical head (agent.serving.heads), where the model has one
    tokenizer.json           only when the body was tuned;
    body.onnx                otherwise both are those of the shared base encoder, `<encoders>/<manifest.encoder>/`
    manifest.json            roles, training tickets, metrics, parent, and the SHA-256 of every file above

Errors, drawn as a tree::

    ArtefactError             the folder cannot be used; `folder` says which
    ├── MissingArtefact       it, or a file that it needs, is not there
    ├── CorruptArtefact       a file is not the one that was written, or does not say what it must
    ├── UnreadableArtefact    the system refuses to read a file, such as one that another user owns
    └── UnsupportedArtefact   written by a newer version
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from agent.config.in_words import in_words
from agent.data_directory import give_to_owner_of
from agent.errors import RolecallError
from agent.serving.heads import LexicalHead

FORMAT: Final = 2
"""Raised when an older Rolecall could not use a newer folder: 2 brought the lexical head."""

HEAD = "head.safetensors"
CALIBRATION = "calibration.safetensors"
LEXICAL = "lexical.safetensors"
MANIFEST = "manifest.json"
BODY = "body.onnx"
TOKENIZER = "tokenizer.json"
ENCODER_FILES = (BODY, TOKENIZER)
FILES = frozenset({HEAD, CALIBRATION, LEXICAL, *ENCODER_FILES})
BUILDING = ".building-"
"""The prefix of a folder that is being written."""

SHA256 = r"[0-9a-f]{64}"
VERSION = r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}"

Arrays: TypeAlias = Mapping[str, NDArray[np.floating[Any]]]


class ArtefactError(RolecallError):
    """A model folder cannot be used."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"model {folder.name}: {reason}")
        self.folder = folder
        self.reason = reason


class MissingArtefact(ArtefactError):
    """The folder, or a file that it needs, is not there."""


class CorruptArtefact(ArtefactError):
    """A file is not the one that was written, or does not say what it must."""


class UnreadableArtefact(ArtefactError):
    """The system refuses to read a file."""

    def __init__(self, folder: Path, error: OSError) -> None:
        name = Path(str(error.filename)).name if error.filename else "a file"  # no path: `/readyz` shows it
        super().__init__(folder, f"{name} cannot be read: {error.strerror}; `rolecall check` says whose it is")


class UnsupportedArtefact(ArtefactError):
    """The folder was written by a newer version of Rolecall."""


class Manifest(BaseModel):
    """The description of a model, kept in its folder as manifest.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1, 2] = FORMAT
    version: str = Field(pattern=f"^{VERSION}$")
    created_at: datetime
    roles: tuple[str, ...] = Field(min_length=1)
    multi_label: bool
    trainer: str
    base_model: str
    encoder: str = Field(pattern=f"^{SHA256}$")
    """Fingerprint of the base encoder, the name of its folder."""
    tuned: bool
    seed: int
    parent: str | None = None
    tickets: dict[str, tuple[str, ...]] = {}
    """Ticket keys by the part that they played: train, validation, test, older, judged (agent.learning.candidates)."""
    voices: tuple[str, ...] = ()
    """The sources of evidence that were weighed; of models of format 1 it is not told."""
    metrics: dict[str, Any] = {}
    recipe: dict[str, Any] = {}
    files: dict[str, str] = {}
    """SHA-256 by file name, the shared encoder's files included."""

    @model_validator(mode="after")
    def _coherent(self) -> Manifest:
        if len(set(self.roles)) != len(self.roles):
            raise ValueError("a role is named twice")
        if unknown := self.files.keys() - FILES:
            raise ValueError(f"unknown files {sorted(unknown)}")
        return self


@dataclass(frozen=True, slots=True)
class Head:
    """A linear classifier on embeddings: weights float32[roles, dim], bias float32[roles]."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Artefact:
    """A verified model folder; `encoder` is the folder that holds its graph and tokenizer."""

    manifest: Manifest
    head: Head
    calibration: Mapping[str, NDArray[np.float32]]
    encoder: Path
    lexical: LexicalHead | None = None


def write(
    target: Path,
    manifest: Manifest,
    head: Head,
    calibration: Arrays,
    encoder: Path,
    lexical: LexicalHead | None = None,
) -> Manifest:
    """Write a model folder that is either whole or absent, and return its manifest with the hashes filled in.

    `encoder` holds body.onnx and tokenizer.json: copied when `manifest.tuned`, else only hashed. Raises OSError
    when the disk refuses or `target` exists.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=BUILDING, dir=target.parent))
    try:
        _save(building / HEAD, {"weights": head.weights, "bias": head.bias})
        _save(building / CALIBRATION, calibration)
        places = {HEAD: building, CALIBRATION: building}
        if lexical is not None:
            save_file(lexical.to_arrays(), building / LEXICAL)
            places[LEXICAL] = building
        for name in ENCODER_FILES:
            if manifest.tuned:
                shutil.copyfile(encoder / name, building / name)
            places[name] = building if manifest.tuned else encoder
        hashes = {name: file_sha256(folder / name) for name, folder in places.items()}
        manifest = manifest.model_copy(update={"files": hashes})
        (building / MANIFEST).write_text(manifest.model_dump_json(indent=1), "utf-8")
        for path in building.iterdir():
            sync(path)
        give_to_owner_of(target.parent.parent, target.parent, recursive=False)
        give_to_owner_of(target.parent, building)
        building.rename(target)
        sync(target.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read and validate a manifest, without looking at the other files. Raises ArtefactError."""
    try:
        raw = json.loads((folder / MANIFEST).read_text("utf-8"))
        if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
            raise UnsupportedArtefact(folder, f"format {raw['format']} is newer than this Rolecall; update it")
        return Manifest.model_validate(raw)
    except FileNotFoundError as error:
        raise MissingArtefact(folder, f"{MANIFEST} is missing") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or MANIFEST
        raise CorruptArtefact(folder, f"{where}: {in_words(first)}") from error
    except OSError as error:
        raise UnreadableArtefact(folder, error) from error
    except (ValueError, RecursionError) as error:
        raise CorruptArtefact(folder, f"{MANIFEST} cannot be read: {error}") from error


def read(folder: Path, encoders: Path) -> Artefact:
    """Read a model folder after comparing every file with its hash. Raises ArtefactError."""
    manifest = read_manifest(folder)
    encoder = folder if manifest.tuned else encoders / manifest.encoder
    own = [name for name in (HEAD, CALIBRATION, LEXICAL) if name != LEXICAL or name in manifest.files]
    try:
        for name in (*own, *ENCODER_FILES):
            place = (encoder if name in ENCODER_FILES else folder) / name
            if not place.is_file():
                raise MissingArtefact(folder, f"{place.name} is missing from {place.parent.name}")
            if file_sha256(place) != manifest.files.get(name):
                raise CorruptArtefact(folder, f"{place.name} in {place.parent.name} is not the file that was written")
        head, calibration = load_file(folder / HEAD), load_file(folder / CALIBRATION)
        lexical = LexicalHead.from_arrays(load_file(folder / LEXICAL)) if LEXICAL in own else None
    except OSError as error:
        raise UnreadableArtefact(folder, error) from error
    except (SafetensorError, ValueError) as error:
        raise CorruptArtefact(folder, f"{' or '.join(own)} cannot be read: {error}") from error
    weights, bias = head.get("weights"), head.get("bias")
    if weights is None or bias is None or weights.ndim != 2 or weights.shape[:1] != bias.shape:
        raise CorruptArtefact(folder, f"{HEAD} must hold weights [roles, dim] and bias [roles]")
    for name, known in ((HEAD, bias), (LEXICAL, bias if lexical is None else lexical.bias)):
        if len(known) != len(manifest.roles):
            raise CorruptArtefact(folder, f"{name} knows {len(known)} roles, the manifest {len(manifest.roles)}")
    if not all(np.isfinite(array).all() for array in (weights, bias, *calibration.values())):
        raise CorruptArtefact(folder, "a number is not finite")
    return Artefact(manifest, Head(weights.astype(np.float32), bias.astype(np.float32)), calibration, encoder, lexical)


def file_sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _save(path: Path, arrays: Arrays) -> None:
    save_file({name: np.ascontiguousarray(array, dtype=np.float32) for name, array in arrays.items()}, path)
