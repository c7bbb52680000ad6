"""Read all sources in order of precedence; while a source cannot be reached, its last values are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from agent.config.secrets.azure import open_vault
from agent.config.secrets.infisical import NAME as INFISICAL
from agent.config.secrets.infisical import NAMES as IDENTITY
from agent.config.secrets.infisical import Access, Infisical
from agent.config.secrets.source import REFERENCE, Files, Found, SecretsSettings, Source, SourceFailed, Variables

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source holds. With a `problem`, `values` are those of the last successful read, or None."""

    source: str
    values: Mapping[str, Found] | None = field(repr=False)
    problem: SourceFailed | None = None


class Secrets:
    """Reads secrets from their sources; keeps the last values and open sessions between reads."""

    def __init__(self) -> None:
        self._last: dict[str, Mapping[str, Found]] = {}
        self._opened: dict[str, tuple[object, Source]] = {}

    def read(
        self, settings: SecretsSettings, local: Sequence[Variables], references: Collection[str] = ()
    ) -> dict[str, Found]:
        """Return each secret from the first source that has it.

        `local` is the environment and `.env`; `references` are names beside ROLECALL_... that are needed. Raises
        SourceFailed where a source cannot be read and has never been read.
        """
        found: dict[str, Found] = {}
        for reading in self.read_each(settings, local, references):
            if reading.problem and reading.values is None:
                raise reading.problem
            if reading.problem:
                log.warning("secrets_kept", source=reading.source, reason=reading.problem.reason)
            found = {**(reading.values or {}), **found}
        return found

    def read_each(
        self, settings: SecretsSettings, local: Sequence[Variables], references: Collection[str] = ()
    ) -> Iterator[Reading]:
        """Yield what each source holds, in order of precedence. A source is read only when its reading is consumed."""
        also = {*references, *(IDENTITY if INFISICAL in settings.sources else ())}
        known: dict[str, Found] = {}
        openers: list[tuple[str, Callable[[], Source]]] = [(source.name, partial(_itself, source)) for source in local]
        openers += [(name, partial(self._open, name, settings, known)) for name in settings.sources]
        for name, source in openers:
            reading = self._read(name, source, also)
            for key, value in (reading.values or {}).items():
                known.setdefault(key, value)
            yield reading

    def _read(self, name: str, source: Callable[[], Source], also: Collection[str]) -> Reading:
        try:
            self._last[name] = source().read(also)
        except SourceFailed as problem:
            return Reading(name, self._last.get(name), problem)
        return Reading(name, self._last[name])

    def _open(self, name: str, settings: SecretsSettings, known: Mapping[str, Found]) -> Source:
        """Return the source, opened anew only if the settings it is opened with have changed."""
        if name == INFISICAL:
            access = Access.from_values(settings.infisical_host, known)
            return self._kept(name, (access, settings.timeout_seconds), Infisical)
        if name == "azure":
            return self._kept(name, (str(settings.azure_vault), settings.timeout_seconds), open_vault)
        return Files(settings.files)

    def _kept(self, name: str, given: tuple[Any, ...], open_source: Callable[..., Source]) -> Source:
        opened = self._opened.get(name)
        if opened is None or opened[0] != given:
            opened = given, open_source(*given)
            self._opened[name] = opened
        return opened[1]


def _itself(source: Source) -> Source:
    return source


def referred(values: Collection[object]) -> set[str]:
    """Return the names that values such as `secret:NAME` refer to, in lists too."""
    names: set[str] = set()
    for value in values:
        if isinstance(value, str) and value.startswith(REFERENCE):
            names.add(value.removeprefix(REFERENCE).strip())
        elif isinstance(value, dict):
            names |= referred(value.values())
        elif isinstance(value, list | tuple):
            names |= referred(value)
    return names
