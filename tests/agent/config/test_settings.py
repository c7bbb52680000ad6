"""Settings come from file, .env and environment, and every fault is told at once with its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.loading import load
from agent.config.settings import ServerSettings, Settings
from agent.errors import SettingsError
from connectors.registry import kinds

SHIPPED = Path(__file__).parents[3] / "config/agent.toml"
HELPDESK = '[connectors.django-helpdesk]\nurl = "https://desk.example"\nauthor_id = 2\n'
KNOWN_OF_SERVER = f" (known: {', '.join(ServerSettings.model_fields)})"
SECRETS = {
    "ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN": "s3cret-token",
    "ROLECALL_CONNECTORS__DJANGO_HELPDESK__WEBHOOK_SECRETS": '["0123456789abcdef"]',
}


def write(folder: Path, text: str) -> Path:
    file = folder / "agent.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_file_holds_nothing_but_defaults() -> None:
    settings = load(SHIPPED, {}, None)
    assert settings.learning.split == (70, 15, 15)
    assert settings.rules == SHIPPED.parent / "rules.toml"
    assert settings.connectors == {}


def test_what_lies_beside_a_linked_settings_file_is_found_there_or_beside_the_link(tmp_path: Path) -> None:
    """One in a repository is linked into /etc; NixOS links every file into a store, each under another name."""
    kept, etc, store = (tmp_path / name for name in ("kept", "etc", "store"))
    for folder in (kept, etc, store):
        folder.mkdir()
    write(kept, "")
    (kept / "roles.toml").touch()
    (etc / "agent.toml").symlink_to("../hop.toml")
    (tmp_path / "hop.toml").symlink_to(kept / "agent.toml")
    assert load(etc / "agent.toml", {}, None).roles.resolve() == kept / "roles.toml"
    assert load(etc / "agent.toml", {}, None).rules == etc / "rules.toml"  # nowhere: the folder that was named
    (store / "1-roles.toml").touch()
    (etc / "roles.toml").symlink_to(store / "1-roles.toml")
    assert load(etc / "agent.toml", {}, None).roles == etc / "roles.toml"


def test_a_mounted_folder_that_is_exchanged_is_never_named_for_good(tmp_path: Path) -> None:
    """Kubernetes mounts files as links into a folder whose name stays, and which links to the one of the day."""
    day = tmp_path / "..2026_12_01"
    day.mkdir()
    write(day, "")
    (day / "roles.toml").touch()
    (tmp_path / "..data").symlink_to(day.name)
    (tmp_path / "agent.toml").symlink_to("..data/agent.toml")
    assert load(tmp_path / "agent.toml", {}, None).roles == tmp_path / "..data/roles.toml"


def test_a_settings_file_that_links_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").symlink_to("agent.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "agent.toml", {}, None)


def test_the_environment_overrides_dotenv_and_dotenv_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[server]\nhost = 'a'\nport = 1\n[learning]\nwindow = 10\n")
    dotenv = tmp_path / ".env"
    dotenv.write_text("ROLECALL_SERVER__PORT=2\nROLECALL_LEARNING__WINDOW=20\n")
    settings = load(file, {"ROLECALL_LEARNING__WINDOW": "30"}, dotenv)
    assert (settings.server.host, settings.server.port, settings.learning.window) == ("a", 2, 30)


def test_the_command_line_overrides_everything(tmp_path: Path) -> None:
    settings = load(write(tmp_path, ""), {"ROLECALL_SERVER__PORT": "1"}, None, {"server.port": 3, "data": "d"})
    assert (settings.server.port, settings.data) == (3, Path("d"))


def faults(file: Path, environ: dict[str, str] | None = None) -> list[str]:
    """Return what is told about a file, without the file's own name."""
    with pytest.raises(SettingsError) as caught:
        load(file, environ or {}, None)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return [str(fault).removeprefix(f"{file}:") for fault in caught.value.faults]


def test_every_fault_is_told_at_once_with_its_line_or_its_variable(tmp_path: Path) -> None:
    text = """[server]
port = 99999   # port = 1
shadow.deep = true

[learning]
split = [
  70,
  "many",
  15,
]
windoww = 3
nightly_at = "25:00"
trainer = "best"
[nonsense]
x = 1
[triage]
shadow = "perhaps"
[serverr]
[intake]
max_waiting = 1.5
[brakes]
answers = { a = 1 }
[work]
retry_seconds = []
"""
    environ = {"ROLECALL_INTAKE__RATE_BURST": "many", "ROLECALL_LOG_FORMATT": "x", "ROLECALL_API__KEY": "short"}
    assert faults(write(tmp_path, text), environ) == [
        "2: server.port: should be less than or equal to 65535",
        "3: server.shadow: unknown table 'shadow'" + KNOWN_OF_SERVER,
        "8: learning.split.1: should be a whole number",
        "11: learning.windoww: unknown key 'windoww' (did you mean 'window'?)",
        '12: learning.nightly_at: should be a time of day, such as "02:30"',
        "13: learning.trainer: should be 'contrastive', 'setfit' or 'frozen'",
        "14: nonsense: unknown table 'nonsense' (known: " + ", ".join(Settings.model_fields) + ")",
        '17: triage.shadow: should be true, false, or some queues: { NAME = ["queue"] }',
        "18: serverr: unknown table 'serverr' (did you mean 'server'?)",
        "20: intake.max_waiting: should be a whole number",
        "22: brakes.answers: should be a whole number",
        "24: work.retry_seconds: should have at least 1 item after validation, not 0",
        "environment, ROLECALL_API__KEY: api.key: at least 16 characters: openssl rand -hex 32",
        "environment, ROLECALL_INTAKE__RATE_BURST: intake.rate_burst: should be a whole number",
        "environment, ROLECALL_LOG_FORMATT: log_formatt: unknown key 'log_formatt' (did you mean 'log_format'?)",
    ]


def test_a_connectors_faults_have_their_lines_and_no_word_of_the_validator(tmp_path: Path) -> None:
    text = """
[connectors.django-helpdesk]
url = "ftp://desk.example"
tokn = "t"
queues = { 1 = "WO", 2 = ["HW"] }
[connectors.zzz]
url = "x"
"""
    missing = "{}: key '{}' is missing: write it in the settings file, or set ROLECALL_CONNECTORS__DJANGO_HELPDESK__{}"
    missing += ", also in .env of the directory that you start in"
    name = "2: connectors.django-helpdesk"
    assert sorted(faults(write(tmp_path, text))) == sorted(
        [
            missing.format(f"{name}.token", "token", "TOKEN"),
            missing.format(f"{name}.webhook_secrets", "webhook_secrets", "WEBHOOK_SECRETS"),
            "3: connectors.django-helpdesk.url: has to begin with http:// or https:// and a host",
            "4: connectors.django-helpdesk.tokn: unknown key 'tokn' (did you mean 'token'?)",
            "5: connectors.django-helpdesk.queues.2: should be a text",
            f"6: connectors.zzz: there is no kind 'zzz'; kind can be {', '.join(kinds())}",
        ]
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[triage]\nprecision_target = 90", "should be a share, at most 1: percents are written as 0.9"),
        ("[checks]\nshare = 5", "should be a share, at most 1: percents are written as 0.9"),
        ("[triage]\nsilent_below = 400", "should be a share, at most 1"),
        ('[server]\nhost = "http://0.0.0.0"', "an address of this machine alone"),
        ('[server]\nhost = "0.0.0.0:8080"', "the port is server.port"),
        ('[connectors.desk]\nkind = "Django_Helpdesk"', "did you mean 'django-helpdesk'?"),
        ('[connectors.desk]\nkind = "service now"', "did you mean 'servicenow'?"),
    ],
)
def test_a_slip_is_told_with_what_is_meant(tmp_path: Path, text: str, told: str) -> None:
    (fault,) = faults(write(tmp_path, text))
    assert told in fault


def test_settings_beside_the_folder_that_they_are_looked_for_in_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "").rename(tmp_path / "agent.toml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"there is agent\.toml here: --config agent\.toml"):
        load(Path("config/agent.toml"), {}, None)


def test_secrets_that_were_not_read_are_told_with_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody starts a command in another directory than the one that `.env` lies in."""
    (tmp_path / ".env").write_text("ROLECALL_CONNECTORS__DJANGO_HELPDESK__TOKEN=secret\n")
    (tmp_path / "config").mkdir()
    file = write(tmp_path / "config", '[connectors.django-helpdesk]\nurl = "https://desk.example"\n')
    told = f"that you start in; there is one in {tmp_path}: start there"
    assert all(fault.endswith(told) for fault in faults(file))
    monkeypatch.chdir(tmp_path)
    assert all(fault.endswith("that you start in") for fault in faults(file)), "this one is read"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("server = 5\n", ["1: server: should be a table"]),
        ("connectors = 5\n", ["1: connectors: should be tables, one [connectors.NAME] for each"]),
        ("[connectors]\ndjango-helpdesk = 5\n", ["2: connectors.django-helpdesk: should be a table"]),
        ("\nsecrets = 5\n", ["2: secrets: should be a table"]),
        ("[learning]\nsplit = [70, 30]\n", ["2: learning.split.2: number 3 of the list is missing"]),
        ("[server]\nport = \n", ["2: not TOML: Invalid value; write a value behind =, or # before the line"]),
        ("a = 1\na = 2\n", ["2: not TOML: Cannot overwrite a value"]),
        ("a = true\na = true\n", ["2: not TOML: Cannot overwrite a value"]),
        ('a = """\nC: \\d\n"""\n', ["2: not TOML: Unescaped '\\' in a string"]),
    ],
)
def test_what_has_the_wrong_shape_is_told_with_its_line(tmp_path: Path, text: str, told: list[str]) -> None:
    assert faults(write(tmp_path, text)) == told


def test_a_value_in_place_of_a_table_is_told_beside_all_the_rest(tmp_path: Path) -> None:
    file = write(tmp_path, "server = 5\n[learning]\nwindow = 1\n")
    told = faults(file, {"ROLECALL_SERVER__PORT": "1"})
    assert told == [
        "1: server: should be a table",
        "3: learning.window: should be greater than or equal to 10",
        "environment, ROLECALL_SERVER__PORT: server: is a single value elsewhere, here it has parts",
    ]


def test_faults_of_the_secrets_table_hide_no_others_and_are_told_once(tmp_path: Path) -> None:
    """Where the sources are unknown, what they would have brought is not called missing."""
    text = "[server]\nport = 0.5\n[secrets]\nsource = ['files']\nrefresh_seconds = 0\n" + HELPDESK
    told = faults(write(tmp_path, text + 'token = "secret:TOKEN"\n'))
    assert told == [
        "2: server.port: should be a whole number",
        "4: secrets.source: unknown key 'source' (did you mean 'sources'?)",
        "5: secrets.refresh_seconds: should be greater than or equal to 1",
    ]


def test_a_missing_secret_hides_no_other_fault_and_is_told_once(tmp_path: Path) -> None:
    text = (
        HELPDESK + 'token = "secret:NONE"\nwebhook_secrets = [\n"0123456789abcdef",\n"secret:HOOK",\n]\npage_size = 0\n'
    )
    assert faults(write(tmp_path, text)) == [
        "4: connectors.django-helpdesk.token: no source has the secret NONE",
        "7: connectors.django-helpdesk.webhook_secrets.1: no source has the secret HOOK",
        "9: connectors.django-helpdesk.page_size: should be greater than or equal to 1",
    ]


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 3\r\n")
    assert load(file, {}, None).server.port == 3
    file.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 'x'\r\n")
    assert faults(file) == ["2: server.port: should be a whole number"]


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_bytes(b"[server]\n# caf\xe9\n")
    assert faults(file) == ["2: cannot be read: not UTF-8 text (invalid continuation byte): save it as UTF-8"]


@pytest.mark.parametrize("line", ["port = \u201c3\u201d", "port\u00a0= 3"])
def test_quotation_marks_and_blanks_of_a_word_processor_are_named(tmp_path: Path, line: str) -> None:
    (told,) = faults(write(tmp_path, f"[server]\n{line}\n"))
    assert told.startswith("2: not TOML")
    assert f"{next(one for one in line if not one.isascii())!a} may be a word processor's" in told
    assert "word processor" not in faults(write(tmp_path, '[server]\nport = "\u201c'))[0].partition("not TOML")[0]


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("shadow = True", "write true or false, in small letters"),
        ("shadow = yes  # for now", "write true or false, in small letters"),
        ("share = 0,05", "write a number with a point, as 0.9"),
        ("language: fr", "write = between a key and its value"),
        ("language = fr", "write a text in quotation marks"),
        ("data = /var/lib/rolecall", "write a text in quotation marks"),
        ("language =", "write a value behind =, or # before the line"),
    ],
)
def test_habits_from_other_files_are_told_how_it_is_written_here(tmp_path: Path, line: str, advice: str) -> None:
    (told,) = faults(write(tmp_path, f"{line}\n"))
    assert told.startswith("1: not TOML")
    assert told.endswith(f"; {advice}")


def test_a_place_is_no_folder_called_by_a_sign_that_only_shells_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert load(write(tmp_path, 'data = "~/rolecall"'), {}, None).data == Path("/home/ann/rolecall")
    assert load(write(tmp_path, 'data = "a$b/~"'), {}, None).data.name == "~"
    for shells in ("$HOME/rolecall", "${HOME}/x", "%APPDATA%/x"):
        (told,) = faults(write(tmp_path, f'data = "{shells}"'))
        assert told == "1: data: begins with a variable, which only a shell replaces: write the whole path"


def test_a_connector_takes_its_secrets_from_the_environment(tmp_path: Path) -> None:
    helpdesk = load(write(tmp_path, HELPDESK), SECRETS, None).connectors["django-helpdesk"].settings
    assert (helpdesk.token, helpdesk.webhook_secrets) == ("s3cret-token", ("0123456789abcdef",))


@pytest.mark.parametrize("given", ["0123456789abcdef", '["0123456789abcdef"]'])
def test_a_single_secret_of_a_hook_needs_no_brackets(tmp_path: Path, given: str) -> None:
    name = "ROLECALL_CONNECTORS__DJANGO_HELPDESK__WEBHOOK_SECRETS"
    assert load(write(tmp_path, HELPDESK), SECRETS | {name: given}, None) == load(
        write(tmp_path, HELPDESK + "webhook_secrets = '0123456789abcdef'\n"),
        {n: v for n, v in SECRETS.items() if n != name},
        None,
    )
    assert faults(write(tmp_path, HELPDESK), SECRETS | {name: "short"}) != []


def test_no_fault_repeats_a_secret(tmp_path: Path) -> None:
    variables = {"TOKEN": "top secret é", "WEBHOOK_SECRETS": '["top secret", 5, {"top secret": 1}]'}
    environ = {f"ROLECALL_CONNECTORS__DJANGO_HELPDESK__{name}": value for name, value in variables.items()}
    told = faults(write(tmp_path, HELPDESK), environ | {"ROLECALL_API__KEY": "top secret", "API_KEY": "top secret"})
    assert len(told) == 3
    assert "top secret" not in str(told)
    told = faults(write(tmp_path, HELPDESK + "token = \"top secret\"\nwebhook_secrets = 'top secret'\nca_file = 5\n"))
    assert [fault.partition(":")[0] for fault in told] == ["4", "5", "6"]
    assert "top secret" not in str(told)


def test_two_connectors_of_one_kind_have_their_own_settings_and_secrets(tmp_path: Path) -> None:
    tables = "".join(
        f'[connectors.{name}]\nkind = "django-helpdesk"\nurl = "https://{name}.example"\nauthor_id = 2\n'
        for name in ("it", "plant-2")
    )
    given = {
        "ROLECALL_CONNECTORS__IT__TOKEN": "one",
        "ROLECALL_CONNECTORS__IT__WEBHOOK_SECRETS": '["0123456789abcdef"]',
        "ROLECALL_CONNECTORS__PLANT_2__TOKEN": "two",
        "ROLECALL_CONNECTORS__PLANT_2__WEBHOOK_SECRETS": '["fedcba9876543210"]',
    }
    connectors = load(write(tmp_path, tables), given, None).connectors
    assert {name: (chosen.kind, chosen.settings.url, chosen.settings.token) for name, chosen in connectors.items()} == {
        "it": ("django-helpdesk", "https://it.example", "one"),
        "plant-2": ("django-helpdesk", "https://plant-2.example", "two"),
    }
    assert {name: chosen.connect(name).source for name, chosen in connectors.items()} == {n: n for n in connectors}


@pytest.mark.parametrize(
    ("table", "place"),
    [("[connectors.zzz]\nurl = 'x'\n", "connectors.zzz"), ("[connectors.it]\nkind = 'zzz'\n", "connectors.it.kind")],
)
def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path, table: str, place: str) -> None:
    with pytest.raises(SettingsError, match=r"no kind 'zzz'; kind can be .*django-helpdesk, ") as caught:
        load(write(tmp_path, table), {}, None)
    assert [fault.setting for fault in caught.value.faults] == [place]


@pytest.mark.parametrize("name", ["my_desk", "Desk", "desk:1", "it.de", "2nd", "a--b", "-a", "a-", "ä", "a" * 41, ""])
def test_a_name_that_has_no_place_in_an_address_a_key_or_a_variable_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"a name has up to 40 letters a-z"):
        load(write(tmp_path, f'[connectors."{name}"]\nkind = "django-helpdesk"\n'), {}, None)


def test_a_name_that_differs_from_another_by_an_underscore_alone_is_refused(tmp_path: Path) -> None:
    """Both would take the variables ROLECALL_CONNECTORS__MY_DESK__..."""
    tables = (
        f'{HELPDESK.replace("django-helpdesk", "my-desk")}kind = "django-helpdesk"\n[connectors.my_desk]\nurl = "x"\n'
    )
    given = {name.replace("DJANGO_HELPDESK", "MY_DESK"): value for name, value in SECRETS.items()}
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, tables), given, None)
    assert [fault.setting for fault in caught.value.faults] == ["connectors.my_desk"]


@pytest.mark.parametrize(
    ("text", "place"), [("[connectors]\nit = 3\n", "connectors.it"), ("connectors = 3", "connectors")]
)
def test_a_connector_that_is_no_table_is_refused(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(SettingsError, match=r"should be (a table|tables)") as caught:
        load(write(tmp_path, text), {}, None)
    assert [fault.setting for fault in caught.value.faults] == [place]


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no such file"):
        load(tmp_path / "none.toml", {}, None)
    with pytest.raises(SettingsError, match=r"agent\.toml:1: not TOML"):
        load(write(tmp_path, "= 3"), {}, None)


def test_queues_of_a_connector_that_is_not_there_are_named_with_their_line(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[triage]\nonly = { django-helpdesk = "it", plant = ["a"] }\nshadow = { "plant" = ["b"] }\n'
        'ignore.queues.plant = ["c"]\nignore.senders = ["*@x"]\n' + HELPDESK,
    )
    there = "no connector is called plant; there are django-helpdesk"
    assert faults(file, SECRETS) == [
        f"2: triage.only.plant: {there}",
        f"3: triage.shadow.plant: {there}",
        f"4: triage.ignore.queues.plant: {there}",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('only = ["it"]', 'only: say of which connector: { NAME = ["queue"] }'),
        ("only = { django-helpdesk = [] }", 'only: django-helpdesk needs its queues: django-helpdesk = ["queue"]'),
        ("shadow = { django-helpdesk = 1 }", 'shadow: django-helpdesk needs its queues: django-helpdesk = ["queue"]'),
        ('ignore.senders = [""]', "ignore.senders.0: "),
    ],
)
def test_queues_that_are_written_otherwise_are_told_how(tmp_path: Path, written: str, told: str) -> None:
    (fault,) = faults(write(tmp_path, f"[triage]\n{written}\n{HELPDESK}"), SECRETS)
    assert fault.startswith(f"2: triage.{told}")


def test_queues_may_come_from_the_environment_under_their_connectors_name(tmp_path: Path) -> None:
    given = {
        "ROLECALL_TRIAGE__ONLY__DJANGO_HELPDESK": '["it"]',
        "ROLECALL_TRIAGE__IGNORE__QUEUES__DJANGO_HELPDESK": '["hr"]',
        "ROLECALL_TRIAGE__IGNORE__TAGS": '["spam"]',
        "ROLECALL_TRIAGE__SHADOW": "true",
    }
    triage = load(write(tmp_path, HELPDESK), SECRETS | given, None).triage
    assert (triage.only, triage.ignore.queues) == ({"django-helpdesk": ("it",)}, {"django-helpdesk": ("hr",)})
    assert (triage.ignore.tags, triage.shadow) == (("spam",), True)
