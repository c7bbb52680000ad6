"""Batches by length, and embeddings that do not depend on who else is in the batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Encoding, Tokenizer

from agent.serving.artefact import BODY, TOKENIZER
from agent.serving.model import CHARACTERS_PER_TOKEN, Encoder, batches_by_length, beginning
from tests.shared import exported_encoders

pytestmark = pytest.mark.xdist_group("encoder")  # it takes a second to load


@given(
    st.lists(st.integers(1, 200), max_size=80), st.integers(1, 8), st.integers(1, 400), st.none() | st.integers(0, 20)
)
def test_every_text_is_in_exactly_one_batch_and_no_batch_is_too_big(
    lengths: list[int], max_texts: int, max_tokens: int, max_padding: int | None
) -> None:
    batches = list(batches_by_length(lengths, max_texts, max_tokens, max_padding))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= max_texts
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= max_tokens


@pytest.mark.parametrize(
    ("lengths", "batches"),
    [
        ([12, 4, 12, 4], [[1, 3], [0, 2]]),  # two rows padded by eight tokens each are more than eight
        ([5, 13], [[0, 1]]),  # one row by eight: a second batch would cost as much
        ([5, 14], [[0], [1]]),
        ([7, 8, 7, 9, 8], [[0, 2, 1, 4, 3]]),
    ],
)
def test_a_batch_ends_where_padding_would_cost_more_than_another_batch(
    lengths: list[int], batches: list[list[int]]
) -> None:
    assert list(batches_by_length(lengths, 32, 4096, 8)) == batches
    assert len(list(batches_by_length(lengths, 32, 4096))) == 1


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Return the packaged base encoder, which reads 64 tokens here."""
    (made,) = (file.parent for file in exported_encoders(tmp_path_factory).glob(f"*/{BODY}"))
    folder: Path = tmp_path_factory.mktemp("encoder")
    (folder / BODY).symlink_to(made / BODY)
    tokenizer = Tokenizer.from_file(str(made / TOKENIZER))
    tokenizer.enable_truncation(64)
    tokenizer.save(str(folder / TOKENIZER))
    return Encoder.load(folder)


def test_embeddings_have_length_one_and_keep_the_order_of_the_texts(encoder: Encoder) -> None:
    texts = ["the printer on the second floor is out of toner again", "wifi down", "bucket cylinder leaking oil"]
    together = encoder.embed(texts)
    assert together.shape == (3, 384)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    for row, text in zip(together, texts, strict=True):
        np.testing.assert_allclose(row, encoder.embed([text])[0], atol=1e-5)


def test_no_texts_give_no_embeddings(encoder: Encoder) -> None:
    assert encoder.embed([]).shape == (0, 384)


def test_an_empty_text_has_an_embedding(encoder: Encoder) -> None:
    assert np.isfinite(encoder.embed([""])).all()


def test_words_beyond_the_budget_change_nothing(encoder: Encoder) -> None:
    start = "leak " * 100
    np.testing.assert_array_equal(encoder.embed([start]), encoder.embed([start + "printer"]))


def test_tickets_about_the_same_thing_are_nearer(encoder: Encoder) -> None:
    oil, hose, badge = encoder.embed(
        ["oil leaks from the hydraulic hose", "hose burst, oil everywhere", "lost my badge"]
    )
    assert oil @ hose > oil @ badge + 0.2


class Watched:
    """A tokenizer that notes what it is shown."""

    def __init__(self, inner: Tokenizer) -> None:
        self.inner, self.truncation, self.shown = inner, inner.truncation, list[str]()

    def encode_batch(self, texts: list[str]) -> list[Encoding]:
        self.shown += texts
        return self.inner.encode_batch(texts)


@pytest.mark.parametrize("text", ["leak " * 20_000, "x" * 100_000, "\n \t" * 30_000 + "leak", "\u6f0f\u6cb9" * 50_000])
def test_the_tokenizer_never_sees_more_of_a_text_than_it_can_use(encoder: Encoder, text: str) -> None:
    watched = Watched(encoder.tokenizer)
    replace(encoder, tokenizer=watched).embed([text] * 3)  # type: ignore[type-var]  # stands in for a tokenizer
    assert max(map(len, watched.shown)) <= 64 * CHARACTERS_PER_TOKEN


@given(st.text(st.sampled_from("ab \n.,-\u00e9\u6f0f\U0001f6e0"), min_size=65, max_size=1_500))
@settings(max_examples=50)
def test_what_is_cut_off_is_no_token_that_counts(encoder: Encoder, text: str) -> None:
    whole = encoder.tokenizer.encode(text).ids
    assert encoder.tokenizer.encode(beginning(text, 64)).ids == whole
