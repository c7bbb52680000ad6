"""Change one of the operator's files for a person on the pages, all of it or nothing; the one before is kept beside it.

The files stay the truth. Where one cannot be written, or several servers each have their own, nothing is written and
the person is shown the lines instead.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.errors import BadInput

WRITABLE = 0o222


class Kept(StrEnum):
    """Why a file is left as it is."""

    SEVERAL = "several_servers"
    """Several servers share one database, and each has files of its own."""
    READ_ONLY = "read_only"


@dataclass(frozen=True, slots=True)
class Edited:
    """A file as a person sees it: `seen` is a digest, `kept` why it cannot be changed, `before` the former content."""

    path: Path
    seen: str
    kept: Kept | None
    before: bytes | None

    @property
    def name(self) -> str:
        """Its name, as pages say it."""
        return self.path.name


def look(path: Path, several: bool) -> Edited:
    """Return a file as it is now. Raises OSError where it cannot be read."""
    content = path.read_bytes()
    seen = _digest(content)
    before = _before(path, seen)
    kept = Kept.SEVERAL if several else None if _writable(path) else Kept.READ_ONLY
    return Edited(path, seen, kept, before.read_bytes() if before.is_file() else None)


def change(file: Edited, content: bytes, check: Callable[[Path], object]) -> None:
    """Put new content in the place of what was seen, and keep that beside it; `check` reads the new file first.

    Raises BadInput where the file cannot be changed or was changed meanwhile, and what `check` raises; then nothing is
    changed.
    """
    path = file.path.resolve()
    former = path.read_bytes()
    if file.kept is not None or _digest(former) != file.seen:
        raise BadInput(f"{file.name} has changed since it was shown, or cannot be written: look at it again")
    new, before = path.with_name(f".{path.name}.new"), _before(path, _digest(content))
    try:
        _write(new, content, path)
        check(new)
        for older in path.parent.glob(f".{path.name}.before-*"):
            older.unlink()
        _write(before, former, path)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def with_rule(content: bytes, lines: str, remark: str) -> bytes:
    """Return the file with these lines at its end, below a remark, in its own line ends."""
    end = b"\r\n" if b"\r\n" in content else b"\n"
    gap = b"" if not content.strip() else end if content.endswith(b"\n") else end * 2
    told = " ".join(remark.split())
    added = f"# {told}\n{lines.strip()}\n".replace("\n", end.decode())
    return content + gap + added.encode("utf-8")


def _before(path: Path, digest: str) -> Path:
    """Return where the content is kept that the one with this digest has replaced: no edit by hand is ever undone."""
    path = path.resolve()
    return path.with_name(f".{path.name}.before-{digest[:16]}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _writable(path: Path) -> bool:
    """Return whether a file can be replaced; one that nobody may write is left alone by the system's owner, too."""
    path = path.resolve()
    return bool(path.stat().st_mode & WRITABLE) and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _write(path: Path, content: bytes, like: Path) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(like.stat().st_mode & 0o777)
