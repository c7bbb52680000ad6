"""The role model: an encoder that ONNX Runtime runs, a linear head and a temperature.

An encoder folder holds two files: `tokenizer.json`, which carries its own truncation length and padding token, and
`body.onnx`, whose graph takes `input_ids` and `attention_mask` (int64[batch, tokens]) and returns `embedding`
(float32[batch, dim]), pooled and scaled to length one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from agent.serving.artefact import BODY, TOKENIZER, Artefact, CorruptArtefact, Head, Manifest, read
from agent.serving.heads import probabilities_of
from agent.serving.large_pages import large_pages

TEMPERATURE = "temperature"

TEXTS_PER_TURN = 64
"""Texts that are tokenised at a time: the tokenizer keeps a hundred bytes for each token of them."""

CHARACTERS_PER_TOKEN = 32
TEXTS_PER_BATCH = 32
TOKENS_PER_BATCH = 512  # what lies between two layers then stays near the processor: 6 kB for each token
PADDING_PER_BATCH = 8
"""Tokens whose work costs as much as one batch more: that one takes all weights through the processor again."""

Embeddings: TypeAlias = NDArray[np.float32]
"""float32[texts, dim], every row of length one."""


@dataclass(frozen=True, slots=True)
class RoleModel:
    """A loaded model. Immutable: a new one replaces it, requests under way keep the one that they started with."""

    artefact: Artefact
    encoder: Encoder

    @property
    def manifest(self) -> Manifest:
        """The model's description."""
        return self.artefact.manifest

    @property
    def version(self) -> str:
        """The name of the model folder."""
        return self.manifest.version

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles, in the order of the columns."""
        return self.manifest.roles

    @property
    def head(self) -> Head:
        """The linear classifier."""
        return self.artefact.head

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return float32[n, dim], rows of length one."""
        return self.encoder.embed(texts)

    def logits(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """Return the head's scores, not calibrated: float32[n, roles]."""
        return embeddings @ self.head.weights.T + self.head.bias

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return calibrated probabilities: float32[n, roles]."""
        return self.probabilities_of(self.embed(texts))

    def probabilities_of(self, embeddings: Embeddings) -> NDArray[np.float32]:
        """Return calibrated probabilities for texts that are already embedded: float32[n, roles]."""
        temperature = self.artefact.calibration.get(TEMPERATURE)
        return probabilities_of(
            self.logits(embeddings),
            multi_label=self.manifest.multi_label,
            temperature=1.0 if temperature is None else float(temperature.reshape(-1)[0]),
        )


def load(folder: Path, encoders: Path, *, threads: int = 1) -> RoleModel:
    """Load a model folder; `encoders` is where shared base encoders lie. Raises ArtefactError."""
    artefact = read(folder, encoders)
    try:
        encoder = Encoder.load(artefact.encoder, threads=threads, lasting=True)
    except Exception as error:
        said = str(error).replace(f"{artefact.encoder}{os.sep}", "")  # no path: `/readyz` shows it to everybody
        raise CorruptArtefact(folder, f"{BODY} or tokenizer cannot be loaded: {said}") from error
    if encoder.dim != artefact.head.weights.shape[1]:
        reason = f"the encoder gives {encoder.dim} numbers a text, the head takes {artefact.head.weights.shape[1]}"
        raise CorruptArtefact(folder, reason)
    temperature = artefact.calibration.get(TEMPERATURE)
    if temperature is not None and (temperature.size != 1 or temperature.reshape(-1)[0] <= 0):
        raise CorruptArtefact(folder, "the temperature must be one positive number")
    return RoleModel(artefact, encoder)


def return_freed_memory() -> None:
    """Give the system what the allocator keeps of a model that nobody uses any more (glibc only).

    Every thread that loads one has a heap of its own, and each would keep room for a graph and its tokenizer.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def beginning(text: str, tokens: int) -> str:
    """Return what a tokenizer can make its first `tokens` tokens of: so many words, and so many characters for each.

    It would read the whole text and throw the rest away, at a second of CPU for each megabyte.
    """
    if len(text) <= tokens:
        return text
    words = _words(tokens).match(text, 0, tokens * CHARACTERS_PER_TOKEN)
    return words[0] if words else ""


@cache
def _words(count: int) -> re.Pattern[str]:
    return re.compile(rf"(?:\s*\S+){{0,{count}}}")


def batches_by_length(
    lengths: Sequence[int], max_texts: int, max_tokens: int, max_padding: int | None = None
) -> Iterator[list[int]]:
    """Yield the indices of texts in batches of similar length, so that padding stays small.

    `lengths`: tokens of each text. A batch has at most `max_texts` texts and, padded, `max_tokens` tokens; a single
    text that is longer than that travels alone. A text for which the batch so far would be padded by more than
    `max_padding` tokens begins the next one.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        padding = (lengths[index] - lengths[batch[-1]]) * len(batch) if batch else 0
        full = len(batch) == max_texts or lengths[index] * (len(batch) + 1) > max_tokens
        if batch and (full or (max_padding is not None and padding > max_padding)):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Encoder:
    """A tokenizer and an ONNX graph. Safe to share between threads: both are read-only once loaded."""

    tokenizer: Tokenizer
    session: ort.InferenceSession
    pad_id: int
    dim: int

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1, body: Path | None = None, lasting: bool = False) -> Encoder:
        """Load an encoder folder; `body` names a graph that lies elsewhere (a base encoder that models share).

        `threads` are spent inside one batch. One is right for a server whose requests already run in parallel; more
        shorten a long import. A `lasting` encoder takes longer to load, and less time for each text on its own.

        Raises what the libraries raise on unreadable files: callers verify hashes first.
        """
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        padding = tokenizer.padding
        tokenizer.no_padding()  # batches are padded here, after sorting by length
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        # spinning threads would take the CPU from the web server between two batches
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = body or folder / BODY
        with large_pages(graph.stat().st_size) if lasting else contextlib.nullcontext():
            session = ort.InferenceSession(os.fspath(graph), options, providers=["CPUExecutionProvider"])
        dim = session.get_outputs()[0].shape[1]
        return cls(tokenizer, session, pad_id=padding["pad_id"] if padding else 0, dim=int(dim))

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return the embeddings of `texts`, in their order: float32[len(texts), dim]."""
        ids = [
            row for start in range(0, len(texts), TEXTS_PER_TURN) for row in self._ids(texts[start:][:TEXTS_PER_TURN])
        ]
        embeddings = np.empty((len(ids), self.dim), dtype=np.float32)
        lengths = [len(row) for row in ids]
        for batch in batches_by_length(lengths, TEXTS_PER_BATCH, TOKENS_PER_BATCH, PADDING_PER_BATCH):
            embeddings[batch] = self._run([ids[index] for index in batch])
        return embeddings

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        truncation = self.tokenizer.truncation
        shown = [beginning(text, truncation["max_length"]) for text in texts] if truncation else list(texts)
        return [encoding.ids for encoding in self.tokenizer.encode_batch(shown)]

    def _run(self, rows: Sequence[Sequence[int]]) -> Embeddings:
        width = max(1, max(map(len, rows)))
        input_ids = np.full((len(rows), width), self.pad_id, dtype=np.int64)
        attention_mask = np.zeros_like(input_ids)
        for row, tokens in enumerate(rows):
            input_ids[row, : len(tokens)] = tokens
            attention_mask[row, : len(tokens)] = 1
        feeds = {"input_ids": input_ids, "attention_mask": attention_mask}
        (embedding,) = self.session.run(["embedding"], feeds)
        return np.asarray(embedding, dtype=np.float32)
