"""The API keeps what its OpenAPI document promises, whatever is sent to it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.client.served import KEY, start

EXAMPLES = 20  # for each operation and phase
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "unsupported_method",
)
"""All but one: of valid bodies some are refused, since no schema can say that examples need two different labels."""

CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 422, 429]
"""
"""413 is not among schemathesis' own."""


def hold(folder: Path, description: str, header: str, checks: Sequence[str], examples: int) -> None:
    """Send a server whatever its description allows and forbids, and check all of its answers."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    options = [
        f"--url={description.removesuffix('/openapi.json').removesuffix('/api')}",
        f"--header={header}",
        f"--checks={','.join(checks)}",
        f"--max-examples={examples}",
        "--seed=1",
    ]
    command = [Path(sys.executable).with_name("schemathesis"), "run", description]
    done = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    selected = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", done.stdout)
    assert selected is not None
    assert len(set(selected.groups())) == 1, "an operation was left out"


def test_no_request_leads_to_an_error_of_ours_or_to_an_undocumented_answer(tmp_path: Path) -> None:
    # jobs end as soon as they start: this is about answers, not about training
    limits = {"ROLECALL_API__JOB_TIMEOUT_SECONDS": "0.001", "ROLECALL_API__BASE_MODELS": f'["{tmp_path}"]'}
    server, url, _ = start(tmp_path / "data", API_KEY=KEY, **limits)
    with server:
        try:
            hold(tmp_path, f"{url}/openapi.json", f"X-API-Key: {KEY}", CHECKS, EXAMPLES)
        finally:
            server.terminate()
