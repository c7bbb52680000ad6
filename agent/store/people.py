"""The tables of the people who use the pages: accounts, sessions, failed attempts, links, and who changed what.

Tokens are kept as hashes: whoever reads the database can sign in as nobody.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from agent.store.coordination import time_column

FIRST_LINK = "link of the first account"
"""Name of the shared value with the hash of the one-time link for the first account."""


class User(SQLModel, table=True):
    """Somebody who may sign in. `key` is the folded name; `rights` a Rights of agent.pages.signing.users.

    `password` is a hash, None until its one-time link was used; `link` the hash of that link's token; `subject` the
    hash of the provider's name for its owner. `helpdesks` and `groups` are those whose tickets it sees; none: all.
    """

    __tablename__ = "page_user"

    key: str = Field(primary_key=True)
    name: str
    rights: str
    password: str | None = None
    link: str | None = Field(default=None, unique=True)
    link_until: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    disabled_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    created_at: datetime = Field(sa_column=time_column())
    keys: bool = True
    subject: str | None = Field(default=None, unique=True, index=True)
    helpdesks: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]"))
    groups: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]"))


class PageSession(SQLModel, table=True):
    """A browser in which somebody is signed in; `token` is the hash of its cookie."""

    __tablename__ = "page_session"
    __table_args__ = (Index("ix_page_session_expires_at", "expires_at"),)

    token: str = Field(primary_key=True)
    user_key: str = Field(index=True)
    created_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=time_column())


class FailedSignIn(SQLModel, table=True):
    """An attempt to sign in that did not succeed. `account` and `place` are pseudonyms; `known`: by a known browser."""

    __tablename__ = "failed_sign_in"
    __table_args__ = (
        Index("ix_failed_sign_in_account", "account", "at"),
        Index("ix_failed_sign_in_place", "place", "at"),
        Index("ix_failed_sign_in_at", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=time_column())
    account: str
    place: str
    known: bool = False


class ApiToken(SQLModel, table=True):
    """A token by which a program acts for an account; `token` is its hash, `name` what its owner calls it."""

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    token: str = Field(unique=True)
    user_key: str = Field(index=True)
    name: str
    created_at: datetime = Field(sa_column=time_column())
    expires_at: datetime = Field(sa_column=time_column())
    used_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class Audit(SQLModel, table=True):
    """One line of the log: who changed what. `ticket_key` is "" where it is about no ticket."""

    __table_args__ = (Index("ix_audit_at", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=time_column())
    who: str
    action: str
    ticket_key: str = Field(default="", index=True)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class FeedbackLink(SQLModel, table=True):
    """The last link of a ticket; `choices` are the roles that it offers, each a set, the suggested ones first."""

    __tablename__ = "feedback_link"

    ticket_key: str = Field(primary_key=True)
    token: str
    choices: list[list[str]] = Field(sa_column=Column(JSON, nullable=False))
    made_at: datetime = Field(sa_column=time_column())
