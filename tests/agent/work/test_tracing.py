"""A trace leads from the delivery to the comment, kept with the event; off, it costs not even an import."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import agent.door
from agent.app import Parts
from agent.errors import SettingsError
from agent.store.arrivals import Arrival
from agent.store.inbox import Job
from agent.store.tables import utcnow
from agent.work import tracing as tracing_module
from agent.work.tracing import Tracing, tracing
from connectors.base import Poll
from connectors.errors import Transient
from connectors.events import Event, Kind
from tests.desk import Desk
from tests.patience import PATIENCE_SECONDS
from tests.serving_app import running

pytestmark = pytest.mark.anyio

SUBJECT = "VPN of zebra-stripe is down"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Let the server trace into memory."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(agent.door, "tracing", lambda _environ: Tracing(exporter))
    return exporter


def tree(spans: tuple[ReadableSpan, ...]) -> dict[str, list[str]]:
    """Return the names of spans by the name of their parent, in the order of their start."""
    names = {span.context.span_id: span.name for span in spans}
    found: dict[str, list[str]] = {}
    for span in sorted(spans, key=lambda span: span.start_time or 0):
        found.setdefault(names[span.parent.span_id] if span.parent else "", []).append(span.name)
    return found


async def test_one_trace_leads_from_the_delivery_over_a_retry_to_the_comment(
    parts_for: Callable[..., Parts], desk: Desk, exporter: InMemorySpanExporter
) -> None:
    parts = parts_for(work={"retry_seconds": [0.1]}, triage={"silent_below": 0.2})
    desk.faults = [Transient(f"busy with {SUBJECT}", retry_after=0.01)]
    async with running(parts, desk) as server:
        await server.deliver(event := desk.create(SUBJECT))
        await server.deliver(event)  # known already: no second trace
        await server.idle()
    spans = tuple(span for span in exporter.get_finished_spans() if span.name != "poll")
    assert len({span.context.trace_id for span in spans}) == 1
    assert tree(spans) == {
        "": ["delivery"],
        "delivery": ["attempt", "attempt"],
        "attempt": ["read_ticket", "post_comment", "read_ticket", "post_comment"],
    }
    failed = [span.name for span in spans if span.status.status_code is StatusCode.ERROR]
    assert failed == ["post_comment", "attempt"]
    assert "zebra" not in "".join(span.to_json() for span in spans)
    for span in spans:
        assert (span.start_time or 0) <= (span.end_time or 0)


async def test_what_a_poll_found_has_a_trace_that_begins_with_the_poll(
    parts: Parts, exporter: InMemorySpanExporter
) -> None:
    class PolledDesk(Desk):
        async def poll(self, watermark: str | None, *_: object) -> Poll:
            return Poll([Event(Kind.CREATED, "1", "ticket-1")], "1")

    desk = PolledDesk()
    desk.create("VPN is down")
    async with running(parts, desk) as server:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not desk.posts:
                await asyncio.sleep(0.02)
        await server.idle()
    event_id = next(s.context.trace_id for s in exporter.get_finished_spans() if s.name == "attempt")
    spans = tuple(span for span in exporter.get_finished_spans() if span.context.trace_id == event_id)
    assert tree(spans)[""] == ["poll"]
    assert tree(spans)["poll"] == ["attempt"]


def arrival(event: Event) -> Arrival:
    return Arrival("desk", event, b"as received", utcnow())


async def attempt(tracing: Tracing, kept: Arrival) -> None:
    async def handle(_job: Job) -> None:
        pass

    await tracing.attempted(handle)(Job(1, kept.source, kept.event, 1, kept.received_at, kept.traceparent))


async def test_another_server_goes_on_with_the_trace_that_is_kept_with_the_event(desk: Desk) -> None:
    """Or this one, after a crash."""
    here, there = InMemorySpanExporter(), InMemorySpanExporter()
    receiving, working = Tracing(here), Tracing(there)
    (kept,), tell = receiving.trace([arrival(desk.create("VPN is down"))])
    tell([True])
    await attempt(working, kept)
    receiving.close()
    working.close()
    (delivery,), (attempted,) = here.get_finished_spans(), there.get_finished_spans()
    assert attempted.parent is not None
    assert attempted.parent.span_id == delivery.context.span_id
    assert attempted.context.trace_id == delivery.context.trace_id


async def test_an_event_that_was_kept_while_tracing_was_off_begins_its_trace_with_the_attempt(desk: Desk) -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    await attempt(tracing, arrival(desk.create("VPN is down")))
    tracing.close()
    assert [(span.name, span.parent) for span in exporter.get_finished_spans()] == [("attempt", None)]


async def test_what_is_not_sampled_at_its_receipt_is_not_sampled_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    receiving = Tracing(exporter)
    monkeypatch.delenv("OTEL_TRACES_SAMPLER")
    working = Tracing(exporter)
    (kept,), tell = receiving.trace([arrival(desk.create("VPN is down"))])
    tell([True])
    await attempt(working, kept)
    receiving.close()
    working.close()
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("flags", ["00", "01"])
async def test_the_sender_of_a_webhook_chooses_neither_trace_nor_sampling(
    parts: Parts, desk: Desk, exporter: InMemorySpanExporter, flags: str
) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-{flags}", "tracestate": "vendor=chosen"}
    async with running(parts, desk) as server:
        server.client.headers.update(headers)
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
    spans = [span for span in exporter.get_finished_spans() if span.name == "delivery"]
    assert [span.parent for span in spans] == [None]
    assert f"{spans[0].context.trace_id:032x}" != trace_id
    assert not spans[0].context.trace_state


class Collector(BaseHTTPRequestHandler):
    """Takes traces as OpenTelemetry's collector does, over HTTP."""

    taken: list[ExportTraceServiceRequest]

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[HTTPServer]:
    Collector.taken = []
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_the_standards_variables_send_it_to_a_collector(
    parts: Parts, desk: Desk, collector: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    async with running(parts, desk) as server:
        await server.deliver(desk.create("VPN is down"))
        await server.idle()
    resources = [resource for request in Collector.taken for resource in request.resource_spans]
    named = {a.key: a.value.string_value for r in resources for a in r.resource.attributes}
    assert named["service.name"] == "rolecall"
    names = {span.name for r in resources for scope in r.scope_spans for span in scope.spans}
    assert {"delivery", "attempt", "read_ticket", "post_comment"} <= names


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_it_is_off_unless_asked_for(environ: dict[str, str]) -> None:
    assert tracing(environ) is None


def test_asked_for_without_its_libraries_it_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError) as raised:
        tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"})
    assert tracing_module.MISSING in str(raised.value)


def test_off_it_costs_not_even_an_import() -> None:
    code = (
        "import sys, json, agent.app; print(json.dumps([m for m in sys.modules if m.startswith('opentelemetry.sdk')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
