"""How people answer a suggestion with a click: by an address in it, signed, for one suggestion, for two weeks.

links = Links("https://desk.example.org", key)
token = links.token("desk:4711")
opened(key, token)                    # "desk:4711"
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from agent.notes.phrasing import joined, spoken, worded
from agent.store.coordination import utcnow
from agent.store.database import Database
from agent.store.links import GOOD_FOR, keep
from agent.triage.cutoffs import Verdict
from agent.triage.opinion import Opinion
from connectors.note import Paragraph, Span

RIGHT = "Right? {links}"
WHICH_ONE = "Which one? {links}"
YES = "Yes, {roles}"
ANOTHER = "another, or none"

OTHERS_OFFERED = 2
OTHER = "other"
"""What stands in an address for every answer that has no number."""

PATH = "/l/"
PURPOSE = "feedback on a suggestion"
LONGEST = 2_000


class NoGood(Exception):
    """A token that says nothing. `why` is "altered" or "too_old"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of one installation, at the address of its pages."""

    public_url: str
    key: bytes

    @classmethod
    def at(cls, public_url: str | None, key: bytes) -> Links | None:
        """Return what makes links to these pages; None where they have no public address."""
        return cls(public_url, key) if public_url else None

    def token(self, ticket: str) -> str:
        """Return a new token for the ticket of this key."""
        return str(_signer(self.key).dumps(ticket))

    async def of(self, database: Database, key: str, opinion: Opinion) -> str | None:
        """Return the address at which a suggestion is answered with a click, None where nothing is suggested."""
        if not isinstance(opinion.verdict, Verdict):
            return None
        choices = offered(opinion, opinion.verdict)
        return self.address(await database.write(keep, key, choices, partial(self.token, key), utcnow()))

    def address(self, token: str) -> str:
        """Return the address that a choice's number is added to."""
        return f"{self.public_url.rstrip('/')}{PATH}{token}/"


def opened(key: bytes, token: str) -> str:
    """Return the key of the ticket that a token is for. Raises NoGood."""
    try:
        found = _signer(key).loads(token if len(token) <= LONGEST else "", int(GOOD_FOR.total_seconds()))
    except SignatureExpired:
        raise NoGood("too_old") from None
    except BadData:
        raise NoGood("altered") from None
    return str(found)


def offered(opinion: Opinion, verdict: Verdict) -> list[tuple[str, ...]]:
    """Return the answers that are a click away: those of the question, or the suggestion and the next likely roles."""
    if verdict.alternative and not verdict.clear:
        return [(role,) for role in (*verdict.roles, verdict.alternative)]
    others = [(role,) for role, _ in opinion.ranked() if role not in verdict.roles]
    return [verdict.roles, *others[:OTHERS_OFFERED]]


def by_links(opinion: Opinion, verdict: Verdict, address: str) -> Paragraph:
    """Return the question with a link for each answer that is offered, and one for all others."""
    asks = verdict.alternative is not None and not verdict.clear
    names = [" + ".join(roles) for roles in offered(opinion, verdict)]
    shown = names if asks else [spoken(YES).format(roles=names[0]), *names[1:]]
    links = [(Span(name, link=f"{address}{number}"),) for number, name in enumerate(shown)]
    links.append((Span(spoken(ANOTHER), link=f"{address}{OTHER}"),))
    return worded(WHICH_ONE if asks else RIGHT, links=joined(links, " · "))


def _signer(key: bytes) -> URLSafeTimedSerializer:
    given = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(key, salt=PURPOSE, signer_kwargs=given)
