"""Kinds of connectors: shipped ones, and those that an operator describes in `connectors/KIND.toml` beside settings.

A file of the same name as a shipped manifest wins. What is wrong in a file is reported with its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.config.in_words import KeyPath, in_words, keys_at
from agent.config.toml_file import TomlFile, read
from agent.errors import Fault, SettingsError
from connectors.registry import CONNECTORS, find, kinds

FOLDER = "connectors"
"""Beside the settings file."""

MOST_LINKS = 40
"""As many as Linux follows."""


def beside(file: Path, name: Path | str) -> Path:
    """Return where the settings file's neighbour of this name lies.

    That is the folder in which the settings file was named or, where it is a link and nothing of that name lies there,
    the folder of the file that it leads to. Folders that are links stay as they are, so that they can be exchanged.
    """
    at = file
    for _ in range(MOST_LINKS):
        if (at.parent / name).exists() or not at.is_symlink():
            break
        at = at.parent / at.readlink()
    return at.parent / name if (at.parent / name).exists() else file.parent / name


def own_kinds(folder: Path | None) -> list[str]:
    """Return the kinds that the operator has manifests of."""
    return sorted(path.stem for path in folder.glob("*.toml")) if folder is not None and folder.is_dir() else []


def all_kinds(folder: Path | None) -> list[str]:
    """Return the names of all kinds."""
    return kinds(own_kinds(folder))


def document_of(kind: str, folder: Path | None) -> Mapping[str, Any] | None:
    """Return the operator's manifest of this kind, None where there is none. Raises SettingsError."""
    if kind in CONNECTORS or kind not in own_kinds(folder) or folder is None:
        return None
    return _read(kind, folder).document


def _read(kind: str, folder: Path) -> TomlFile:
    from connectors.manifest.catalogue import FaultyManifest
    from connectors.manifest.model import Manifest

    file = read(folder / f"{kind}.toml", SettingsError, f'kind = "{kind}"')
    try:
        find(kind, file.document)
    except ValidationError as error:
        raise SettingsError(_faults(file, error, Manifest)) from None
    except FaultyManifest as error:
        raise SettingsError(file.fault(at, f"{'.'.join(map(str, at))}: {said}") for at, said in error.faults) from None
    return file


def _faults(file: TomlFile, error: ValidationError, model: type[object]) -> Iterator[Fault]:
    for problem in error.errors(include_url=False):
        at: KeyPath = problem["loc"]
        words = in_words(problem, keys_at(model, at[:-1]))
        yield file.fault(at, f"{'.'.join(map(str, at))}: {words}" if at else words)
