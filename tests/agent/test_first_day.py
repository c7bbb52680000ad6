"""A model that came from elsewhere, on a desk where nobody has reviewed anything yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from agent.app import Parts
from agent.serving.registry import Registry
from tests.agent.serving.conftest import Build, build

__all__ = ["build"]


def test_it_starts_and_answers_without_a_memory(parts_for: Callable[..., Parts], build: Build, tmp_path: Path) -> None:
    build("v1", roles=("Network", "Electrician", "Plumber"))
    data = tmp_path / "data"
    data.mkdir()
    for name in ("models", "encoders"):
        (tmp_path / name).rename(data / name)
    Registry(data / "models", data / "encoders").activate("v1", "brought along")
    opinion = parts_for().classifier.opinion("oil", "on the wire", date(2026, 1, 5))
    assert opinion.model_version == "v1"
    assert opinion.neighbours == ()
