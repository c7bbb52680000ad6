"""An installation with every part that a backup holds, secrets planted in all of its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import select

from agent.config.loading import load
from agent.config.settings import Settings
from agent.data_directory import DataDirectory
from agent.keeping.backup import Saved, back_up
from agent.keeping.restore import Places
from agent.serving.artefact import Manifest
from agent.serving.registry import Registry
from agent.store.database import Database
from agent.store.people import FIRST_LINK, ApiToken, PageSession, User
from agent.store.tables import OAuthToken, SharedValue, Ticket
from tests.conftest import TICKETS

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)
SECRETS = (
    "TOKEN-canary-0123456789",
    "HOOK-canary-0123456789abc",
    "KEY-canary-0123456789abcdef",
    "OLD-canary-0123456789",
)
HASH = "HASH-canary-0123456789"
ROLES = (TICKETS / "roles.toml").read_text("utf-8")
SETTINGS = f"""# what we said about it: keep
roles = "our-roles.toml"
rules = "rules.toml"

[connectors.django-helpdesk]
url = "https://helpdesk.example.org"
# token = "{SECRETS[3]}"
token = "{SECRETS[0]}"
webhook_secrets = ["{SECRETS[1]}"]
"""
ENV = f"API_KEY={SECRETS[2]}\n"


@dataclass(frozen=True)
class Installed:
    """An installation below `folder`: config/, .env and data/."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config/agent.toml"

    @property
    def directory(self) -> DataDirectory:
        return DataDirectory(self.folder / "data")

    @property
    def settings(self) -> Settings:
        return load(self.config, {"ROLECALL_DATA": str(self.directory.path)}, self.folder / ".env")

    @property
    def places(self) -> Places:
        return Places(self.directory, self.directory.api_models, self.config, self.folder / ".env")

    def save(self, target: Path, *, with_secrets: bool = True) -> Saved:
        key, dotenv = self.directory.key(), self.folder / ".env"
        return back_up(self.settings, self.config, dotenv, key, target, AT, with_secrets=with_secrets)

    def tickets(self) -> set[str]:
        database = Database(self.directory.database)
        try:
            return database.call(lambda session: set(session.exec(select(Ticket.key))))
        finally:
            database.close()

    def contents(self) -> dict[str, bytes]:
        """Return what is where, without locks and what SQLite keeps beside the file while it is open."""
        files = [
            path for path in self.folder.rglob("*") if path.is_file() and not path.name.endswith((".lock", "-shm"))
        ]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}


def install(folder: Path, build: Callable[..., Manifest], tmp_path: Path) -> Installed:
    """Make an installation with two tickets, a model that serves, one of the API, and an unfinished write."""
    installed = Installed(folder)
    (folder / "config").mkdir(parents=True)
    installed.config.write_text(SETTINGS)
    (folder / "config/our-roles.toml").write_text(ROLES)
    (folder / "config/rules.toml").write_text((TICKETS / "rules.toml").read_text("utf-8"))
    (folder / ".env").write_text(ENV)
    directory = installed.directory
    directory.create()
    directory.key()
    directory.api_key.write_text("ab" * 32)
    database = Database.open_file(directory.database)
    user = User(key="kim", name="Kim", rights="owner", password=HASH, link=f"{HASH}-link", created_at=AT)
    session = PageSession(token=f"{HASH}-token", user_key="kim", created_at=AT, expires_at=AT)
    login = OAuthToken(source="desk", login=f"{HASH}-login", access=f"{HASH}-access", refresh=f"{HASH}-refresh", at=AT)
    program = ApiToken(token=f"{HASH}-program", user_key="kim", name="wall", created_at=AT, expires_at=AT)
    link = SharedValue(name=FIRST_LINK, value=f"{HASH}-first {AT.isoformat()}", at=AT)
    rows = [
        user,
        session,
        login,
        program,
        link,
        *(Ticket(key=f"desk:{n}", subject=f"words of {n}", body="", filed_at=AT) for n in (1, 2)),
    ]
    database.call(lambda session: session.add_all(rows))
    database.close()
    for version, keys in (("v1", ["desk:1"]), ("v2", ["desk:2"])):
        build(version, tickets={"train": keys})
    (tmp_path / "models").rename(directory.models)
    (tmp_path / "encoders").rename(directory.encoders)
    Registry(directory.models, directory.encoders).activate("v1", "a test")
    Registry(directory.models, directory.encoders).activate("v2", "a test")
    named = directory.api_models / "calls"
    named.mkdir(parents=True)
    (named / "ACTIVE").write_text('{"version": "v9", "predecessor": null}')
    (directory.api_models / ".aliases.json").write_text('{"latest": "calls"}')
    (directory.models / ".building-x").mkdir()
    (directory.models / ".building-x/head").write_text("unfinished")
    return installed
