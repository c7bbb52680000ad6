"""A client that knows only the SetFit Docker API's README works against the real server, started as people start it."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from agent.data_directory import DataDirectory
from tests.client.served import EXAMPLES, KEY, start
from tests.client.setfit_api import SetFitApi
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetFitApi]:
    server, url, _ = start(tmp_path_factory.mktemp("data"), API_KEY=KEY)
    with server:
        yield SetFitApi(url, KEY)
        server.terminate()


def test_train_poll_metadata_predict_embeddings(api: SetFitApi) -> None:
    assert api.health() == {"status": "ok"}
    job = api.train("intents", EXAMPLES, num_iterations=1, learning_rate=2e-5, batch_size=16)
    assert (job["status"], job["model_name"]) == ("pending", "intents")
    assert UUID(job["job_id"])
    assert isinstance(job["created_at"], float)
    done = api.wait(job["job_id"], PATIENCE_SECONDS)
    assert (done["status"], done["error"], done["model_name"]) == ("completed", None, "intents")

    model = api.model("intents")
    assert (model["model_name"], model["num_examples"]) == ("intents", len(EXAMPLES))
    assert isinstance(model["base_model"], str)
    assert datetime.fromisoformat(model["created_at"])
    assert 0 <= model["accuracy"] <= 1
    assert isinstance(model["accuracy"], float)
    assert isinstance(model["training_duration_seconds"], float)

    texts = ["cancel it please", "is it going to rain", "a flight to Paris"]
    predictions = api.predict("intents", texts)
    assert [prediction["text"] for prediction in predictions] == texts
    assert [prediction["label"] for prediction in predictions] == ["cancel", "weather", "book_flight"]
    assert all(isinstance(prediction["score"], float) and 0 < prediction["score"] <= 1 for prediction in predictions)

    embeddings = api.embeddings("intents", texts)
    assert [len(row) for row in embeddings] == [384] * 3
    assert all(isinstance(number, float) for row in embeddings for number in row)


def test_without_the_key_nothing_but_health_answers(api: SetFitApi) -> None:
    stranger = SetFitApi(api.url)
    assert stranger.health() == {"status": "ok"}
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        stranger.model("intents")
    refused.value.close()


def test_without_a_configured_key_one_is_made_and_left_in_a_file(tmp_path: Path) -> None:
    server, url, said = start(tmp_path)
    with server:
        file = DataDirectory(tmp_path).first_key
        key = file.read_text().strip()
        assert (key not in said, file.stat().st_mode & 0o777) == (True, 0o600)
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            SetFitApi(url, key).model("none")
        refused.value.close()
        server.terminate()
    file.unlink()
    server, _, said = start(tmp_path)
    with server:
        assert not file.exists()
        server.terminate()
