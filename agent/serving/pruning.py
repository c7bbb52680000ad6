"""Delete the versions that nobody needs any more, and what interrupted writes left: a version takes about 90 MB.

Kept are the version that serves, its predecessor, the best that ever served, and the newest.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from agent.serving.artefact import BUILDING, MANIFEST, VERSION, ArtefactError, read_manifest
from agent.serving.registry import Pointer, Registry

DELETED = ".deleted-"
"""The prefix of a version that is being deleted."""

ABANDONED = timedelta(hours=1)
"""The age from which what is being written or deleted no longer is: either takes seconds."""

log = structlog.get_logger()


def dispensable(accuracies: Mapping[str, float], served: Iterable[str], pointer: Pointer | None, keep: int) -> set[str]:
    """Return the versions to delete: all but the pointer's two, the best that ever served, and the `keep` newest.

    `accuracies` holds every version that there is, by its name, which sorts by time.
    """
    there = sorted(accuracies)
    best = max(accuracies.keys() & set(served), key=lambda version: (accuracies[version], version), default=None)
    needed = {best, *there[-keep:]} | ({pointer.version, pointer.predecessor} if pointer else set())
    return set(there) - needed


def prune(registry: Registry, keep: int) -> list[str]:
    """Delete the dispensable versions of a registry, and return their names, oldest first.

    Where the pointer is damaged, the history's last move stands in for it.
    """
    with registry.locked():
        folders = [file.parent for file in registry.models.glob(f"*/{MANIFEST}")]
        accuracies = {folder.name: _accuracy(folder) for folder in folders if re.fullmatch(VERSION, folder.name)}
        served = [move.version for move in registry.history()]
        doomed = sorted(dispensable(accuracies, served, registry.last_pointer(), keep))
        return [version for version in doomed if _deleted(registry.models / version)]


def learnt_from(registry: Registry, ticket_keys: Collection[str]) -> list[str]:
    """Return the versions that learnt from any of these tickets, and those that do not say from which, oldest first."""
    folders = sorted(file.parent for file in registry.models.glob(f"*/{MANIFEST}"))
    return [folder.name for folder in folders if re.fullmatch(VERSION, folder.name) and _knows(folder, ticket_keys)]


def remove(registry: Registry, versions: Collection[str], why: str) -> None:
    """Delete versions, of which none serves afterwards. Raises OSError where one cannot be deleted."""
    registry.withdraw(versions, why)
    with registry.locked():
        for version in versions:
            if (registry.models / version).is_dir():
                delete(registry.models / version, registry.models)
        for left_behind in registry.models.glob(f"{DELETED}*"):
            shutil.rmtree(left_behind)


def _knows(folder: Path, ticket_keys: Collection[str]) -> bool:
    try:
        parts = read_manifest(folder).tickets
    except ArtefactError:
        return True
    return any(not set(keys).isdisjoint(ticket_keys) for keys in parts.values())


def delete(folder: Path, parent: Path) -> None:
    """Delete a folder, renamed out of all listings first, so that an interrupted deletion leaves no half version."""
    hidden = folder.rename(parent / f"{DELETED}{folder.name}-{secrets.token_hex(4)}")
    shutil.rmtree(hidden, ignore_errors=True)


def clear(models: Path, now: datetime) -> None:
    """Delete what interrupted writes and deletions left in the folder, and have not touched for an hour."""
    for left_behind in (*models.glob(f"{BUILDING}*"), *models.glob(f"{DELETED}*")):
        if left_behind.stat().st_mtime < (now - ABANDONED).timestamp():
            shutil.rmtree(left_behind, ignore_errors=True)


def _deleted(version: Path) -> bool:
    try:
        delete(version, version.parent)
    except OSError as error:  # such as a folder of another owner: no reason to lose the training that made room
        log.warning("version_not_deleted", version=version.name, error=error.strerror)
        return False
    return True


@contextmanager
def tidied(registry: Registry, scratch: Path, keep: int, now: datetime) -> Iterator[None]:
    """Clear what earlier trainings left before the one in the block, and prune after it, however it ends.

    `scratch` is the folder that trainings work in: it is emptied, so no other may be under way.
    """
    clear(registry.models, now)
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        yield
    finally:
        prune(registry, keep)


def _accuracy(folder: Path) -> float:
    try:
        return float(read_manifest(folder).metrics.get("accuracy", 0.0))
    except (ArtefactError, TypeError, ValueError):
        return 0.0
