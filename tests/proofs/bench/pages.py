"""What each page costs with 1,000 and with 100,000 tickets of ten events each, some of them for limited accounts, too.

One of these sees a group in which half of the tickets are now, one a group of a hundred, however many there are beside.

    make bench NAME=pages ARGS="100000 postgresql"     # on PostgreSQL: one of its own, or that of an address

The last line: `slowest_ratio`, of a page's CPU time with many tickets to that with few; `slowest_ms`, by the clock, and
`slowest_cpu_ms`, both with many. Medians of several requests. The CPU time of PostgreSQL's processes is counted, too,
where they run on this machine; none of them works in parallel, for such helpers would be left out.
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
from sqlalchemy import create_engine, make_url, text
from sqlmodel import Session

from agent.app import create_app
from agent.config.settings import Settings
from agent.core import assemble
from agent.pages.signing import sessions
from agent.pages.signing.rights import Rights
from agent.store.database import Database
from agent.store.people import User
from agent.store.search import SPARE_BITS, indexed, numbered
from agent.store.tables import utcnow
from tests.conftest import TICKETS
from tests.desk import Desk
from tests.postgres import new_database, postgres

FEW, MANY = 1_000, 100_000
EVENTS = 10
TIMES = 9
LIMITED = ("half", "rare")
"""Groups that accounts of the same name are limited to."""

RARE = 100
"""Tickets of the second one."""

SEEN_BY_ALL = ("today", "corrected", "deep", "review", "search, everything", "search, one",
    "search, nothing", "status", "report", "rules")  # fmt: skip
PROCESSES = Path("/proc")
_OURS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"

TEXT = "The printer on the second floor shows a paper jam, but there is no paper in it. " * 3

_SQL = {
    "sqlite": {
        "numbers": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size})",
        "past": "datetime('now', '-' || (({size} - i) * {seconds}) || ' seconds')",
        "json": "'{}'",
        "group": "json_object('group', {}, 'text', '')",
        "nothing": "zeroblob(0)",
        "number": "(CAST(strftime('%s', {past}) AS INTEGER) << {bits}) + i",
    },
    "postgresql": {
        "numbers": "WITH n(i) AS (SELECT generate_series(1, {size}))",
        "past": "now() - ({size} - i) * {seconds} * interval '1 second'",
        "json": "CAST('{}' AS json)",
        "group": "json_build_object('group', {}, 'text', '')",
        "nothing": "CAST('' AS bytea)",
        "number": "(CAST(extract(epoch FROM {past}) AS bigint) << {bits}) + i",
    },
}
"""How each database makes rows out of numbers."""

_DETAIL = (
    '{"probabilities": {"Network": 0.6, "Electrician": 0.3}, "hits": [],'
    ' "neighbours": [{"ticket": "desk:1", "roles": ["Electrician"], "similarity": 0.8}]}'
)
_FILL = (
    "INSERT INTO ticket (key, subject, body, filed_at, closed_at, seen, drawn) {numbers} SELECT 'desk:' || i,"
    " 'Paper jam ' || i, '{text}', {past}, CASE WHEN i % 2 = 1 THEN {past} END, {group}, i % 20 = 0 FROM n",
    "INSERT INTO decision (ticket_key, event_seq, at, outcome, roles, confidence, reason, detail, rules_version)"
    " {numbers} SELECT 'desk:' || i, i, {past}, CASE i % 3 WHEN 0 THEN 'either_or' ELSE 'clear' END, {network},"
    " 0.6, '', {detail}, 'v1' FROM n",
    "INSERT INTO comment (ticket_key, marker, text, remote_id, attempted_at, posted_at) {numbers}"
    " SELECT 'desk:' || i, 'm', 'Role: Network', i, {past}, {past} FROM n",
    "INSERT INTO review (ticket_key, roles, rejected, strength, via, origin, at) {numbers} SELECT 'desk:' || i,"
    " CASE i % 5 WHEN 0 THEN {electrician} ELSE {network} END, {none}, CASE i % 97 WHEN 0 THEN 5 ELSE 2 END,"
    " CASE i % 97 WHEN 0 THEN 'command' ELSE 'closure' END, 'o', {past} FROM n WHERE i % 2 = 1",
    "INSERT INTO review (ticket_key, roles, rejected, strength, via, origin, at) {numbers} SELECT 'desk:' || i,"
    " {network}, {none}, 4, 'check', 'c', {past} FROM n WHERE i % 20 = 0",
    "INSERT INTO audit (at, who, action, ticket_key, detail) {numbers} SELECT {past}, 'Kim', 'feedback', 'desk:' || i,"
    " {empty} FROM n",
    # all at once: as a server does it beside its work, it takes minutes
    "INSERT INTO ticket_words (number, ticket_key, words) {numbers} SELECT {number}, 'desk:' || i,"
    " i || ' paper jam ' || i || ' {words}' FROM n",
)
_GROUP = "CASE WHEN i % {every} = 0 THEN 'rare' WHEN i % 2 = 1 THEN 'half' ELSE 'others' END"
_EVENTS = (
    "INSERT INTO inbox (source, delivery_id, kind, ticket_key, content_hash, received_at, due_at, event, raw, state,"
    " attempts, crashes, done_at) {numbers} SELECT 'desk', 'd' || i, 'commented', 'desk:' || (1 + i / {events}),"
    " i, {past}, {past}, '', {nothing}, 'done', 1, 0, {past} FROM n"
)


def fill(session: Session, size: int) -> None:
    """Store a past in which half of the tickets were closed, and some answered; in memory first, where it fits."""
    connection, dialect = session.connection(), session.get_bind().dialect.name
    sqlite, sql = dialect == "sqlite", _SQL[dialect]
    if sqlite:
        (before,) = connection.exec_driver_sql("PRAGMA cache_size").one()
        connection.exec_driver_sql("PRAGMA cache_size = -1000000")
    named = {
        "numbers": sql["numbers"].format(size=size),
        "past": sql["past"].format(size=size, seconds=180),
        "group": sql["group"].format(_GROUP.format(every=size // RARE)),
        "text": TEXT,
        "words": indexed(TEXT),
        "nothing": sql["nothing"],
        "detail": sql["json"].format(_DETAIL),
        "network": sql["json"].format('["Network"]'),
        "electrician": sql["json"].format('["Electrician"]'),
        "none": sql["json"].format("[]"),
        "empty": sql["json"].format("{}"),
    }
    named["number"] = sql["number"].format(**named, bits=SPARE_BITS)
    for statement in _FILL:
        connection.execute(text(statement.format(**named)))
    events = size * EVENTS
    named |= {"numbers": sql["numbers"].format(size=events), "past": sql["past"].format(size=events, seconds=18)}
    connection.execute(text(_EVENTS.format(**named, events=EVENTS)))
    connection.exec_driver_sql("ANALYZE")
    if sqlite:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before}")
    session.add(User(key="ops", name="ops", rights=Rights.OPERATOR, created_at=utcnow()))
    for group in LIMITED:
        session.add(User(key=group, name=group, rights=Rights.REVIEWER, created_at=utcnow(), groups=[group]))


def paths(size: int) -> dict[str, str]:
    """Return the pages by name; the deep ones lead half the way back."""
    deep = time.time() - size * 90
    return {
        "today": "/",
        "corrected": "/?is=corrected",
        "deep": f"/?before={deep}~desk:1",
        "deep filter": f"/?is=corrected&before={deep}~desk:1",
        "ticket": f"/tickets/desk/{size // 2}",
        "review": "/review",
        "review, one order": "/review?order=disagrees",
        "status": "/status",
        "models": "/models",
        "search, everything": "/search?q=paper",
        "search, four words": '/search?q=the+"second+floor"+paper+pri',
        "search, deep": f"/search?q=paper&before={numbered(datetime.fromtimestamp(deep, UTC), '')}",
        "search, filter": "/search?q=paper&is=corrected",
        "search, one": f"/search?q={size // 2}",
        "search, nothing": "/search?q=paper+zebra",
        "report": "/report",
        "rules": "/rules",
        "roles": "/roles",
        "roles, dry run": "/roles?role=Network&stage=tag",
        "log": "/log",
        "log, deep": f"/log?before={size // 2}",
        "users": "/users",
        "account": "/account",
        "sign-in": "/sign-in",
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


async def measured(folder: Path, size: int, address: str | None) -> dict[str, tuple[float, float]]:
    """Return, by page, median milliseconds by the clock and of CPU."""
    url = None if address is None else SecretStr(address)
    parts = assemble(
        Settings(data=folder, rules=TICKETS / "rules.toml", roles=TICKETS / "roles.toml", database_url=url)
    )
    parts.database.call(fill, size)
    tokens = {name: parts.database.call(sessions.begin, name, utcnow()) for name in ("ops", *LIMITED)}
    visits = [(name, "ops", path) for name, path in paths(size).items()]
    visits += [(f"{name}, limited to {who}", who, paths(size)[name]) for who in LIMITED for name in SEEN_BY_ALL]
    desk = Desk()
    app = create_app(parts, {desk.source: desk}, ("false",))
    transport = httpx.ASGITransport(app)
    found = {}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://rolecall") as client,
    ):
        for name, who, path in visits:
            taken, client.cookies = [], httpx.Cookies({"rolecall": tokens[who]})
            for _ in range(TIMES + 1):
                theirs = server_seconds(PROCESSES, parts.database)
                clock, cpu = time.perf_counter(), time.process_time()
                answer = await client.get(path)
                clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
                cpu += server_seconds(PROCESSES, parts.database) - theirs
                taken.append((clock * 1e3, cpu * 1e3))
                assert answer.status_code in (200, 303), (path, answer.status_code)
            clocks, cpus = zip(*taken[1:], strict=True)
            found[name] = (statistics.median(clocks), statistics.median(cpus))
    return found


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


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, and print the figures; 1 where a bound is missed."""
    size = int(arguments[0]) if arguments else MANY
    with (
        databases(arguments[1] if len(arguments) > 1 else None) as (small, large),
        tempfile.TemporaryDirectory() as few,
        tempfile.TemporaryDirectory() as many,
    ):
        before = asyncio.run(measured(Path(few), FEW, small))
        after = asyncio.run(measured(Path(many), size, large))
    for name, (clock, cpu) in after.items():
        print(f"{name}: {clock:.1f} ms, {cpu:.1f} ms of CPU; with {FEW:,} tickets {before[name][1]:.1f} ms of CPU")
    ratio = max(after[name][1] / max(before[name][1], 1.0) for name in after)
    slowest, cpu = (max(pair[place] for pair in after.values()) for place in (0, 1))
    print(f"slowest_ratio={ratio:.2f} slowest_ms={slowest:.0f} slowest_cpu_ms={cpu:.0f}")
    return int(ratio > 3 or cpu > 300)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
