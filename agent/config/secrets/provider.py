"""All sources in their order, with a memory: a source that cannot be asked for a while keeps its last values."""

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
class Answer:
    """What one source has; with a `problem`, it is what the source had when it was last reached, or None."""

    source: str
    values: Mapping[str, Found] | None = field(repr=False)
    problem: SourceFailed | None = None


class Secrets:
    """Asks sources for secrets, and remembers their answers and log-ins for the next time."""

    def __init__(self) -> None:
        self._last: dict[str, Mapping[str, Found]] = {}
        self._opened: dict[str, tuple[object, Source]] = {}

    def read(
        self, settings: SecretsSettings, local: Sequence[Variables], references: Collection[str] = ()
    ) -> dict[str, Found]:
        """Return each secret from the first source that has it.

        `local` is the environment and `.env`; `references` are names beside ROLECALL_... that are needed. Raises
        SourceFailed where a source cannot be asked and never could.
        """
        found: dict[str, Found] = {}
        for answer in self.ask(settings, local, references):
            if answer.problem and answer.values is None:
                raise answer.problem
            if answer.problem:
                log.warning("secrets_kept", source=answer.source, reason=answer.problem.reason)
            found = {**(answer.values or {}), **found}
        return found

    def ask(
        self, settings: SecretsSettings, local: Sequence[Variables], references: Collection[str] = ()
    ) -> Iterator[Answer]:
        """Yield the answer of every source, the one that wins first; each is asked when its answer is due."""
        also = {*references, *(IDENTITY if INFISICAL in settings.sources else ())}
        known: dict[str, Found] = {}
        turns: list[tuple[str, Callable[[], Source]]] = [(source.name, partial(_itself, source)) for source in local]
        turns += [(name, partial(self._open, name, settings, known)) for name in settings.sources]
        for name, source in turns:
            answer = self._answer(name, source, also)
            for key, value in (answer.values or {}).items():
                known.setdefault(key, value)
            yield answer

    def _answer(self, name: str, source: Callable[[], Source], also: Collection[str]) -> Answer:
        try:
            self._last[name] = source().read(also)
        except SourceFailed as problem:
            return Answer(name, self._last.get(name), problem)
        return Answer(name, self._last[name])

    def _open(self, name: str, settings: SecretsSettings, known: Mapping[str, Found]) -> Source:
        """Return the source as it was opened before, unless what it is opened with has changed since."""
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
