"""No path is built from what strangers send: a name that is no name never reaches the disk."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from agent.app import Parts
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio

KEY = "a key of sixteen or more characters"
TRACE = "walrus"
NAMES = (
    *(f"../{TRACE}", f"..%2f{TRACE}", f"/tmp/{TRACE}", f"a/../../{TRACE}", f"..\\{TRACE}", f"{TRACE}/..", f".{TRACE}"),
    *(
        f"{TRACE}\0",
        f"~{TRACE}",
        f"{TRACE} ",
        f"file://{TRACE}",
        f"-{TRACE}",
        TRACE * 100,
        f"{TRACE}\n",
        f"${{{TRACE}}}",
    ),
)
_touched: list[tuple[str, Any]] = []
_watching: list[bool] = []


def _audit(event: str, values: tuple[Any, ...]) -> None:
    if _watching and event.partition(".")[0] in ("open", "os", "shutil", "pathlib") and TRACE in repr(values):
        _touched.append((event, values))


@contextmanager
def watched() -> Iterator[list[tuple[str, Any]]]:
    """Note every touch of the disk whose path has the trace in it; a hook cannot be taken out again, so it sleeps."""
    if not hasattr(sys, "_watched_by_tests"):
        sys._watched_by_tests = True  # type: ignore[attr-defined]
        sys.addaudithook(_audit)
    _touched.clear()
    _watching.append(True)
    try:
        yield _touched
    finally:
        _watching.clear()


async def test_names_that_are_none_never_reach_the_disk(parts_for: Callable[..., Parts], desk: Desk) -> None:
    parts = parts_for(api={"key": KEY})
    answers = []
    async with running(parts, desk) as server:
        with watched() as touched:
            for name in NAMES:
                part = quote(name, safe="")
                paths = [f"/v1/models/{part}", f"/v1/models/{part}/versions", f"/v1/models/m/versions/{part}"]
                paths += [f"/v1/jobs/{part}", f"/v1/aliases/{part}", f"/static-offline-docs/{part}"]
                asked = [("GET", path, None) for path in paths] + [("DELETE", path, None) for path in paths[:1]]
                asked += [("POST", f"/hooks/{part}/{part}", None), ("PUT", f"/v1/aliases/{part}", {"model_name": name})]
                asked += [
                    ("POST", f"/v1/{what}", {"model_name": name, "texts": ["x"]}) for what in ("predict", "embeddings")
                ]
                training = {"model_name": name, "base_model": name, "examples": [{"text": "a", "label": name}] * 8}
                asked += [("POST", "/v1/train", training)]
                for method, path, body in asked:
                    answer = await server.client.request(method, path, json=body, headers={"X-API-Key": KEY})
                    answers.append((method, path, answer.status_code))
            inside = [values for _, values in touched if "fastapi_offline" not in str(values[0])]
    assert [told for told in answers if not 400 <= told[2] < 500] == []
    assert inside == []


def test_the_watch_sees_a_path_that_is_built_from_a_name(tmp_path: Path) -> None:
    """The control."""
    with watched() as touched:
        (tmp_path / f"{TRACE}.json").write_text("{}")
    assert [event for event, _ in touched] == ["open"]
