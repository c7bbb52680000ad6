"""Long answers, sent piece by piece: an answer of many megabytes neither fills the memory nor holds up webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response, StreamingResponse

PIECE_BYTES = 32_768
"""What is encoded at a time; between two pieces others have their turn. An answer of one piece is sent whole."""

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions for n texts. `probabilities`: [n, labels]; `suggestions`: what a ticket would get, None elsewhere."""

    texts: Sequence[str]
    version: str
    labels: Sequence[str]
    probabilities: NDArray[np.floating]
    suggestions: Sequence[str | None]
    multi_label: bool
    all_scores: bool

    key = "predictions"

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a prediction for each text, in order."""
        best = self.probabilities.argmax(axis=1) if len(self.texts) else ()
        for text, row, column, suggestion in zip(self.texts, self.probabilities, best, self.suggestions, strict=True):
            label, score = self.labels[int(column)], float(row[column])
            likely = [self.labels[each] for each in np.flatnonzero(row >= 0.5).tolist()] if self.multi_label else None
            scores = dict(zip(self.labels, row.tolist(), strict=True)) if self.all_scores else None
            yield {
                "text": text, "label": label, "score": score, "labels": likely, "scores": scores,
                "suggestion": suggestion,
            }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Embeddings of n texts: float32[n, dimensions]."""

    vectors: NDArray[np.float32]
    version: str

    key = "embeddings"

    def rows(self) -> Iterator[list[float]]:
        """Yield an embedding for each text, in order."""
        return (row.tolist() for row in self.vectors)


def sent(answer: Predictions | Embeddings, writing: asyncio.Lock) -> Response:
    """Return the response with an answer, in pieces where it is long; of all who hold `writing`, one at a time."""
    pieces = encoded(answer)
    first, second = next(pieces), next(pieces, None)
    if second is None:
        return Response(first, media_type=JSON)
    return StreamingResponse(_in_turn(first, second, pieces, writing), media_type=JSON)


def encoded(answer: Predictions | Embeddings) -> Iterator[bytes]:
    """Yield the answer as JSON, in pieces."""
    piece = bytearray(f'{{"{answer.key}":['.encode())
    for index, row in enumerate(answer.rows()):
        if index:
            piece += b","
        piece += msgspec.json.encode(row)
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    piece += b'],"model_version":' + msgspec.json.encode(answer.version) + b"}"
    yield bytes(piece)


async def _in_turn(first: bytes, second: bytes, others: Iterator[bytes], writing: asyncio.Lock) -> AsyncIterator[bytes]:
    yield first
    piece: bytes | None = second
    while piece is not None:
        yield piece
        async with writing:
            piece = next(others, None)
            await asyncio.sleep(0)  # webhooks come between any two pieces, however many answers are written
