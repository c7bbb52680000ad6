"""Traces for OpenTelemetry: one per event, from the delivery that brought it to the comment that it led to.

Off, and nothing of it is imported, unless the standard variable OTEL_EXPORTER_OTLP_ENDPOINT (or ..._TRACES_ENDPOINT) is
set; the libraries are the extra `tracing`. All else is set by the standard's own variables, such as OTEL_SERVICE_NAME,
OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_SAMPLER.

    delivery | poll                  from the receipt to the commit
    └── attempt (one or more)        wherever and whenever it is made
        └── read_ticket, post_comment, ...

Nothing is kept for it: the ids of an event's trace and of its first span are an HMAC of the event's own identity, so
that whoever works on the event knows them, on any server and after any crash. No span holds a ticket's text.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import time_ns
from typing import TYPE_CHECKING

from agent.errors import Fault, SettingsError
from agent.store.arrivals import Arrival
from agent.store.inbox import Job
from connectors.events import Event

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, SpanContext

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVICE = "rolecall"
MISSING = "tracing needs libraries of its own: pip install 'rolecall[tracing]'"

_first: ContextVar[tuple[int, int] | None] = ContextVar("first span", default=None)


def tracing(key: bytes, environ: Mapping[str, str]) -> Tracing | None:
    """Return what traces, or None where that is not wanted. Raises SettingsError where it is and cannot be."""
    endpoint = next((name for name in ENDPOINTS if environ.get(name)), None)
    if endpoint is None or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise SettingsError([Fault("environment", MISSING, setting=endpoint)]) from None
    return Tracing(key, OTLPSpanExporter())


class Tracing:
    """Makes spans and hands them to an exporter, from a thread of its own."""

    def __init__(self, key: bytes, exporter: SpanExporter) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        class Ids(RandomIdGenerator):
            def generate_trace_id(self) -> int:
                return first[0] if (first := _first.get()) else super().generate_trace_id()

            def generate_span_id(self) -> int:
                return first[1] if (first := _first.get()) else super().generate_span_id()

        named = Resource.create()  # from the standard's variables
        if str(named.attributes[SERVICE_NAME]).startswith("unknown_service"):
            named = named.merge(Resource({SERVICE_NAME: SERVICE}))
        self._key = key
        self._api = trace
        self._provider = TracerProvider(id_generator=Ids(), resource=named, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(SERVICE)

    def arrived(self, arrivals: Sequence[Arrival], fresh: Sequence[bool]) -> None:
        """Make the first span of every event that is new: it ends now, after the commit."""
        for arrival in (arrival for arrival, new in zip(arrivals, fresh, strict=True) if new):
            token = _first.set(self._ids(arrival.source, arrival.event))
            try:
                span = self._tracer.start_span(
                    "delivery" if arrival.raw else "poll",
                    context=self._api.set_span_in_context(self._api.INVALID_SPAN),
                    kind=self._api.SpanKind.SERVER if arrival.raw else self._api.SpanKind.INTERNAL,
                    attributes=_attributes(arrival.source, arrival.event),
                    start_time=int(arrival.received_at.timestamp() * 1e9),
                )
            finally:
                _first.reset(token)
            span.end(time_ns())

    def attempted(self, handler: Callable[[Job], Awaitable[None]]) -> Callable[[Job], Awaitable[None]]:
        """Return the handler with a span around each attempt, a child of the event's first span."""

        async def traced(job: Job) -> None:
            context = self._api.set_span_in_context(self._api.NonRecordingSpan(self._parent(job)))
            attributes = _attributes(job.source, job.event) | {"rolecall.seq": job.seq, "rolecall.attempt": job.attempt}
            with (
                self._tracer.start_as_current_span(
                    "attempt", context, self._api.SpanKind.CONSUMER, attributes, record_exception=False,
                    set_status_on_exception=False,
                ) as span,
                self._judged(span),
            ):  # fmt: skip
                await handler(job)

        return traced

    @contextmanager
    def call(self, source: str, name: str) -> Iterator[None]:
        """Surround a call to a ticketing system."""
        with (
            self._tracer.start_as_current_span(
                name, kind=self._api.SpanKind.CLIENT, attributes={"rolecall.source": source}, record_exception=False,
                set_status_on_exception=False,
            ) as span,
            self._judged(span),
        ):  # fmt: skip
            yield

    def close(self) -> None:
        """Send what was not sent yet. May take some seconds."""
        self._provider.shutdown()

    @contextmanager
    def _judged(self, span: Span) -> Iterator[None]:
        """Name the kind of an error, never its words: they may be somebody else's."""
        try:
            yield
        except Exception as error:
            span.set_status(self._api.StatusCode.ERROR, type(error).__name__)
            raise

    def _parent(self, job: Job) -> SpanContext:
        """Return the event's first span, sampled or not as it was itself: that hangs on nothing but the trace's id."""
        from opentelemetry.sdk.trace.sampling import Decision

        trace_id, span_id = self._ids(job.source, job.event)
        sampled = self._provider.sampler.should_sample(None, trace_id, "delivery").decision is not Decision.DROP
        flags = self._api.TraceFlags(self._api.TraceFlags.SAMPLED if sampled else self._api.TraceFlags.DEFAULT)
        return self._api.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags)

    def _ids(self, source: str, event: Event) -> tuple[int, int]:
        identity = "\0".join((source, event.delivery_id, event.kind)).encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, b"trace\0" + identity, hashlib.sha256)
        return int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1


def _attributes(source: str, event: Event) -> dict[str, str | int]:
    return {"rolecall.source": source, "rolecall.kind": event.kind.value, "rolecall.ticket": event.ticket_id}
