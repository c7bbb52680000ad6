"""Response bodies of the model API. Each begins with the fields of the SetFit Docker API, with its names and types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.fitting.job import Progress
from agent.serving.artefact import Manifest
from agent.store.tables import ModelJob


class Problem(BaseModel):
    """The reason why a request was refused, in one line."""

    model_config = ConfigDict(defer_build=True)  # each route names it several times, and it is only documented

    detail: str


class Fault(BaseModel):
    """What is wrong, in a sentence, and the place in the request."""

    loc: list[str | int]
    msg: str
    type: str


class Faults(BaseModel):
    """The request is not the documented one. The first faults are named, at most 20."""

    model_config = ConfigDict(defer_build=True)

    detail: list[Fault]


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documented error responses for these statuses."""
    return {status: {"model": Faults if status == 422 else Problem} for status in statuses}


class HealthResponse(BaseModel):
    """The server is running."""

    status: Literal["ok"] = "ok"


class ProgressResponse(BaseModel):
    """The progress of a running job: `done` of `total` units of its current phase."""

    phase: str
    done: int
    total: int


class JobResponse(BaseModel):
    """A training job. A cancelled job has the status "failed" and the error "cancelled by request"."""

    job_id: str
    status: Literal["pending", "running", "completed", "failed"]
    model_name: str
    created_at: float = Field(description="Seconds since 1970.")
    error: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    progress: ProgressResponse | None = None
    model_version: str | None = None

    @classmethod
    def of(cls, job: ModelJob, progress: Progress | None = None) -> JobResponse:
        """Return the response for a job."""
        return cls.model_validate(
            {
                "job_id": job.id,
                "status": job.state,
                "model_name": job.model_name,
                "created_at": job.created_at.timestamp(),
                "error": job.error,
                "started_at": job.started_at and job.started_at.timestamp(),
                "finished_at": job.finished_at and job.finished_at.timestamp(),
                "progress": progress and {"phase": progress.phase, "done": progress.done, "total": progress.total},
                "model_version": job.version,
            }
        )


class IntervalResponse(BaseModel):
    """A 95 % confidence interval."""

    low: float
    high: float


class LabelScore(BaseModel):
    """The quality for one label; `support` is the number of texts that have it."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


class ModelResponse(BaseModel):
    """A version of a model, with its quality measured on texts that it was not trained on."""

    model_name: str
    base_model: str
    created_at: datetime
    accuracy: float | None = Field(description="Null only for a model that was never evaluated.")
    training_duration_seconds: float | None = Field(description="Null only for the ticket agent's own model.")
    num_examples: int
    version: str
    active: bool
    protected: bool = Field(description="The ticket agent's own model: it can be used here, not changed.")
    trainer: str
    labels: list[str]
    multi_label: bool
    judged_by: str | None = None
    accuracy_interval: IntervalResponse | None = None
    macro_f1: float | None = None
    macro_f1_interval: IntervalResponse | None = None
    log_loss: float | None = None
    calibration_error: float | None = None
    by_label: list[LabelScore] = []

    @classmethod
    def of(cls, name: str, manifest: Manifest, *, active: bool, protected: bool) -> ModelResponse:
        """Return the response for a version."""
        metrics, report = manifest.metrics, manifest.metrics.get("pooled", {})
        tickets = sum(len(keys) for keys in manifest.tickets.values())
        return cls(
            model_name=name,
            base_model=manifest.base_model,
            created_at=manifest.created_at,
            accuracy=metrics.get("accuracy"),
            training_duration_seconds=metrics.get("training_duration_seconds"),
            num_examples=metrics.get("num_examples", tickets),
            version=manifest.version,
            active=active,
            protected=protected,
            trainer=manifest.trainer,
            labels=list(manifest.roles),
            multi_label=manifest.multi_label,
            judged_by=metrics.get("judged_by"),
            accuracy_interval=report.get("accuracy_interval"),
            macro_f1=report.get("macro_f1"),
            macro_f1_interval=report.get("macro_f1_interval"),
            log_loss=report.get("log_loss"),
            calibration_error=report.get("ece"),
            by_label=[_label_score(score) for score in report.get("by_role", ())],
        )


def _label_score(score: Mapping[str, Any]) -> LabelScore:
    return LabelScore.model_validate({"label": score["role"], **score})


class Prediction(BaseModel):
    """The most probable label of a text and its calibrated probability."""

    text: str
    label: str
    score: float
    labels: list[str] | None = Field(
        default=None, description="All labels with a probability of at least 0.5 (multi-label models only)."
    )
    scores: dict[str, float] | None = Field(
        default=None, description="The score of each label, if requested with `all_scores`."
    )
    suggestion: str | None = Field(
        default=None,
        description="What a ticket with this text would get from the ticket agent: clear, either_or or none.",
    )


class PredictResponse(BaseModel):
    """One prediction for each text, in the order of the request."""

    predictions: list[Prediction]
    model_version: str


class EmbeddingsResponse(BaseModel):
    """One embedding of unit length for each text, in the order of the request."""

    embeddings: list[list[float]]
    model_version: str


class AliasResponse(BaseModel):
    """Another name for a model."""

    alias: str
    model_name: str
