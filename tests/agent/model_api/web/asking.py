"""What tests of the model API ask for, and how they wait for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import httpx

from tests.patience import PATIENCE_SECONDS

KEY = "a key of the tests"
EXAMPLES = [
    {"text": text, "label": label}
    for label, texts in {
        "hydraulics": ["pump leaks oil", "hose burst", "hydraulic cylinder seal", "oil hose leaks", "pump seal"],
        "electrical": ["lamp dark", "cable short wire", "fuse short", "wire cut lamp", "dark cable"],
    }.items()
    for text in texts
]


def body(name: str = "intents", **changes: Any) -> dict[str, Any]:
    """Return a request to train that takes as little as it can, with changes."""
    return {"model_name": name, "examples": EXAMPLES, "trainer": "frozen"} | changes


def tree(folder: Path) -> list[Path]:
    """Return everything in a folder, to see that nothing was touched."""
    return sorted(folder.rglob("*"))


async def ended(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """Wait for the end of a job and return it."""
    with anyio.fail_after(PATIENCE_SECONDS):
        while True:
            job: dict[str, Any] = (await client.get(f"/v1/jobs/{job_id}")).json()
            if job["status"] in ("completed", "failed"):
                return job
            await anyio.sleep(0.05)


async def trained(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """Train a model and return its job, which has succeeded."""
    response = await client.post("/v1/train", json=body(**changes))
    assert response.status_code == 200, response.text
    job = await ended(client, response.json()["job_id"])
    assert job["status"] == "completed", job
    return job
