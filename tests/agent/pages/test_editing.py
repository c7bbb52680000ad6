"""Rules approved and roles changed on pages: in force at once, taken back with a click, or only shown to be pasted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from agent.config.edited import Edited, Kept, change, look, with_rule
from agent.config.edited_role import Words, renamed, with_role, words_of
from agent.config.roles_file import load_roles
from agent.config.rules_file import load_rules
from agent.core import Parts
from agent.domain import Strength, Via
from agent.errors import BadInput
from agent.pages.signing.rights import Rights
from agent.store import search
from agent.store.people import Audit
from agent.store.tables import Review, Ticket, utcnow
from tests.agent.pages.conftest import signed_in
from tests.agent.pages.conftest import words_of as read
from tests.desk import Desk
from tests.serving_app import Running, running

pytestmark = pytest.mark.anyio

ROLES = b"""# who does what
[[role]]
name = "Network"  # wires
aliases = [
  "Net", # short
  "Lan",
]
groups = { desk = ["net", "lan"] }

[[role]]
name = 'Access'
description = "who may"
[role.groups]
desk = "acc"
"""
RULES = b"""# ours
[[rule]]
id = "vpn"   # the tunnel
role = "Net"
keywords = ["vpn"]
"""
DOCKS = [(f"docking station {letter} is dead", "Network") for letter in "abcdefghi"]
OTHERS = [(f"account {letter} is locked", "Access") for letter in "abcdefghi"]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "roles.toml").write_bytes(ROLES)
    (folder / "rules.toml").write_bytes(RULES)
    return folder


@pytest.fixture
async def server(files: Path, parts_for: Callable[..., Parts], desk: Desk) -> AsyncIterator[Running]:
    parts = parts_for(roles=files / "roles.toml", rules=files / "rules.toml")
    async with running(parts, desk) as server:
        yield server


def known(session: Any) -> None:
    """Store what people said of a few tickets."""
    for place, (text, role) in enumerate([*DOCKS, *OTHERS]):
        key, at = f"desk:{place}", utcnow()
        search.add(session, Ticket(key=key, subject=text, body="", filed_at=at))
        session.add(Review(ticket_key=key, roles=[role], strength=Strength.CORRECTED, via=Via.PAGE, origin="x", at=at))


def seen_by(page: str) -> str:
    return re.findall(r'name="seen" value="(\w{64})"', page)[0]


async def test_rules_and_roles_are_changed_on_pages(server: Running, files: Path, monkeypatch: Any) -> None:
    server.parts.database.call(known)
    await approved_rules_are_in_the_file_and_in_force_until_they_are_taken_back(server, files)
    await a_role_is_changed_its_old_name_stays_and_both_are_in_force(server, files)
    await files_that_somebody_edits_are_followed_and_faulty_ones_change_nothing(server, files)
    for why in (Kept.READ_ONLY, Kept.SEVERAL):
        await where_nothing_is_written_the_lines_are_shown(server, files, monkeypatch, why)


async def approved_rules_are_in_the_file_and_in_force_until_they_are_taken_back(server: Running, files: Path) -> None:
    boss, file = signed_in(server, Rights.OPERATOR, "Boss"), files / "rules.toml"
    page = await boss.see("/rules")
    (rule,) = [one for one in re.findall(r'name="rule" value="([^"]+)"', page) if "docking" in one and "st" not in one]
    version, seen = server.parts.classifier.rules.version, seen_by(page)
    assert (await boss.post("/rules/file", do="approve", rule="learnt-made-up", seen=seen)).status_code == 409
    assert (await boss.post("/rules/file", do="approve", rule=rule, seen="0" * 64)).status_code == 409
    assert file.read_bytes() == RULES
    assert (await boss.post("/rules/file", do="approve", rule=rule, seen=seen)).status_code == 303
    content = file.read_bytes()
    assert content.startswith(RULES), "every other byte is as it was"
    added = content.removeprefix(RULES).decode()
    assert re.fullmatch(
        rf'\n# Approved by Boss on \d{{4}}-\d\d-\d\d: right in 9 of 9.*\n\[\[rule\]\]\nid = "{rule}"(.|\n)*', added
    )
    assert [one.id for one in server.parts.classifier.rules.rules] == ["vpn", rule]
    assert server.parts.classifier.rules.version != version
    said = read((await boss.post("/rules", subject="docking station", body="")).text)
    assert rule in said
    page = await boss.see("/rules")
    assert f'value="{rule}"' not in page, "it is no longer proposed"
    assert (await boss.post("/rules/file", do="restore", seen=seen)).status_code == 409, "an old page"
    assert (await boss.post("/rules/file", do="restore", seen=seen_by(page))).status_code == 303
    assert (file.read_bytes(), server.parts.classifier.rules.version) == (RULES, version)
    assert changes(server, "rule") == ["rule_approved", "rules_restored"]


async def a_role_is_changed_its_old_name_stays_and_both_are_in_force(server: Running, files: Path) -> None:
    boss, file = signed_in(server, Rights.OPERATOR, "Boss"), files / "roles.toml"
    page = await boss.see("/roles?edit=Network")
    form = {"do": "edit", "role": "Network", "seen": seen_by(page), "owner": "Kim", "description": "wires"}
    form |= {"name": "Networks", "aliases": "Net\nLan", "groups desk": "net"}
    for bad in ({"name": "Access"}, {"name": "ok"}, {"name": "none"}, {"groups desk": "acc"}):
        answer = await boss.post("/roles/file", **form | bad)
        assert (answer.status_code, file.read_bytes()) == (409, ROLES), bad
    assert changes(server, "role") == []
    assert (await boss.post("/roles/file", **form)).status_code == 303
    content = file.read_text()
    assert '# short\n  "Lan",\n  "Network",\n]' in content, "its comments stay"
    assert content.endswith(ROLES.decode().partition("\n\n")[2]), "and so do other roles"
    catalogue = server.parts.classifier.catalogue
    role = catalogue.lookup("network")
    assert role is not None
    assert (role.name, role.owner, role.description, role.groups) == ("Networks", "Kim", "wires", {"desk": ("net",)})
    assert [rule.role for rule in server.parts.classifier.rules.rules] == ["Networks"], "rules follow their roles"
    server.parts.follow()
    assert "Networks" in await boss.see("/tickets/desk/1")
    assert (await boss.post("/roles/file", do="restore", seen=seen_by(await boss.see("/roles")))).status_code == 303
    assert (file.read_bytes(), catalogue.names) == (ROLES, ("Network", "Access"))
    assert changes(server, "role") == ["role_edited", "roles_restored"]


async def where_nothing_is_written_the_lines_are_shown(
    server: Running, files: Path, monkeypatch: Any, why: Kept
) -> None:
    boss, log = signed_in(server, Rights.OPERATOR, "Boss"), (changes(server, "rule"), changes(server, "role"))
    (files / "rules.toml").chmod(0o644)
    rule = re.findall(r'name="rule" value="([^"]+)"', await boss.see("/rules"))[0]
    for name in ("rules.toml", "roles.toml"):
        (files / name).chmod(0o444 if why is Kept.READ_ONLY else 0o644)
    if why is Kept.SEVERAL:
        monkeypatch.setattr(type(server.parts.database), "clustered", property(lambda _: True))
    page = await boss.see("/rules")
    assert "nothing is written here" in read(page)
    assert 'action="/rules/file"' not in page
    assert f"id = &#34;{rule}&#34;" in page, "the lines are there"
    seen = look(files / "rules.toml", several=False).seen
    assert (await boss.post("/rules/file", do="approve", rule=rule, seen=seen)).status_code == 409
    form = {"do": "edit", "role": "Network", "seen": look(files / "roles.toml", several=False).seen}
    answer = await boss.post("/roles/file", **form, name="Networks", aliases="Net\nLan", **{"groups desk": "net"})
    assert answer.status_code == 200
    assert 'name = "Networks" aliases = ["Net", "Lan", "Network"] groups = { "desk" = ["net"] }' in read(answer.text)
    assert ((files / "rules.toml").read_bytes(), (files / "roles.toml").read_bytes()) == (RULES, ROLES)
    assert (changes(server, "rule"), changes(server, "role")) == log


async def files_that_somebody_edits_are_followed_and_faulty_ones_change_nothing(server: Running, files: Path) -> None:
    file, classifier = files / "rules.toml", server.parts.classifier
    file.write_bytes(RULES + b'[[rule]]\nid = "new"\nrole = "Access"\nkeywords = ["login"]\n')
    server.parts.files.refresh(whole=True)
    assert [one.id for one in classifier.rules.rules] == ["vpn", "new"]
    for faulty in (b"[[rule", b'[[rule]]\nid = "x"\nrole = "Nobody"\nkeywords = ["x"]\n'):
        file.write_bytes(faulty)
        server.parts.files.refresh(whole=True)
        assert [one.id for one in classifier.rules.rules] == ["vpn", "new"]
        assert "rules.toml" in server.parts.files.rules.problem
        page = read(await signed_in(server, Rights.VIEWER).see("/rules"))
        assert "rules.toml:" in page
        assert "What was in force before stays in force." in page
    (files / "roles.toml").write_bytes(ROLES.replace(b"'Access'", b"'none'"))
    server.parts.files.refresh(whole=True)
    assert "means something else" in server.parts.files.roles.problem
    (files / "roles.toml").write_bytes(ROLES)
    file.unlink()
    server.parts.files.refresh(whole=True)
    assert [one.id for one in classifier.rules.rules] == ["vpn", "new"]
    file.write_bytes(RULES)
    server.parts.files.refresh(whole=True)
    assert ([one.id for one in classifier.rules.rules], server.parts.files.rules.problem) == (["vpn"], "")


@pytest.mark.parametrize("content", [ROLES, ROLES.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + ROLES])
def test_a_file_keeps_its_form(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "roles.toml"
    file.write_bytes(content)
    network, access = load_roles(file).roles
    assert with_role(content, network, words_of(network)) == content
    words = Words("Network", "", ["Net", "Lan", "Wires"], "", {"desk": ["net", "lan"]})
    end = b"\r\n" if b"\r\n" in content else b"\n"
    assert with_role(content, network, words) == content.replace(
        b'  "Lan",' + end, b'  "Lan",' + end + b'  "Wires",' + end
    )
    gone = with_role(content, access, Words("Access", "", [], "", {}))
    file.write_bytes(gone)
    assert load_roles(file).roles[1].groups == {}
    rules = with_rule(content, '[[rule]]\nid = "x"\n', "said\nso")
    assert rules == content + end + b"# said so" + end + b"[[rule]]" + end + b'id = "x"' + end


def test_a_role_that_the_file_writes_in_another_form_is_left_to_people(tmp_path: Path) -> None:
    file = tmp_path / "roles.toml"
    file.write_text('role = [{ name = "Network" }]\n')
    (role,) = load_roles(file).roles
    with pytest.raises(BadInput, match="by hand"):
        with_role(file.read_bytes(), role, renamed(words_of(role), role.name))


def test_a_change_by_hand_is_never_taken_back_nor_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_bytes(b"# one\n")
    file.chmod(0o640)
    shown = look(file, several=False)
    change(shown, b"# two\n", load_rules)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"# two\n", 0o640)
    assert look(file, several=False).before == b"# one\n", "the control"
    with pytest.raises(BadInput):
        change(shown, b"# three\n", load_rules)
    file.write_bytes(b"# by hand\n")
    assert look(file, several=False).before is None
    with pytest.raises(Exception, match="not TOML"):
        change(look(file, several=False), b"[[", load_rules)
    assert file.read_bytes() == b"# by hand\n"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.endswith(".new")) == []
    assert isinstance(shown, Edited)


def changes(server: Running, of: str) -> list[str]:
    """Return what was changed in the files, as the log says."""
    lines = server.parts.database.call(lambda session: list(session.exec(select(Audit).order_by(Audit.id))))  # type: ignore[arg-type]
    return [line.action for line in lines if line.action.startswith(of)]
