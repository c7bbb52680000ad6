"""The data directory, which holds the state of an installation.

rolecall.sqlite3   inbox, tickets, ledger, reviews         installation.key   makes our comments' marks unforgeable
models/            versions and the ACTIVE pointer         encoders/          base encoders, shared by versions
api-models/        classifiers of the model API       api-key.sha256      of its key, where none is configured
serving.lock       held while a server runs                training.lock      held while a training runs
first-account.txt  a one-time link, where no terminal showed it
forgotten.jsonl    what was forgotten, as pseudonyms: it outlives the database, so that no backup brings it back
"""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from agent.errors import BadInput, DataDirectoryBusy, NotPossibleYet

KEY_BYTES = 32
OTHERS = stat.S_IRWXG | stat.S_IRWXO
RESTORING = ".restoring.json"
"""What a restore has yet to rename (agent.keeping.swap)."""

log = structlog.get_logger()


def has_temporary_folder() -> bool:
    """Return whether a folder for temporary files can be written to."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        return False
    return True


def give_to_owner_of(folder: Path, path: Path, *, recursive: bool = True) -> None:
    """Give what root has made to the owner of the folder; other users' files, and those with other names, stay theirs.

    Without this, a command that root runs leaves files that the server cannot read.
    """
    if os.geteuid() or not (owner := folder.stat()).st_uid:
        return
    for each in (path, *(path.rglob("*") if recursive and path.is_dir() and not path.is_symlink() else ())):
        status = each.lstat()
        if not status.st_uid and (stat.S_ISDIR(status.st_mode) or status.st_nlink == 1):
            os.chown(each, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:  # not there, or not ours to read
        return []


def _there(file: Path) -> bool:
    with suppress(OSError):  # in a folder that is not ours to read
        return file.exists()
    return False


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The paths in the data directory, the installation's key, and the lock of its server."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "rolecall.sqlite3"

    @property
    def key_file(self) -> Path:
        """The installation's secret."""
        return self.path / "installation.key"

    @property
    def models(self) -> Path:
        """Trained versions."""
        return self.path / "models"

    @property
    def api_models(self) -> Path:
        """Classifiers of the model API, by name."""
        return self.path / "api-models"

    @property
    def api_key(self) -> Path:
        """The hash of the model API's key that was made here."""
        return self.path / "api-key.sha256"

    @property
    def api_training(self) -> Path:
        """The working folder of the model API's training jobs."""
        return self.path / "api-training"

    @property
    def encoders(self) -> Path:
        """Base encoders."""
        return self.path / "encoders"

    @property
    def temporary(self) -> Path:
        """Temporary files, where the system has no other folder that this user may write to."""
        return self.path / "tmp"

    @property
    def training(self) -> Path:
        """The working folder of trainings."""
        return self.path / "training"

    @property
    def first_key(self) -> Path:
        """The model API's key that was made here, where no terminal could show it; whoever read it deletes it."""
        return self.path / "first-api-key.txt"

    @property
    def first_account(self) -> Path:
        """The one-time link for the first account, where no terminal could show it."""
        return self.path / "first-account.txt"

    @property
    def forgotten(self) -> Path:
        """The requests to forget that were carried out."""
        return self.path / "forgotten.jsonl"

    def create(self) -> None:
        """Create the directory, readable by its owner only, and make it do for temporary files if nothing else does.

        Raises BadInput where that fails.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not has_temporary_folder():
                self.temporary.mkdir(exist_ok=True, mode=0o700)
                os.environ["TMPDIR"] = str(self.temporary.resolve())  # children and SQLite look there, too
            interrupted = (self.path / RESTORING).exists()
            owner = self.path.stat().st_uid
        except OSError as error:
            raise BadInput(f"data directory {self.path}: {error.strerror}") from error
        if interrupted:
            raise NotPossibleYet(f"a restore into {self.path} was interrupted: `rolecall restore FILE` completes it")
        if owner and not os.geteuid():
            log.warning("running_as_root", data=str(self.path), owner=owner, files="are given to that user")
            atexit.register(give_to_owner_of, self.path, self.path)

    def found(self) -> None:
        """Raise NotPossibleYet unless an installation lies here: a slip in a name must not answer for an empty one."""
        if self.database.exists():
            return
        near = self.nearest()
        there = f"; there is one in {near}: name it with --data, or as setting data" if near else ""
        raise NotPossibleYet(
            f"there is no installation in {self.path}{'' if self.path.is_absolute() else f' ({self.path.resolve()})'}"
            f"{there}. "
            "`rolecall init` or `rolecall serve` begins one, `rolecall import` in a folder that is there"
        )

    def nearest(self) -> Path | None:
        """Return the installation around this place whose name is the most like it, None where there is none."""
        from difflib import SequenceMatcher

        here = self.path.absolute()
        around = [here.parent, *_folders(here.parent), *_folders(here)]
        likeness = {
            folder: SequenceMatcher(None, here.name, folder.name).ratio()
            for folder in around
            if _there(DataDirectory(folder).database)
        }
        return max(likeness, key=likeness.__getitem__, default=None)

    def tighten(self) -> None:
        """Make all that lies in the directory private: releases before this one left that to the umask."""
        for path in (self.path, *self.path.rglob("*")):
            with suppress(OSError):  # another user's, or gone meanwhile: `rolecall check` names what is left
                mode = path.lstat().st_mode
                if not stat.S_ISLNK(mode) and mode & OTHERS:
                    path.chmod(stat.S_IMODE(mode) & ~OTHERS)

    def key(self) -> bytes:
        """Return the installation's secret, made on first use."""
        file = self.key_file
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
                new.write(secrets.token_bytes(KEY_BYTES))
                new.flush()
                os.fsync(new.fileno())
        except FileExistsError:
            pass
        key = file.read_bytes()
        if len(key) != KEY_BYTES:
            raise BadInput(
                f"{file} is damaged: restore it from a backup, or our own comments cannot be recognised any more"
            )
        return key

    @contextmanager
    def serving(self) -> Iterator[Callable[[str], None]]:
        """Hold the lock that keeps a second server off this directory; yield what notes the server's address in it.

        Raises DataDirectoryBusy.
        """
        with self._lock.open("a", encoding="utf-8") as lock:  # not "w": the address there may be another server's
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataDirectoryBusy(f"another server runs on {self.path}") from None

            def note(address: str) -> None:
                lock.truncate(0)
                lock.write(address)
                lock.flush()

            note("")
            yield note
            note("")

    def served_at(self) -> str | None:
        """Return the address of the server that runs on this directory, or died there; None where none is known."""
        try:
            return self._lock.read_text("utf-8") or None
        except OSError:
            return None

    @property
    def _lock(self) -> Path:
        return self.path / "serving.lock"
