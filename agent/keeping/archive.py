"""The file of a backup: an uncompressed ZIP that says of each of its members how large it is, and its SHA-256.

    manifest.json              the rest, and when and by what it was made (`Manifest`)
    rolecall.sqlite3, ...      what lies in the data directory, under its name there
    config/agent.toml, ...     the settings file and those that it names

Whoever reads one may have it from a stranger. So names follow a grammar in which no path leads upwards, only plain
files are written, and nothing is compressed: what comes out is never larger than what was put in.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import BadInput
from agent.serving.artefact import SHA256, sync

FORMAT: Final = 1
MANIFEST = "manifest.json"
MOST_MANIFEST_BYTES = 32 << 20
MOST_MEMBERS = 100_000
CHUNK = 1 << 20
NAME = re.compile(r"(?:\.?[A-Za-z0-9_][A-Za-z0-9._-]{0,150}/){0,6}\.?[A-Za-z0-9_][A-Za-z0-9._-]{0,150}")
UNREADABLE = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError)
"""What a member raises that is not as the list of members says."""

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The only time that members have: a ZIP has no earlier one, and the same content makes the same file."""


class Member(BaseModel):
    """What a member has to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=0)
    sha256: str = Field(pattern=f"^{SHA256}$")


class Manifest(BaseModel):
    """What a backup is. `parts` are the entries of the data directory that it stands for, present or absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    made_at: datetime
    release: str = Field(max_length=100)
    schema_version: str | None = Field(default=None, max_length=100)
    """None where the database is a server's, and not in here."""
    with_secrets: bool
    parts: tuple[str, ...]
    members: dict[str, Member] = {}


class Writer:
    """An archive that is being written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self.members: dict[str, Member] = {}

    def add(self, name: str, source: Path) -> None:
        """Add the content of a file. Raises OSError."""
        with source.open("rb") as content:
            self.add_stream(name, content)

    def add_stream(self, name: str, content: IO[bytes]) -> None:
        """Add what can be read from a stream."""
        digest, size = hashlib.sha256(), 0
        with self._archive.open(_info(name), "w", force_zip64=True) as member:
            while chunk := content.read(CHUNK):
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self.members[name] = Member(size=size, sha256=digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest, which vouches for the rest."""
        stated = manifest.model_copy(update={"members": self.members})
        self._archive.writestr(_info(MANIFEST), stated.model_dump_json(indent=1))
        self._archive.close()

    def close(self) -> None:
        """Release the file, finished or not."""
        with suppress(OSError, ValueError):
            self._archive.close()


@contextmanager
def new_file(target: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Yield a file for its owner's eyes, and its temporary path; it gets its name when the block ends without an error.

    Raises BadInput where there is a file of that name.
    """
    ensure_free(target)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            yield file, temporary
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        sync(target.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def read_manifest(file: Path) -> Manifest:
    """Return the manifest of a backup whose members are those that it names. Raises BadInput, OSError."""
    with _opened(file) as archive:
        return _manifest(archive, file)


def verify(file: Path) -> Manifest:
    """Return the manifest after comparing every member with it. Raises BadInput, OSError."""
    with _opened(file) as archive:
        manifest = _manifest(archive, file)
        for name, member in manifest.members.items():
            _read(archive, file, name, member, lambda chunk: None)
    return manifest


def extract(file: Path, manifest: Manifest, place: Callable[[str], Path | None]) -> None:
    """Write each member to where `place` says, but for None, comparing it with the manifest. Raises BadInput, OSError.

    `manifest` is what `read_manifest` returned. Folders are made, for their owner only.
    """
    with _opened(file) as archive:
        if _manifest(archive, file) != manifest:
            raise BadInput(f"{file} changes while it is read")
        for name, member in manifest.members.items():
            target = place(name)
            if target is None:
                continue
            _make_private(target.parent)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
                _read(archive, file, name, member, written.write)
                written.flush()
                os.fsync(written.fileno())


def _make_private(folder: Path) -> None:
    """Make a folder and those above it, whatever the umask: `parents=True` would make these for everybody."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o700)


def read_text(file: Path, manifest: Manifest, name: str) -> str | None:
    """Return a small member as text, None where there is none. Raises BadInput, OSError."""
    if name not in manifest.members:
        return None
    chunks: list[bytes] = []
    with _opened(file) as archive:
        _read(archive, file, name, manifest.members[name], chunks.append)
    return b"".join(chunks).decode("utf-8", "replace")


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    entries = archive.infolist()
    if len(entries) > MOST_MEMBERS:
        raise _damaged(file, f"more than {MOST_MEMBERS} members")
    by_name = {entry.filename: entry for entry in entries}
    if len(by_name) != len(entries) or MANIFEST not in by_name:
        raise BadInput(f"{file} is no backup of Rolecall's")
    stated = by_name.pop(MANIFEST)
    if stated.file_size > MOST_MANIFEST_BYTES or stated.compress_type != zipfile.ZIP_STORED:
        raise _damaged(file, f"{MANIFEST} is too large")
    try:
        raw = archive.read(stated)
        manifest = Manifest.model_validate_json(raw)
    except UNREADABLE as error:
        raise _damaged(file, f"{MANIFEST} cannot be read") from error
    except ValidationError as error:
        if b'"format"' in raw and error.errors()[0]["loc"] == ("format",):
            raise BadInput(f"{file} was made by a newer release: restore it with that") from None
        raise _damaged(file, f"{MANIFEST} cannot be understood") from None
    if manifest.members.keys() != by_name.keys():
        raise _damaged(file, "it does not hold what it says")
    for name, entry in by_name.items():
        if not NAME.fullmatch(name) or entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 0x1:
            raise _damaged(file, f"{name[:80]!r} is nothing that a backup holds")
        if entry.file_size != manifest.members[name].size or entry.compress_size != entry.file_size:
            raise _damaged(file, f"{name} has not the size that it should")
    if sum(member.size for member in manifest.members.values()) > file.stat().st_size:
        raise _damaged(file, "its members are larger than it is")
    return manifest


def _read(archive: zipfile.ZipFile, file: Path, name: str, member: Member, take: Callable[[bytes], object]) -> None:
    digest = hashlib.sha256()
    try:
        with archive.open(name) as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                take(chunk)
    except UNREADABLE as error:
        raise _damaged(file, f"{name} cannot be read") from error
    if digest.hexdigest() != member.sha256:
        raise _damaged(file, f"{name} is not what was written")


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise BadInput(f"{file}: there is no such file") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} is no backup of Rolecall's, or was cut short") from error
    with archive:
        yield archive


def _damaged(file: Path, why: str) -> BadInput:
    return BadInput(f"{file} is damaged or was tampered with: {why}. Nothing was changed")


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EARLIEST)
    info.external_attr = 0o600 << 16
    return info


def room(folder: Path) -> int:
    """Return how many bytes are free on the disk of a folder, or of the nearest one above it that exists."""
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


def ensure_free(target: Path) -> None:
    """Raise BadInput where there is a file of that name."""
    if target.exists():
        raise BadInput(f"{target} exists: choose another name, or remove it first")
