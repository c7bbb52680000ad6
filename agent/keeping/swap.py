"""Put a restored installation in the place of another, and keep that: a list of renames, repeatable after a crash.

The list is on the disk before the first rename, and removed after the last one. What was there goes into a folder
`.before-restore-TIME` beside it; a data directory may be a mount point, so it cannot be renamed itself.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.data_directory import RESTORING as JOURNAL
from agent.serving.artefact import sync

STAGING = ".restoring"
BEFORE = ".before-restore-"

PARTS = ".parts.json"
"""In a folder of what was put aside: all that was replaced, whether or not there was anything before."""


@dataclass(frozen=True, slots=True)
class Swap:
    """One folder in which the entries `parts` of `staging` replace those that are there, which go to `before`."""

    folder: Path
    staging: Path
    parts: tuple[str, ...]
    before: Path

    def moves(self) -> list[tuple[Path, Path]]:
        """Return the renames: first aside, then into place."""
        aside = [(self.folder / part, self.before / part) for part in self.parts if (self.folder / part).exists()]
        placed = [(self.staging / part, self.folder / part) for part in self.parts if (self.staging / part).exists()]
        return [*aside, *placed]


def before_of(folder: Path, now: datetime) -> Path:
    """Return where a folder's entries are put aside by a restore that begins now."""
    return folder / f"{BEFORE}{now:%Y%m%dT%H%M%SZ}"


def swap(folder: Path, swaps: Sequence[Swap]) -> None:
    """Carry out the swaps, all of them even if the process dies midway. The journal lies in `folder`."""
    stated = [
        {
            "moves": [[str(source.absolute()), str(target.absolute())] for source, target in each.moves()],
            "staging": str(each.staging.absolute()),
            "before": str(each.before.absolute()),
            "parts": each.parts,
        }
        for each in swaps
    ]
    temporary = folder / f"{JOURNAL}.new"
    temporary.write_text(json.dumps(stated), "utf-8")
    sync(temporary)
    temporary.replace(folder / JOURNAL)
    sync(folder)
    finish(folder)


def finish(folder: Path) -> bool:
    """Carry out what is left of interrupted swaps, and return whether there was any."""
    journal = folder / JOURNAL
    if not journal.exists():
        return False
    for each in json.loads(journal.read_text("utf-8")):
        for source, target in ((Path(source), Path(target)) for source, target in each["moves"]):
            if source.exists() and not target.exists():  # else it was done before the crash
                target.parent.mkdir(mode=0o700, exist_ok=True)
                source.rename(target)
                sync(target.parent)
        before = Path(each["before"])
        if before.is_dir():
            (before / PARTS).write_text(json.dumps(each["parts"]), "utf-8")
        shutil.rmtree(each["staging"], ignore_errors=True)
    journal.unlink()
    sync(folder)
    return True


def set_aside(folder: Path) -> list[Path]:
    """Return what earlier restores put aside, oldest first."""
    return sorted(path for path in folder.glob(f"{BEFORE}*") if path.is_dir())


def copies(folder: Path) -> list[Path]:
    """Return all folders in which restores left something: what they put aside, and what a killed one had laid out."""
    return [*set_aside(folder), *folder.glob(f"{STAGING}-*")]


def undoing(folder: Path, now: datetime) -> Swap | None:
    """Return the swap that takes the last restore back, None where it put nothing aside."""
    there = [path for path in set_aside(folder) if (path / PARTS).is_file()]
    if not there:
        return None
    parts = tuple(json.loads((there[-1] / PARTS).read_text("utf-8")))
    return Swap(folder, there[-1], parts, before_of(folder, now))
