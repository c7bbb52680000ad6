"""What has to be known to connect a kind of system, and the connector that it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from agent.config.in_words import meant
from agent.config.manifests import all_kinds, document_of
from agent.errors import BadInput
from connectors.base import Connector
from connectors.django_helpdesk import DjangoHelpdesk
from connectors.registry import CONNECTORS, Registered, find

UNNAMED = "queue {}"
MOST_QUEUES = 1_000

HELPDESK_SETUP = """\
1. In django-helpdesk make a staff user that only Rolecall uses, and an API token for it (rest_framework.authtoken).
2. In its settings.py, send both kinds of webhook to Rolecall, and keep private notes from being mailed out:

   def HELPDESK_GET_NEW_TICKET_WEBHOOK_URLS():
       return ["{hook}"]

   HELPDESK_GET_FOLLOWUP_WEBHOOK_URLS = HELPDESK_GET_NEW_TICKET_WEBHOOK_URLS
   HELPDESK_PRIVATE_FOLLOWUP_MEANS_NO_EMAILS = True
"""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a kind of system needs: secrets, settings without a default and what they say, and what to click there.

    `hook` is what stands behind the connector's name in a webhook's address, None where the system sends none.
    `numbered`: it tells numbers of groups, and people have to name them.
    """

    kind: str
    registered: Registered
    secrets: tuple[str, ...]
    settings: Mapping[str, str]
    setup: str
    hook: str | None
    numbered: bool = False

    @property
    def before_the_hook(self) -> str:
        """What there is to do before the system sends anything: the steps that tell of the account and its token."""
        return "\n".join(self._parted[0])

    @property
    def from_the_hook_on(self) -> str:
        """The steps after those; "" where there are none."""
        return "\n".join(self._parted[1])

    @property
    def _parted(self) -> tuple[list[str], list[str]]:
        steps = re.split(r"\n(?=\d+\. )", self.setup.strip())
        count = next((n for n, step in enumerate(steps) if "{hook}" in step), len(steps)) or 1
        return steps[:count], steps[count:]

    def connect(self, name: str, given: Mapping[str, Any], secrets: Mapping[str, str], hook_secret: str) -> Connector:
        """Return the connector. Raises BadInput, which names what is wrong with each value."""
        hooks = {} if self.hook is None else {"webhook_secrets": [hook_secret]}
        # every number a name, so that groups can be told apart before people have named them
        queues = {str(n): UNNAMED.format(n) for n in range(1, MOST_QUEUES)} if self.numbered else {}
        named = {"queues": queues | dict(given.get("queues", {}))} if self.numbered else {}
        try:
            settings = TypeAdapter(self.registered.settings).validate_python({**given, **secrets, **hooks, **named})
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            told = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problems]
            words = "\n".join(one.removeprefix(": ").replace("Value error, ", "") for one in told)
            raise BadInput(words) from None
        return self.registered.connect(name, settings)


@dataclass(slots=True)
class Answers:
    """What is known of the system to connect. `given` are its settings, `secrets` its secrets by name."""

    needs: Needs
    name: str
    given: dict[str, Any]
    secrets: dict[str, str]
    hook_secret: str
    public_url: str
    told: bool = False
    """Whether the steps before the hook were shown, where the secrets were asked for."""

    @property
    def steps_left(self) -> str:
        """What is still to be done in the system."""
        return self.needs.from_the_hook_on if self.told else self.needs.setup

    def variable(self, secret: str) -> str:
        """Return the name of the variable of one of its secrets."""
        return f"ROLECALL_CONNECTORS__{self.name.upper().replace('-', '_')}__{secret.upper()}"


def needs_of(kind: str, folder: Path) -> Needs:
    """Return what a kind of system needs. Raises BadInput where there is none of this name."""
    document = document_of(kind, folder)
    found = find(kind, document)
    if found is None:
        known = all_kinds(folder)
        raise BadInput(f"there is no kind {kind!r}{meant(kind, known)}; kinds are {', '.join(known)}")
    if kind in CONNECTORS:
        numbered = kind == DjangoHelpdesk.kind
        return Needs(kind, found, ("token",), {}, HELPDESK_SETUP, found.hook, numbered)
    from connectors.manifest import catalogue

    made = catalogue.kind_of(kind, catalogue.document_of(kind) if document is None else document).manifest
    wanted = {name: each.says for name, each in made.settings.items() if each.default is None}
    return Needs(kind, found, made.secrets, wanted, made.setup.strip(), found.hook)
