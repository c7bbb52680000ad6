"""Every kind of connector: those with code of their own, one line each, and those that a manifest describes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import Connector
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings
from connectors.request_tracker import RequestTracker, RequestTrackerSettings

SECRET = "SECRET"  # noqa: S105 - the word that stands for it
"""Shown in a webhook's address in the place of its secret."""


@dataclass(frozen=True, slots=True)
class Registered:
    """How to connect to one kind of system: `connect(name, settings)`, where `settings` is a dataclass of that type.

    `address(settings)` returns where the system is, `groups(settings)` its own names of groups as far as its settings
    name them.
    """

    connect: Callable[[str, Any], Connector]
    settings: type[Any]
    address: Callable[[Any], str]
    groups: Callable[[Any], Collection[str]]
    hook: str | None = SECRET
    """What stands in a webhook's address behind the connector's name; None where the system sends no webhooks."""


CONNECTORS: Mapping[str, Registered] = {
    DjangoHelpdesk.kind: Registered(
        DjangoHelpdesk,
        DjangoHelpdeskSettings,
        address=lambda settings: settings.url,
        groups=lambda settings: settings.queues.values(),
    ),
    RequestTracker.kind: Registered(
        RequestTracker,
        RequestTrackerSettings,
        address=lambda settings: settings.url,
        groups=lambda _: (),
        hook="",
    ),
}
"""Those with code of their own."""


def kinds(own: Collection[str] = ()) -> list[str]:
    """Return the names of all kinds; `own` are those that the operator has manifests of."""
    from connectors.manifest import catalogue

    return sorted({*CONNECTORS, *catalogue.presets(), *own})


def find(kind: str, document: Mapping[str, Any] | None = None) -> Registered | None:
    """Return the kind of this name, made of the operator's manifest where there is one, else of the shipped one.

    The manifests' libraries are loaded only where one is used. Raises ValidationError and FaultyManifest, which name
    the keys at fault.
    """
    if kind in CONNECTORS:
        return CONNECTORS[kind]
    from connectors.manifest import catalogue

    if document is None:
        if kind not in catalogue.presets():
            return None
        document = catalogue.document_of(kind)
    made = catalogue.kind_of(kind, document)
    return Registered(made.connect, made.settings, lambda settings: str(settings.url), lambda _: (), made.hook(SECRET))
