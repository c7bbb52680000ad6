"""The door: what takes webhooks in, from the first second on, while what works them off is still being loaded.

POST /hooks/{source}[/{segment}]  agent.intake.receive  → inbox (one commit for many requests) → 202
HEAD of the same                  200: somebody is there
GET /healthz, /readyz             agent.web.health
everything else                   waits for `Behind`, which is agent.app's

A sender waits for seconds, and some give up after a few failures; a server that starts must not cost them one. So what
the door needs is little, and all that the operator may have set wrongly is known before it opens.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import Receive, Scope, Send

from agent.config.rotation import Rotation
from agent.config.settings import Settings
from agent.data_directory import DataDirectory
from agent.feedback import accounts
from agent.intake.group_commit import GroupCommit
from agent.intake.rate import buckets
from agent.intake.receive import RETRY_AFTER_SECONDS, Receiver, Summary
from agent.intake.storage import Storage
from agent.metrics import Metrics
from agent.notes.phrasing import speak
from agent.packages import require
from agent.pages.texts import load as load_texts
from agent.store.arrivals import untraced
from agent.store.database import Database
from agent.store.soundness import Soundness
from agent.web.health import Health
from agent.web.protection import SafeHeaders
from agent.work.background import start
from agent.work.tracing import tracing
from connectors.base import Connector

if TYPE_CHECKING:
    from agent.serving.active import ActiveModel
    from agent.triage.model import TicketModel

STARTING_SECONDS = 30.0
"""How long whoever asks for anything else waits for it to be loaded; then they are asked to come again."""

HOOKS = ("/hooks/{source}/{segment:path}", "/hooks/{source}")

STARTING = "Rolecall is starting: webhooks are taken in, the rest is being loaded"


async def there(_request: Request) -> Response:
    """Answer that somebody is there: some systems ask for no more before they make a webhook, and prove nothing."""
    return Response()


class Behind(Protocol):
    """What a server does beside taking webhooks in."""

    @property
    def active(self) -> ActiveModel[TicketModel]:
        """The model in use."""

    def routes(self) -> Sequence[BaseRoute]:
        """Return what else is answered, the last with every path that nothing else has."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Return what works in the background until it is left."""


class Door:
    """What is there before anything is loaded. Raises RolecallError where something is set that cannot be."""

    def __init__(
        self,
        settings: Settings,
        directory: DataDirectory,
        database: Database,
        connectors: dict[str, Connector],
        reload: Callable[[], Settings] | None = None,
    ) -> None:
        self.settings, self.directory, self.database, self.connectors = settings, directory, database, connectors
        if settings.sign_in.issuer:
            require("authlib")
        if settings.writing.llm_url:
            require("openai")
        speak(settings.language, settings.texts)
        self.texts = load_texts(settings.language, settings.texts)
        self.metrics = Metrics()
        self.rotation = Rotation(settings, connectors, reload) if reload else None
        self.storage = Storage(database, settings.intake)
        self.commit = GroupCommit(database, settings.intake, self.storage)
        self.soundness = Soundness(database)
        for connector in connectors.values():
            accounts.introduce(connector, database)
        self.traces = tracing(os.environ)
        self.trace = self.traces.trace if self.traces else untraced
        self._behind: Behind | None = None
        self._loaded = asyncio.Event()

    def application(self, behind: Behind) -> Starlette:
        """Return the server where everything is loaded already."""
        self._behind = behind
        return self._application(behind.routes(), behind.running)

    def opening(self, load: Callable[[], Behind]) -> Starlette:
        """Return the server that calls `load` in a thread once it takes webhooks in."""
        app = self._application([_Later(self._later)], lambda: self._loading(load, app.router))
        return app

    def _application(
        self, routes: Sequence[BaseRoute], work: Callable[[], AbstractAsyncContextManager[None]]
    ) -> Starlette:
        app = Starlette(
            routes=[*self._routes(), *routes],
            middleware=[Middleware(SafeHeaders)],
            lifespan=lambda _: self._running(work()),
        )
        app.router.redirect_slashes = False  # a redirect would reveal which paths exist
        return app

    def _routes(self) -> list[BaseRoute]:
        rates, summary = buckets(self.connectors, self.settings.intake), Summary(self.metrics)
        limits, public = self.settings.intake, self.settings.server.public_url
        receiver = Receiver(self.connectors, self.commit, rates, limits, summary, self.trace, public)
        troubles = (self.storage.trouble, self.commit.trouble, self.soundness.trouble)
        health = Health(self.database, lambda: self._behind.active if self._behind else None, troubles)
        return [
            *(Route(path, receiver, methods=["POST"]) for path in HOOKS),
            *(Route(path, there, methods=["HEAD"]) for path in HOOKS),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
        ]

    @asynccontextmanager
    async def _running(self, work: AbstractAsyncContextManager[None]) -> AsyncIterator[None]:
        looks = [start(self.storage.run()), start(self.soundness.run())]
        try:
            async with work:
                yield
        finally:
            for look in looks:
                look.cancel()
            await asyncio.gather(*looks, return_exceptions=True)
            for connector in self.connectors.values():
                await connector.aclose()
            if self.traces:
                await asyncio.to_thread(self.traces.close)
            self.database.close()

    @asynccontextmanager
    async def _loading(self, load: Callable[[], Behind], router: Router) -> AsyncIterator[None]:
        leaving = asyncio.Event()
        working = start(self._work(load, router, leaving))
        try:
            yield
        finally:
            leaving.set()
            await asyncio.gather(working, return_exceptions=True)

    async def _work(self, load: Callable[[], Behind], router: Router, leaving: asyncio.Event) -> None:
        """Load, then work until `leaving`. Who leaves earlier waits for no loading, which changes nothing by half."""
        left = asyncio.ensure_future(leaving.wait())
        loading = _in_thread(load)
        either: list[asyncio.Future[Any]] = [loading, left]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():
            loading.cancel()
            return
        self._behind = loading.result()
        router.routes[-1:] = self._behind.routes()
        async with self._behind.running():
            self._loaded.set()
            await left

    async def _later(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the server does once it is loaded."""
        try:
            async with asyncio.timeout(STARTING_SECONDS):
                await self._loaded.wait()
        except TimeoutError:
            again = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            await PlainTextResponse(f"{STARTING}\n", 503, again)(scope, receive, send)
            return
        await scope["app"].router(scope, receive, send)


class _Later(BaseRoute):
    """Stands for every path that nothing else has."""

    def __init__(self, answer: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._answer = answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match every request."""
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request later."""
        await self._answer(scope, receive, send)


def _in_thread(load: Callable[[], Behind]) -> asyncio.Future[Behind]:
    """Call it in a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    loaded: asyncio.Future[Behind] = loop.create_future()

    def tell(result: Behind | None, error: BaseException | None) -> None:
        if loaded.done():
            return
        if result is not None:
            loaded.set_result(result)
        elif error is not None:
            loaded.set_exception(error)

    def run() -> None:
        try:
            result, error = load(), None
        except BaseException as raised:  # noqa: BLE001 - it ends the server, in whose loop it is raised again
            result, error = None, raised
        with suppress(RuntimeError):  # the server was stopped meanwhile, and its loop is closed
            loop.call_soon_threadsafe(tell, result, error)

    Thread(target=run, name="loading", daemon=True).start()
    return loaded
