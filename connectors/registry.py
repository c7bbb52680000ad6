"""Every kind of connector: one line here makes a system available."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base import Connector
from connectors.django_helpdesk import DjangoHelpdesk, DjangoHelpdeskSettings


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


CONNECTORS: Mapping[str, Registered] = {
    DjangoHelpdesk.kind: Registered(
        DjangoHelpdesk,
        DjangoHelpdeskSettings,
        address=lambda settings: settings.url,
        groups=lambda settings: settings.queues.values(),
    ),
}
