"""What Rolecall counts, for `/metrics`. Built once by the composition root; label values come from a closed set."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "rolecall_deliveries_total",
            "Webhook deliveries by configured source ('unknown' for any other) and HTTP status",
            ["source", "status"],
            registry=self.registry,
        )
        self.events = Counter(
            "rolecall_events_total",
            "Work on accepted events by outcome: done, retry, dead, superseded",
            ["source", "kind", "outcome"],
            registry=self.registry,
        )
        self.decisions = Counter(
            "rolecall_decisions_total", "Decisions by outcome: tagged, abstained", ["outcome"], registry=self.registry
        )
