"""A desk's past for the benchmark of pages: so many tickets with ten events each, made by the database itself.

Beside usual tickets there is one with a tenth of all events, as a loop between two mail systems makes it; and a tenth
of the events was set aside, as after a day on which the helpdesk answered nothing.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlmodel import Session

from agent.pages.signing.rights import Rights
from agent.store.people import User
from agent.store.search import SPARE_BITS, indexed
from agent.store.tables import utcnow

EVENTS = 10
LONG = 1
"""The number of the ticket in a loop."""

RARE, WORD = 100, 40
"""Tickets of the group `rare`; tickets with the word `valve`, all of them old ones of the group `hundredth`."""

SHARE, LEAST = 100, 200
"""One ticket in so many is of the group `hundredth`, and one of the helpdesk `other`; but at least so many are."""

LIMITED = {
    "half": User(groups=["half"]),
    "rare": User(groups=["rare"]),
    "hundredth": User(groups=["hundredth"]),
    "old": User(groups=["old"]),
    "most": User(groups=["half", "others"]),
    "several": User(groups=["rare", "old", "closed down"]),
    "nowhere": User(groups=["closed down"]),
    "other": User(helpdesks=["other"]),
    "both": User(helpdesks=["other"], groups=["half"]),
}
"""Accounts and their limits: `old` is the group of the oldest tickets, in `closed down` there is none."""

TEXT = "The printer on the second floor shows a paper jam, but there is no paper in it. " * 3

_SQL = {
    "sqlite": {
        "numbers": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size})",
        "past": "datetime('now', '-' || (({size} - i) * {seconds}) || ' seconds')",
        "json": "'{}'",
        "group": "json_object('group', {}, 'text', '')",
        "nothing": "zeroblob(0)",
        "something": "zeroblob(2000)",
        "number": "(CAST(strftime('%s', {past}) AS INTEGER) << {bits}) + i",
    },
    "postgresql": {
        "numbers": "WITH n(i) AS (SELECT generate_series(1, {size}))",
        "past": "now() - ({size} - i) * {seconds} * interval '1 second'",
        "json": "CAST('{}' AS json)",
        "group": "json_build_object('group', {}, 'text', '')",
        "nothing": "CAST('' AS bytea)",
        "something": "CAST(repeat('x', 2000) AS bytea)",
        "number": "(CAST(extract(epoch FROM {past}) AS bigint) << {bits}) + i",
    },
}
"""How each database makes rows out of numbers."""

_DETAIL = (
    '{"probabilities": {"Network": 0.6, "Electrician": 0.3}, "hits": [],'
    ' "neighbours": [{"ticket": "desk:1", "roles": ["Electrician"], "similarity": 0.8}]}'
)
_KEY = "CASE WHEN i % {every} = 3 THEN 'other:' ELSE 'desk:' END || i"
_GROUP = (
    "CASE WHEN i % {rare} = 0 THEN 'rare' WHEN i <= {old} THEN 'old' WHEN i % {every} = 2 THEN 'hundredth'"
    " WHEN i % 2 = 1 THEN 'half' ELSE 'others' END"
)
_VALVE = "CASE WHEN i % {every} = 2 AND i > {old} AND i <= {old} + {word} * {every} THEN ' valve' ELSE '' END"
_DECISION = (
    "INSERT INTO decision (ticket_key, event_seq, at, outcome, roles, confidence, reason, detail, rules_version)"
    " {numbers} SELECT {key}, i, {past}, CASE i % 3 WHEN 0 THEN 'either_or' ELSE 'clear' END, {network},"
    " 0.6, '', {detail}, 'v1' FROM n"
)
_REVIEW = (
    "INSERT INTO review (ticket_key, roles, rejected, strength, via, origin, at) {numbers} SELECT {key},"
    " CASE i % 5 WHEN 0 THEN {electrician} ELSE {network} END, {none}, CASE i % 97 WHEN 0 THEN 5 ELSE 2 END,"
    " CASE i % 97 WHEN 0 THEN 'command' ELSE 'closure' END, {origin} || i, {past} FROM n WHERE i % 2 = 1"
)
_TICKETS = (
    "INSERT INTO ticket (key, subject, body, filed_at, closed_at, seen, drawn) {numbers} SELECT {key},"
    " 'Paper jam ' || i, '{text}', {past}, CASE WHEN i % 2 = 1 THEN {past} END, {group}, i % 20 = 0 FROM n",
    _DECISION,
    "INSERT INTO comment (ticket_key, marker, text, remote_id, attempted_at, posted_at) {numbers}"
    " SELECT {key}, 'm', 'Role: Network', i, {past}, {past} FROM n",
    _REVIEW,
    "INSERT INTO review (ticket_key, roles, rejected, strength, via, origin, at) {numbers} SELECT {key},"
    " {network}, {none}, 4, 'check', 'c', {past} FROM n WHERE i % 20 = 0",
    "INSERT INTO audit (at, who, action, ticket_key, detail) {numbers} SELECT {past}, 'Kim', 'feedback', {key},"
    " {empty} FROM n",
    # all at once: as a server does it beside its work, it takes minutes
    "INSERT INTO ticket_words (number, ticket_key, words) {numbers} SELECT {number}, {key},"
    " i || ' paper jam ' || i || ' {words}' || {valve} FROM n",
)
_EVENT = (
    "INSERT INTO inbox (source, delivery_id, kind, ticket_key, content_hash, received_at, due_at, event, raw, state,"
    " attempts, crashes, error, done_at) {numbers} SELECT 'desk', {delivery} || i, 'commented', {key}, {delivery} || i,"
    " {past}, {past}, '', {raw}, {state}, 1, 0, 'Ambiguous: no answer', {past} FROM n"
)
_UNKNOWN = (
    "INSERT INTO account (source, account_id, ours, assigned, refused, last_event) {numbers} SELECT 'desk', 'a' || i,"
    " {false}, {false}, 1, 1 FROM n"
)


def fill(session: Session, size: int) -> None:
    """Store a past in which half of the tickets were closed, and some answered; in memory first, where it fits."""
    connection, dialect = session.connection(), session.get_bind().dialect.name
    sqlite = dialect == "sqlite"
    if sqlite:
        (before,) = connection.exec_driver_sql("PRAGMA cache_size").one()
        connection.exec_driver_sql("PRAGMA cache_size = -1000000")
    for statement, count, more in _statements(dialect, size):
        connection.execute(text(statement.format(**_named(dialect, size, count, more))))
    connection.exec_driver_sql("ANALYZE")
    if sqlite:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before}")
    session.add(User(key="ops", name="ops", rights=Rights.OPERATOR, created_at=utcnow()))
    for name, limit in LIMITED.items():
        limits = {"helpdesks": list(limit.helpdesks), "groups": list(limit.groups)}
        session.add(User(key=name, name=name, rights=Rights.REVIEWER, created_at=utcnow(), **limits))


def _statements(dialect: str, size: int) -> list[tuple[str, int, dict[str, str]]]:
    """Return each statement, for how many rows, and what is different in it from that for usual tickets."""
    loop, own = {"key": f"'desk:{LONG}'"}, {"key": f"'desk:' || (1 + i / {EVENTS})"}
    return [
        *((statement, size, {}) for statement in _TICKETS),
        (_EVENT, size * EVENTS, own | {"delivery": "'d'", "state": "'done'"}),
        (_EVENT, size * EVENTS // 10, loop | {"delivery": "'loop'", "state": "'done'"}),
        (_EVENT, size // 10, {"delivery": "'dead'", "state": "'dead'", "raw": _SQL[dialect]["something"]}),
        (_UNKNOWN, size // 10, {}),
        (_DECISION, size // 10, loop),
        (_REVIEW, size // 10, loop | {"origin": "'loop'"}),
    ]


def _named(dialect: str, size: int, count: int, more: dict[str, str]) -> dict[str, str]:
    """Return what a statement's names stand for."""
    sql, every = _SQL[dialect], min(SHARE, size // LEAST)
    old = size // every
    seconds = size * 180 // count
    named = {
        "numbers": sql["numbers"].format(size=count),
        "past": sql["past"].format(size=count, seconds=seconds),
        "key": _KEY.format(every=every),
        "group": sql["group"].format(_GROUP.format(every=every, rare=size // RARE, old=old)),
        "valve": _VALVE.format(every=every, old=old, word=WORD),
        "text": TEXT,
        "words": indexed(TEXT),
        "raw": sql["nothing"],
        "detail": sql["json"].format(_DETAIL),
        "network": sql["json"].format('["Network"]'),
        "electrician": sql["json"].format('["Electrician"]'),
        "none": sql["json"].format("[]"),
        "empty": sql["json"].format("{}"),
        "false": "false",
        "origin": "'o'",
    }
    named["number"] = sql["number"].format(**named, bits=SPARE_BITS)
    return named | more
