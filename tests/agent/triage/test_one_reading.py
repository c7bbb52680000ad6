"""Rules, model, memory and the model API see what counts of a text, and nothing else; so does whatever judges them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from sqlmodel import select

from agent.core import Parts
from agent.domain import Strength
from agent.model_api.named_models import ROLE_MODEL, NamedModels
from agent.model_api.web.inference import EmbeddingsRequest, InferenceRoutes, PredictRequest
from agent.serving.loaded import LoadedModels
from agent.serving.model import Embeddings, Encoder
from agent.store import tickets
from agent.store.tables import Embedding, Review, Ticket
from agent.studies.timeline import dated_history
from agent.text.reading import CLEANER
from agent.triage import memory
from agent.triage.opinion import Opinion

TODAY = date(2026, 1, 5)
PLAIN = "The socket in room 4 sparks"
QUOTE = "\n\nOn Mon, 3 Mar 2025, Desk wrote:\n> The wifi router was down, no network and no wifi on the whole floor."
MAIL = f"{PLAIN}{QUOTE}\n\nKind regards\nAnn\nWifi Network Ltd."
HTML = "<html><body class=wifi><p>The <b>socket</b> in room&nbsp;4 sparks</p></body></html>"

pytestmark = pytest.mark.xdist_group("trained")


def answers(parts: Parts, *texts: str) -> list[Opinion]:
    return [parts.classifier.opinion("Help", text, TODAY) for text in texts]


def file(parts: Parts, ticket_id: str, body: str) -> None:
    """Store a reviewed ticket."""
    key, at = f"desk:{ticket_id}", datetime(2025, 1, 5, tzinfo=UTC)
    parts.database.call(tickets.file, Ticket(key=key, subject="Help", body=body, filed_at=at))
    review = Review(
        ticket_key=key, roles=["Electrician"], strength=Strength.CONFIRMED, origin=ticket_id, at=at, rejected=[]
    )
    parts.database.call(tickets.review, review)


def test_markup_quotes_and_signature_change_no_answer(trained: Parts) -> None:
    plain, *others = answers(trained, PLAIN, MAIL, HTML)
    for other in others:
        np.testing.assert_array_equal(other.probabilities, plain.probabilities)
        assert (other.hits, other.neighbours, other.verdict) == (plain.hits, plain.neighbours, plain.verdict)
    assert "router" in others[0].left_out
    assert plain.left_out == ""


def test_a_text_is_embedded_once_for_a_frozen_model_and_the_memory(
    trained: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a memory with an encoder of its own embeds it again, and says the same."""
    embedded: list[str] = []
    embed = Encoder.embed

    def counting(encoder: Encoder, texts: Sequence[str]) -> Embeddings:
        embedded.extend(texts)
        return embed(encoder, texts)

    monkeypatch.setattr(Encoder, "embed", counting)
    (once,) = answers(trained, PLAIN)
    assert len(embedded) == 1
    current = trained.classifier.memory.current
    assert current is not None
    apart = replace(current, encoder=replace(current.encoder))
    monkeypatch.setattr(trained.classifier.memory, "current", apart)
    (twice,) = answers(trained, PLAIN)
    assert len(embedded) == 3
    np.testing.assert_array_equal(twice.probabilities, once.probabilities)


def test_the_ticket_agents_model_reads_the_texts_of_the_model_api_alike(trained: Parts) -> None:
    d = trained.directory
    models = NamedModels(d.api_models, d.encoders, d.models)
    routes = InferenceRoutes(models, LoadedModels(d.encoders, capacity=1), threads=1)
    asked = PredictRequest(model_name=ROLE_MODEL, texts=[PLAIN, MAIL, HTML], all_scores=True)
    told = list(asyncio.run(routes.predict(asked)).rows())
    assert told[0]["scores"] == told[1]["scores"] == told[2]["scores"]
    assert [one["text"] for one in told] == asked.texts
    vectors = asyncio.run(routes.embed(EmbeddingsRequest(model_name=ROLE_MODEL, texts=[PLAIN, MAIL]))).rows()
    assert next(vectors) == next(vectors)


def test_a_replayed_history_and_a_training_read_alike(trained: Parts) -> None:
    file(trained, "plain", PLAIN)
    file(trained, "mail", MAIL)
    assert trained.active.current is not None
    history = dated_history(
        trained.database, trained.directory, trained.classifier.catalogue, trained.classifier.rules,
        trained.active.current.manifest.encoder,
    )  # fmt: skip
    at = {e.ticket_key: i for i, e in enumerate(history.examples)}
    plain, mail = at["desk:plain"], at["desk:mail"]
    assert history.fired[plain] == history.fired[mail]
    np.testing.assert_array_equal(history.embeddings[plain], history.embeddings[mail])
    assert history.examples[plain].text == history.examples[mail].text


def test_vectors_of_texts_that_were_read_in_another_way_are_made_anew(
    trained: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stored() -> dict[str, int]:
        rows = trained.database.call(lambda session: session.exec(select(Embedding.encoder)).all())
        return Counter(row.partition("/")[2] for row in rows)

    before = stored()
    assert set(before) == {CLEANER}
    monkeypatch.setattr(memory, "CLEANER", "another")
    current = trained.classifier.memory.current
    model = trained.active.current
    assert current is not None
    assert model is not None
    examples = trained.database.call(tickets.examples, trained.classifier.catalogue)
    memory.embed_kept(trained.database, current.encoder, model.manifest.encoder, examples)
    assert stored() == {"another": before[CLEANER]}
