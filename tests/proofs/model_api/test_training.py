"""Trainings through the API that take tens of seconds."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from agent.core import Parts
from tests.agent.model_api.web.asking import EXAMPLES, KEY, body, ended, trained
from tests.agent.model_api.web.conftest import Serve
from tests.agent.model_api.web.test_training import prove_that_it_fails
from tests.desk import Desk
from tests.serving_app import running

pytestmark = pytest.mark.anyio


async def test_a_job_that_a_stopped_server_left_is_done_by_the_next_one(
    api_parts: Callable[..., Parts], desk: Desk
) -> None:
    parts = api_parts()
    async with running(parts, desk) as server:
        server.client.headers["X-API-Key"] = KEY
        slow = body(trainer="contrastive", num_iterations=500, batch_size=1)
        job_id = (await server.client.post("/v1/train", json=slow)).json()["job_id"]
        quick_id = (await server.client.post("/v1/train", json=body("quick"))).json()["job_id"]
        with anyio.fail_after(120):
            while (await server.client.get(f"/v1/jobs/{job_id}")).json()["progress"] is None:
                await anyio.sleep(0.05)
    async with running(api_parts(), desk) as server:
        server.client.headers["X-API-Key"] = KEY
        with anyio.fail_after(120):
            while (await server.client.get(f"/v1/jobs/{job_id}")).json()["progress"] is None:
                await anyio.sleep(0.05)
        await server.client.delete(f"/v1/jobs/{job_id}")
        assert (await ended(server.client, quick_id))["status"] == "completed"


async def test_the_stock_trainer_is_judged_on_texts_that_were_kept_from_it(serve: Serve) -> None:
    async with serve() as client:
        await trained(client, trainer="setfit", num_iterations=1)
        model = (await client.get("/v1/models/intents")).json()
        assert (model["judged_by"], model["trainer"]) == ("held-out", "setfit")
        assert sum(score["support"] for score in model["by_label"]) == len(EXAMPLES) // 5


async def test_a_job_that_takes_too_much_memory_fails_with_the_reason(serve: Serve) -> None:
    await prove_that_it_fails(serve, "may take 512, [api] job_memory_mb", job_memory_mb=512)
