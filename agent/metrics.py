"""The metrics for `/metrics`. Built once by the composition root; label values come from closed sets.

Counters and histograms are those of one server since its start; add them up over servers. Gauges of the queue and of
the training describe the database, and are the same on every server: take the largest.
"""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from platform import python_version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from agent.domain import Outcome, Reason

ACKNOWLEDGEMENT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
COMMENT_BUCKETS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.deliveries = Counter(
            "rolecall_deliveries_total",
            "Webhook deliveries by configured source ('unknown' for any other) and HTTP status",
            ["source", "status"],
            registry=registry,
        )
        self.acknowledgement = Histogram(
            "rolecall_acknowledgement_seconds",
            "From a delivery's first byte to its answer, where the answer was 2xx",
            buckets=ACKNOWLEDGEMENT_BUCKETS,
            registry=registry,
        )
        self.events = Counter(
            "rolecall_events_total",
            "Attempts at accepted events by outcome: done, retry, set_aside, superseded",
            ["source", "kind", "outcome"],
            registry=registry,
        )
        self.breaker_open = Gauge(
            "rolecall_breaker_open",
            "1 while no calls are made to a ticketing system, after failures or a Retry-After",
            ["source"],
            registry=registry,
        )
        self.suggestions = Counter(
            "rolecall_suggestions_total",
            "Decisions on tickets by kind: clear, either_or, none; those by the reason for none",
            ["kind", "reason"],
            registry=registry,
        )
        self.comments = Counter(
            "rolecall_comments_total",
            "Attempts to comment by outcome: posted, edited, unchanged, withheld, removed_by_staff, shadowed, removed",
            ["outcome"],
            registry=registry,
        )
        self.changes = Counter(
            "rolecall_changes_total",
            "Changes of tickets by a role's stage, by field and outcome: done, overtaken, unsure, ignored, refused",
            ["field", "outcome"],
            registry=registry,
        )
        self.comment_delay = Histogram(
            "rolecall_comment_delay_seconds",
            "From the receipt of an event to the comment that it led to, new or edited",
            buckets=COMMENT_BUCKETS,
            registry=registry,
        )
        self.feedback = Counter(
            "rolecall_feedback_total",
            "What people said of a role, by kind: corrected, confirmed, moved, closed_as_suggested, closed, reopened",
            ["kind"],
            registry=registry,
        )
        self.refused_commands = Counter(
            "rolecall_refused_commands_total",
            "Commands that did not count, because their author is not known to be staff",
            ["source"],
            registry=registry,
        )
        self.flooded = Gauge(
            "rolecall_labels_in_floods",
            "Labels of the last 7 days that do not teach: one requester or account gave far more in a day than usual",
            ["kind"],
            registry=registry,
        )
        self.notices = Counter(
            "rolecall_notices_total",
            "Attempts to send a notice to an address by outcome: sent, failed",
            ["outcome"],
            registry=registry,
        )
        self.calls = Counter(
            "rolecall_connector_calls_total",
            "Calls to ticketing systems by outcome: ok, transient, ambiguous, not_found, permanent, failed",
            ["source", "call", "outcome"],
            registry=registry,
        )
        self.polled = Gauge(
            "rolecall_poll_last_success_timestamp_seconds",
            "When the last poll of a system was complete",
            ["source"],
            registry=registry,
        )
        self.found = Counter(
            "rolecall_poll_events_total",
            "Events that a poll found and no webhook had brought",
            ["source"],
            registry=registry,
        )
        self.reused_numbers = Counter(
            "rolecall_reused_ticket_numbers_total",
            "Tickets whose number another one had before: the system was restored from a backup",
            ["source"],
            registry=registry,
        )
        self.queue = Gauge("rolecall_queue_events", "Open events: waiting, working", ["state"], registry=registry)
        self.set_aside = Gauge(
            "rolecall_set_aside", "Events that failed too often and wait for a person", registry=registry
        )
        self.oldest = Gauge(
            "rolecall_queue_oldest_age_seconds",
            "Age of the oldest event that is not done, 0 where all are",
            registry=registry,
        )
        self.paused = Gauge("rolecall_paused", "1 while all comments are paused", registry=registry)
        self.model = Gauge(
            "rolecall_model_info", "1 for the model version that serves ('none': no model)", ["version"],
            registry=registry,
        )  # fmt: skip
        self.model_created = Gauge(
            "rolecall_model_created_timestamp_seconds",
            "When the model that serves was made, 0 without one",
            registry=registry,
        )
        self.training = Gauge(
            "rolecall_training_outcome",
            "1 for the outcome of the last training: promoted, kept, skipped, asks, failed, running, other",
            ["outcome"],
            registry=registry,
        )
        self.training_ended = Gauge(
            "rolecall_training_end_timestamp_seconds", "When the last training ended", registry=registry
        )
        self.training_took = Gauge(
            "rolecall_training_duration_seconds", "How long the last training took", registry=registry
        )
        for counter, label_values in (
            (self.comments, ("posted", "edited", "unchanged", "withheld", "removed_by_staff", "shadowed", "removed")),
            (self.notices, ("sent", "failed")),
            (self.feedback, ("corrected", "confirmed", "moved", "closed_as_suggested", "closed", "reopened")),
        ):
            for value in label_values:
                counter.labels(value)  # begins at 0, or an alert would not see the first one
        for person in ("requester", "account"):
            self.flooded.labels(person)
        self.suggestions.labels(Outcome.CLEAR, "")
        self.suggestions.labels(Outcome.EITHER_OR, "")
        for reason in Reason:
            self.suggestions.labels(Outcome.NONE, reason)
        build = Gauge("rolecall_build_info", "1", ["version", "python_version"], registry=registry)
        build.labels(version("rolecall"), python_version()).set(1)

    def serves(self, model_version: str | None, created_at: datetime | None) -> None:
        """Set the version that serves, None without a model, and when it was made."""
        self.model.clear()
        self.model.labels(model_version or "none").set(1)
        self.model_created.set(created_at.timestamp() if created_at else 0)
