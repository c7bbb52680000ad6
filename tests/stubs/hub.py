"""A Hugging Face hub that knows its accounts by their tokens, and takes repositories of small files.

As documented: https://huggingface.co/docs/hub/api (`whoami-v2`, `repos/create`, `preupload`, `commit`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.stubs.server import Asked, Reply, serving

STEP = re.compile(r"/api/models/(?P<repository>[^/]+/[^/]+)/(?P<step>preupload|commit)/main")


@dataclass
class Hub:
    """Accounts by token, files by repository and path. `faults` are answered first, one per request."""

    url: str = ""
    accounts: dict[str, str] = field(default_factory=dict)
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    faults: list[Reply] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if self.faults:
            return self.faults.pop(0)
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        self.shown.append(token)
        if token not in self.accounts:
            return Reply(401, {"error": "Invalid credentials in Authorization header"})
        name = self.accounts[token]
        if asked.path == "/api/whoami-v2":
            kind = {"type": "access_token", "accessToken": {"displayName": "rolecall", "role": "write"}}
            return Reply(200, {"type": "user", "name": name, "orgs": [], "auth": kind})
        if asked.path == "/api/validate-yaml":
            return Reply(200, {"errors": [], "warnings": []})
        if asked.path == "/api/repos/create":
            return self._create(name, json.loads(asked.body))
        if step := STEP.fullmatch(asked.path):
            return self._upload(step["repository"], step["step"], name, asked.body)
        return Reply(404, {"error": "Not Found"})

    def _create(self, account: str, given: dict[str, str]) -> Reply:
        repository = f"{given.get('organization') or account}/{given['name']}"
        if not repository.startswith(f"{account}/"):
            return Reply(403, {"error": "You don't have the rights to create a model under this namespace"})
        status = 409 if repository in self.repositories else 200
        self.repositories.setdefault(repository, {})
        return Reply(status, {"url": f"{self.url}/{repository}", "name": repository, "id": repository})

    def _upload(self, repository: str, step: str, account: str, body: bytes) -> Reply:
        if repository not in self.repositories:
            return Reply(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        if not repository.startswith(f"{account}/"):
            return Reply(403, {"error": "Forbidden"})
        if step == "preupload":
            files = [
                {"path": each["path"], "uploadMode": "regular", "shouldIgnore": False}
                for each in json.loads(body)["files"]
            ]
            return Reply(200, {"files": files})
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.repositories[repository][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        commit = "0123456789abcdef0123456789abcdef01234567"
        return Reply(
            200, {"success": True, "commitOid": commit, "commitUrl": f"{self.url}/{repository}/commit/{commit}"}
        )


@contextmanager
def hub() -> Iterator[Hub]:
    """Serve one for as long as the block lasts."""
    stub = Hub()
    with serving(stub.answer) as stub.url:
        yield stub
