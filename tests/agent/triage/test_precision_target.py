"""Another precision target changes the next answer, without another training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from agent.core import Parts
from agent.domain import Example
from agent.serving import artefact
from agent.serving.model import RoleModel
from agent.serving.model import load as load_plain
from agent.serving.registry import Registry
from agent.store import tickets
from agent.triage.cutoffs import fit_cutoffs
from agent.triage.model import HONEST_ARRAY, LABELS_ARRAY, load, trained_on
from tests.invented_desk import history

pytestmark = pytest.mark.xdist_group("trained")

FIRST_RELEASE = "20260101T000000Z-first"
DAY = date(2026, 1, 5)


def clear(parts: Parts) -> set[str]:
    """Return the tickets that get a plain answer; what is remembered of them is hidden."""
    opinions = {
        row.id: parts.classifier.opinion(row.subject, row.body, DAY, hidden=f"desk:{row.id}") for row in history()
    }
    return {key for key, opinion in opinions.items() if getattr(opinion.verdict, "clear", False)}


def version_of(parts: Parts) -> str:
    """Return the version that serves."""
    assert parts.active.current is not None
    return parts.active.current.version


def fitted(model: RoleModel, target: float, **changes: object) -> dict[str, float]:
    arrays = model.artefact.calibration
    honest, labels = (np.asarray(arrays[name], dtype=float) for name in (HONEST_ARRAY, LABELS_ARRAY))
    return dict(fit_cutoffs(honest, labels, model.roles, target=target, **changes).by_role)


def test_a_lower_target_asserts_more_and_a_higher_one_less(trained: Parts, parts_for: Callable[..., Parts]) -> None:
    usual = clear(trained)
    bold, careful = (parts_for(triage={"precision_target": target, "silent_below": 0.1}) for target in (0.3, 0.999))
    versions = {parts.active.current.version for parts in (trained, bold, careful) if parts.active.current}
    assert len(versions) == 1
    assert clear(careful) <= usual < clear(bold)
    assert bold.active.current is not None
    assert bold.active.current.keeps(0.3)
    assert dict(bold.active.current.cutoffs.by_role) == fitted(bold.active.current, 0.3)


def test_a_model_of_the_first_release_asks_the_reviews_and_else_keeps_its_cutoffs(trained: Parts) -> None:
    version = version_of(trained)
    registry, catalogue = Registry(trained.directory.models, trained.directory.encoders), trained.classifier.catalogue
    new = artefact.read(registry.folder(version), registry.encoders)
    arrays = {name: array for name, array in new.calibration.items() if name != LABELS_ARRAY}
    manifest = new.manifest.model_copy(update={"version": FIRST_RELEASE})
    artefact.write(registry.folder(FIRST_RELEASE), manifest, new.head, arrays, new.encoder)

    def first(target: float, reviews: Callable[[], Sequence[Example]]):
        return load(registry.folder(FIRST_RELEASE), registry.encoders, catalogue, target=target, reviews=reviews)

    def reviewed() -> Sequence[Example]:
        return trained.database.call(tickets.reviewed, trained.classifier.catalogue)

    def unasked() -> Sequence[Example]:
        raise AssertionError("the target is the one that it was trained for")

    kept = load(registry.folder(version), registry.encoders, catalogue)
    assert first(0.9, unasked).cutoffs == kept.cutoffs
    assert dict(first(0.3, reviewed).cutoffs.by_role) == fitted(kept, 0.3)
    assert first(0.3, reviewed).keeps(0.3)
    assert first(0.3, list).cutoffs == kept.cutoffs
    assert not first(0.3, list).keeps(0.3)


def test_labels_lie_beside_the_honest_answers_in_their_order(trained: Parts) -> None:
    version = version_of(trained)
    folder: Path = trained.directory.models / (version)
    model = load_plain(folder, trained.directory.encoders)
    roles = {e.ticket_key: e.roles for e in trained.database.call(tickets.reviewed, trained.classifier.catalogue)}
    for key, row in zip(trained_on(model.manifest), model.artefact.calibration[LABELS_ARRAY], strict=True):
        assert tuple(role for role, has in zip(model.roles, row, strict=True) if has) == roles[key]
