"""Open the installation's database to look at it: nothing is created, upgraded or written, not even beside the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from pydantic import SecretStr
from sqlalchemy import URL
from sqlmodel import Session

from agent.errors import NotPossibleYet
from agent.store.database import UNUSABLE, Database

P = ParamSpec("P")
T = TypeVar("T")


class ReadOnlyDatabase(Database):
    """A database whose queries must not write: on SQLite one that does fails."""

    def call(self, query: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `query(session, ...)` in one transaction, in this thread."""
        return self._transact(self._reading, query, *args, **kwargs)


@contextmanager
def looked_at(url: SecretStr | None, file: Path) -> Iterator[Database | None]:
    """Open the database that the settings name, or else the file; yield None where there is no file yet.

    Raises NotPossibleYet where a server's database cannot be reached.
    """
    if url is None and not file.exists():
        yield None
        return
    database = ReadOnlyDatabase(_address(file) if url is None else url.get_secret_value())
    try:
        yield database
    except UNUSABLE as error:
        if url is None:
            raise
        raise NotPossibleYet(
            f"the database cannot be used: {str(error.orig).splitlines()[0]}; see `rolecall db check`"
        ) from error
    finally:
        database.close()


def _address(file: Path) -> URL:
    """Return the file's address for reading (https://www.sqlite.org/uri.html).

    While nobody has it open there is no log beside it, and SQLite would make one even for a reader of a file that may
    change.
    """
    query = {"mode": "ro", "uri": "true"}
    if not file.with_name(f"{file.name}-wal").exists():
        query["immutable"] = "1"
    return URL.create("sqlite", database=f"file:{quote(str(file.resolve()))}", query=query)
