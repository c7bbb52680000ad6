"""What each page costs with 1,000 and with 100,000 tickets of ten events each, some of them for limited accounts, too.

These see half of the tickets, a hundred, one of a hundred, those of one helpdesk, only old ones, or none: however many
there are beside. Pages whose figures are kept until somebody answers are asked after an answer, too.

    make bench NAME=pages ARGS="100000 postgresql"     # on PostgreSQL: one of its own, or that of an address

The last line: `slowest_ratio`, of a page's CPU time with many tickets to that with few; `slowest_ms`, by the clock, and
`slowest_cpu_ms`, both with many. Medians of several requests. The CPU time of PostgreSQL's processes is counted, too,
where they run on this machine; none of them works in parallel, for such helpers would be left out. What else the server
does would be counted as well: so it is waited for, and `beside` is the share of one processor that it used between the
pages. Above REST the figures are not those of pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url
from sqlmodel import Session

from agent.app import create_app
from agent.config.settings import Settings
from agent.core import Parts, assemble
from agent.domain import Strength, Via
from agent.pages.signing import sessions, tokens
from agent.store.database import Database
from agent.store.search import numbered
from agent.store.tables import Review, utcnow
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.postgres import new_database, postgres
from tests.proofs.bench.pages_filled import LIMITED, LONG, fill

FEW, MANY = 1_000, 100_000
TIMES = 5
REST = 0.1
"""The most of one processor that a server at rest uses; reading texts into its memory takes all of one."""

REST_SECONDS, PAUSE_SECONDS = 3_600.0, 0.02
"""How long rest is waited for at most, and between two pages."""

SEEN_BY_ALL = ("today", "corrected", "deep", "review", "bulk", "search, everything", "search, one", "search, nothing",
    "search, forty", "search, filter", "status", "report", "rules", "roles, dry run", "api, tickets", "api, corrected",
    "api, search", "api, decisions")  # fmt: skip
AFTER_AN_ANSWER = ("today", "review", "rules", "roles")
PROCESSES = Path("/proc")
_OURS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"


def paths(size: int) -> dict[str, str]:
    """Return the pages by name; the deep ones lead half the way back."""
    deep = time.time() - size * 90
    return {
        "today": "/",
        "corrected": "/?is=corrected",
        "deep": f"/?before={deep}~desk:1",
        "deep filter": f"/?is=corrected&before={deep}~desk:1",
        "ticket": f"/tickets/desk/{size // 2}",
        "ticket in a loop": f"/tickets/desk/{LONG}",
        "review": "/review",
        "review, one order": "/review?order=disagrees",
        "bulk": "/review/bulk",
        "status": "/status",
        "models": "/models",
        "search, everything": "/search?q=paper",
        "search, four words": '/search?q=the+"second+floor"+paper+pri',
        "search, deep": f"/search?q=paper&before={numbered(datetime.fromtimestamp(deep, UTC), '')}",
        "search, filter": "/search?q=paper&is=corrected",
        "search, one": f"/search?q={size // 2}",
        "search, nothing": "/search?q=paper+zebra",
        "search, forty": "/search?q=valve",
        "search, one word of forty": "/search?q=paper+valve",
        "search, each word alone": "/search?q=paper+valve+zebra",
        "report": "/report",
        "rules": "/rules",
        "roles": "/roles",
        "roles, dry run": "/roles?role=Network&stage=tag",
        "log": "/log",
        "log, deep": f"/log?before={size // 2}",
        "users": "/users",
        "account": "/account",
        "sign-in": "/sign-in",
        "api, report": "/api/reports/latest",
        "api, tickets": "/api/tickets",
        "api, corrected": "/api/tickets?is=corrected&limit=100",
        "api, search": "/api/tickets?q=paper+zebra",
        "api, decisions": "/api/decisions",
        "api, decisions deep": f"/api/decisions?before={size // 2}",
        "api, decisions of a loop": f"/api/decisions/desk/{LONG}",
    }


def server_seconds(folder: Path, database: Database) -> float:
    """Return the CPU time that the processes of a database server used for us so far; 0 for SQLite, and elsewhere."""
    used = 0.0
    if database.clustered:
        pids = database.call(lambda session: session.connection().exec_driver_sql(_OURS).scalars().all())
        for pid in pids:
            with contextlib.suppress(OSError):
                if (folder / str(pid) / "comm").read_text().startswith("postgres"):
                    used += int((folder / str(pid) / "schedstat").read_text().split()[0]) / 1e9
    return used


def installed(folder: Path, address: str | None) -> Parts:
    """Return an installation."""
    url = None if address is None else SecretStr(address)
    return assemble(Settings(data=folder, rules=TICKETS / "rules.toml", roles=TICKETS / "roles.toml", database_url=url))


def visits(size: int) -> Iterator[tuple[str, str, str, bool]]:
    """Yield a name, who asks, for what, and whether somebody has answered before each time."""
    there = paths(size)
    yield from ((name, "ops", path, False) for name, path in there.items())
    yield from ((f"{name}, after an answer", "ops", there[name], True) for name in AFTER_AN_ANSWER)
    yield from ((f"{name}, limited to {who}", who, there[name], False) for who in LIMITED for name in SEEN_BY_ALL)
    yield "rules, after an answer, limited to old", "old", there["rules"], True


async def measured(parts: Parts, size: int) -> tuple[dict[str, tuple[float, float]], float]:
    """Return, by page, median milliseconds by the clock and of CPU; and what was done beside (`beside`)."""
    database, names, now = parts.database, ("ops", *LIMITED), utcnow()
    cookies = {name: database.call(sessions.begin, name, now) for name in names}
    keys = {name: database.call(tokens.make, name, "bench", 1, "ops", now) for name in names}
    desks = {name: Desk(source=name) for name in ("desk", "other")}
    app = create_app(parts, desks, ("false",))
    transport = httpx.ASGITransport(app)
    found, pauses = {}, []
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://rolecall") as client,
    ):
        await at_rest(parts)
        for name, who, path, answered in visits(size):
            taken, client.cookies = [], httpx.Cookies({"rolecall": cookies[who]})
            headers = {"Authorization": f"Bearer {keys[who]}"} if path.startswith("/api/") else {}
            for _ in range(TIMES + 1):
                if answered:
                    database.call(_answer)
                theirs = server_seconds(PROCESSES, database)
                clock, cpu = time.perf_counter(), time.process_time()
                answer = await client.get(path, headers=headers)
                clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
                cpu += server_seconds(PROCESSES, database) - theirs
                taken.append((clock * 1e3, cpu * 1e3))
                assert answer.status_code in (200, 303), (path, answer.status_code)
            clocks, cpus = zip(*taken[1:], strict=True)
            found[name] = (statistics.median(clocks), statistics.median(cpus))
            pauses.append(await beside(database, PAUSE_SECONDS))
    return found, statistics.mean(pauses)


async def at_rest(parts: Parts) -> None:
    """Wait until the server does nothing but what it does all day. Raises TimeoutError.

    A desk without a model gets an encoder seconds after the start, and its reviewed tickets are read into the memory.
    """
    async with asyncio.timeout(REST_SECONDS):
        while parts.classifier.memory.current is None or await beside(parts.database, 1.0) > REST:
            await asyncio.sleep(0.1)


async def beside(database: Database, seconds: float) -> float:
    """Return the share of one processor that the server uses for so long while nobody visits it."""
    theirs, clock, cpu = server_seconds(PROCESSES, database), time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    cpu, theirs = time.process_time() - cpu, server_seconds(PROCESSES, database) - theirs
    return (cpu + theirs) / (time.perf_counter() - clock)


def _answer(session: Session) -> None:
    """Store what a person says of a ticket."""
    said = {"strength": Strength.CONFIRMED, "via": Via.PAGE, "actor": "ops", "origin": f"page-{time.time_ns()}"}
    session.add(Review(ticket_key="desk:4", roles=["Network"], at=utcnow(), **said))


@contextlib.contextmanager
def databases(where: str | None) -> Iterator[tuple[str | None, str | None]]:
    """Yield the addresses of two empty databases: in a server of our own, or in that of an address; None for SQLite."""
    if where is None:
        yield None, None
        return
    with contextlib.ExitStack() as stack:
        if where == "postgresql":
            where = stack.enter_context(postgres(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        made = [_alone(new_database(where)) for _ in range(2)]
        stack.callback(_drop, where, made)
        yield made[0], made[1]


def _alone(address: str) -> str:
    """Return the address of a database in which no statement has helpers."""
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = engine.url.database
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET max_parallel_workers_per_gather = 0")
    engine.dispose()
    return address


def _drop(where: str, addresses: Sequence[str]) -> None:
    engine = create_engine(where, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for address in addresses:
            connection.exec_driver_sql(f"DROP DATABASE {make_url(address).database} WITH (FORCE)")
    engine.dispose()


def _filled(parts: Parts, size: int) -> Parts:
    parts.database.call(fill, size)
    return parts


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, and print the figures; 1 where a bound is missed."""
    size = int(arguments[0]) if arguments else MANY
    with (
        databases(arguments[1] if len(arguments) > 1 else None) as (small, large),
        tempfile.TemporaryDirectory() as few,
        tempfile.TemporaryDirectory() as many,
    ):
        (before, first), (after, second) = (
            asyncio.run(measured(_filled(installed(Path(folder), address), count), count))
            for folder, address, count in ((few, small, FEW), (many, large, size))
        )
    for name, (clock, cpu) in after.items():
        print(f"{name}: {clock:.1f} ms, {cpu:.1f} ms of CPU; with {FEW:,} tickets {before[name][1]:.1f} ms of CPU")
    ratio = max(after[name][1] / max(before[name][1], 1.0) for name in after)
    slowest, cpu = (max(pair[place] for pair in after.values()) for place in (0, 1))
    other = max(first, second)
    print(f"slowest_ratio={ratio:.2f} slowest_ms={slowest:.0f} slowest_cpu_ms={cpu:.0f} beside={other:.3f}")
    return int(ratio > 3 or cpu > 300 or other > REST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
