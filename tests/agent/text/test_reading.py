"""What counts of a ticket's text: the author's own words, and what the author hands on."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.text.beginning import beginning
from agent.text.own_words import own_words
from agent.text.pointing import says_nothing
from agent.text.reading import CLEANER, attachments, read
from connectors.deliveries import with_attachments

OUTLOOK = "\n\n-----Original Message-----\nFrom: Ann\nSent: Monday\nTo: Desk\nSubject: Old\n\nThe turbo was changed.\n"
GERMAN = "\n\nVon: Anna\nGesendet: Montag, 3. März 2025\nAn: Desk\nBetreff: Alt\n\nDer Motor wurde getauscht.\n"
QUOTES = {
    "marked": "\n\nOn Mon, 3 Mar 2025, Desk wrote:\n> Your engine was changed.\n> The turbo, too.",
    "marked, not announced": "\n\n> Your engine was changed.\n> The turbo, too.",
    "Outlook": OUTLOOK,
    "Outlook, German": GERMAN,
    "German": "\n\nAm 03.03.2025 um 10:12 schrieb Desk <d@example.org>:\n> Der Motor wurde getauscht.",
    "French": "\n\nLe lun. 3 mars 2025 à 10:12, Desk a écrit :\n> Le moteur (engine) a été changé.",
    "Turkish": "\n\nDesk <d@example.org>, 3 Mar 2025 Pzt, 10:12 tarihinde şunu yazdı:\n> Motor değişti.",
    "Chinese": "\n\n发件人: Desk\n发送时间: 2025年3月3日\n收件人: Ann\n主题: 旧\n\nengine 更换",
    "signature": "\n\nKind regards\nAnn Other\nTurbo Engine Ltd.",
    "delimiter": "\n-- \nTurbo Engine Ltd.\nwww.example.org",
}
OLD = ("engine", "turbo", "motor", "moteur")


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("own", ["Seat is loose again.", "Der Sitz ist wieder lose.", "座椅又松了。"])
@pytest.mark.parametrize("subject", ["Seat", "RE: Seat", "AW: Sitz"])
def test_what_others_wrote_and_signatures_do_not_decide(subject: str, own: str, quote: str) -> None:
    reading = read(subject, own + quote)
    assert reading.body == own
    assert not any(word in reading.text.lower() for word in OLD)
    assert any(word in reading.left_out.lower() for word in OLD)


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Fwd: seat", f"Ours, I think.{OUTLOOK}"),
        ("WG: Sitz", f"Das ist eures, denke ich.{OUTLOOK}"),
        ("RE: FW: seat", f"Ours, I think.{OUTLOOK}"),
        ("Seat", "Ours.\n\n---------- Forwarded message ---------\nFrom: Ann\nDate: Mon\n\nThe turbo was changed."),
        ("Seat", f"Hi Bob, please see below.{OUTLOOK}"),
        ("Sitz", f"Hallo Frau Müller,\nsiehe unten, vielen Dank{OUTLOOK}"),
        ("Sitz", f"Bitte um Hilfe, s.u.{OUTLOOK}"),
        ("Sitz", f"Hallo zusammen,\nkönnt ihr euch darum kümmern? Ich leite weiter, s. u.{OUTLOOK}"),
        ("Seat", f"We got this one:{OUTLOOK}"),
        ("Seat", f"请看下面{OUTLOOK}"),
        ("Seat", f"Buenos días, os reenvío este correo, gracias{OUTLOOK}"),
        ("Seat", OUTLOOK),
        ("Seat", "> The turbo was changed."),
        ("Seat", "<p>FYI</p><blockquote>The turbo was changed.</blockquote>"),
    ],
)
def test_what_the_author_hands_on_counts(subject: str, body: str) -> None:
    reading = read(subject, body)
    assert "The turbo was changed." in reading.body
    assert "From:" not in reading.text


def test_of_a_mail_that_was_handed_on_its_own_quotes_and_signature_do_not_count_but_its_subject_does() -> None:
    inner = (
        "---------- Forwarded message ---------\nFrom: Ann\nSubject: Pump\nTo: Desk\n\nIt leaks.\n\nKind regards\nAnn"
    )
    reading = read("Fwd:", f"FYI\n\n{inner}\n\nOn Mon, 3 Mar 2025, Desk wrote:\n> Your engine was changed.")
    assert reading.body.split() == ["FYI", "Pump", "It", "leaks."]
    assert "engine" in reading.left_out
    assert "Kind regards" in reading.left_out


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<html><body><p>Please have a look.</p></body></html>", "Please have a look."),
        ("<HTML><BODY class=motor>Sitz<BR>lose</BODY></HTML>", "Sitz\nlose"),
        (
            "<body><p>Sitz <span style='font:motor'>lose</span>&nbsp;&amp; K&uuml;hler",
            "Sitz lose & Kühler",
        ),
        ("Sitz <b>lose</b>\nK&uuml;hler &#8211; ja", "Sitz lose\nKühler – ja"),
        ("<p>Sitz lose <img src='motor.png", "Sitz lose"),
        ("<style>body{x:motor}</style><p>Sitz</p><script>motor()</script><!-- motor -->", "Sitz"),
        ("x <b and y is not\nread", "x <b and y is not\nread"),
        ("price < 5 and > 3, Ann <ann@example.org>", "price < 5 and > 3, Ann <ann@example.org>"),
        ("O\u0308l la\u0308uft", "Öl läuft"),
        ("Hy\u00addrau\u00adlik\u200b leck\ufeff", "Hydraulik leck"),
        ("_sehr_ __dringend__ a_b", "sehr dringend a_b"),
        ("Sitz\u00a0lose\r\nsehr\u2028ja", "Sitz lose\nsehr\nja"),
        ("Name: Ann\n__________\nFault: pump\n__________\nRoom: 4", "Name: Ann\n\nFault: pump\n\nRoom: 4"),
        ("It says:\n    disk full\n```\nE13\n```", "It says:\n    disk full\n```\nE13\n```"),
    ],
)
def test_a_text_is_read_as_people_see_it(raw: str, text: str) -> None:
    assert read("", raw).body == text
    assert read(raw, "").subject == text


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("=?UTF-8?Q?Personal=C3=A4nderung?=", "Personaländerung"),
        ("=?utf-8?B?UmU6IMKgUmU6wqBSZTogUsO8Y2tzZW5kdW5nIGRlcyBBcmJlaXRzbWF0?=\r\n =?UTF-8?Q?erials?=",
         "Re:  Re: Re: Rücksendung des Arbeitsmaterials"),
        ("AW: =?iso-8859-1?Q?Drucker_l=E4uft_nicht?= (2)", "AW: Drucker läuft nicht (2)"),
        ("=?x-unknown?Q?a=C3?=", "=?x-unknown?Q?a=C3?="),
        ("=?UTF-8?B?!?=", "=?UTF-8?B?!?="),
        ("is a =? b", "is a =? b"),
        ("=?a?q?" * 400, "=?a?q?" * 400),
    ],
)  # fmt: skip
def test_a_subject_is_read_as_mail_programs_show_it(subject: str, text: str) -> None:
    assert read(subject, "x").subject == text


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        *(
            (text, True)
            for text in [
                "",
                "???",
                "Hello,",
                "Hi Bob, see attached",
                "Bitte ansehen, danke",
                "谢谢",
                "कृपया देखें",
                "مرحبا، شكرا",
            ]
        ),
        *((text, False) for text in ["Printer", "Hi my printer broke", "Hello printer", "0815", "漏油", "help vpn"]),
    ],
)
def test_a_text_of_greetings_and_pointers_says_nothing(text: str, nothing: bool) -> None:
    assert says_nothing(text) is nothing


@given(st.text(alphabet="> \n-_|`~OnAmwroteschrieb:/123[]FWdFrom&<bp>;", max_size=300))
def test_every_word_of_a_text_counts_or_is_shown_to_be_left_out(text: str) -> None:
    """Marks, underscores and tags are no words."""
    text = text.replace("<", "").replace("&", "")
    reading = read("", text)
    seen = reading.body + reading.left_out
    assert sorted(filter(str.isalnum, seen)) == sorted(filter(str.isalnum, text))


@pytest.mark.parametrize(
    "hostile",
    [
        "Ann wrote:\n> x\n",
        "From: a\nTo: b\nDate: c\n",
        "_____\n",
        "hi \n",
        "<p ",
        "&a",
        "x_ ",
        "-- \n",
        "<blockquote>",
        "FW:",
        "<!--",
        "a,\n",
        "a {margin:",
        "{code}\n",
        "[quote]\n",
        "bq.. a\n",
        "-----BEGIN PGP SIGNATURE-----\n",
        "-----BEGIN A-----\n-----END A-----\n",
        "<i hidden>",
        "\x1b$B",
        "Mozilla/5.0 (a) b/1 ",
        "Ð\x9f \\n",
    ],
)
def test_a_hostile_text_is_read_in_linear_time(hostile: str) -> None:
    """In quadratic time, each of these would take minutes."""
    text = hostile * (100_000 // len(hostile)) + "\nend"
    reading = read("", text)
    assert "end" in f"{reading.body}{reading.left_out}"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Das WLAN l=C3=A4uft nicht=\r\n mehr =3D kaputt", "Das WLAN läuft nicht mehr = kaputt"),
        (f"{'no wifi ' * 9}=\nin room=20\n5", f"{'no wifi ' * 9}in room \n5"),
        ("a=\nb", "a=\nb"),
        ("user=x\npassword=\nmax_connections=200", "user=x\npassword=\nmax_connections=200"),
        ("retries=20\nproxy=\nport=25", "retries=20\nproxy=\nport=25"),
        (f"{'a long line ' * 9}x=\nuser=20\nname=me", f"{'a long line ' * 9}x=\nuser=20\nname=me"),
        ("l=C3=A4uft =3Cb=3E=0A", "läuft =3Cb=3E"),
        ("https://x.example/?q=AB&r=C3", "https://x.example/?q=AB&r=C3"),
        ("l=E4uft =C3=28", "l=E4uft =C3=28"),
        ("KÃ¼hlung lÃ¤uft nicht â€“ â€žDruckerâ€œ", "Kühlung läuft nicht – „Drucker“"),
        ("garÃ§on, 5Â°C, 3Â\xa0â‚¬", "garçon, 5°C, 3 €"),
        ("AMANHÃ\xa0! «CAFÉ» NÃO IRMÃ” Ângela ±", "AMANHÃ ! «CAFÉ» NÃO IRMÃ” Ângela ±"),
        ("\x1b[31mERROR\x1b[0m \x1b]0;title\x07disk \x1b[1;32mfull\x1b[K", "ERROR disk full"),
        ("<p>Wifi&amp;nbsp;down &amp;amp; out</p>", "Wifi down & out"),
        ("VoilÃ\xa0, Ã\xa0 la cafÃ©tÃ©ria, coÃ»t, dÃ»", "Voilà, à la cafétéria, coût, dû"),
        ("DÃ©jÃ  vu, Ã la une", "Déjà vu, à la une"),
        ("Ã\x81rea, Ã\x8dndice, CONTRASEÃ\x91A, Ã‰l", "Área, Índice, CONTRASEÑA, Él"),
        ("<!--[if !mso]&gt;<!--[if gte mso 9]&gt;<p>No wifi</p><![endif]--&gt;", "No wifi"),
        ('No wifi ![](data:image/png;base64,iVBORw0KGgo+/A==) <img src="data:a/b;base64,AA==">', "No wifi ![]()"),
        ("v\\:* {behavior:url(#default#VML);}\n.shape {behavior:url(#default#VML);}\n\nNo wifi", "No wifi"),
        ("P {margin-top:0;margin-bottom:0;} UL {margin:0}\nNo wifi", "No wifi"),
        (
            "/* Fonts */\n@font-face\n\t{font-family:Calibri;}\np.MsoNormal, li.MsoNormal,\ndiv.x\n\t{margin:0cm;\n\t"
            "font-size:11pt;}\na:link\n\t{mso-style-priority:99;}\n@page W1\n\t{size:612.0pt 792.0pt;}\nNo wifi",
            "No wifi",
        ),
        (
            "No wifi, see https://eur03.safelinks.protection.outlook.com/?url=https%3A%2F%2Fx.test%2Fa_b&data=05%7C01 "
            "and <https://urldefense.com/v3/__https://x.test/c__;!!AB12!xyz$>",
            "No wifi, see https://x.test/a_b and <https://x.test/c>",
        ),
        (
            "https://x.test/a?id=7 https://x.test/b?utm_source=mail&utm_campaign=0123456789",
            "https://x.test/a?id=7 https://x.test/b",
        ),
        (
            "ann@x.test<mailto:ann@x.test>, 944<tel:944>\n[cid:image001.png@01D9.C3D4]\nNo wifi",
            "ann@x.test, 944\n\nNo wifi",
        ),
        (
            "| PC | Floor |\n| --- | --- |\n| 7 | 2 |\n\n| quoted\nNo wifi",
            "| PC | Floor |\n| --- | --- |\n| 7 | 2 |\n\nNo wifi",
        ),
        ("\x1b$B%W%j%s%?$,F0$-$^$;$s\x1b(B\n\x1b$B", "プリンタが動きません\n$B"),
        ("Принтер не печатает".encode().decode("latin-1"), "Принтер не печатает"),
        ("РџСЂРёРЅС‚РµСЂ РЅРµ РїРµС‡Р°С‚Р°РµС‚", "Принтер не печатает"),
        ("ÎŸ ÎµÎºÏ„Ï…Ï€Ï‰Ï„Î®Ï‚ Â«jamÂ»", "Ο εκτυπωτής «jam»"),
        ("Drukarka nie dziaÅ\x82a, proszÄ\x99 â€¦", "Drukarka nie działa, proszę …"),
        ("RÃ©seau naïf", "Réseau naïf"),
        ("Срочно: РС РСТ не печатает", "Срочно: РС РСТ не печатает"),
        ("It don\x92t print \x93jam\x94 \x96 5 \x80", "It don’t print “jam” – 5 €"),
        ("<![CDATA[The printer jams <br> on floor 3]]>", "The printer jams\non floor 3"),
        (
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nNo wifi\n-----BEGIN PGP SIGNATURE-----\n\niQEzBAEB=\n"
            "=AbCd\n-----END PGP SIGNATURE-----\nsince Monday\n-----BEGIN",
            "No wifi\nsince Monday\n-----BEGIN",
        ),
        (
            "No wifi\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; x64) AppleWebKit/537.36 (KHTML, like Gecko) Edg/120.0",
            "No wifi\nUser-Agent:",
        ),
        ("No wifi.\\r\\nSince Monday.\\nHelp f\\u00fcr alle", "No wifi.\nSince Monday.\nHelp für alle"),
        ("C:\\new\\r\\n is full. \\nothing", "C:\\new\\r\\n is full. \\nothing"),
        ("No wifi.\\nSince\nMonday", "No wifi.\\nSince\nMonday"),
        (
            '<p style="Display: None">All offers</p><p>No wifi<span hidden>!<i style="mso-hide:all">?</i></span></p>',
            "No wifi",
        ),
        (
            "No wifi on floor 3.\n\nThis email has been checked for viruses by Avast.\nwww.avast.com",
            "No wifi on floor 3.",
        ),
        ("No wifi on floor 3.\n\nSent from Yahoo Mail for iPhone", "No wifi on floor 3."),
        (
            "Tm8gd2lmaSBvbiBmbG9vciAzLCBzaW5jZSBNb25kYXksIGxhIHDDqXTD\nqWUgZHUgYnVyZWF1Lg==\n",
            "No wifi on floor 3, since Monday, la pétée du bureau.",
        ),
        ("Tm8gd2lmaSBvbiBmbG9vciAz", "Tm8gd2lmaSBvbiBmbG9vciAz"),
        ("a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0aa==", "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0aa=="),
        (
            "This is a multi-part message in MIME format.\n--_000_AB_\nContent-Type: text/html\n\n<p>x</p>\n"
            "--_000_AB_\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
            "Kein WLAN f=FCr alle\n--_000_AB_--\n",
            "Kein WLAN für alle",
        ),
        ("--_000_AB_\nContent-Type: application/pdf\n\nx", "--000_AB\nContent-Type: application/pdf\n\nx"),
        ("config: {size: 3}\nlog {text: 'jam', color: red}", "config: {size: 3}\nlog {text: 'jam', color: red}"),
        (
            "Log: {code:java}\njam\n{code}\n{quote}\nold\n{quote}\nNo {color}",
            "Log: {code:java}\n    jam\n    \nNo {color}",
        ),
    ],
)
def test_what_gateways_and_terminals_leave_in_a_text_is_made_readable(raw: str, text: str) -> None:
    assert read("", raw).body == text


@pytest.mark.parametrize(
    ("subject", "shown"), [("[EXTERNAL] RE: x", "RE: x"), ("[Ext]: pump", "pump"), ("[EXT]", "[EXT]")]
)
def test_the_tag_of_a_gateway_is_none_of_a_subject(subject: str, shown: str) -> None:
    assert read(subject, "y").subject == shown


def test_a_mail_that_was_handed_on_is_known_behind_a_tag() -> None:
    text = "-----Original Message-----\nFrom: Ann\nSent: Monday\nTo: Desk\n\nThe pump leaks"
    assert "pump leaks" in read("[EXTERNAL] FW: help", f"I think it is for you, since it is rather wet\n\n{text}").body


@pytest.mark.parametrize(
    "text",
    [
        "Не могу войти.\nПрограмма пишет:\nОшибка сервера",
        "Nie działa.\nNa ekranie pisze:\nBłąd",
        "No.\nIt said:\nDenied",
    ],
)
def test_what_a_screen_says_counts_though_no_command_does(text: str) -> None:
    assert read("", text).body.endswith(text.splitlines()[-1])
    assert text.splitlines()[-1] not in own_words(text)


@pytest.mark.parametrize("says", ["W dniu 3.03.2025, Ann pisze:", "Ann <ann@example.org> said:"])
def test_what_a_person_said_before_does_not_count(says: str) -> None:
    assert read("", f"It leaks again, as in spring.\n\n{says}\nthe pump").body == "It leaks again, as in spring."


READINGS = {"8": "f00753ff24b26374"}
"""A digest of what is made of the samples above, by `CLEANER`."""


def test_another_reading_has_another_name() -> None:
    """Vectors of texts are kept under the name: where it stays the same, old ones would be compared with new ones."""
    samples = [
        *QUOTES.values(),
        "<p>K&uuml;hler</p><blockquote>x</blockquote>",
        "_a_ b_c\u00ad",
        "l=C3=A4uft",
        "> a &#10;b",
        "FYI\n\n> pump",
        "{quote}\na\n{quote}\nb <!-- c -->\nP {margin:0}",
        "https://x.test/b?utm_source=mail&utm_campaign=0123456789\n| a | b |",
        "<p hidden>a</p><p>b</p>",
        "Ð\x9fÑ\x80.\\nA \x92",
        "-----BEGIN A-----\nx\n-----END A-----\n[code]\ny\n[/code]\nbq. z",
    ]
    read_as = repr([(r.subject, r.body) for r in (read("FW: O\u0308l", sample) for sample in samples)])
    assert {CLEANER: hashlib.sha256(read_as.encode()).hexdigest()[:16]} == READINGS


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["screenshot_printer_error.png"], "printer error"),
        (["PrinterQueue (2).log", "image001.png", "IMG_20240312_0812.jpg"], "Printer Queue"),
        (["3f2a9c1e-77aa.pdf", "email_html_body.html", "2024-01-01.png", ""], ""),
        (["Drucker-Sto\u0308rung.PDF"], "Drucker Störung"),
        (["Captura de pantalla 2026-11-03.png", "Capture d'écran (2).png"], ""),
        (["漏油.jpg", "README", ".bashrc"], "漏油\nREADME\nbashrc"),
        (["HP400 <b>fault</b>.txt"], "HP400 <b>fault</b>"),
    ],
)
def test_names_of_files_say_what_is_in_them(names: list[str], words: str) -> None:
    assert read("", with_attachments("", names)).body == words


def test_names_of_files_count_behind_a_signature_and_a_quote_and_make_a_bare_text_enough() -> None:
    body = with_attachments("<p>See the picture</p>\n-- \nKim Smith\nPayroll", ["vpn_tunnel_down.png"])
    assert read("help", body).body.endswith("vpn tunnel down")
    assert read("help", "please").says_nothing
    assert not read("help", with_attachments("please", ["vpn_tunnel_down.png"])).says_nothing


def test_many_or_long_names_are_bounded_and_a_body_without_files_stays() -> None:
    assert len(with_attachments("x", ["n" * 1_000] * 1_000)) < 3_000
    assert with_attachments("x", ["", " "]) == "x"
    assert attachments(with_attachments("x\n\ny", ["a\nb.png"])) == ("x\n\ny", "a b.png")
    assert attachments("an [attached: list] of words") == ("an [attached: list] of words", "")


def test_half_a_letter_keeps_no_html_from_being_read() -> None:
    assert read("printer", "<p>no \ud83d paper</p>").body == "no ? paper"


HEAD = "From: Kim <kim@x.test>\nSent: Monday\nTo: Help\nSubject: Printer\n\n"


@pytest.mark.parametrize(
    ("subject", "body", "begins"),
    [
        ("Printer", "Hello,\n\nit jams.\n\nKind regards\nKim", "Hello, it jams."),
        ("Fwd: Printer", f"{HEAD}It jams.", "It jams."),
        ("Printer", f"FYI\n\n-----Original Message-----\n{HEAD}It jams.", "FYI It jams."),
        ("Printer", f"It still jams, please come.\n\n{HEAD}Yes?", "It still jams, please come."),
        ("Printer", "From: kim@x.test\nSubject: Printer\nLines: 15\n\nIt jams.", "It jams."),
        ("Printer", "Room: 3\nFloor: 4\n\nIt jams.", "Room: 3 Floor: 4 It jams."),
        ("Printer", "<p>It <b>jams</b>.</p>", "It jams."),
        ("Printer", "-- \nKim", "-- Kim"),
        ("Printer", "", ""),
    ],
)
def test_a_list_shows_the_authors_own_words_first(subject: str, body: str, begins: str) -> None:
    assert beginning(subject, body, 160) == begins
    assert beginning(subject, body, 3) == begins[:3]
