"""No stranger and no client of /v1 stops a webhook: the attacks of `make bench NAME=abuse`, for a few seconds each.

The time of an answer is the benchmark's to judge, on a quiet machine.
"""

from __future__ import annotations

from pathlib import Path

from tests.proofs.bench import abuse
from tests.proofs.bench.abuse_attacks import ATTACKS


def test_under_every_attack_webhooks_are_acknowledged_and_the_server_ends_when_it_is_told(tmp_path: Path) -> None:
    worst = abuse.measure(tmp_path, 3, [*ATTACKS, abuse.EVERYTHING])
    assert worst["webhooks"] == 3 * abuse.PER_SECOND * worst["attacks"]
    assert worst["lost"] == 0
    assert worst["peak_mb"] <= 1_500
    assert worst["gone_s"] <= 15
