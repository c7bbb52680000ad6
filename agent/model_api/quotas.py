"""What the models of all clients may take together: how many there are, their room on the disk, and what waits."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from agent.config.settings import ApiSettings
from agent.errors import RolecallError
from agent.model_api.bounds import MAX_OPEN_CHARACTERS
from agent.model_api.named_models import NamedModels

MEGABYTE = 1_048_576


class OverQuota(RolecallError):
    """The installation keeps no more models."""


def check_quotas(
    models: NamedModels, settings: ApiSettings, name: str, waiting: Collection[str], characters: int
) -> None:
    """Raise OverQuota where no training of `name` may begin.

    `waiting` are the names that open trainings make; `characters` is how long all open requests are, with this one.
    """
    others = {*models.trained_names(), *waiting} - {name}
    if len(others) >= settings.max_models:
        raise OverQuota(f"there are {len(others)} models, as many as [api] max_models allows: delete one first")
    if characters > MAX_OPEN_CHARACTERS:
        raise OverQuota(f"the requests of open trainings have more than {MAX_OPEN_CHARACTERS} characters: wait for one")
    if (taken := bytes_below(models.folder)) > settings.max_disk_mb * MEGABYTE:
        raise OverQuota(
            f"the models take {taken // MEGABYTE} MB, more than [api] max_disk_mb allows ({settings.max_disk_mb}): "
            "delete models or versions first"
        )


def bytes_below(folder: Path) -> int:
    """Return the size of all files below a folder; one that is deleted meanwhile counts nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(place) / name).lstat().st_size
    return total
