"""Keep one model on all servers of a database: the server that moved its pointer publishes, the others take it over.

A version is published file by file and named only when all of it is there. It is taken over into a hidden folder, every
file is compared with its hash, and only then it gets its name and the pointer: no server sees half a model.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

import structlog
from sqlmodel import Session

from agent.data_directory import DataDirectory
from agent.serving.artefact import MANIFEST, ArtefactError, read, read_manifest
from agent.serving.pruning import dispensable, prune, remove
from agent.serving.registry import POINTER, Pointer, Registry
from agent.store import blobs, coordination
from agent.store.database import Database

AGREED = ".agreed"
INCOMING = ".incoming-"
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

log = structlog.get_logger()


class ModelSync:
    """Keeps the pointer of one data directory and that of the database the same; the one that moved last wins.

    A version that was refused here gives way to one that this server activates. Both keep the same versions: see
    agent.serving.pruning.
    """

    def __init__(self, database: Database, directory: DataDirectory, keep_versions: int) -> None:
        self._database = database
        self._directory = directory
        self._keep_versions = keep_versions
        self._refused: str | None = None
        for left_behind in directory.path.glob(f"{INCOMING}*"):  # by a server that died over it
            shutil.rmtree(left_behind, ignore_errors=True)

    def run(self) -> None:
        """Publish or take over, where either pointer moved. Call it off the event loop."""
        self._withdraw()
        here, there = self._read(POINTER), self._database.call(coordination.value, coordination.MODEL)
        agreed = self._read(AGREED)
        if here == there:
            if here is not None and here != agreed:
                self._agree(here)
        elif here is not None and (there == agreed or (there == self._refused and here != agreed)):
            self._publish(here)
            self._agree(here)
        elif there is not None and there != self._refused:
            self._take_over(there)

    def _withdraw(self) -> None:
        """Delete what no server may serve any more, and what was agreed on it."""
        gone = self._database.call(coordination.withdrawn)
        if mine := [version for version in gone if (self._directory.models / version).is_dir()]:
            remove(Registry(self._directory.models, self._directory.encoders), mine, "withdrawn from all servers")
        agreed = self._read(AGREED)
        if agreed is not None and Pointer.model_validate_json(agreed).version in gone:
            (self._directory.models / AGREED).unlink()

    def _read(self, name: str) -> str | None:
        try:
            return (self._directory.models / name).read_text("utf-8")
        except FileNotFoundError:
            return None

    def _agree(self, pointer: str) -> None:
        """Store the agreed pointer: after a restart it shows which side has moved since, server or database."""
        temporary = self._directory.models / f"{AGREED}.new"
        temporary.write_text(pointer, "utf-8")
        temporary.replace(self._directory.models / AGREED)

    def _publish(self, pointer: str) -> None:
        version = Pointer.model_validate_json(pointer).version
        folder = self._directory.models / version
        self._keep(f"encoders/{read_manifest(folder).encoder}", self._directory.path)
        self._keep(f"models/{version}", self._directory.path)
        self._database.call(coordination.put, coordination.MODEL, pointer)
        self._database.call(_prune, Pointer.model_validate_json(pointer), self._keep_versions)
        log.info("model_published", version=version)

    def _keep(self, folder: str, root: Path) -> None:
        known = set(self._database.call(blobs.names, folder))
        for file in sorted((root / folder).iterdir()):
            if file.is_file() and file.name not in known:
                self._database.call(blobs.keep, f"{folder}/{file.name}", file)

    def _take_over(self, pointer: str) -> None:
        version = Pointer.model_validate_json(pointer).version
        models, encoders = self._directory.models, self._directory.encoders
        for folder in (models, encoders):
            folder.mkdir(parents=True, exist_ok=True)
        incoming = Path(tempfile.mkdtemp(prefix=INCOMING, dir=self._directory.path))
        try:
            model = self._fetch(f"models/{version}", incoming)
            encoder = read_manifest(model).encoder
            read(model, self._fetch(f"encoders/{encoder}", incoming).parent)
            _place(incoming / "encoders" / encoder, encoders / encoder)
            _place(model, models / version)
            (incoming / POINTER).write_text(pointer, "utf-8")
            (incoming / POINTER).replace(models / POINTER)
        except ArtefactError as error:
            self._refused = pointer
            log.warning("model_refused", version=version, error=str(error))
            return
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        self._agree(pointer)
        log.info("model_taken_over", version=version)
        prune(Registry(models, encoders), self._keep_versions)

    def _fetch(self, folder: str, root: Path) -> Path:
        (root / folder).mkdir(parents=True)
        for name in self._database.call(blobs.names, folder):
            if _FILE.fullmatch(name):
                self._database.call(blobs.fetch, f"{folder}/{name}", root / folder / name)
        return root / folder


def _place(arrived: Path, target: Path) -> None:
    """Give a complete folder its name, unless it is there already."""
    if not target.exists():
        arrived.rename(target)


def _prune(session: Session, pointer: Pointer, keep: int) -> None:
    """Delete the versions that no server needs from the database, and the encoders that only these needed."""
    kinds = {name: {file.split("/")[0] for file in blobs.names(session, name)} for name in ("models", "encoders")}
    manifests = {v: blobs.content(session, f"models/{v}/{MANIFEST}") for v in kinds["models"]}
    about = {version: json.loads(raw) for version, raw in manifests.items() if raw}
    accuracies = {v: float(about.get(v, {}).get("metrics", {}).get("accuracy", 0.0)) for v in kinds["models"]}
    doomed = dispensable(accuracies, accuracies, pointer, keep)
    needed = {raw.get("encoder") for version, raw in about.items() if version not in doomed}
    for version in doomed:
        blobs.drop(session, f"models/{version}")
    for encoder in kinds["encoders"] - needed:
        blobs.drop(session, f"encoders/{encoder}")
