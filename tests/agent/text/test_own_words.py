"""Quotes, forwarded mails, code and signatures of many programs are told from a person's own words."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text.own_words import Origin, lines, own_words
from agent.text.reading import plain_text

QUOTES = {
    "marked": "> /role Engine\n> please",
    "nested": ">> > /role Engine",
    "English": "On Mon, 3 Mar 2025 at 10:12, Ann Other <ann@example.org> wrote:\n/role Engine",
    "English over two lines": "On Mon, 3 Mar 2025 at 10:12, Ann Other\n<ann@example.org> wrote:\n\n/role Engine",
    "German": "Am 03.03.2025 um 10:12 schrieb Ann Other <ann@example.org>:\n/role Engine",
    "French": "Le lun. 3 mars 2025 à 10:12, Ann Other <ann@example.org> a écrit :\n/role Engine",
    "Spanish": "El lun, 3 mar 2025 a las 10:12, Ann Other (<ann@example.org>) escribió:\n/role Engine",
    "Spanish, perfect": "El lun, 3 mar 2025, Ann Other ha escrito:\n/role Engine",
    "Italian": "Il giorno lun 3 mar 2025 alle ore 10:12 Ann Other ha scritto:\n/role Engine",
    "Dutch": "Op ma 3 mrt 2025 om 10:12 schreef Ann Other <ann@example.org>:\n/role Engine",
    "Polish": "W dniu 3.03.2025 o 10:12, Ann Other napisał(a):\n/role Engine",
    "Polish, Outlook": "W dniu 3.03.2025 o 10:12, Ann Other pisze:\n/role Engine",
    "Russian": "3 марта 2025 г. Ann Other написал(а):\n/role Engine",
    "helpdesk": "Customer writes:\n/role Engine",
    "Outlook, English": "-----Original Message-----\nFrom: Ann\n/role Engine",
    "Outlook, German": "-----Ursprüngliche Nachricht-----\nVon: Ann\n/role Engine",
    "forwarded": "---------- Forwarded message ---------\nFrom: Ann\n\n/role Engine",
    "Apple, German": "Anfang der weitergeleiteten Nachricht:\n\nVon: Ann\n/role Engine",
    "heads alone": "From: Ann Other\nSent: Monday, 3 March 2025 10:12\nTo: Desk\nSubject: Pump\n\n/role Engine",
    "heads, German": "Von: Ann Other\nGesendet: Montag, 3. März 2025\nAn: Desk\nBetreff: Pumpe\n\n/role Engine",
    "heads, bold": "**From:** Ann\n**Sent:** Monday\n**To:** Desk\n\n/role Engine",
    "line": "________________________________\nFrom: Ann\n\n/role Engine",
    "four blanks": "    /role Engine",
    "tab": "\t/role Engine",
    "fence": "```\n/role Engine\n```",
    "fence that never ends": "~~~\n/role Engine",
    "helpdesk's line, Spanish": "##- Por favor, escriba su respuesta por encima de esta línea -##\n/role Engine",
    "strokes": "| what is it?\n| /role Engine",
    "wrapped behind a stroke": "| the desk would like you to say in the first line of your answer |\n/role Engine",
    "forum": "[quote=ann]\n/role Engine\n[/quote]",
    "Jira": "{quote}\n/role Engine\n{quote}",
    "Jira, one line": "{quote}/role Engine{quote}",
    "Jira, ended by whom it quotes": "{quote}\nx {quote}\n/role Engine\n{quote}y\n{quote}",
    "Jira, ended on its last line": "{quote}x\n/role Engine\ny {quote}{quote}",
    "Jira, a tag over its end": "{quote}\n<br>/role Engine<br\n{quote}",
    "Jira, code": "{code:sh}\n/role Engine\n{code}",
    "Jira, log behind words": "It said {noformat}\n/role Engine\n{noformat}",
    "forum, ended by whom it quotes": "[quote]\nx\n[/quote]\n/role Engine\n[/quote]",
    "forum, code": "[code=sh]\n/role Engine\n[/code]",
    "Trac": "{{{\n#!sh\n/role Engine\n}}}",
    "Textile, several paragraphs": "bq.. Ann said\n\np. x\n\n/role Engine\n\np. Well",
    "Textile, code": "bc(sh).. log\n\n/role Engine",
    "wrapped quote": "> the desk would like you to say in the first line of your answer\n/role Engine and not more",
    "HTML": "<p>Hello</p><blockquote>x<br>/role Engine</blockquote>",
    "HTML, preformatted": "<div>Hello</div><pre>/role Engine</pre>",
}


def cut(text: str) -> str:
    """Return what `own_words` leaves out."""
    return "\n".join(line.text for line in lines(text) if line.origin is not Origin.OWN).strip("\n")


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("above", ["", "Please have a look.\n\n", "Bitte ansehen\r\n"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_quoted_command_is_nobodys(quote: str, above: str, ends: str) -> None:
    text = plain_text((above + quote).replace("\n", ends))
    assert "/role Engine" not in own_words(text)
    assert "/role Engine" in cut(text)
    assert own_words(text).startswith(above.strip())


BROKEN = {
    "entity": "> x &#10;/role Engine",
    "entity of a line separator": "> x &#8232;/role Engine",
    "entity, coded twice": "> x &amp;#10;/role Engine",
    "line separator": "> x \u2028/role Engine",
    "vertical tab": "> x \x0b/role Engine",
    "carriage return": "> x \r/role Engine\n> y",
    "tag": "> x <br>/role Engine",
    "tag over two lines": "> x <br\n> /role Engine",
    "entity within a tag": "> x <br&#10;>/role Engine",
    "tag within a tag": "> x <br<br>=3C>/role Engine",
    "quoted-printable": "> x =C3=A4 =0A/role Engine",
    "quoted-printable line separator": "> x =C3=A4 =E2=80=A8/role Engine",
    "in another code page": "> x \u00e2\u20ac\u00a8/role Engine",
    "HTML, line separator": "<p>Hello</p><blockquote>x&#8232;/role Engine</blockquote>",
    "HTML, coded twice": "<p>Hello</p><blockquote>x&amp;#8232;/role Engine</blockquote>",
    "HTML, end of the quote": "<p>Hello</p><blockquote>x =C3=A4 =3C/blockquote=3E =3Cp=3E/role Engine</blockquote>",
    "HTML, marked": "<p>Hello</p>&gt; x&#8232;/role Engine",
}
"""What a requester may write so that a program which quotes it leaves the command outside of the quote."""


@pytest.mark.parametrize("quote", BROKEN.values(), ids=BROKEN)
def test_nothing_within_a_quoted_line_ends_it(quote: str) -> None:
    for text in (quote, f"Thanks, done.\n{quote}\n"):
        read = plain_text(text)
        assert "/role" not in own_words(read)
        assert "/role Engine" in cut(read)


PIECES = ("&#10;", "&#8232;", "&amp;", "#10;", "<", ">", "<br", "<br>", "<div ", "</blockquote>", "<!--", "<style>")
PIECES += ("=0A", "=C3=A4", "=3C", "=", "\r", "\x0b", "\x1b]", "\x07", "\u00e2\u20ac\u00a8")
PIECES += ("-->", "{quote}", "{code}", "P {margin:0}", "```")
PIECES += ("[/quote]", "[quote=x]", "[/code]", "}}}", "p. ", "<![CDATA[", "]]>", "\x1b$B", "\x1b(B", "\u00d0\x9f")
PIECES += ("<i hidden>", "</i>", "-----BEGIN A-----", "\n-----END A-----\n", "\\n")
PIECES += (" ", "x", "\n", "/role Engine")


@given(st.lists(st.sampled_from(PIECES), max_size=9))
def test_a_command_within_any_quoted_text_is_nobodys(pieces: list[str]) -> None:
    text = "".join(pieces)
    marked = "\n".join(f"> {line}" for line in text.split("\n"))
    block = f"<blockquote>{escape(text)}</blockquote>".replace("\n", "<br>")
    for reply in (f"Thanks.\n{marked}", f"<p>Thanks.</p>{block}"):
        assert "/role" not in own_words(plain_text(reply))
    for reply in (
        f"Thanks.\n{{quote}}\n{text}\n{{quote}}",
        f"Thanks.\n{{quote}}{text}{{quote}}\nBye.",
        f"{{code}}{text}{{code}}",
        f"Thanks.\n[quote]\n{text}\n[/quote]\nBye.",
        f"Thanks.\n{{{{{{\n{text}\n}}}}}}\nBye.",
        f"bq.. {text}\n\np. Bye.",
    ):
        assert not any(line.strip().startswith("/role") for line in own_words(plain_text(reply)).split("\n"))


HIDDEN = ("<!--\n/role Engine\n-->", "<!-- Describe the engine. /role Engine -->", "Done.\n<!--/role Engine-->")


@pytest.mark.parametrize("text", HIDDEN)
def test_what_a_template_hides_is_nobodys_and_is_not_read(text: str) -> None:
    assert "ngine" not in plain_text(text)


def test_a_comment_that_a_quote_begins_or_ends_hides_nothing() -> None:
    """Control: without its first line, what is quoted would begin with a command."""
    for text in (
        "<!--\n> -->/role Engine",
        "<!--\n```\n-->\n/role Engine\n```",
        "<!--\n{quote}\n-->\n/role Engine\n{quote}",
    ):
        assert "/role Engine" in cut(plain_text(text))
    assert own_words(plain_text("x <!-- that never ends")) == "x <!-- that never ends"


OWN = {
    "alone": "/role Engine",
    "below a quote": "> what is it?\n\n/role Engine",
    "between quotes": "On Mon, 3 Mar 2025, Ann wrote:\n> what is it?\n/role Engine\n> and this?",
    "above a quote": "/role Engine\n\nOn Mon, 3 Mar 2025, Ann wrote:\nthe pump",
    "below a quote, in lines as old Macs end them": "> what is it?\r/role Engine",
    "above a signature": "/role Engine\n-- \nAnn Other\nDesk",
    "below a sign-off": "Looked at it.\nKind regards\n/role Engine",
    "after a colon": "My decision:\n/role Engine",
    "one head": "To: the desk\n/role Engine",
    "after a fence": "```\nlog\n```\n/role Engine",
    "HTML": "<p>Hello,</p><p>/role Engine</p><blockquote>the pump</blockquote>",
    "three blanks": "   /role Engine",
}


@pytest.mark.parametrize("text", OWN.values(), ids=OWN)
def test_a_persons_own_command_is_theirs(text: str) -> None:
    assert "/role Engine" in own_words(plain_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "The radiator leaks badly.\n\nKind regards\nAnn Other\nTurbo Engine Ltd.",
        "Der Kühler ist undicht.\nMit freundlichen Grüßen\nAnna Muster\nMotoren GmbH",
        "Le radiateur fuit.\n\nCordialement,\nAnne",
        "The radiator leaks.\n-- \nTurbo Engine Ltd.\nwww.example.org",
        "The radiator leaks.\n\nSent from my iPhone",
        "Kühler undicht.\n\nMit freundlichen Grüßen / Kind regards\n\ni.A. Anna Muster\nMotoren GmbH\nTel. +49 89 12",
        "Kühler undicht.\nFreundliche Grüsse Anna Muster\nMotoren AG, Bahnhofstrasse 1, 8001 Zürich",
        "Kühler undicht.\nDanke & Gruß\nAnna Muster, Motoren GmbH",
        "The radiator leaks.\n\nThis e-mail and any attachments are for Turbo Engine Ltd. only.\nDelete it otherwise.",
        "Kühler undicht.\nDiese E-Mail enthält vertrauliche Informationen der Motoren GmbH.",
        "De koeler lekt.\n\nVerstuurd vanaf mijn iPhone",
        "Le radiateur fuit.\n\nTélécharger Outlook pour iOS",
        "Chłodnica przecieka.\n\nWysłano z iPhone'a",
        "Kylaren läcker.\n\nSkickat från min iPhone",
        "漏油.\n\n发自我的iPhone",
        "Kühler undicht.\n\nGesendet mit der GMX Mail App",
        "Kühler undicht.\n\nOutlook für iOS<https://aka.ms/o0ukef> beziehen",
        "El radiador pierde.\n\nGracias y saludos\nAna Ruiz\nTurbo S.A.",
        "El radiador pierde.\n\nAviso legal: este correo es de Turbo S.A.",
        "El radiador pierde.\n\nAntes de imprimir este mensaje, piense en el medio ambiente. Turbo S.A.",
        "The radiator leaks.\n\nP Please consider the environment before printing this e-mail, says Turbo Ltd.",
        "The radiator leaks.\n\n*-- *\n*Ann Other*\nTurbo Ltd.",
    ],
)
def test_a_signature_does_not_decide(text: str) -> None:
    assert own_words(text).startswith(text.split(".")[0])
    assert not any(word in own_words(text) for word in ("Turbo", "Motoren", "Anne", "iPhone"))
    assert text.splitlines()[-1] in cut(text)


@pytest.mark.parametrize("text", ["Sent from my iPhone", "\nGesendet von meinem Handy\n"])
def test_a_telephone_alone_says_nothing(text: str) -> None:
    assert own_words(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Danke\nDie Tür klemmt auch im zweiten Stock, und das schon seit einer Woche",
        "Der Drucker druckt nicht.\nGrüße von der Baustelle kommen auch nicht an",
        "Thanks for nothing: the printer is broken\nagain",
        "No imprime.\nAntes de imprimir sale un aviso legal en pantalla\nBefore printing, it hangs",
    ],
)
def test_words_of_a_sign_off_within_a_message_end_nothing(text: str) -> None:
    assert own_words(text) == text


def test_thanks_at_the_beginning_end_nothing() -> None:
    text = "Hi,\nthanks\nthe printer on the second floor shows a paper jam, but there is no paper in it at all"
    assert own_words(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "Sent via SFTP, the invoices do not arrive",
        "Outlook für iOS stürzt ab",
        "Lähetetty lasku ei näy järjestelmässä",
        "Envoyé depuis le scanner, le PDF est vide",
        "Enviado desde la impresora, el correo no llega",
        "Télécharger Outlook ne fonctionne pas",
        "Wysłano z systemu SAP faktury nie docierają do klienta",
        "Gesendet von Outlook kommen die Mails nicht an" + " und auch nicht von Thunderbird",
    ],
)
def test_a_line_about_what_was_sent_is_no_telephones(line: str) -> None:
    assert own_words(line) == line
    assert own_words(f"Hello,\n{line}") == f"Hello,\n{line}"


WARNINGS = {
    "English": "CAUTION: This email originated from outside of the organization. Do not click links.",
    "over three lines": "[EXTERNAL]\nThis message came from outside your company.\nDo not open attachments.",
    "German": "ACHTUNG: Diese E-Mail kommt von außerhalb der Firma. Klicken Sie nicht auf Links.",
    "French": "ATTENTION : cet e-mail provient de l\u2019extérieur. Ne cliquez pas sur les liens.",
    "Dutch": "LET OP: Deze e-mail is afkomstig van buiten de organisatie.",
    "Outlook": "You don\u2019t often get email from ann@example.org. Learn why this is important",
}


@pytest.mark.parametrize("warning", WARNINGS.values(), ids=WARNINGS)
def test_what_a_gateway_writes_above_a_mail_does_not_decide(warning: str) -> None:
    text = f"{warning}\n\nThe radiator leaks.\nBadly."
    assert own_words(text) == "The radiator leaks.\nBadly."
    assert cut(text).startswith(warning)
    assert own_words(f"{warning}\n") == warning, "a message is never a warning alone"
    assert own_words(f"{warning.splitlines()[-1]}\n/role Engine\n\nleaks").startswith("/role Engine") or "\n" in warning


@pytest.mark.parametrize("markup", ["{}\n{}", "<div>{}</div><div>{}</div>"])
def test_what_stands_right_below_such_a_warning_is_the_authors(markup: str) -> None:
    text = plain_text(markup.format("This email originated from outside of the organization.", "My printer is broken."))
    assert own_words(f"{text}\n\nSince Monday.") == "My printer is broken.\n\nSince Monday."


def test_please_see_below_says_nothing_below_a_warning_either() -> None:
    text = f"{WARNINGS['English']}\n\nPlease see below.\n\n> The radiator leaks."
    assert own_words(text) == "Please see below."


@pytest.mark.parametrize(
    "text",
    [
        "The banner 'This email originated from outside' is missing\n\nsince Monday",
        "Please look.\nNothing else.\nThis email originated from outside and is odd\n\nBye",
        "WARNING: the pump leaks\n\nbadly",
        "External\n\ncamera is broken",
        "This email came from outside our company and asks for my password.\n\nWhat now",
        "This message is from an external sender. Is it phishing?\n\nIt has a link",
        "Diese E-Mail kommt von außerhalb und sieht nach Phishing aus.\n\nBitte prüfen.",
    ],
)
def test_a_ticket_about_such_a_warning_is_the_authors(text: str) -> None:
    assert own_words(text) == text


@given(st.text(alphabet="> \n-_|`~OnAmwroteschrieb:/role123[]quote", max_size=300))
def test_no_line_is_lost_or_changed(text: str) -> None:
    found = lines(text)
    assert "\n".join(line.text for line in found) == text
    assert {line.origin for line in found} <= set(Origin)


@pytest.mark.parametrize(
    "hostile",
    [
        "On 1 " * 50_000,
        "<!--" * 50_000,
        "> " * 100_000,
        "a:\n" * 60_000,
        "On 1\n" * 60_000,
        "<blockquote>" * 20_000,
        "`" * 200_000,
    ],
    ids=["one line", "comments", "marks", "colons", "dates", "blocks", "ticks"],
)
def test_a_hostile_text_is_read_to_its_end(hostile: str) -> None:
    """A search that takes more than linear time would need minutes for each of these."""
    text = plain_text(hostile)
    assert len(lines(text)) == text.count("\n") + 1


def test_more_quoted_blocks_than_can_be_told_apart_leave_nothing_of_ones_own() -> None:
    text = plain_text("<p>x</p>" + "<blockquote>x</blockquote>" * 60 + "<p>/role Engine</p>")
    assert own_words(text) == ""
    assert "/role Engine" in cut(text)


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("How do we print labels? They wrote me this:", True),
        ("Really? On Monday, 3 March 2025, Ann Other wrote:", False),
        ("Really? Ann Other <ann@example.org> wrote:", False),
        ("They wrote me this:", False),
    ],
)
def test_words_below_a_question_and_an_announcement_without_a_name_are_the_authors(line: str, own: bool) -> None:
    assert ("below" in own_words(f"{line}\n\nbelow")) is own
