"""The untuned base encoder where no model brought one along: similar tickets and studies need nothing else.

    fingerprint = ready(encoders, base_model)               # None: it has to be prepared, or its files were changed
    fingerprint = await prepare(encoders, base_model)       # exports it in a child process, which takes seconds
    Encoder.load(encoders / fingerprint)

`<encoders>/base.json` names it, with the hash of each file. Its folder is the one that models share.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.fitting import child
from agent.fitting.job import Job, Recipe
from agent.serving.artefact import ENCODER_FILES, SHA256, file_sha256

RECORD = "base.json"


class Base(BaseModel):
    """The record of a prepared encoder; `encoder` is the name of its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_model: str
    encoder: str = Field(pattern=f"^{SHA256}$")
    files: dict[str, str]


def ready(encoders: Path, base_model: str) -> str | None:
    """Return the fingerprint of the prepared encoder; None where there is none, or a file is not what was written."""
    base = _recorded(encoders)
    if base is None or base.base_model != base_model:
        return None
    return base.encoder if _hashes(encoders / base.encoder) == base.files else None


async def prepare(encoders: Path, base_model: str) -> str:
    """Export the encoder in a child process, record it, and return its fingerprint.

    Raises FitFailed, NotPossibleYet where the training packages are missing, and OSError.
    """
    known = _recorded(encoders)
    if known is not None and known.base_model == base_model:  # its files were changed: exported again, not kept
        shutil.rmtree(encoders / known.encoder, ignore_errors=True)
    job = Job((), (), Recipe(base_model=base_model), encoders)
    result = await child.run(job, encoders)
    result.discard()
    record(encoders, base_model, result.encoder)
    return result.encoder


def record(encoders: Path, base_model: str, encoder: str) -> None:
    """Record an encoder as the one of this base model, with the hash of each file as it is now."""
    base = Base(base_model=base_model, encoder=encoder, files=_hashes(encoders / encoder) or {})
    unfinished = encoders / f".{RECORD}.{os.getpid()}"
    unfinished.write_text(base.model_dump_json(indent=1), "utf-8")
    unfinished.replace(encoders / RECORD)


def _recorded(encoders: Path) -> Base | None:
    try:
        return Base.model_validate_json((encoders / RECORD).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _hashes(folder: Path) -> dict[str, str] | None:
    try:
        return {name: file_sha256(folder / name) for name in ENCODER_FILES}
    except FileNotFoundError:
        return None
