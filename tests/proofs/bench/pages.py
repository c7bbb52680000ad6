"""What each page costs with 1,000 and with 100,000 tickets of ten events each, some of them for limited accounts, too.

One of these sees a group in which half of the tickets are now, one a group of a hundred, however many there are beside.

The last line: `slowest_ratio`, of a page's CPU time with many tickets to that with few; `slowest_ms`, by the clock, and
`slowest_cpu_ms`, both with many. Medians of several requests.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import insert
from sqlmodel import Session, select

from agent.app import create_app
from agent.config.settings import Settings
from agent.core import assemble
from agent.pages.signing import sessions
from agent.pages.signing.rights import Rights
from agent.store.people import User
from agent.store.search import indexed, numbered
from agent.store.tables import Ticket, TicketWords, utcnow
from tests.conftest import TICKETS
from tests.desk import Desk

FEW, MANY = 1_000, 100_000
EVENTS = 10
TIMES = 9
LIMITED = ("half", "rare")
"""Groups that accounts of the same name are limited to."""

RARE = 100
"""Tickets of the second one."""

SEEN_BY_ALL = ("today", "corrected", "deep", "review", "search, everything", "search, one", "status", "report", "rules")
TEXT = "The printer on the second floor shows a paper jam, but there is no paper in it. " * 3

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size})"
_PAST = "datetime('now', '-' || (({size} - i) * 3) || ' minutes')"
_DETAIL = (
    '{{"probabilities": {{"Network": 0.6, "Electrician": 0.3}}, "hits": [],'
    ' "neighbours": [{{"ticket": "desk:1", "roles": ["Electrician"], "similarity": 0.8}}]}}'
)
_FILL = (
    "INSERT INTO ticket (key, subject, body, filed_at, closed_at) {numbers} SELECT 'desk:' || i, 'Paper jam ' || i,"
    " '{text}', {past}, CASE WHEN i % 2 THEN {past} END FROM n",
    "INSERT INTO decision (ticket_key, event_seq, at, outcome, roles, confidence, reason, detail, rules_version)"
    " {numbers} SELECT 'desk:' || i, i, {past}, CASE i % 3 WHEN 0 THEN 'either_or' ELSE 'clear' END, '[\"Network\"]',"
    " 0.6, '', '{detail}', 'v1' FROM n",
    "INSERT INTO comment (ticket_key, marker, text, remote_id, attempted_at, posted_at) {numbers}"
    " SELECT 'desk:' || i, 'm', 'Role: Network', i, {past}, {past} FROM n",
    "INSERT INTO review (ticket_key, roles, rejected, strength, via, origin, at) {numbers} SELECT 'desk:' || i,"
    " CASE i % 5 WHEN 0 THEN '[\"Electrician\"]' ELSE '[\"Network\"]' END, '[]', CASE i % 97 WHEN 0 THEN 5 ELSE 2 END,"
    " CASE i % 97 WHEN 0 THEN 'command' ELSE 'closure' END, 'o', {past} FROM n WHERE i % 2",
    "UPDATE ticket SET seen = json_object('group', CASE WHEN CAST(substr(key, 6) AS INTEGER) % {every} = 0 THEN 'rare'"
    " WHEN CAST(substr(key, 6) AS INTEGER) % 2 THEN 'half' ELSE 'others' END, 'text', '')",
    "UPDATE ticket SET drawn = 1 WHERE CAST(substr(key, 6) AS INTEGER) % 20 = 0",
    "INSERT INTO review (ticket_key, roles, rejected, strength, via, origin, at) {numbers} SELECT 'desk:' || i,"
    " '[\"Network\"]', '[]', 4, 'check', 'c', {past} FROM n WHERE i % 20 = 0",
    "INSERT INTO audit (at, who, action, ticket_key, detail) {numbers} SELECT {past}, 'Kim', 'feedback', 'desk:' || i,"
    " '{{}}' FROM n",
)
_EVENTS = (
    "INSERT INTO inbox (source, delivery_id, kind, ticket_key, content_hash, received_at, due_at, event, raw, state,"
    " attempts, crashes, done_at) {numbers} SELECT 'desk', 'd' || i, 'commented', 'desk:' || (1 + i / {events}),"
    " i, {past}, {past}, '', zeroblob(0), 'done', 1, 0, {past} FROM n"
)


def fill(session: Session, size: int) -> None:
    """Store a past in which half of the tickets were closed, and some answered; in memory first, where it fits."""
    (before,) = session.connection().exec_driver_sql("PRAGMA cache_size").one()
    session.connection().exec_driver_sql("PRAGMA cache_size = -1000000")
    for statement in _FILL:
        named = {"numbers": _NUMBERS.format(size=size), "past": _PAST.format(size=size), "text": TEXT}
        named["every"] = str(size // RARE)
        session.connection().exec_driver_sql(statement.format(**named, detail=_DETAIL.format()))
    events = size * EVENTS
    named = {
        "numbers": _NUMBERS.format(size=events),
        "past": _PAST.format(size=events).replace("* 3", "/ 3"),
    }
    session.connection().exec_driver_sql(_EVENTS.format(**named, events=EVENTS))
    _index(session)
    session.connection().exec_driver_sql("ANALYZE")
    session.connection().exec_driver_sql(f"PRAGMA cache_size = {before}")
    session.add(User(key="ops", name="ops", rights=Rights.OPERATOR, created_at=utcnow()))
    for group in LIMITED:
        session.add(User(key=group, name=group, rights=Rights.REVIEWER, created_at=utcnow(), groups=[group]))


def _index(session: Session) -> None:
    """Let tickets be found, all at once: as a server does it beside its work, it takes minutes."""
    tickets = session.exec(select(Ticket.key, Ticket.subject, Ticket.filed_at)).all()
    text = indexed(TEXT)
    rows = [
        {"number": numbered(at, key), "ticket_key": key, "words": f"{indexed(key.partition(':')[2], subject)} {text}"}
        for key, subject, at in tickets
    ]
    session.execute(insert(TicketWords), rows)


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


async def measured(folder: Path, size: int) -> dict[str, tuple[float, float]]:
    """Return, by page, median milliseconds by the clock and of CPU."""
    parts = assemble(Settings(data=folder, rules=TICKETS / "rules.toml", roles=TICKETS / "roles.toml"))
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
                clock, cpu = time.perf_counter(), time.process_time()
                answer = await client.get(path)
                taken.append(((time.perf_counter() - clock) * 1e3, (time.process_time() - cpu) * 1e3))
                assert answer.status_code in (200, 303), (path, answer.status_code)
            clocks, cpus = zip(*taken[1:], strict=True)
            found[name] = (statistics.median(clocks), statistics.median(cpus))
    return found


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, and print the figures; 1 where a bound is missed."""
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        before = asyncio.run(measured(Path(few), FEW))
        after = asyncio.run(measured(Path(many), int(arguments[0]) if arguments else MANY))
    for name, (clock, cpu) in after.items():
        print(f"{name}: {clock:.1f} ms, {cpu:.1f} ms of CPU; with {FEW:,} tickets {before[name][1]:.1f} ms of CPU")
    ratio = max(after[name][1] / max(before[name][1], 1.0) for name in after)
    slowest, cpu = (max(pair[place] for pair in after.values()) for place in (0, 1))
    print(f"slowest_ratio={ratio:.2f} slowest_ms={slowest:.0f} slowest_cpu_ms={cpu:.0f}")
    return int(ratio > 3 or cpu > 300)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
