"""The note on how a closed ticket was solved: a draft to accept, edit or discard, a shown one to judge.

The verdict, its line in the log and the event that brings the comment up to date are stored together, or not at all.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from sqlmodel import Session
from starlette.responses import Response

from agent.domain import source_of
from agent.notes import solution
from agent.pages.feedback import key_of
from agent.pages.guard import Refused, Visit
from agent.pages.signing import audit
from agent.pages.site import Site
from agent.store import verdicts, writings
from agent.store.writings import Verdict, Writing

MOST_CHARACTERS = 4_000
"""Of a note as a person writes it."""

_UNPRINTABLE = re.compile(r"[^\S\n]+|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_WORDS = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Words of a note: `kind` is same, cut or new."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A note as its ticket's page shows it. `state`: what is to be said of it, a key of the sentences."""

    stored: Writing
    text: str
    state: str
    postable: bool
    """Whether the helpdesk takes a note on a closed ticket without opening it again."""

    @property
    def seen(self) -> str:
        """What a form repeats, so that no verdict falls on a note that has changed since."""
        return f"{self.stored.digest}-{self.stored.verdict or ''}"

    @property
    def pieces(self) -> list[Piece]:
        """What a person changed of the note."""
        return list(differences(self.text, self.stored.said or self.text))


def card(site: Site, stored: Writing | None) -> Card | None:
    """Return the note on a ticket as its page shows it, None where there is none."""
    if stored is None:
        return None
    written = solution.written_of(stored)
    if not written.says_something and stored.said is None:
        return None
    connector = site.connectors.get(source_of(stored.ticket_key))
    postable = connector is not None and connector.capabilities.notes_on_closed
    return Card(stored, solution.plain(written), _state(stored), postable)


def _state(stored: Writing) -> str:
    if stored.verdict is not None:
        return stored.verdict
    return "shown" if stored.shown else "due" if stored.due_at else "draft"


def differences(before: str, after: str) -> Iterator[Piece]:
    """Yield the words that two texts share, and those that only one of them has."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(old[a:b]))
            continue
        if a < b:
            yield Piece("cut", "".join(old[a:b]))
        if c < d:
            yield Piece("new", "".join(new[c:d]))


async def answer(visit: Visit) -> Response:
    """Carry out what a form says of a note, and go back to its ticket."""
    key, site = key_of(visit), visit.site
    stored = await visit.read(writings.closing, key)
    if card(site, stored) is None:
        raise Refused(404, "no_note")
    try:
        verdict = Verdict(visit.field("do"))
    except ValueError:
        raise Refused(400, "malformed") from None
    if verdict is Verdict.RESTORED:
        raise Refused(400, "malformed")  # that is of subjects
    said = _said(visit.field("text")) if verdict is Verdict.EDITED else None
    if verdict is Verdict.EDITED and not said:
        raise Refused(400, "no_text")
    await site.database.write(_judge, visit, key, verdict, said)
    site.wake.set()
    return visit.back(str(site.words.ticket(key)))


def _said(text: str) -> str:
    """Return what a person wrote as lines of printable text."""
    if len(text) > MOST_CHARACTERS:
        raise Refused(413, "too_large")
    lines = (_UNPRINTABLE.sub(" ", line).strip() for line in text.replace("\r\n", "\n").split("\n"))
    return "\n".join(line for line in lines if line)


def _judge(session: Session, visit: Visit, key: str, verdict: Verdict, said: str | None) -> None:
    site, now = visit.site, visit.site.now()
    stored = writings.closing(session, key)
    found = card(site, stored)
    if stored is None or found is None or found.seen != visit.field("seen"):
        raise Refused(409, "note_changed")
    if verdict is Verdict.DISCARDED and stored.shown:
        raise Refused(409, "note_changed")
    changed = verdict is not Verdict.USEFUL and (stored.shown or verdict is not Verdict.WRONG)
    verdicts.judge(session, stored, verdict, visit.who.name, now, said)
    audit.note(session, visit.who.name, audit.Action.NOTE, now, key, verdict=verdict)
    if changed and verdict is not Verdict.DISCARDED and found.postable:
        verdicts.show(session, stored, f"page-{secrets.token_hex(16)}", now)
