"""Commands count as people type them, where they type them, and nowhere else."""

from __future__ import annotations

import pytest

from agent.domain import Role, RoleCatalogue
from agent.feedback.commands import (
    Command,
    Confirm,
    Contradictory,
    Correct,
    Misplaced,
    NoneOfOurs,
    NotUnderstood,
    Summarise,
    Undo,
    Why,
    parse,
)

ROLES = RoleCatalogue(
    [
        Role("Engine", aliases=("motor",)),
        Role("Engine Room"),
        Role("Network", aliases=("LAN/Wi-Fi", "net")),
        Role("Büro & Einkauf"),
        Role("漏油"),
        Role("पंप"),
    ]
)
ENGINE, NETWORK, BOTH = (Correct(roles) for roles in (("Engine",), ("Network",), ("Engine", "Network")))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/role Engine", ENGINE),
        ("/role Engine\r\nThe pump itself is fine, injector leaks.", ENGINE),
        ("The pump is fine.\r\n/role Engine\r\n", ENGINE),
        ("/role\u00a0Engine", ENGINE),
        ("\u200b/role\u2003Engine\u200b", ENGINE),
        ("/ROLE engine.", ENGINE),
        ("/role: Engine", ENGINE),
        ("/ role Engine", ENGINE),
        ("Done.\r\n/ Rolle\u00a0Engine\r\n", ENGINE),
        ("/Rolle Engine", ENGINE),
        ("/rôle : Engine", ENGINE),
        ("/ro\u0302le Engine", ENGINE),
        ("/rol Engine", ENGINE),
        ("/role : Engine!", ENGINE),
        ("**/role Engine**", ENGINE),
        ("`/role Engine`", ENGINE),
        ("- /role Engine", ENGINE),
        ("1. /role Engine", ENGINE),
        ("/role „Engine“", ENGINE),
        ("／role Engine", ENGINE),
        ("/role motor", ENGINE),
        ("/role Engine please have a look", ENGINE),
        ("/roles Engine", ENGINE),
        ("\\role Engine", ENGINE),
        ("\u2215rollen Engine", ENGINE),
        ("/roles Engine and Network", BOTH),
        ("/rolle Engine + Network.", BOTH),
        ("/role Engine & Network; Engine Room", Correct(("Engine", "Network", "Engine Room"))),
        ("/role Engine / Network", BOTH),
        ("/role Engine and the network is slow", ENGINE),
        ("/role Engine and network cables are cut", ENGINE),
        ("- /role Engine -", ENGINE),
        ("~~no~~ /role Engine", ENGINE),
        ("/role Engine, please", ENGINE),
        ("/role engine room", Correct(("Engine Room",))),
        ("/role Engine\nroom 4", ENGINE),
        ("/role lan/wi-fi", NETWORK),
        ("/role Engine, net", Correct(("Engine", "Network"))),
        ("/role Engine,Network , motor", Correct(("Engine", "Network"))),
        ("/role Bu\u0308ro & Einkauf", Correct(("Büro & Einkauf",))),
        ("/role 漏油", Correct(("漏油",))),
        ("/role ok", Confirm()),
        ("/role OK, thanks", Confirm()),
        ("/role Engine\n-- \nAnn Other\nNetwork team", ENGINE),
        ("/role Engine\n\nKind regards\nAnn", ENGINE),
        ("Hello Kim\n/role Engine\nthanks", ENGINE),
        ("Guten Morgen\n/role Engine\ndanke", ENGINE),
        ("Checked it,\n/role Engine\nthanks", ENGINE),
        ("/role Engine\n/role Engine", ENGINE),
        ("<p>Hello,</p><p>/role Engine</p>", ENGINE),
        ("<div>/role&nbsp;Engine<br></div>", ENGINE),
        ("role Engine", ENGINE),
        ("Role motor.", ENGINE),
        ("role ok", Confirm()),
        ("/role none", NoneOfOurs()),
        ("/role None of ours, sorry", NoneOfOurs()),
        ("role none.", NoneOfOurs()),
        ("/role undo", Undo()),
        ("/role: Undo!", Undo()),
        ("role undo", Undo()),
        ("/role why?", Why()),
        ("/role summary", Summarise()),
        ("/role why not Network", Why()),
        ("/role ok, Engine", Confirm()),
        ("/role - Engine", ENGINE),
        ("/role = Engine", ENGINE),
        ("/role Engine-\n", ENGINE),
        ("/role Engine, Network\n/role Network, Engine", Correct(("Engine", "Network"))),
        ("Dzień dobry,\n/role Engine\nproszę", ENGINE),
        ("Hej alla\n/role Engine\ntack", ENGINE),
        ("/role पंप", Correct(("पंप",))),
    ],
)
def test_a_command_counts_as_people_type_it(text: str, command: Command) -> None:
    assert parse(text, ROLES) == command


TYPED = RoleCatalogue(
    [Role(name) for name in ("O'Neill", "A-Team", "İstanbul", "Işık", "Électricité", "Ελλάδα", "Büro")]
)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("O\u2019Neill", "O'Neill"),
        ("A\u2011Team", "A-Team"),
        ("A\u2013Team", "A-Team"),
        ("ISTANBUL", "İstanbul"),
        ("istanbul", "İstanbul"),
        ("IŞIK", "Işık"),
        ("Isik", "Işık"),
        ("ELECTRICITE", "Électricité"),
        ("E\u0301lectricite\u0301", "Électricité"),
        ("ΕΛΛΑΔΑ", "Ελλάδα"),
        ("Buero", "Büro"),
        ("Buro", "Büro"),
        ("B\u00adü\u200bro", "Büro"),
    ],
)
def test_a_role_is_found_as_phones_word_processors_and_capitals_write_it(typed: str, name: str) -> None:
    assert parse(f"/role {typed}", TYPED) == Correct((name,))


@pytest.mark.parametrize("name", [".NET", '"Q" Team', "„Labor“", "-minus", "#ops", "@ops", "🔥 Fire", "[A] Team"])
@pytest.mark.parametrize("text", ["/role {}", "/role: {}\r\nthanks", "**/role {}**", "/ROLE {}, Net"])
def test_a_role_may_begin_with_a_sign_and_is_not_taken_for_another(name: str, text: str) -> None:
    command = parse(text.format(name), RoleCatalogue([Role(name), Role("Net"), Role("Q"), Role("Ops"), Role("Fire")]))
    assert isinstance(command, Correct)
    assert command.roles[0] == name


def test_without_accents_what_leads_to_two_roles_leads_to_none() -> None:
    both = RoleCatalogue([Role("Côte"), Role("Coté"), Role("Cafe"), Role("Café")])
    assert parse("/role cote", both) == NotUnderstood("cote", ("Côte", "Coté"))
    assert parse("/role cafe", both) == Correct(("Cafe",))
    assert parse("/role CAFÉ", both) == Correct(("Café",))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/rolle ja", Confirm()),
        ("/role OUI!", Confirm()),
        ("/rol sí", Confirm()),
        ("/rolle keine", NoneOfOurs()),
        ("/rôle aucun.", NoneOfOurs()),
        ("/rolle rückgängig", Undo()),
        ("/rôle pourquoi ?", Why()),
        ("/rol resumen", Summarise()),
        ("/rol ¿por qué?", Why()),
        ("/rol: ¡Correcto!", Confirm()),
        ("/rôle d\u2019accord", Confirm()),
        ("/rol ¡Engine!", ENGINE),
        ("/rolle keine Ahnung", NotUnderstood("keine Ahnung", ("Engine",))),
    ],
)
def test_words_of_the_languages_of_comments_count_where_nothing_follows(text: str, command: Command) -> None:
    assert parse(text, ROLES) == command


def test_a_role_called_like_such_a_word_keeps_its_meaning() -> None:
    assert parse("/rolle keine", RoleCatalogue([Role("Keine")])) == Correct(("Keine",))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("please use /role Engine next time", Misplaced()),
        ("Right? Answer with a private note `/role ok`. Wrong? `/role NAME`.", Misplaced()),
        ("I would say that the best\n/role Engine\nis not, as it happens", Misplaced()),
        ("/role Engine\n/role Network", Contradictory()),
        ("/role Engine\n/role ok", Contradictory()),
        ("/role Engine /role Network", Contradictory()),
        ("/role Engine, no: /role Network", Contradictory()),
        ("/role Engin", NotUnderstood("Engin", ("Engine", "Engine Room"))),
        ("/role Engin please", NotUnderstood("Engin please", ("Engine",))),
        ("/role", NotUnderstood("", ())),
        ("/role Engine-Room", NotUnderstood("Engine-Room", ("Engine Room", "Engine"))),
        ("/role Engine/Network", NotUnderstood("Engine/Network", ("Network", "Engine"))),
        ("/role पंपों", NotUnderstood("पंपों", ("पंप",))),
        ("/role none\n/role Engine", Contradictory()),
        ("/role undo\n/role Engine", Contradictory()),
        ("यह तो पंप की\n/role Engine\nis not it", Misplaced()),
        ("/role okay", NotUnderstood("okay", ())),
        ("/role Enginee Room, Network", NotUnderstood("Enginee Room", ("Engine Room", "Engine"))),
    ],
)
def test_what_is_not_obeyed_has_a_reason_that_can_be_answered(text: str, command: Command) -> None:
    assert parse(text, ROLES) == command


@pytest.mark.parametrize(
    "text",
    [
        "The role of the engine is clear.",
        "the team / role of the engine",
        "role Engine is wrong",
        "role: Engine",
        "role why",
        "role ok?",
        "the right\nrole Engine\nis hard to find",
        "**Role: Engine or Network?** (52 %, 41 %)",
        "Role: none of ours (said by staff)",
        "None of our roles (said by staff)",
        "**Role: Engine** (94 %)",
        "**Role: Engine or Bucket?** (54 %, 38 %)",
        "**Role: perhaps Engine?** (54 %)",
        "https://desk.example/role Engine",
        "see docs/role Engine",
        "/roleplay Engine",
        "~~/role Engine~~",
        "<p><s>/role Engine</s></p><p>wrong ticket</p>",
        "<del>/role Engine</del>",
        "-/role Engine-",
        "> /role Engine",
        "    /role Engine",
        "```\n/role Engine\n```",
        "On Mon, 3 Mar 2025, Ann wrote:\n/role Engine",
        "-----Ursprüngliche Nachricht-----\nVon: Ann\n/role Engine",
        "",
    ],
)
def test_what_is_no_command_is_none(text: str) -> None:
    assert parse(text, ROLES) is None


FORMS = {
    "a helpdesk's block": "Requester writes:\n\n/role Engine\n",
    "English": "On Tue, 4 Nov 2025 at 09:02, Desk <desk@example.org> wrote:\n\n/role Engine",
    "Portuguese": "Em ter., 4 de nov. de 2025 às 09:02, Ana escreveu:\n\n/role Engine",
    "Swedish": "Den 4 nov. 2025 09:02 skrev Ann Other <ann@example.org>:\n\n/role Engine",
    "Outlook, French": "-----Message d'origine-----\nDe : Anne\nEnvoyé : mardi\n\n/role Engine",
    "Outlook, Dutch": "Van: Anna\nVerzonden: dinsdag 4 november 2025\nAan: Desk\nOnderwerp: Pomp\n\n/role Engine",
    "a line of underscores": "Thanks!\n______________________________\nAnn Other\n/role Engine",
    "indented": "He typed this:\n\n    /role Engine\n",
    "a fence with a language": "```text\n/role Engine\n```",
    "wrapping": "What I typed yesterday in the note about the pump was\n/role Engine\nbut nothing came of it.",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_command_counts_only_where_its_author_gave_it(text: str, ends: str) -> None:
    assert parse(text.replace("\n", ends), ROLES) in (None, Misplaced())
    assert parse(f"/role Network\n\n{text}".replace("\n", ends), ROLES) == NETWORK
