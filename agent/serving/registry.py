"""The versions of the model on disk, and which one serves.

    models/<version>/      complete or absent (agent.serving.artefact); names sort by time
    models/ACTIVE          JSON: the version that serves and its predecessor; replaced by rename, never edited
    models/history.jsonl   every move of the pointer, with its reason

A version in which a write died starts with a dot and is never listed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.data_directory import give_to_owner_of
from agent.errors import BadInput, NotPossibleYet, RolecallError
from agent.serving.artefact import MANIFEST, VERSION, Manifest, read, read_manifest, sync

POINTER = "ACTIVE"
HISTORY = "history.jsonl"
LOCK = ".lock"


class Pointer(BaseModel):
    """The content of the ACTIVE file: which version serves, and which one served before it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(pattern=f"^{VERSION}$")
    predecessor: str | None = Field(default=None, pattern=f"^{VERSION}$")


class BrokenPointer(RolecallError):
    """The ACTIVE file is damaged."""


def read_pointer(models: Path) -> Pointer | None:
    """Return the pointer in the folder of models, None where no model was ever activated.

    Raises BrokenPointer when the file exists and names no version.
    """
    try:
        return Pointer.model_validate(json.loads((models / POINTER).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError, RecursionError) as error:
        raise BrokenPointer(f"{POINTER} in {models.name} {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return what is wrong, without paths and content: `/readyz` shows it to everybody."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return "is damaged: `rolecall models activate VERSION` writes it anew"


@dataclass(frozen=True, slots=True)
class Move:
    """One move of the pointer, as written to the history."""

    at: str
    kind: Literal["activate", "rollback", "withdraw"]
    version: str
    predecessor: str | None
    why: str


def new_version(now: datetime) -> str:
    """Return a name for a model made at `now`: sorts by time, collides with nothing."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class Registry:
    """The folder of models and the folder of base encoders that they share."""

    models: Path
    encoders: Path

    def folder(self, version: str) -> Path:
        """Return where a version lies. Raises BadInput for what cannot be the name of one."""
        if not re.fullmatch(VERSION, version):
            raise BadInput(f"{version!r} is not the name of a model version: `rolecall models list` shows them")
        return self.models / version

    def versions(self) -> list[Manifest]:
        """Return the manifests of all complete versions, oldest first. Raises ArtefactError for an unreadable one."""
        if not self.models.is_dir():
            return []
        names = sorted(path.parent.name for path in self.models.glob(f"*/{MANIFEST}"))
        return [read_manifest(self.models / name) for name in names if re.fullmatch(VERSION, name)]

    def active(self) -> Pointer | None:
        """Return the pointer, None before the first activation. Raises BrokenPointer."""
        return read_pointer(self.models)

    def history(self) -> list[Move]:
        """Return every move of the pointer, oldest first; a line that a crash cut short is left out."""
        try:
            lines = (self.models / HISTORY).read_text("utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [Move(**json.loads(line)) for line in lines if line.endswith("}\n")]

    def activate(self, version: str, why: str) -> Pointer:
        """Make a version serve, after verifying all of its files; replaces a damaged pointer.

        Raises BadInput, ArtefactError.
        """
        with self.locked():  # from reading on, or the version could be pruned meanwhile
            read(self.folder(version), self.encoders)
            before = self.last_pointer()
            if before is not None and before.version == version and self._intact():
                return before
            served = before.version if before else None
            pointer = Pointer(version=version, predecessor=served if served != version else None)
            self._move(pointer, "activate", why)
        return pointer

    def last_pointer(self) -> Pointer | None:
        """Return the pointer, or the last one in the history where the file is missing or damaged."""
        if pointer := self._intact():
            return pointer
        moves = [move for move in self.history() if (self.models / move.version).is_dir()]
        return Pointer(version=moves[-1].version, predecessor=moves[-1].predecessor) if moves else None

    def withdraw(self, versions: Collection[str], why: str) -> None:
        """Move the pointer off these versions: none may serve or be rolled back to; others that served replace them.

        Where there is none, no model serves. The versions stay on the disk: agent.serving.pruning deletes them.
        """
        with self.locked():
            pointer = self.last_pointer()
            if pointer is None or not {pointer.version, pointer.predecessor} & set(versions):
                return
            served = dict.fromkeys([pointer.version, *(move.version for move in reversed(self.history()))])
            left = [v for v in served if v not in versions and (self.models / v / MANIFEST).is_file()]
            if left:
                new = Pointer(version=left[0], predecessor=left[1] if len(left) > 1 else None)
                self._move(new, "withdraw", why)
            else:
                (self.models / POINTER).unlink(missing_ok=True)
                sync(self.models)

    def _intact(self) -> Pointer | None:
        try:
            return self.active()
        except BrokenPointer:
            return None

    def rollback(self, why: str) -> Pointer:
        """Make the predecessor serve again; a second rollback goes back one more version.

        Raises NotPossibleYet without a predecessor, ArtefactError when it cannot be used any more.
        """
        with self.locked():
            current = self.active()
            if current is None or current.predecessor is None:
                raise NotPossibleYet("there is no earlier model to go back to: see `rolecall models list`")
            read(self.folder(current.predecessor), self.encoders)
            before = [move.predecessor for move in self.history() if move.version == current.predecessor]
            pointer = Pointer(version=current.predecessor, predecessor=before[-1] if before else None)
            self._move(pointer, "rollback", why)
        return pointer

    def _move(self, pointer: Pointer, kind: Literal["activate", "rollback", "withdraw"], why: str) -> None:
        temporary = self.models / f".{POINTER}-{secrets.token_hex(4)}"
        temporary.write_text(pointer.model_dump_json(), "utf-8")
        sync(temporary)
        give_to_owner_of(self.models, temporary)
        temporary.replace(self.models / POINTER)
        sync(self.models)
        move = Move(datetime.now(UTC).isoformat(), kind, pointer.version, pointer.predecessor, why)
        with (self.models / HISTORY).open("a+b") as file:
            if file.tell() and _last_byte(file) != b"\n":
                file.write(b"\n")  # a crash cut the last line short; it must not take this one with it
            file.write(json.dumps(asdict(move)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock under which the pointer moves and versions are deleted, also by a command beside the server."""
        self.models.mkdir(parents=True, exist_ok=True)
        with (self.models / LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
