"""Traces for OpenTelemetry: one per event, from the delivery that brought it to the comment that it led to.

Off, and nothing of it is imported, unless the standard variable OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT) is
set; the libraries are the extra `tracing`. All else is set by the standard's own variables, such as OTEL_SERVICE_NAME,
OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_SAMPLER.

    delivery | poll                  from the receipt to the commit
    └── attempt (one or more)        wherever and whenever it is made
        └── read_ticket, post_comment, ...

The first span's `traceparent` (W3C Trace Context) is kept with the event, so that whoever works on it goes on with its
trace, on any server and after any crash. A `traceparent` that came with a webhook is not read: its sender could choose
which of our work is sampled, and under which trace it is filed. No span holds a ticket's text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.errors import Fault, SettingsError
from agent.store.arrivals import Arrival, Kept
from agent.store.inbox import Job
from connectors.events import Event

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, SpanKind

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "rolecall"
MISSING = "tracing needs libraries of its own: pip install 'rolecall[tracing]'"


def tracing(environ: Mapping[str, str]) -> Tracing | None:
    """Return the tracing that the environment configures, or None. Raises SettingsError if libraries are missing."""
    endpoint = next((name for name in ENDPOINTS if environ.get(name)), None)
    if endpoint is None or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise SettingsError([Fault("environment", MISSING, setting=endpoint)]) from None
    return Tracing(OTLPSpanExporter())


class Tracing:
    """Makes spans and hands them to an exporter, from a thread of its own."""

    def __init__(self, exporter: SpanExporter) -> None:
        from opentelemetry import trace
        from opentelemetry.context import Context
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        named = Resource.create()  # from the standard's variables
        if str(named.attributes[SERVICE_NAME]).startswith("unknown_service"):
            named = named.merge(Resource({SERVICE_NAME: SERVICE}))
        self._api = trace
        self._root = Context()
        self._propagator = TraceContextTextMapPropagator()
        self._provider = TracerProvider(resource=named, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(SERVICE)

    def trace(self, arrivals: Sequence[Arrival]) -> tuple[Sequence[Arrival], Kept]:
        """Begin the first span of every event. It ends after the commit, and only that of a new event is exported."""
        spans = [self._first_span(arrival) for arrival in arrivals]

        def kept(fresh: Sequence[bool]) -> None:
            for span, new in zip(spans, fresh, strict=True):
                if new:
                    span.end()

        return [replace(a, traceparent=self._traceparent(span)) for a, span in zip(arrivals, spans, strict=True)], kept

    def attempted(self, handler: Callable[[Job], Awaitable[None]]) -> Callable[[Job], Awaitable[None]]:
        """Return the handler with a span around each attempt, a child of the event's first span."""

        async def traced(job: Job) -> None:
            begun = self._propagator.extract({"traceparent": job.traceparent} if job.traceparent else {}, self._root)
            attributes = _attributes(job.source, job.event) | {"rolecall.seq": job.seq, "rolecall.attempt": job.attempt}
            with self._span("attempt", self._api.SpanKind.CONSUMER, attributes, begun):
                await handler(job)

        return traced

    def call(self, source: str, name: str) -> AbstractContextManager[None]:
        """Return a span for a call to a ticketing system."""
        return self._span(name, self._api.SpanKind.CLIENT, {"rolecall.source": source})

    def close(self) -> None:
        """Export the remaining spans. May take some seconds."""
        self._provider.shutdown()

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, attributes: Mapping[str, str | int], context: Context | None = None
    ) -> Iterator[None]:
        """Start a span around some work. Of an error only the type is recorded: its message may hold ticket text."""
        with self._tracer.start_as_current_span(
            name, context, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(self._api.StatusCode.ERROR, type(error).__name__)
                raise

    def _first_span(self, arrival: Arrival) -> Span:
        return self._tracer.start_span(
            "delivery" if arrival.raw else "poll",
            self._root,
            self._api.SpanKind.SERVER if arrival.raw else self._api.SpanKind.INTERNAL,
            _attributes(arrival.source, arrival.event),
            start_time=int(arrival.received_at.timestamp() * 1e9),
        )

    def _traceparent(self, span: Span) -> str | None:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, self._api.set_span_in_context(span, self._root))
        return carrier.get("traceparent")


def _attributes(source: str, event: Event) -> dict[str, str | int]:
    return {"rolecall.source": source, "rolecall.kind": event.kind.value, "rolecall.ticket": event.ticket_id}
