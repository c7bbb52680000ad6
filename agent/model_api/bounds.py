"""The limits of the model API: what one request may hold and ask for. README.md explains each, and a test compares.

They bound the work of a request, not only its bytes: 16 MB hold five million empty lists, or a thousand labels whose
scores for a thousand texts fill 30 MB.
"""

from __future__ import annotations

MAX_TEXTS = 1_024
"""Texts of one request to predict or embed."""

MAX_TEXT = 100_000
"""Characters of a text; only the first tokens of it are read."""

MAX_EXAMPLES = 20_000
"""Examples of one training."""

MAX_LABEL = 200
"""Characters of a label."""

MAX_LABELS = 1_000
"""Labels of a model."""

MAX_LABELS_PER_TEXT = 100
"""Labels of one example, for multi-label models."""

MAX_CELLS = 3_000_000
"""Examples of one training times its labels: what is computed to judge it has so many numbers, several times over."""

MAX_SCORES = 250_000
"""Texts of one request times the labels of its model, where the answer names every label."""

MAX_OPEN_CHARACTERS = 134_217_728
"""Of the requests of all open trainings: they are kept until the training ends."""

SMALL_BODY = 65_536
"""Bytes up to which a body is read and checked at once; larger ones take turns."""

LARGE_BODIES = 4
"""Larger bodies that are held at once."""

ANSWERS = 8
"""Predictions and embeddings that are computed or sent at once."""

TURN_SECONDS = 25.0
"""How long a request waits for its turn until it is refused with 429."""

MAX_FAULTS = 20
"""Faults that a refusal names."""

MAX_REASON = 300
"""Characters of a reason in a refusal."""
