"""Kinds of connectors that a manifest describes: shipped ones, and the operator's own beside the settings."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from agent.config.loading import load
from agent.errors import SettingsError
from connectors.manifest.catalogue import document_of
from connectors.manifest.connector import ManifestConnector

SHIPPED = Path(__file__).parents[3] / "connectors/presets/redmine.toml"
TABLE = '[connectors.plant]\nkind = "redmine"\nurl = "https://redmine.example.org"\n'
KEY = {"ROLECALL_CONNECTORS__PLANT__API_KEY": "s3cret-of-tests"}


def write(folder: Path, table: str = TABLE, **manifests: str) -> Path:
    (folder / "agent.toml").write_text(table)
    for name, text in manifests.items():
        (folder / "connectors").mkdir(exist_ok=True)
        (folder / "connectors" / f"{name}.toml").write_text(text)
    return folder / "agent.toml"


def told(file: Path, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(file, environ, None)
    return str(caught.value).replace(f"{file.parent}/", "").splitlines()


def test_a_shipped_manifest_is_a_kind_whose_secrets_come_from_the_environment(tmp_path: Path) -> None:
    chosen = load(write(tmp_path), KEY, None).connectors["plant"]
    assert (chosen.kind, chosen.address, chosen.hook("plant")) == ("redmine", "https://redmine.example.org", None)
    assert "s3cret" not in repr(chosen)
    assert [each.name for each in fields(chosen.settings) if not each.repr] == ["api_key"]
    assert isinstance(chosen.connect("plant"), ManifestConnector)


def test_read_again_unchanged_it_is_the_same_and_with_another_key_or_manifest_it_is_not(tmp_path: Path) -> None:
    """Rotation replaces a connector whose settings differ."""
    file = write(tmp_path, redmine=SHIPPED.read_text())
    first = load(file, KEY, None).connectors["plant"]
    assert load(file, KEY, None).connectors["plant"] == first
    assert load(file, dict.fromkeys(KEY, "another"), None).connectors["plant"] != first
    write(tmp_path, redmine=SHIPPED.read_text().replace('name = "Redmine"', 'name = "Ours"'))
    assert load(file, KEY, None).connectors["plant"] != first


@pytest.mark.anyio
async def test_an_own_file_of_the_same_name_wins_and_one_of_another_name_is_a_new_kind(tmp_path: Path) -> None:
    ours = SHIPPED.read_text().replace('name = "Redmine"', 'name = "Our Redmine"')
    for kind in ("redmine", "works"):
        file = write(tmp_path, TABLE.replace('"redmine"', f'"{kind}"'), **{kind: ours})
        connector = load(file, KEY, None).connectors["plant"].connect("plant")
        assert connector.kind == kind
        with pytest.raises(Exception, match="not an id of Our Redmine"):
            await connector.read_ticket("../7")


def test_every_fault_of_an_own_manifest_has_its_file_and_line(tmp_path: Path) -> None:
    text = SHIPPED.read_text()
    lines = text.splitlines()

    def line(start: str) -> int:
        return 1 + next(index for index, each in enumerate(lines) if each.startswith(start))

    for old, new, start, words in (
        ('subject = "subject"', 'subject = "subject["', "subject =", "ticket.subject: is no JMESPath"),
        ('subject = "subject"', 'subject = "!a.b"', "subject =", "means (!a).b"),
        ('requester = "author.id"', 'requestor = "author.id"', "requester =", "unknown key 'requestor'"),
        ('get = "issues.json"', 'get = "{tenant}/issues.json"', 'get = "issues.json"', "{tenant} stands for nothing"),
        ('find = "marker"  ', 'found = "marker"  ', 'find = "marker"', "unknown key 'found'"),
        ("size = 100", "size = 0", "page =", "greater than or equal to 1"),
        ('secrets = ["api_key"]', 'secrets = ["api_key", "text"]', "secrets =", "'text' is the name of something else"),
        ("manifest = 1", "manifest = 2", "manifest =", "manifest: "),
    ):
        assert old in text
        (first, *_) = told(write(tmp_path, redmine=text.replace(old, new, 1)), **KEY)
        assert first.startswith(f"connectors/redmine.toml:{line(start)}: "), first
        assert words in first


def test_what_a_stranger_may_take_for_granted_is_told_in_words_and_with_its_line(tmp_path: Path) -> None:
    text = SHIPPED.with_name("openproject.toml").read_text()
    table = TABLE.replace('"redmine"', '"openproject"') + 'project = "x"\nwebhook_secrets = "twenty-characters-long"\n'
    written = '/activities"\nquery = { notify = false }\nbody = { comment = { raw = "{text}" } }'
    kinds = "should be 'created', 'commented', 'edited', 'closed', 'reopened' or 'moved'"
    for old, new, start, words in (
        (written, written.replace("{text}", "{{ text }}"), "[post]", "post: {text} stands nowhere in it"),
        ('"{url}/api/v3/"', '"{url}/{api}/"', "base =", "{api} stands for nothing here"),
        ('"{url}/api/v3/"', '"{url}/{api}/"', "base =", "; as mere text: { api }"),
        (
            'get = "work_packages/{ticket}"\n\n[read',
            'get = "work_packages"\n\n[read',
            "[read]",
            "{ticket} stands nowhere",
        ),
        (
            'auth = { by = "basic"',
            'auth = { by = "bearer"',
            "auth =",
            "api.auth: key 'by' should be one of 'header', 'basic'",
        ),
        ('auth = { by = "basic"', "auth = { is = 1", "auth =", "api.auth: key 'by' is missing"),
        ('kind = "commented"', 'kind = "replied"', 'kind = "commented"', f"kind: {kinds}"),
    ):
        assert old in text
        (first, *_) = told(write(tmp_path, table, openproject=text.replace(old, new, 1)), **KEY)
        number = 1 + next(index for index, each in enumerate(text.splitlines()) if each.startswith(start))
        assert first.startswith(f"connectors/openproject.toml:{number}: "), first
        assert words in first


def test_faults_of_requests_that_read_by_post_have_their_line(tmp_path: Path) -> None:
    """The same requests without the fault are those that the contract tests send."""
    text = SHIPPED.with_name("linear.toml").read_text()
    table = TABLE.replace('"redmine"', '"linear"') + 'webhook_secrets = "twenty-characters-long"\n'
    lines = text.splitlines()
    for start, old, new, words in (
        ("[check]", 'post = "graphql"\nbody', 'get = "graphql"\nbody', "body and form need post"),
        ("[check]", 'post = "graphql"\nbody', 'get = "a"\npost = "graphql"\nbody', "needs either get or post"),
        ("[poll]", 'post = "graphql"\nrows', 'get = "graphql"\nrows', "body and form need post"),
        (
            "[poll]",
            'param = "variables.after"',
            'param = "variables.since.after"',
            "no table for variables.since",
        ),
        ("[poll]", 'by = "cursor", in', 'by = "next", in', "stand in the query"),
        ("[moves]", 'post = "graphql"\nrows', "rows", "needs either get (or post) and rows, or inside"),
        ("[api]", 'value = "{api_key}"', 'value = "{session}"', "{session} stands for nothing"),
    ):
        head, _, tail = text.partition(f"\n{start}\n")
        assert old in tail
        (first, *_) = told(
            write(tmp_path, table, linear=f"{head}\n{start}\n{tail.replace(old, new, 1)}"),
            ROLECALL_CONNECTORS__PLANT__API_KEY="k",
        )
        number = int(first.removeprefix("connectors/linear.toml:").split(":")[0])
        assert lines.index(start) + 1 <= number <= lines.index(start) + 8, first
        assert words in first


def test_a_manifest_that_is_no_toml_and_a_faulty_setting_are_told_together(tmp_path: Path) -> None:
    two = TABLE + '[connectors.desk]\nkind = "freshdesk"\nurl = "http://desk.example.org"\nwebhook_secrets = "short"\n'
    faults = told(write(tmp_path, two, redmine="name = \n"), **KEY)
    assert any(fault.startswith("connectors/redmine.toml:1: not TOML") for fault in faults)
    assert any("connectors.desk.webhook_secrets: needs at least one secret" in fault for fault in faults)
    assert any("ROLECALL_CONNECTORS__DESK__API_KEY" in fault for fault in faults)


def test_an_unknown_kind_is_told_with_all_that_there_are(tmp_path: Path) -> None:
    (fault,) = told(write(tmp_path, TABLE.replace('"redmine"', '"redmin"'), works=SHIPPED.read_text()), **KEY)
    for kind in ("django-helpdesk", "redmine", "freshdesk", "works"):
        assert kind in fault


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ('url = "http://redmine.example.org"', "show the token to the network"),
        ('url = "redmine"', "has to begin with http"),
        ('url = "https://a.example"\nstaff = "3"', "should be a list"),
        ('url = "https://a.example"\nclosed = []', "at least 1"),
        ('url = "https://a.example"\napi_kee = "x"', "did you mean 'api_key'?"),
        ('url = "https://a.example"\napi_key = "two words"', "one word"),
    ],
)
def test_a_faulty_setting_is_told_in_words(tmp_path: Path, given: str, words: str) -> None:
    table = f'[connectors.plant]\nkind = "redmine"\n{given}\n'
    assert words in "\n".join(told(write(tmp_path, table), **({} if "api_key" in given else KEY)))


def test_numbers_are_taken_as_ids(tmp_path: Path) -> None:
    chosen = load(write(tmp_path, TABLE + "staff = [3, 4]\nauthor_id = 2\nclosed = [5]\n"), KEY, None)
    settings = chosen.connectors["plant"].settings
    assert (settings.staff, settings.author_id, settings.closed) == (("3", "4"), "2", ("5",))


def test_the_shipped_one_is_what_is_in_the_package() -> None:
    assert document_of("redmine")["name"] == "Redmine"
