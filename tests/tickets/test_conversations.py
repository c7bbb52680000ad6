"""The invented conversations are what README.md says of them; later features are measured against their annotations."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from agent.config.roles_file import load_roles
from agent.config.rules_file import load_rules
from agent.domain import RoleCatalogue
from heuristics.rules import leading_role
from tests.tickets.conversations import (
    BODY,
    HERE,
    SOLVED,
    Author,
    Conversation,
    ExpectedStrength,
    Outcome,
    Reason,
    load_conversations,
)

SHARED_DATA = Path(__file__).parents[2] / "../shared/data"
COPIED_WORDS = 8
"""So many words in the same order are taken for a copy."""
LONG_THREAD = 10
COMMAND_LINES = {"ok": "/role ok"}
WORD = re.compile(r"\w+")
INJECTED = re.compile(r"^/role |ignore all previous|disregard your rules|automated reader|<script|\{\{", re.I | re.M)
QUOTED = re.compile(r"^> ?\w|^-{5,} ?(Forwarded|Original) ", re.M)

TICKETS = load_conversations()
CATALOGUE = load_roles(HERE / "roles.toml")
each_ticket = pytest.mark.parametrize("ticket", TICKETS, ids=lambda ticket: ticket.id)


def named_roles(names: str, catalogue: RoleCatalogue) -> list[str | None]:
    """Return the role behind each comma-separated name, None for one that leads nowhere."""
    return [role.name if role else None for role in map(catalogue.lookup, names.split(","))]


def texts(ticket: Conversation) -> Iterator[tuple[int, str]]:
    """Yield all texts that people wrote, with their numbers."""
    yield BODY, ticket.body
    yield from ((message.n, message.text) for message in ticket.messages if message.author is not Author.AGENT)


def share(condition: Callable[[Conversation], bool]) -> float:
    return sum(map(condition, TICKETS)) / len(TICKETS)


def test_there_are_sixty_tickets_numbered_in_order_of_filing() -> None:
    assert [ticket.id for ticket in TICKETS] == [f"T{number:02d}" for number in range(1, 61)]
    assert all(earlier.created_at < later.created_at for earlier, later in pairwise(TICKETS))


@each_ticket
def test_messages_are_numbered_and_follow_one_another(ticket: Conversation) -> None:
    assert [message.n for message in ticket.messages] == list(range(1, len(ticket.messages) + 1))
    times = [ticket.created_at, *(message.at for message in ticket.messages), ticket.closure.at]
    assert all(earlier < later for earlier, later in pairwise(times))
    assert all(message.internal for message in ticket.messages if message.author is Author.AGENT)
    assert all(message.name == ticket.requester for message in ticket.messages if message.author is Author.REQUESTER)


@each_ticket
def test_only_known_roles_are_named(ticket: Conversation) -> None:
    named = {*ticket.true_roles, *(ticket.feedback.expected_roles or ()), *(ticket.feedback.suggested or ())}
    if ticket.closure.group:
        named.add(ticket.closure.group)
    assert named <= set(CATALOGUE.names)
    assert len(set(ticket.true_roles)) == len(ticket.true_roles)
    assert bool(ticket.true_roles) != ("not-a-ticket" in ticket.tags)


@each_ticket
def test_spans_are_pieces_of_their_message_on_one_line(ticket: Conversation) -> None:
    for n, span in ticket.gold.spans:
        assert span in ticket.text_of(n)
        assert "\n" not in span
        assert span == span.strip()


@each_ticket
def test_no_span_is_wanted_and_forbidden_at_once(ticket: Conversation) -> None:
    gold = ticket.gold
    wanted = [span for _, span in (*gold.problem, *gold.cause, *gold.fix, *gold.reason)]
    assert not [(bad, good) for _, bad in gold.forbidden for good in wanted if bad in good or good in bad]
    assert len(set(gold.spans)) == len(gold.spans)


@each_ticket
def test_a_solved_ticket_has_a_fix_and_every_other_one_a_reason(ticket: Conversation) -> None:
    solved = ticket.closure.outcome in SOLVED
    assert bool(ticket.gold.reason) != solved
    if solved:
        assert ticket.gold.fix
    elif ticket.closure.outcome is not Outcome.DECLINED:
        assert not ticket.gold.fix


@each_ticket
def test_the_one_who_fixed_it_wrote_the_fix(ticket: Conversation) -> None:
    authors = {ticket.messages[n - 1].author for n, _ in ticket.gold.fix if n > BODY}
    if ticket.closure.outcome is Outcome.SELF_FIXED:
        assert authors == {Author.REQUESTER}
    else:
        assert authors <= {Author.STAFF, Author.VENDOR}


@each_ticket
def test_a_deciding_command_stands_in_a_staff_message_and_says_what_is_expected(ticket: Conversation) -> None:
    feedback = ticket.feedback
    if feedback.command is None:
        group = ticket.closure.group
        assert feedback.n is None
        assert feedback.expected_roles == ((group,) if group else None)
        assert feedback.expected_strength is (ExpectedStrength.CLOSED if group else ExpectedStrength.NONE)
        return
    assert feedback.n is not None
    message = ticket.messages[feedback.n - 1]
    assert message.author is Author.STAFF
    lines = [line.casefold().rstrip(" .") for line in message.text.splitlines()]
    assert COMMAND_LINES.get(feedback.command, f"/{feedback.command}").casefold() in lines
    confirms = feedback.command == "ok" or feedback.expected_roles == feedback.suggested
    assert feedback.expected_strength is (ExpectedStrength.CONFIRMED if confirms else ExpectedStrength.CORRECTED)


@each_ticket
def test_every_line_that_looks_like_a_command_is_accounted_for(ticket: Conversation) -> None:
    feedback = ticket.feedback
    looks = Counter((n, line) for n, text in texts(ticket) for line in text.splitlines() if "/role" in line.casefold())
    looks -= Counter((void.n, void.line) for void in feedback.not_counted)
    assert [n for n, _ in looks.elements()] == ([] if feedback.n is None else [feedback.n])


@each_ticket
def test_lines_that_do_not_count_have_the_reason_given(ticket: Conversation) -> None:
    for void in ticket.feedback.not_counted:
        assert void.line in ticket.text_of(void.n).splitlines()
        by_staff = void.n != BODY and ticket.messages[void.n - 1].author is Author.STAFF
        assert by_staff != (void.reason is Reason.NOT_STAFF)
        if void.reason is Reason.QUOTED:
            assert QUOTED.search(ticket.text_of(void.n)[: ticket.text_of(void.n).index(void.line) + len(void.line)])
        assert not void.line.startswith("/role") or void.reason is not Reason.INLINE
        roles = named_roles(void.line.removeprefix("/role"), CATALOGUE)
        assert (None in roles) or void.reason is not Reason.UNKNOWN_ROLE
        if void.reason is Reason.SUPERSEDED:
            assert ticket.feedback.n is not None
            assert void.n < ticket.feedback.n
        if void.reason is Reason.NOTHING_SUGGESTED:
            assert ticket.feedback.suggested is None


def test_all_ways_in_which_a_command_must_not_count_occur() -> None:
    assert {void.reason for ticket in TICKETS for void in ticket.feedback.not_counted} == set(Reason)


def test_endings_are_as_mixed_as_on_a_real_desk() -> None:
    assert share(lambda ticket: ticket.closure.outcome not in SOLVED) >= 0.20
    assert share(lambda ticket: ticket.closure.outcome is Outcome.SELF_FIXED) >= 0.15
    assert {ticket.closure.outcome for ticket in TICKETS} == set(Outcome)
    counts = Counter(role for ticket in TICKETS for role in ticket.true_roles)
    assert set(counts) == set(CATALOGUE.names)
    assert min(counts.values()) >= 5


def test_hostile_and_quoted_texts_are_frequent() -> None:
    assert share(lambda ticket: bool(ticket.tags & {"injection", "quote"})) >= 0.15


def test_failed_attempts_are_frequent() -> None:
    assert share(lambda ticket: "attempts" in ticket.tags) >= 0.15


@each_ticket
def test_tags_say_what_is_in_the_ticket(ticket: Conversation) -> None:
    everything = [text for _, text in texts(ticket)]
    said_by_outsiders = [ticket.body] + [
        message.text for message in ticket.messages if message.author in {Author.REQUESTER, Author.VENDOR}
    ]
    if "injection" in ticket.tags:
        assert any(INJECTED.search(text) for text in said_by_outsiders) or any(
            void.reason is Reason.NOT_STAFF for void in ticket.feedback.not_counted
        )
    if "quote" in ticket.tags:
        assert any(QUOTED.search(text) for text in everything)
    if "attempts" in ticket.tags:
        fixed_in = max(n for n, _ in ticket.gold.fix)
        assert any(BODY < n < fixed_in for n, _ in ticket.gold.forbidden)
    if "short" in ticket.tags:
        assert len(WORD.findall(ticket.body)) <= 30
    assert ("long" in ticket.tags) == (len(ticket.messages) >= LONG_THREAD)
    assert ("vendor" in ticket.tags) == any(message.author is Author.VENDOR for message in ticket.messages)
    assert ("self-fix" in ticket.tags) == (ticket.closure.outcome is Outcome.SELF_FIXED)


def test_near_duplicates_point_to_earlier_tickets() -> None:
    pairs = [(other, ticket.id) for ticket in TICKETS for other in ticket.like]
    assert len(pairs) >= 6
    assert all(earlier < later for earlier, later in pairs)
    assert {earlier for earlier, _ in pairs} <= {ticket.id for ticket in TICKETS}
    assert all(ticket.like for ticket in TICKETS if ticket.closure.outcome is Outcome.DUPLICATE)


def test_the_rules_speak_of_most_tickets_and_are_not_always_right() -> None:
    rules = load_rules(HERE / "rules.toml", CATALOGUE)
    answers = [
        (leading_role(rules.match(ticket.subject, ticket.body, ticket.created_at.date())), ticket) for ticket in TICKETS
    ]
    spoken = [(role, ticket) for role, ticket in answers if role]
    right = [ticket for role, ticket in spoken if role in ticket.true_roles]
    assert {rule.role for rule in rules.rules} == set(CATALOGUE.names)
    assert len(TICKETS) / 2 < len(right) < len(spoken) < len(TICKETS)


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the other people's texts are not beside this checkout")
def test_nothing_is_copied_from_other_peoples_texts() -> None:
    ours = {
        sequence: ticket.id
        for ticket in TICKETS
        for text in (ticket.subject, ticket.gold.good_subject, ticket.closure.note or "", *dict(texts(ticket)).values())
        for sequence in word_sequences(text)
    }
    csv.field_size_limit(10**7)
    copied = set()
    for path in sorted(SHARED_DATA.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as rows:
            for row in csv.reader(rows):
                copied |= {(ours[seq], seq) for cell in row for seq in word_sequences(cell) if seq in ours}
    assert not copied


def word_sequences(text: str) -> Iterator[tuple[str, ...]]:
    """Yield every run of COPIED_WORDS words, without case and punctuation."""
    words = WORD.findall(text.casefold())
    yield from zip(*(words[start:] for start in range(COPIED_WORDS)), strict=False)
