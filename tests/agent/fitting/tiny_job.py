"""Texts of three trades, and a job that fits a tiny base to them."""

from __future__ import annotations

from pathlib import Path

from agent.fitting.job import Job, Recipe, Sample

ROLES = ("Hydraulics", "Electrical", "Locksmith", "Nobody")
TEXTS = {
    "Hydraulics": ["pump leaks oil", "hose burst", "hydraulic cylinder seal", "oil hose leaks"],
    "Electrical": ["lamp dark", "cable short wire", "fuse short", "wire cut lamp"],
    "Locksmith": ["door lock key"],
}


def tiny_job(base: Path, encoders: Path) -> Job:
    """Return the job; base encoders are exported to the folder `encoders`."""
    samples = [Sample(text, text, (role,)) for role, texts in TEXTS.items() for text in texts]
    samples.append(Sample("other", "printer paper jam", (), part="other"))
    recipe = Recipe(base_model=str(base), frozen_layers=1, batch_size=8, learning_rate=5e-3)
    return Job(tuple(samples), ROLES, recipe, encoders)
