"""What all pages share: the installation, its helpdesks, the sentences, and how a page is made of a template."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from agent.config.settings import Settings
from agent.data_directory import DataDirectory
from agent.metrics import Metrics
from agent.pages.signing.passwords import Passwords
from agent.pages.texts import Texts
from agent.pages.words import Words
from agent.serving.active import ActiveModel
from agent.store.database import Database
from agent.triage.model import TicketModel
from agent.triage.opinion import RoleClassifier
from connectors.base import Connector

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing inline runs or styles, whatever a ticket's text may smuggle in."""

OUR_ADDRESS = re.compile(r'\b(?:href|src|action|formaction)="(?=/(?!/))')
"""What stands before an address of ours in a page. In what strangers wrote, no quotation mark is left as it is."""

TABS = (("today", "gt"), ("review", "gr"), ("search", "gs"), ("report", "gp"))
SET_UP = ("roles", "rules", "models", "status")
"""The pages that are reached from every other one."""

STATIC = {"rolecall.css": "text/css", "rolecall.js": "text/javascript", "mark.svg": "image/svg+xml"}


@dataclass(frozen=True)
class Site:
    """The pages of one installation. `key` makes pseudonyms and browsers' cookies; `wake` is set for new events.

    `waits` returns for how many seconds each helpdesk that fails is not asked; `reread` takes up changed files of roles
    and rules, off the event loop, and `faulty` says which cannot be; `train` begins a training, and returns whether it
    does; `kept` is what was dear to make.
    """

    settings: Settings
    directory: DataDirectory
    database: Database
    active: ActiveModel[TicketModel]
    classifier: RoleClassifier
    connectors: Mapping[str, Connector]
    metrics: Metrics
    texts: Texts
    key: bytes
    wake: asyncio.Event
    waits: Callable[[], Mapping[str, float]]
    reread: Callable[[], None]
    faulty: Callable[[], Mapping[str, str]]
    train: Callable[[], bool]
    passwords: Passwords = field(default_factory=Passwords)
    kept: dict[str, Any] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages by https, so that cookies must not travel without."""
        return (self.settings.server.public_url or "").startswith("https://")

    @cached_property
    def prefix(self) -> str:
        """The path below which a proxy shows the pages, as `public_url` has it; "" where they have a host alone."""
        return urlsplit(self.settings.server.public_url or "").path.rstrip("/")

    @cached_property
    def words(self) -> Words:
        """Return how numbers, times and roles are written."""
        return Words(self.texts, self.classifier.catalogue, self.now)

    @cached_property
    def static(self) -> dict[str, bytes]:
        """Return the files that pages load, by name."""
        return static_files()

    @cached_property
    def _environment(self) -> Environment:
        return environment(self.texts, self.words, self.static)

    def page(self, template: str, status: int = 200, /, **values: Any) -> Response:
        """Return a page made of a template, with the policy that lets nothing in it run."""
        return HTMLResponse(self.html(template, **values), status, {"Content-Security-Policy": POLICY})

    def html(self, template: str, /, **values: Any) -> str:
        """Return what a template makes of values, with our addresses as browsers reach them."""
        made = self._environment.get_template(template).render({"current": "", **values})
        return OUR_ADDRESS.sub(lambda found: f"{found[0]}{self.prefix}", made) if self.prefix else made


def static_files() -> dict[str, bytes]:
    """Return the files that pages load, by name."""
    folder = resources.files("agent.pages") / "static"
    return {name: (folder / name).read_bytes() for name in STATIC}


def environment(texts: Texts, words: Words, static: Mapping[str, bytes]) -> Environment:
    """Return what makes pages of templates."""
    made = Environment(
        loader=PackageLoader("agent.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    versions = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in static.items()}
    made.globals.update(
        t=texts,
        words=words,
        static=lambda name: f"/static/{name}?v={versions[name]}",
        nav_tabs=TABS,
        nav_set_up=SET_UP,
    )
    return made
