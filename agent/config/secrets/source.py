"""The protocol of a source of secrets, the table `[secrets]`, and the sources on this machine.

Those are the environment, `.env`, and files that Docker or Kubernetes mounts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Annotated, Literal, Protocol

import httpx
from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from agent.errors import RolecallError

PREFIX = "ROLECALL_"
"""The prefix of every name of a setting."""

REFERENCE = "secret:"
"""The prefix of a setting's value that names the secret to use in its place."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value, where it came from, in words for the operator, and when it expires if the source tells that."""

    value: str = field(repr=False)
    origin: str
    expires: datetime | None = None


class SourceFailed(RolecallError):
    """A source cannot be read; `reason` says what to fix and never holds a secret."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


class Source(Protocol):
    """One place that keeps secrets."""

    @property
    def name(self) -> str:
        """Its name in `[secrets] sources` and in messages."""

    def read(self, also: Collection[str]) -> Mapping[str, Found]:
        """Return every secret called ROLECALL_..., and those named in `also`, in one piece. Raises SourceFailed."""


def is_wanted(name: str, also: Collection[str]) -> bool:
    """Return whether a source should return the secret of this name."""
    return name.startswith(PREFIX) or name in also


MOUNTED = Path("/run/secrets")
"""Where Docker and Compose mount secrets."""

INFISICAL_CLOUD = "https://app.infisical.com"


def _host(value: str) -> str:
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        raise ValueError("not a URL") from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise ValueError("has to be http:// or https:// with a host, without user, query or fragment")
    return value.rstrip("/")


def _vault(value: str) -> str:
    if not _host(value).startswith("https://"):
        raise ValueError("has to begin with https://")
    return value.rstrip("/")


class SecretsSettings(BaseModel):
    """Where secrets are read from after the environment and `.env`, and how often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[Literal["files", "infisical", "azure"], ...] = ("files",)
    refresh_seconds: float = Field(default=300, ge=1)
    timeout_seconds: float = Field(default=10, gt=0, le=300)
    files: Path = MOUNTED
    infisical_host: Annotated[str, AfterValidator(_host)] = INFISICAL_CLOUD
    azure_vault: Annotated[str, AfterValidator(_vault)] | None = None
    _expires: Mapping[str, datetime] = PrivateAttr(default_factory=dict)

    @property
    def expires(self) -> Mapping[str, datetime]:
        """When secrets expire, by name, as far as their source tells."""
        return self._expires

    def expiring(self, dates: Mapping[str, datetime]) -> SecretsSettings:
        """Return these settings with the dates on which secrets expire."""
        same = self.model_copy()
        same._expires = dict(dates)
        return same

    @field_validator("azure_vault", mode="before")
    @classmethod
    def _left_empty(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _names_the_vault(self) -> SecretsSettings:
        if "azure" in self.sources and self.azure_vault is None:
            raise ValueError('the source "azure" needs azure_vault = "https://NAME.vault.azure.net"')
        return self


FILE_SUFFIX = "_FILE"
"""`NAME_FILE` holds the path of a file whose content is the value of NAME, as in Docker's official images."""

MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Variables:
    """The environment or `.env`: names with values, or with the path of the file that holds the value.

    `values` has no empty ones: templates and Compose leave a variable empty to mean that it is not set.
    `paths` are the last parts of settings that are themselves paths, such as CA_FILE: these are not references.
    """

    name: str
    values: Mapping[str, str] = field(repr=False)
    paths: Collection[str] = ()

    def read(self, also: Collection[str]) -> Mapping[str, Found]:
        """Return the values; one that is set directly wins over one that is set by its file."""
        found: dict[str, Found] = {}
        for key, value in self.values.items():
            plain = key.removesuffix(FILE_SUFFIX)
            by_file = key != plain and key not in also and key.rpartition("__")[2] not in self.paths
            if by_file and is_wanted(plain, also) and plain not in self.values:
                content = _content(self.name, Path(value), f"{key}: ")
                found[plain] = Found(content, f"{self.name}, {key} → {value}")
            elif is_wanted(key, also) and not by_file:
                found[key] = Found(value, f"{self.name}, {key}")
        return found


def dotenv(file: Path | None, paths: Collection[str] = ()) -> Variables:
    """Read `.env`, which may be absent. Raises SourceFailed, also for a line of ours that is none of NAME=value."""
    try:
        text = file.read_text("utf-8") if file and file.is_file() else ""
    except OSError as error:
        raise SourceFailed(str(file), error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise SourceFailed(str(file), "not UTF-8 text") from None
    for one in parse_stream(StringIO(text)):
        if one.error and PREFIX in (written := one.original.string).upper():
            line = one.original.line + written[: len(written) - len(written.lstrip())].count("\n")
            raise SourceFailed(str(file), f"line {line}: write it as NAME=value")
    values = dotenv_values(stream=StringIO(text))
    return Variables(str(file), {key: value for key, value in values.items() if value}, paths)


@dataclass(frozen=True, slots=True)
class Files:
    """A directory with one file per secret, named like it; the case of ROLECALL_... names does not matter.

    Kubernetes keeps the files of a mounted Secret in hidden folders and swaps links to them in one step.
    """

    directory: Path
    name: str = "files"

    def read(self, also: Collection[str]) -> Mapping[str, Found]:
        """Return the files' contents without the final line end; no directory means no secrets."""
        try:
            entries = sorted(self.directory.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise SourceFailed(self.name, f"{self.directory}: {error.strerror}") from None
        found: dict[str, Found] = {}
        for entry in entries:
            name = entry.name.upper() if entry.name.upper().startswith(PREFIX) else entry.name
            if is_wanted(name, also) and entry.is_file():
                found[name] = Found(_content(self.name, entry), f"file {entry}")
        return found


def _content(source: str, file: Path, which: str = "") -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SourceFailed(source, f"{which}{file}: {error.strerror}") from None
    if len(content) > MAX_FILE_BYTES:
        raise SourceFailed(source, f"{which}{file}: larger than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SourceFailed(source, f"{which}{file}: not UTF-8 text") from None
