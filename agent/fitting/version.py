"""A new version of a model from what a training process left behind: its manifest, and its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from agent.fitting.job import FitResult, Job
from agent.serving import artefact
from agent.serving.artefact import Arrays, Head, Manifest
from agent.serving.registry import Registry, new_version


def describe(
    job: Job,
    result: FitResult,
    registry: Registry,
    now: datetime,
    metrics: Mapping[str, Any],
    tickets: Mapping[str, Sequence[str]] | None = None,
) -> Manifest:
    """Return the manifest of a version made at `now`; `tickets` are the keys of the parts that it learnt from."""
    active = registry.active()
    return Manifest(
        version=new_version(now),
        created_at=now,
        roles=job.roles,
        multi_label=job.multi_label,
        trainer=job.recipe.trainer,
        base_model=job.recipe.base_model,
        encoder=result.encoder,
        tuned=result.tuned,
        seed=job.recipe.seed,
        parent=active.version if active else None,
        tickets={part: tuple(keys) for part, keys in (tickets or {}).items()},
        metrics=dict(metrics),
        recipe=asdict(job.recipe),
    )


def write(registry: Registry, manifest: Manifest, result: FitResult, head: Head, arrays: Arrays) -> None:
    """Write the version's folder, whole or not at all. Raises OSError when the disk refuses."""
    encoder = result.folder if result.tuned else registry.encoders / result.encoder
    artefact.write(registry.folder(manifest.version), manifest, head, arrays, encoder)
