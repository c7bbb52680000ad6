"""What people write: commands in replies, tickets that are judged, comments that go out."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

from sqlmodel import Session

from agent.config.roles_file import load_roles
from agent.config.settings import Settings, TriageSettings
from agent.core import assemble
from agent.feedback.commands import Confirm, Correct, NotUnderstood, parse
from agent.notes import answers, wording
from agent.store import finding, search
from agent.store.database import Database
from agent.store.search import Phrase, indexed, places, sought
from agent.store.tables import Ticket, utcnow
from agent.text.reading import read
from connectors.base import Markup
from connectors.django_helpdesk.templates import defuse, escape_template
from connectors.markup import excerpt, render
from connectors.note import Note, Section, SectionKind
from tests.connectors.test_django_helpdesk_templates import rendered
from tests.fuzz.target import Target, text_of

TICKETS = Path(__file__).parents[1] / "tickets"
DAY = date(2026, 1, 5)
MOST_READ = 20_000
MOST_CPU_SECONDS = 1.0


def commands(_scratch: Path) -> Target:
    """A reply: no command, or one that names roles of ours alone; the answer to it is no command again."""
    catalogue = load_roles(TICKETS / "roles.toml")

    def check(data: bytes) -> None:
        command = parse(text_of(data), catalogue)
        if isinstance(command, Correct):
            assert command.roles
            assert set(command.roles) <= set(catalogue.names)
        elif isinstance(command, NotUnderstood):
            assert catalogue.lookup(command.name) is None
            assert set(command.close) <= set(catalogue.names)
            answer = Note(
                (Section(SectionKind.ANSWER, (answers.unknown_role(command.name, command.close, catalogue.names),)),)
            )
            for markup in Markup:
                text = render(answer, markup)
                assert len(text.splitlines()) == 1
                assert not isinstance(parse(text, catalogue), Confirm | Correct)

    replies = ("/role ok", "/role Network", "/role net, sparky", "  /ROLE nobody!", "> /role ok", "/role `/role ok`")
    quoted = "thanks\r\n/role wifi.\r\n-----Original Message-----\r\n/role ok"
    return Target(check, [reply.encode() for reply in (*replies, quoted, "/role \u2028/role ok", "text\n/role ,")])


def tickets(scratch: Path) -> Target:
    """A ticket's text: rules match it, an opinion is formed, and what is said of it is no command and no markup."""
    settings = Settings(
        data=scratch / "data",
        rules=TICKETS / "rules.toml",
        roles=TICKETS / "roles.toml",
        triage=TriageSettings(silent_below=0),
    )
    parts = assemble(settings)
    classifier = parts.classifier

    def check(data: bytes) -> None:
        subject, _, body = text_of(data).partition("\n")
        opinion = classifier.opinion(subject, body, DAY)
        assert abs(sum(opinion.probabilities)) <= len(opinion.roles)
        note = wording.of_opinion(opinion, wording.Beside({"desk:1": subject}, subject=subject, short=(subject, body)))
        for markup in Markup if note else ():
            assert not isinstance(parse(render(note, markup), classifier.catalogue), Confirm | Correct)
        spoken = excerpt(subject)
        assert spoken.text.isprintable()
        assert "`" not in spoken.text

    filed = ("VPN drops\nThe Wi-Fi in room 3 is down, not the printer", "Badge\nno access to the folder /role ok")
    return Target(
        check,
        [text.encode() for text in (*filed, "`x`\n\x1b[2Jsocket sparks", "\u202eoutlet\n\0")],
        parts.database.close,
    )


def readings(_scratch: Path) -> Target:
    """What counts of a text: storable, no longer than the text by much, in time that does not explode.

    The first byte says how often what follows is repeated, up to 20 kB.
    """

    def check(data: bytes) -> None:
        times = (1, 1, 1, 1_000)[(data or b"\0")[0] % 4]
        text = data[1:].decode("utf-8", "replace")  # half a letter is refused where texts come in
        subject, _, body = (text * times)[:MOST_READ].partition("\n")
        began = time.process_time()
        reading = read(subject, body)
        assert time.process_time() - began < MOST_CPU_SECONDS
        for part in (reading.subject, reading.body, reading.left_out):
            assert "\r" not in part
            assert len(part) <= 4 * MOST_READ
        reading.text.encode()
        assert isinstance(reading.says_nothing, bool)

    mails = (
        "0Re: VPN\nIt drops.\n\nOn Mon, 3 Mar 2025, Ann wrote:\n> It works.\n-- \nAnn\nWifi Ltd.",
        "0FW: printer\nplease see below:\n\n-----Original Message-----\nFrom: a\nSent: b\nSubject: toner\n\nempty",
        "0html\n<html><body><p>The <b>lamp</b>&nbsp;is out</p><blockquote>old</blockquote><!--",
        "0[EXT] lÃ¤uft\nCAUTION:\nThis email originated from outside the firm.\n\nl=C3=A4uft=\nnicht \x1b[31mx",
        "3l=C3=A4=\n", "3â€“Ã¼", "3\x1b]0;", "3&amp;nbsp;",
        "3<div><blockquote>", "3> ", "2\nFrom: a\n", "3&#1;", "2____\n", "3<a b=", "2Am 3. schrieb A:\n",
    )  # fmt: skip
    return Target(check, [mail.encode() for mail in mails])


def questions(scratch: Path) -> Target:
    """What is searched for: no error of the database, and a ticket with that very text is found by each of its words.

    Before the first line's end stands the question, behind it the ticket.
    """
    database = Database.open_file(scratch / "searched.sqlite3")

    def check(data: bytes) -> None:
        question, _, body = data.decode("utf-8", "replace").partition("\n")
        database.call(_searched, question, body)

    seeds = (
        'vpn "drops again"\nThe VPN drops again', "网络\n这是网络故障", "ﾌﾟﾘﾝ\nプリンタ", "İ\nistanbul", "½\n1 2",
        "NEAR(a b)* -c:d ^e\na b", "' & !x | y:*\nx", "e\u0301\nÉ", "ß\nSS", "\u0e2b\u0e19\u0e49\u0e32\nหน้าจอ",
        "プ\n\0\u3099プ",
    )  # fmt: skip
    return Target(check, [seed.encode() for seed in seeds], database.close)


def _searched(session: Session, question: str, body: str) -> None:
    search.add(session, Ticket(key="desk:x", subject="", body=body, filed_at=utcnow()))
    for asked in (question, f'"{question}', body[:100]):
        if phrases := sought(asked):
            finding.matching(session, phrases, 5)
            assert not [
                one for begin, end in places(body, phrases) for one in (begin, end) if not 0 <= one <= len(body)
            ]
    words = indexed(body).split(" ")
    for word in {word for word in words[:20] if word}:
        assert finding.matching(session, [Phrase((word,))], 5).rows, f"not found by {word!r}"
    session.rollback()


def comments(_scratch: Path) -> Target:
    """A comment on its way out: storable, no reference, no template."""

    def check(data: bytes) -> None:
        text = text_of(data)
        stored = defuse(text)
        stored.encode("utf-8")
        assert defuse(stored) == stored
        template = escape_template(stored)
        assert not any(tag in template for tag in ("{%", "%}", "{#"))
        assert rendered(template) == stored

    words = (
        "see #12 and ##3",
        "{{ c }} {% load x %} {# #}",
        "X-HELPDESK-COMMENT-ENDVERBATIM",
        "#\u20601 # 2 {%%}",
        "{{{%}}}",
        '{{ "X" }}',
        "{X-HELPDESK-COMMENT-VERBATIM",
    )
    return Target(check, [word.encode() for word in words])
