"""`/metrics` after a real story: the figures say what happened, in names and labels as Prometheus wants them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from agent.app import Parts
from agent.domain import Reason, TrainingOutcome
from agent.feedback.accounts import Flood, Whose
from agent.metrics import Metrics
from agent.store import comments
from agent.store.tables import Training, utcnow
from agent.triage.memory import remember
from agent.triage.memory_store import CurrentMemory
from agent.web import metrics_page as numbers
from connectors.errors import Permanent, Transient
from tests.desk import Desk
from tests.serving_app import Running, running

RULES = Path(__file__).parents[3] / "deploy" / "prometheus-rules.yml"
UNITS = (
    "_total",
    "_seconds",
    "_bytes",
    "_info",
    "_events",
    "_paused",
    "_outcome",
    "_fds",
    "_open",
    "_aside",
    "_floods",
)


class Scrape(dict[tuple[str, frozenset[tuple[str, str]]], float]):
    def of(self, name: str, **labels: str) -> float:
        return self[name, frozenset(labels.items())]


async def scrape(server: Running) -> Scrape:
    answer = await server.client.get("/metrics")
    assert answer.status_code == 200
    return Scrape({(s.name, frozenset(s.labels.items())): s.value for s in samples(answer.text)})


def samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


@pytest.fixture
def every_scrape_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "FRESH_SECONDS", 0.0)


@pytest.mark.anyio
@pytest.mark.usefixtures("every_scrape_reads")
async def test_the_figures_tell_the_story(parts_for: Callable[..., Parts], desk: Desk) -> None:
    parts = parts_for(work={"retry_seconds": [0.1]}, triage={"silent_below": 0.2})
    desk.faults = [Transient("busy", retry_after=0.01)]
    async with running(parts, desk) as server:
        await server.deliver(event := desk.create("VPN is down"))
        await server.idle()
        await server.deliver(event)
        await server.deliver(desk.reply("1", "/role Electrician"))
        await server.deliver(desk.create("The plant in the hall is dying"))
        await server.idle()
        desk.faults = [Permanent("token revoked")]
        await server.deliver(desk.create("VPN is down again"))
        await server.idle()
        await server.client.post("/hooks/nobody/x", content=b"{}")
        parts.database.call(comments.pause, "by hand")
        now = await scrape(server)
    assert now.of("rolecall_deliveries_total", source="desk", status="202") == 4
    assert now.of("rolecall_deliveries_total", source="desk", status="200") == 1
    assert now.of("rolecall_deliveries_total", source="unknown", status="401") == 1
    assert now.of("rolecall_acknowledgement_seconds_count") == 5
    assert now.of("rolecall_events_total", source="desk", kind="created", outcome="done") == 2
    assert now.of("rolecall_events_total", source="desk", kind="created", outcome="retry") == 1
    assert now.of("rolecall_events_total", source="desk", kind="created", outcome="set_aside") == 1
    decided = [v for (name, _), v in now.items() if name == "rolecall_suggestions_total"]
    assert (sum(decided), len(decided)) == (3, 2 + len(Reason))
    assert now.of("rolecall_suggestions_total", kind="none", reason="untaught") == 1
    assert now.of("rolecall_comments_total", outcome="posted") == 1
    assert now.of("rolecall_comments_total", outcome="edited") == 1
    assert now.of("rolecall_comment_delay_seconds_count") == 2
    assert 0 < now.of("rolecall_comment_delay_seconds_sum") < 60
    assert now.of("rolecall_feedback_total", kind="corrected") == 1
    assert now.of("rolecall_connector_calls_total", source="desk", call="post_comment", outcome="ok") == 1
    assert now.of("rolecall_connector_calls_total", source="desk", call="post_comment", outcome="transient") == 1
    assert now.of("rolecall_connector_calls_total", source="desk", call="post_comment", outcome="permanent") == 1
    assert now.of("rolecall_set_aside") == 1
    assert now.of("rolecall_queue_events", state="waiting") == 0
    assert now.of("rolecall_queue_oldest_age_seconds") == 0
    assert now.of("rolecall_paused") == 1
    assert now.of("rolecall_model_info", version="none") == 1
    assert now.of("rolecall_poll_last_success_timestamp_seconds", source="desk") > 1_700_000_000


@pytest.mark.anyio
@pytest.mark.usefixtures("every_scrape_reads")
async def test_what_waits_has_an_age_and_the_last_training_an_outcome(
    parts_for: Callable[..., Parts], desk: Desk
) -> None:
    parts = parts_for(brakes={"head_start_minutes": 5})
    run = Training(started_at=utcnow(), finished_at=utcnow(), trigger="nightly", outcome=TrainingOutcome.UNDECIDED)
    parts.database.call(lambda session: session.add(run))
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        now = await scrape(server)
    assert now.of("rolecall_queue_events", state="waiting") + now.of("rolecall_queue_events", state="working") == 1
    assert 0 < now.of("rolecall_queue_oldest_age_seconds") < 60
    outcomes = {dict(labels)["outcome"]: v for (n, labels), v in now.items() if n == "rolecall_training_outcome"}
    assert {name for name, value in outcomes.items() if value} == {"kept"}
    assert set(outcomes) == {"promoted", "kept", "skipped", "asks", "failed", "running", "other"}
    assert now.of("rolecall_training_end_timestamp_seconds") > 1_700_000_000


@pytest.mark.anyio
@pytest.mark.usefixtures("every_scrape_reads")
async def test_labels_that_teach_nothing_are_counted_once_by_whose_they_are(parts: Parts, desk: Desk) -> None:
    kim, today = Whose(account="kim"), utcnow().date()
    floods = (
        Flood(Whose("one"), today, 50, 5, tuple(range(50))),
        Flood(kim, today, 25, 20, tuple(range(50, 75))),
        Flood(kim._replace(role="Network"), today, 12, 10, tuple(range(50, 62))),
        Flood(Whose("two"), today - timedelta(days=7), 50, 5, tuple(range(80, 130))),
    )
    async with running(parts, desk) as server:
        before = await scrape(server)
        parts.classifier.memory.current = CurrentMemory(
            Mock(), "", remember([], ()), (), floods, np.zeros(0, dtype=bool)
        )
        after = await scrape(server)
    counts = [now.of("rolecall_labels_in_floods", kind=k) for now in (before, after) for k in ("requester", "account")]
    assert counts == [0, 0, 50, 25]


@pytest.mark.anyio
async def test_however_many_ask_the_database_is_asked_once_a_second(
    parts: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "FRESH_SECONDS", 3_600.0)
    async with running(parts, desk) as server:
        first = await scrape(server)
        parts.database.call(comments.pause, "by hand")
        again = await scrape(server)
    assert (first.of("rolecall_paused"), again.of("rolecall_paused")) == (0, 0)


def test_names_have_units_and_help_and_label_names_are_few() -> None:
    for family in Metrics().registry.collect():
        if family.name.startswith("process_"):
            continue
        name = family.name + "_total" * (family.type == "counter")
        assert re.fullmatch(r"rolecall_[a-z_]+", name)
        assert name.endswith(UNITS), name
        assert family.documentation
    labels = {label for f in Metrics().registry.collect() for s in f.samples for label in s.labels}
    assert labels <= {
        "source",
        "status",
        "kind",
        "outcome",
        "reason",
        "call",
        "state",
        "version",
        "le",
        "python_version",
    }


def test_every_metric_is_in_the_runbook() -> None:
    text = (RULES.parent / "README.md").read_text("utf-8")
    for family in Metrics().registry.collect():
        if not family.name.startswith("process_"):
            assert f"`{family.name}{'_total' * (family.type == 'counter')}`" in text


def test_the_alert_rules_are_well_formed_and_name_metrics_that_exist() -> None:
    known = set()
    for family in Metrics().registry.collect():
        known |= {family.name, *(family.name + end for end in ("_total", "_bucket", "_count", "_sum"))}
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    assert set(group) == {"name", "rules"}
    named = set[str]()
    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert {"alert", "expr", "labels", "annotations"} <= set(rule)
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
        assert rule["expr"].count("(") == rule["expr"].count(")")
        names = set(re.findall(r"\brolecall_\w+", rule["expr"]))
        assert names or "up{" in rule["expr"], rule["alert"]
        named |= names
    assert named - known == set()
    assert len(named) >= 8
