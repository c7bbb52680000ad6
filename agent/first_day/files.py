"""Write files of an installation without losing anybody's work, and take back what was written.

A file that is still as shipped, or as an earlier run left it, is replaced; any other is kept, and NAME.new is written
beside it. What a replaced file held lies in the folder `.before-init` beside the settings until it is taken back.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream

from agent.errors import BadInput

BEFORE = ".before-init"
PROPOSALS = ("roles.toml", "rules.toml")
RECORD = "record.json"

SHIPPED = frozenset(
    {
        "0bef6233c811",
        "2e96a9d890f6",
        "58ef2ca58635",
        "7655c0f14583",
        "7e8b45143342",
        "8a0ed2069154",
        "8f94dae462dc",
        "95758b109406",
        "d89beab13ad6",
        "de1664c8cca6",
        "f666db015cd8",
        "fcd1a8aa4132",
    }
)
"""First digits of the SHA-256 of the roles and rules that were shipped, the starters among them."""

DIGITS = 12
PRIVATE = 0o600


class Put(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    SAME = "is so already"
    BESIDE = "was changed by somebody and is kept: the proposal is beside it"


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of the settings file, the file of secrets, and the connector that they are written for."""

    path: Path
    dotenv: Path
    source: str

    def put(self, name: str, text: str) -> tuple[Put, Path]:
        """Write a file, or NAME.new beside it; return which one."""
        file = self.path / name
        if file.exists() and file.read_bytes() == text.encode():
            return Put.SAME, file
        if not self.replaceable(name):
            beside = self.path / f"{name}.new"
            self._write(beside, text)
            return Put.BESIDE, beside
        self._write(file, text)
        return Put.WRITTEN, file

    def replaceable(self, name: str) -> bool:
        """Return whether a file is not there, as shipped, or as it was written here for this connector."""
        file = self.path / name
        if not file.exists():
            return True
        content = file.read_bytes()
        ours = self._record().get(name, {})
        as_written = ours.get("digest") == _digest(content) and ours.get("source") == self.source
        return as_written or _digest(content) in SHIPPED or (name not in PROPOSALS and nothing_set(content))

    def base(self, name: str) -> tuple[str, bool]:
        """Return the settings to add to, and whether nobody has set anything in them.

        These are what was there before anything was written here, or what somebody has set since.
        """
        file, kept = self.path / name, self.path / BEFORE / name
        alone = self.replaceable(name)
        file = kept if alone and kept.exists() else file
        written_anew = alone and not kept.exists() and name in self._record()
        return (file.read_text("utf-8-sig") if file.exists() and not written_anew else ""), alone

    def _write(self, file: Path, text: str) -> None:
        record, before = self._record(), self.path / BEFORE
        before.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = record.get(file.name)
        if kept is None:
            if file.exists():
                shutil.copy2(file, before / file.name)
            kept = {"existed": file.exists()}
        record[file.name] = kept | {"digest": _digest(text.encode()), "source": self.source}
        _save(before / RECORD, json.dumps(record))
        _save(file, text)

    def secrets(self, values: dict[str, str]) -> list[str]:
        """Add variables that are not there yet to the file of secrets, for its owner alone; return their names."""
        text = self.dotenv.read_text("utf-8") if self.dotenv.exists() else ""
        there = {line.partition("=")[0].strip() for line in text.splitlines() if line.partition("=")[2].strip()}
        new = {name: value for name, value in values.items() if name not in there}
        if new:
            kept = [line for line in text.splitlines() if line.partition("=")[0].strip() not in new]
            _save(self.dotenv, "\n".join([*kept, *(_line(name, value) for name, value in new.items()), ""]), PRIVATE)
            record = self._record()
            record[".env"] = {"names": sorted({*record.get(".env", {}).get("names", []), *new})}
            (self.path / BEFORE).mkdir(parents=True, exist_ok=True, mode=0o700)
            _save(self.path / BEFORE / RECORD, json.dumps(record))
        return sorted(new)

    def undo(self) -> list[str]:
        """Put back what was there before, and say what was done, a line for each file."""
        said = []
        record = self._record()
        for name, kept in record.items():
            if name == ".env":
                said.append(self._without_secrets(kept["names"]))
                continue
            file = self.path / name
            if file.exists() and _digest(file.read_bytes()) != kept["digest"]:
                said.append(f"{file}: changed since, and kept")
            elif kept["existed"]:
                shutil.move(self.path / BEFORE / name, file.resolve())
                said.append(f"{file}: as it was before")
            else:
                file.unlink(missing_ok=True)
                said.append(f"{file}: removed")
        shutil.rmtree(self.path / BEFORE, ignore_errors=True)
        return said

    def _without_secrets(self, names: list[str]) -> str:
        if self.dotenv.exists():
            lines = self.dotenv.read_text("utf-8").splitlines()
            left = [line for line in lines if line.partition("=")[0].strip() not in names]
            _save(self.dotenv, "".join(f"{line}\n" for line in left), PRIVATE)
        return f"{self.dotenv}: without {', '.join(names)}"

    def _record(self) -> dict[str, Any]:
        file = self.path / BEFORE / RECORD
        return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


def _line(name: str, value: str) -> str:
    """Return the line of a variable, quoted where that is needed to read it again. Raises BadInput for what cannot."""
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    for line in (f"{name}={value}", f"{name}='{quoted}'"):
        if [(each.key, each.value) for each in parse_stream(StringIO(line))] == [(name, value)] and "${" not in value:
            return line
    raise BadInput(f"{name}: its value cannot stand in .env; set it in the environment instead")


def nothing_set(content: bytes) -> bool:
    """Return whether a TOML file sets nothing: all of it is comments and empty tables, as the settings are shipped."""
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except ValueError:
        return False
    return all(value == {} for value in document.values())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()[:DIGITS]


def _save(file: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that it is whole or not there; a link stays one, and the file that it leads to is written."""
    file = file.resolve() if file.is_symlink() else file
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as written:
        written.write(text)
    part.replace(file)
