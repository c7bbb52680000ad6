"""A client of the SetFit Docker API, written from its published README alone, with the standard library alone.

It knows nothing of Rolecall: names, types and defaults are the README's.
"""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class SetFitApi:
    """The six endpoints of the README."""

    url: str
    api_key: str | None = None

    def health(self) -> dict[str, Any]:
        return self._call("GET", "/health")

    def train(self, model_name: str, examples: list[dict[str, str]], **options: Any) -> dict[str, Any]:
        return self._call("POST", "/v1/train", {"model_name": model_name, "examples": examples, **options})

    def job(self, job_id: str) -> dict[str, Any]:
        return self._call("GET", f"/v1/jobs/{job_id}")

    def wait(self, job_id: str, seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while (job := self.job(job_id))["status"] in ("pending", "running"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"job {job_id} is {job['status']} after {seconds} s")
            time.sleep(POLL_SECONDS)
        return job

    def model(self, model_name: str) -> dict[str, Any]:
        return self._call("GET", f"/v1/models/{model_name}")

    def predict(self, model_name: str, texts: list[str]) -> list[dict[str, Any]]:
        return list(self._call("POST", "/v1/predict", {"model_name": model_name, "texts": texts})["predictions"])

    def embeddings(self, model_name: str, texts: list[str]) -> list[list[float]]:
        return list(self._call("POST", "/v1/embeddings", {"model_name": model_name, "texts": texts})["embeddings"])

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"X-API-Key": self.api_key} if self.api_key else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request) as response:
            assert response.status == 200
            answer: dict[str, Any] = json.load(response)
            return answer
