"""Rename a connector in the manifests of models.

A manifest names the tickets that its version has seen. With outdated keys the version would be judged on tickets that
it was trained on.
"""

from __future__ import annotations

import json
from pathlib import Path

from agent.domain import in_renamed_source
from agent.serving.artefact import MANIFEST, sync


def renamed(manifest: bytes, old: str, new: str) -> bytes:
    """Return a manifest whose tickets of the connector `old` are those of `new`."""
    told = json.loads(manifest)
    parts = told.get("tickets", {})
    told["tickets"] = {part: [in_renamed_source(key, old, new) for key in keys] for part, keys in parts.items()}
    return json.dumps(told, indent=1).encode()


def rename_in_models(models: Path, old: str, new: str) -> int:
    """Rename a connector in the manifest of every version in the folder; return how many named its tickets."""
    changed = 0
    for file in sorted(models.glob(f"*/{MANIFEST}")):
        before = file.read_bytes()
        if json.loads(after := renamed(before, old, new)) == json.loads(before):
            continue
        fresh = file.with_name(f".{MANIFEST}.new")
        fresh.write_bytes(after)
        sync(fresh)
        fresh.replace(file)
        sync(file.parent)
        changed += 1
    return changed
