"""Search: tickets that have all of the words asked for, newest first, with the words marked; answers on the spot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup, escape
from sqlmodel import Session, col, select
from starlette.responses import Response

from agent.domain import source_of, ticket_key
from agent.pages.feedback import may_undo
from agent.pages.guard import Visit
from agent.pages.reasons import reason
from agent.pages.standing import Standing, of_tickets
from agent.pages.today import FEW_ROLES, FILTERS, ROWS, SCANNED, thresholds
from agent.store import finding
from agent.store.search import LONGEST_QUESTION, Phrase, places, sought
from agent.store.tables import Ticket
from agent.text.beginning import beginning
from agent.text.reading import attachments, plain_text
from connectors.base import Connector

SUBJECT, EXCERPT, BEFORE = 200, 160, 40
"""Characters that are shown of a subject and of a text, and of the text before the first word that was found."""

MORE = Markup("…")
_PARTS = re.compile(r"[/?&=#]+")
_TITLED = re.compile(
    r"^\W*(?:(?:ticket|incident|request|issue|case|fall|vorgang|demande|caso)\W*)?(?:n[ro°º]\.?|№)?\s*#?|\]$", re.I
)
"""What people and mails write around a number: [Ticket #4711]."""

READ = 20_000
"""Characters of a text in which words are marked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: words, and filters of which each may be "". `before` is where the last page ended."""

    question: str
    state: str
    role: str
    helpdesk: str
    before: int | None = None

    @classmethod
    def of(cls, visit: Visit) -> Asked:
        """Return what an address asks for; what is none of the filters' values filters nothing."""
        given, catalogue = visit.request.query_params, visit.site.classifier.catalogue
        before = given.get("before", "").removeprefix("-")
        number = int(given["before"]) if before.isascii() and before.isdigit() and len(before) < 20 else None
        return cls(
            " ".join(given.get("q", "").split())[:LONGEST_QUESTION],
            given.get("is", "") if given.get("is", "") in FILTERS[1:] else "",
            given.get("role", "") if given.get("role", "") in catalogue.names else "",
            given.get("helpdesk", "") if given.get("helpdesk", "") in visit.site.connectors else "",
            None if number is None else max(min(number, finding.NEWEST), -finding.NEWEST),
        )

    @property
    def filtered(self) -> bool:
        """Whether some of what has the words may be left out."""
        return bool(self.state or self.role or self.helpdesk)

    def path(self, before: int | None = None, question: str | None = None) -> str:
        """Return the address of this search, of its next page, or of one for other words."""
        asked = {"q": self.question, "is": self.state, "role": self.role, "helpdesk": self.helpdesk, "before": before}
        if question is not None:
            asked = {"q": question}
        return f"/search?{urlencode({name: value for name, value in asked.items() if value})}"


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found. `count` is of all that have the words, None on a later page or behind filters."""

    rows: Sequence[Standing]
    older: int | None
    count: int | None
    alone: Sequence[tuple[Phrase, int, bool]] = ()
    """Where nothing has all words: how many tickets have each, and whether there may be more."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A ticket's subject and text with the words marked."""

    subject: Markup
    text: Markup


async def find(visit: Visit) -> Response:
    """Show what has the words."""
    site, asked = visit.site, Asked.of(visit)
    phrases = sought(asked.question)
    found = await visit.read(_read, visit, asked, phrases) if phrases else None
    rows = found.rows if found else ()
    return visit.page(
        "search.html",
        current="search",
        asked=asked,
        found=found,
        most=finding.COUNTED,
        rows=[(row, reason(site, row), may_undo(visit, row)) for row in rows],
        shown={row.ticket.key: _shown(row.ticket, phrases) for row in rows},
        states=FILTERS[1:],
        helpdesks=tuple(site.connectors) if len(site.connectors) > 1 else (),
        older=asked.path(found.older) if found and found.older is not None else None,
        here=asked.path(asked.before),
        needs=thresholds(site),
        catalogue=site.classifier.catalogue,
        few=len(site.classifier.catalogue.names) <= FEW_ROLES,
        longest=LONGEST_QUESTION,
    )


def _read(session: Session, visit: Visit, asked: Asked, phrases: Sequence[Phrase]) -> Found:
    first, filtered = asked.before is None, asked.filtered
    most = finding.COUNTED if first else SCANNED
    looked = finding.matching(session, phrases, most, asked.before)
    matches, unread = looked.rows, looked.unread
    numbers = {key: number for number, key in matches[:SCANNED]}
    exact = _of_number(session, visit, asked.question) if first else []
    keys = [*exact, *(key for key in numbers if key not in exact)]
    if not keys:
        alone = [(phrase, *finding.count(session, phrase)) for phrase in phrases] if len(phrases) > 1 else []
        return Found((), unread, 0 if first else None, alone)
    keys = keys if filtered else keys[: ROWS + 1]
    fitting = [row for row in of_tickets(session, keys) if fits(visit, asked, row)]
    rows = fitting[:ROWS]
    further = numbers.get(rows[-1].ticket.key) if len(fitting) > ROWS else None
    if len(fitting) <= ROWS and filtered and len(matches) > SCANNED - (not first):
        further = min(numbers.values())
    counted = first and not filtered and unread is None
    further = unread if further is None else further
    return Found(rows, further, len({*exact, *(key for _, key in matches)}) if counted else None)


def _of_number(session: Session, visit: Visit, question: str) -> list[str]:
    """Return the tickets that the question names: by a number, as pages and mails write it, or by an address."""
    named = set(_named(question, visit.site.connectors))
    return list(session.exec(select(Ticket.key).where(col(Ticket.key).in_(named))))


def _named(question: str, connectors: Mapping[str, Connector]) -> Iterator[str]:
    """Yield the keys of tickets that a question may name."""
    if "://" in question:
        parts = [part for part in _PARTS.split(question) if part]
        for number in parts[-4:]:
            addresses = ((name, connector.ticket_url(number) or "?") for name, connector in connectors.items())
            yield from (ticket_key(name, number) for name, there in addresses if _leads(question, there.rstrip("/")))
        *_, source, number = ["", *parts]
    else:
        source, _, number = question.replace(":", " ").rpartition(" ")
    yield from (ticket_key(name, number) for name in connectors if name == source.strip().casefold())
    plain = _TITLED.sub("", question)
    yield from (ticket_key(name, plain) for name in connectors)


def _leads(question: str, there: str) -> bool:
    """Return whether an address is that of a ticket, or of a place within it."""
    return question.startswith(there) and (question[len(there) :][:1] or "#") in "/?&#"


def fits(visit: Visit, asked: Asked, standing: Standing) -> bool:
    """Return whether a ticket is behind the filters."""
    if asked.helpdesk and source_of(standing.ticket.key) != asked.helpdesk:
        return False
    if standing.blind and visit.may("reviewer") and (asked.role or asked.state):
        return False  # that it is found would tell what was suggested
    catalogue, known = visit.site.classifier.catalogue, standing.review
    roles = catalogue.today(known.roles) if known else standing.suggested(catalogue)
    return (not asked.state or standing.is_(asked.state)) and (not asked.role or asked.role in roles)


def _shown(ticket: Ticket, phrases: Sequence[Phrase]) -> Shown:
    """Return a ticket as people read it: without tags and the heads of mails, cut between words."""
    subject, text = ticket.subject[:SUBJECT], " ".join(plain_text(attachments(ticket.body[:READ])[0]).split())
    found = places(text, phrases)
    if not found:  # the words are the subject's
        text = beginning(ticket.subject, ticket.body, READ)
    begin, end = _cut(text, found[0] if found else (0, 0))
    inside = [(start - begin, min(stop, end) - begin) for start, stop in found if begin <= start < end]
    return Shown(
        marked(subject, places(subject, phrases)),
        (MORE if begin else Markup()) + marked(text[begin:end], inside) + (MORE if end < len(text) else Markup()),
    )


def _cut(text: str, found: tuple[int, int]) -> tuple[int, int]:
    """Return where the part of a text that is shown begins and ends: at blanks, around what was found first."""
    first, behind = found
    begin = first - BEFORE if first > EXCERPT - BEFORE else 0
    begin = text.find(" ", begin, first) + 1 or begin if begin else 0
    end = begin + EXCERPT
    blank = text.rfind(" ", max(behind, begin), end + 1)
    return begin, blank if end < len(text) and blank > 0 else end


def marked(text: str, found: Sequence[tuple[int, int]]) -> Markup:
    """Return a text with these places marked, whatever it holds."""
    parts, at = [], 0
    for begin, end in found:
        parts += [escape(text[at:begin]), Markup("<mark>{}</mark>").format(text[begin:end])]
        at = end
    return Markup("").join([*parts, escape(text[at:])])
