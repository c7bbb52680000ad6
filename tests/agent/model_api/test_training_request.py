"""Labels of a request to train: the same name, however it was typed, is one label."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import BadInput
from agent.model_api.training_request import TrainingRequest, request_of


def request(*labels: Any) -> TrainingRequest:
    examples = [
        {"text": f"text {n}", "labels" if isinstance(label, list) else "label": label} for n, label in enumerate(labels)
    ]
    return request_of({"model_name": "m", "examples": examples})


def test_blanks_and_the_composition_of_letters_make_no_other_label() -> None:
    names = request(
        "billing", "billing ", "\tbilling\u00a0", "Qualität", "Qualita\u0308t", "two  words", "bil\u200bling"
    )
    assert names.label_names == ("Qualität", "billing", "two words")
    assert request(["a ", "a", "b"], ["b"]).examples[0].all_labels == ("a", "b")


@pytest.mark.parametrize("labels", [("a", " a"), ("a", " "), ("a", "\u200b"), ("a", "")])
def test_a_label_that_nobody_sees_is_none(labels: tuple[str, str]) -> None:
    with pytest.raises(BadInput):
        request(*labels)
