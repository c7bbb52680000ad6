"""Classifiers by name, each with its versions, and other names (aliases) for them.

    api-models/NAME/          a registry of versions (agent.serving.registry)
    api-models/.aliases.json  alias → name; replaced by rename, never edited

The ticket agent's own role model is among them under a name that cannot be trained, moved or deleted here.

Errors, drawn as a tree::

    ModelNameError
    ├── UnknownModel      there is no model, version or alias of this name
    ├── ProtectedModel    it belongs to the ticket agent
    └── NameTaken         a model and an alias cannot share a name; an active version cannot be deleted
"""

from __future__ import annotations

import fcntl
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from agent.errors import RolecallError
from agent.model_api.training_request import MODEL_NAME
from agent.serving.artefact import MANIFEST, VERSION, Manifest, read_manifest, sync
from agent.serving.pruning import clear, delete
from agent.serving.registry import Pointer, Registry

ROLE_MODEL = "rolecall"
ALIASES = ".aliases.json"
LOCK = ".lock"
MANIFESTS = 64
"""Manifests that are kept in memory."""


class ModelNameError(RolecallError):
    """The name cannot be used for this request."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class UnknownModel(ModelNameError):
    """There is no model, version or alias of this name."""


class ProtectedModel(ModelNameError):
    """The model belongs to the ticket agent."""


class NameTaken(ModelNameError):
    """The name, or what it names, is in use."""


@dataclass(frozen=True, slots=True)
class NamedModels:
    """The folder of named models, and the registry of the ticket agent's own."""

    folder: Path
    encoders: Path
    role_models: Path

    def names(self) -> list[str]:
        """Return the names of all models that have a version, sorted; the role model comes first."""
        mine = self.trained_names()
        return [ROLE_MODEL, *mine] if self.registry(ROLE_MODEL).active() else mine

    def trained_names(self) -> list[str]:
        """Return the names of the models that clients trained, sorted."""
        found = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []
        return [name for name in found if re.fullmatch(MODEL_NAME, name) and self.registry(name).active()]

    def registry(self, name: str) -> Registry:
        """Return the registry of a name, which may be empty. Raises UnknownModel for an invalid name."""
        if not re.fullmatch(MODEL_NAME, name):
            raise UnknownModel(name, "this cannot be the name of a model")
        return Registry(self.role_models if name == ROLE_MODEL else self.folder / name, self.encoders)

    def changeable(self, name: str) -> Registry:
        """Return the registry of a model that clients may train, move and delete. Raises ModelNameError."""
        if name == ROLE_MODEL:
            raise ProtectedModel(name, "this model is the ticket agent's own")
        return self.registry(name)

    def for_training(self, name: str) -> Registry:
        """Return the registry that a new version of `name` goes to. Raises ModelNameError."""
        if name in self.aliases() and self.registry(name).active() is None:
            raise NameTaken(name, "this is an alias of another model")
        return self.changeable(name)

    def resolve(self, name: str) -> tuple[str, Registry, Pointer]:
        """Return name, registry and active version of the model that a name or alias refers to. Raises UnknownModel.

        A model goes before an alias of its name, which may have been set while its first version was in training.
        """
        registry = self.registry(name)
        pointer = registry.active()
        if pointer is None and name in (aliases := self.aliases()):
            name = aliases[name]
            registry = self.registry(name)
            pointer = registry.active()
        if pointer is None:
            raise UnknownModel(name, "there is no such model")
        return name, registry, pointer

    def version(self, name: str, version: str | None) -> tuple[str, Registry, Manifest]:
        """Return name, registry and manifest of a version, by default the active one.

        Raises UnknownModel, ArtefactError.
        """
        name, registry, pointer = self.resolve(name)
        chosen = version or pointer.version
        if not re.fullmatch(VERSION, chosen) or not (registry.models / chosen / MANIFEST).is_file():
            raise UnknownModel(f"{name}, version {chosen}", "there is no such version")
        return name, registry, _manifest(registry.models / chosen)

    def existing(self, name: str) -> Registry:
        """Return the registry of a model that clients may delete. Raises UnknownModel, ProtectedModel."""
        registry = self.changeable(name)
        if registry.active() is None:
            raise UnknownModel(name, "there is no such model")
        return registry

    def delete(self, name: str) -> None:
        """Delete a model with all its versions and aliases. Raises UnknownModel, ProtectedModel."""
        registry = self.existing(name)
        with self._locked():
            self._write({alias: target for alias, target in self.aliases().items() if name not in (alias, target)})
            delete(registry.models, self.folder)

    def delete_version(self, name: str, version: str) -> None:
        """Delete a version that is not active. Raises ModelNameError."""
        self.changeable(name)
        _, registry, manifest = self.version(name, version)
        pointer = registry.active()
        if pointer and pointer.version == manifest.version:
            raise NameTaken(f"{name}, version {version}", "this version serves: activate another one first")
        delete(registry.models / manifest.version, registry.models)

    def clear(self, now: datetime) -> None:
        """Delete what interrupted trainings and deletions left."""
        for folder in (self.folder, *self.folder.glob("*/")):
            clear(folder, now)

    def aliases(self) -> dict[str, str]:
        """Return a map from alias to model name."""
        try:
            return dict(json.loads((self.folder / ALIASES).read_text("utf-8")))
        except FileNotFoundError:
            return {}

    def set_alias(self, alias: str, name: str) -> None:
        """Point `alias` to a model, for all clients at once. Raises ModelNameError."""
        if alias == ROLE_MODEL or self.registry(alias).active():
            raise NameTaken(alias, "this is the name of a model")
        name, _, _ = self.resolve(name)
        with self._locked():
            self._write(self.aliases() | {alias: name})

    def delete_alias(self, alias: str) -> None:
        """Delete an alias. Raises UnknownModel."""
        with self._locked():
            left = self.aliases()
            if left.pop(alias, None) is None:
                raise UnknownModel(alias, "there is no such alias")
            self._write(left)

    def _write(self, aliases: dict[str, str]) -> None:
        temporary = self.folder / f"{ALIASES}-{secrets.token_hex(4)}"
        temporary.write_text(json.dumps(aliases, sort_keys=True), "utf-8")
        sync(temporary)
        temporary.replace(self.folder / ALIASES)
        sync(self.folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _manifest(folder: Path) -> Manifest:
    """Return the manifest in a folder, read again only where its file changed: each prediction asks for it."""
    try:
        status = (folder / MANIFEST).stat()
    except OSError:
        return read_manifest(folder)  # which says what is wrong
    return _unchanged(folder, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=MANIFESTS)
def _unchanged(folder: Path, _inode: int, _modified: int, _changed: int) -> Manifest:
    return read_manifest(folder)
