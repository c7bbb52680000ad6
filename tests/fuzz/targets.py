"""Everything that is fuzzed, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.fuzz import answers, broken, files, requests, texts, webhooks
from tests.fuzz.target import Target

TARGETS: Mapping[str, Callable[[Path], Target]] = {
    "receiver": webhooks.receiver,
    "standard_webhook": webhooks.standard_webhook,
    "other_proofs": webhooks.other_proofs,
    "shared_secret": webhooks.shared_secret,
    "helpdesk_delivery": webhooks.helpdesk_delivery,
    "manifest_deliveries": webhooks.manifest_deliveries,
    "manifests": webhooks.manifests,
    "strict_json": webhooks.strict_json,
    "api_answers": answers.api_answers,
    "manifest_answers": answers.manifest_answers,
    "retry_after": answers.retry_after,
    "commands": texts.commands,
    "tickets": texts.tickets,
    "comments": texts.comments,
    "rules": files.rules,
    "roles": files.roles,
    "settings": files.settings,
    "histories": files.histories,
    "tables": files.tables,
    "readings": texts.readings,
    "questions": texts.questions,
    "heads": requests.heads,
    "model_api_bodies": requests.model_api_bodies,
}

CONTROLS: Mapping[str, Callable[[Path], Target]] = {
    "careless_parser": broken.careless_parser,
    "raw_standard_library": broken.raw_standard_library,
}
"""Deliberately broken: whoever fuzzes has to find these."""
