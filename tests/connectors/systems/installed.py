"""Every shipped manifest connected to its system in memory, built once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
from pydantic import TypeAdapter

from connectors.events import Delivery
from connectors.manifest import placeholders
from connectors.manifest.catalogue import Kind, document_of, examples, kind_of
from connectors.manifest.connector import ManifestConnector
from connectors.proofs import BasicAuth, Hmac, Proof, SecretInHeader, SecretInPath, StandardWebhooks, standard_webhooks
from tests.connectors.systems.boards import AzureDevOps, OpenProject
from tests.connectors.systems.bugs import Bugzilla, Gitea, YouTrack
from tests.connectors.systems.desks import Freshdesk, Freshservice, MaintainX, Zammad, Zendesk, Znuny
from tests.connectors.systems.fake import BOT, Fake
from tests.connectors.systems.plants import Atlas
from tests.connectors.systems.queries import Linear, Odoo
from tests.connectors.systems.rpc import Kanboard, Trac
from tests.connectors.systems.suites import HaloPSA, Jira, ServiceNow
from tests.connectors.systems.trackers import GitHub, GitLab, NetBox, Pagure, Redmine, Redmine7, Roundup

SYSTEMS: Mapping[str, type[Fake]] = {
    "atlas": Atlas,
    "azure-devops": AzureDevOps,
    "bugzilla": Bugzilla,
    "freshdesk": Freshdesk,
    "freshservice": Freshservice,
    "gitea": Gitea,
    "github": GitHub,
    "gitlab": GitLab,
    "halopsa": HaloPSA,
    "jira": Jira,
    "kanboard": Kanboard,
    "linear": Linear,
    "maintainx": MaintainX,
    "netbox": NetBox,
    "odoo": Odoo,
    "openproject": OpenProject,
    "pagure": Pagure,
    "redmine": Redmine,
    "redmine7": Redmine7,
    "roundup": Roundup,
    "servicenow": ServiceNow,
    "trac": Trac,
    "youtrack": YouTrack,
    "zammad": Zammad,
    "zendesk": Zendesk,
    "znuny": Znuny,
}
OLD, NEW, WRONG = ("whsec_" + base64.b64encode(word * 3).decode() for word in (b"the-old-", b"the-new-", b"a-wrong-"))
SOURCE = "plant-2"


@cache
def kind(name: str) -> Kind:
    return kind_of(name, document_of(name))


@cache
def settings(name: str, *secrets: str, author_id: str | None = str(BOT)) -> Any:
    manifest, fake = kind(name).manifest, SYSTEMS.get(name, Fake)
    given = {"url": fake.url, **{secret: f"the-{secret}" for secret in manifest.secrets}, **fake.settings}
    needed = [name for name, each in manifest.settings.items() if each.default is None]
    shown = {} if name in SYSTEMS else dict(next(examples(name)).settings)
    given = dict.fromkeys(needed, "rolecall") | shown | given
    given |= {"webhook_secrets": list(secrets or (NEW,))} if manifest.receive else {}
    return TypeAdapter(kind(name).settings).validate_python(given | {"author_id": author_id})


@dataclass
class Installed:
    """One system in memory, and what connects to it. A second connector is what a new process has."""

    name: str
    fake: Fake

    def connect(self, *secrets: str, author_id: str | None = str(BOT)) -> ManifestConnector:
        given = settings(self.name, *secrets, author_id=author_id)
        values = {name: getattr(given, name) for name in given.__dataclass_fields__}
        base = placeholders.address(kind(self.name).manifest.api.base, values)
        client = httpx.AsyncClient(base_url=base, transport=httpx.MockTransport(self.fake))
        return ManifestConnector(self.name, SOURCE, kind(self.name).manifest, given, client)


def installed(name: str) -> Installed:
    return Installed(name, SYSTEMS.get(name, Fake)())


@cache
def listening(name: str, *secrets: str) -> ManifestConnector:
    """Return a connector that only reads deliveries, made once."""
    return installed(name).connect(*secrets)


def signed(name: str, body: bytes, secret: str, headers: Mapping[str, str], segment: str, at: float = 0) -> Delivery:
    """Return a delivery as the system sends it with this secret, by a second reckoning; `at` is Unix time, 0: now."""
    receive = kind(name).manifest.receive
    assert receive is not None
    proof: Proof = receive.verify[0]
    return _signed(proof, Delivery(dict(headers), body, segment), secret, at or time.time())


def _signed(proof: Proof, delivery: Delivery, secret: str, at: float) -> Delivery:
    headers, segment = dict(delivery.headers), delivery.segment
    match proof:
        case StandardWebhooks():
            return _signed(standard_webhooks(proof.tolerance), delivery, secret, at)
        case SecretInHeader():
            headers[proof.header] = proof.prefix + secret
        case BasicAuth():
            headers["authorization"] = "Basic " + base64.b64encode(f"{proof.user or 'x'}:{secret}".encode()).decode()
        case SecretInPath():
            segment = f"{secret}/{segment}"
        case Hmac():
            stamp = {
                "unix": str(int(at)),
                "unix-ms": str(int(at * 1000)),
                "iso": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }[proof.timestamp]
            parts = {"{timestamp}": stamp.encode(), "{id}": b"msg_1", "{body}": delivery.body}
            said, rest = b"", proof.message
            while rest:
                found = next((part for part in parts if rest.startswith(part)), rest[0])
                said, rest = said + parts.get(found, found.encode()), rest[len(found) :]
            key = base64.b64decode(secret.removeprefix("whsec_")) if proof.key == "whsec" else secret.encode()
            key = hashlib.sha256(key).digest() if proof.key == "sha256" else key
            digest = hmac.new(key, said, proof.algorithm)
            written = digest.hexdigest() if proof.encoding == "hex" else base64.b64encode(digest.digest()).decode()
            items = [f"{proof.timestamp_prefix}{stamp}"] if proof.timestamp_prefix else []
            headers[proof.header] = (proof.separator or "").join([*items, proof.prefix + written])
            if proof.timestamp_header:
                headers[proof.timestamp_header] = stamp
            if proof.id_header:
                headers[proof.id_header] = "msg_1"
    return Delivery(headers, delivery.body, segment)


def raw(body: Any) -> bytes:
    return json.dumps(body).encode()
