"""Replay a dated history: answer each ticket with what was known then, learn from its review, retrain when due.

Training set, lexical head, fusion, memory and cut-offs are those of the server, on the frozen encoder, which costs
seconds where tuning costs minutes. Staff are assumed to correct every wrong comment.

    done = replay(history, Plan(window=150, every=timedelta(days=1)), start=150)
    done.answers, done.clear, done.trainings, done.seconds
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from agent.domain import Example
from agent.fitting.head import fit_head, out_of_fold, predict
from agent.learning.due import RECENT
from agent.learning.training_data import TrainingData
from agent.learning.training_set import build, group_duplicates
from agent.learning.weighing import LexicalVoice, Weighed, lexical_voice, weigh
from agent.serving.artefact import Head
from agent.triage.cutoffs import Abstained, judge
from agent.triage.evidence import Heads
from agent.triage.memory import Memory, recall, remember, reviewed_embeddings
from heuristics import Hit

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class History:
    """Reviewed tickets in time order: labels 0/1 [n, roles], frozen embeddings float32[n, dim], rule hits."""

    examples: Sequence[Example]
    roles: tuple[str, ...]
    labels: Floats
    embeddings: NDArray[np.float32]
    fired: Sequence[Sequence[Hit]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many reviewed tickets to train on, how often, and the precision to reach."""

    window: int
    every: timedelta
    target: float = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """Answers to the replayed tickets, float64[m, roles], which of them were clear, and the cost of the trainings.

    `seconds` is CPU time of all trainings together; `multi_label`: whether tickets could have several roles at the end;
    `learnt`: on how many tickets the heads of the last training learnt.
    """

    answers: Floats
    labels: Floats
    clear: NDArray[np.bool_]
    trainings: int
    seconds: float
    multi_label: bool
    learnt: int


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The result of one training, on so many tickets."""

    head: Head
    lexical: LexicalVoice
    weighed: Weighed
    learnt: int


def replay(
    history: History, plan: Plan, start: int, on_progress: Callable[[int], None] = lambda answered: None
) -> Replayed:
    """Answer the tickets from index `start` on, day by day; `on_progress` gets how many are answered so far."""
    count = len(history.examples)
    answers, clear = np.zeros((count, len(history.roles))), np.zeros(count, dtype=bool)
    rejected = np.zeros((count, len(history.roles)))
    whole = remember(reviewed_embeddings(history.examples, history.embeddings, {}), history.roles)
    trained: Trained | None = None
    due = history.examples[start].filed_at
    trainings, seconds = 0, 0.0
    for day, first, last in days(history.examples, start):
        memory = replace(whole, rejected=rejected).first(first)
        if trained is None or day >= due:
            begun = time.process_time()
            trained = train(history, memory, first, plan)
            seconds += time.process_time() - begun
            trainings, due = trainings + 1, day + plan.every
        rows = np.arange(first, last)
        answers[rows] = answer(history, trained, memory, rows)
        for i in rows.tolist():
            verdict = judge(answers[i], history.roles, trained.weighed.cutoffs)
            if not isinstance(verdict, Abstained):
                clear[i] = verdict.clear
                said = [history.roles.index(role) for role in verdict.roles]
                rejected[i, said] = 1.0 - history.labels[i, said]
        on_progress(last - start)
    several = trained is not None and trained.weighed.fusion.multi_label
    learnt = trained.learnt if trained is not None else 0
    return Replayed(answers[start:], history.labels[start:], clear[start:], trainings, seconds, several, learnt)


def days(examples: Sequence[Example], start: int) -> Iterator[tuple[datetime, int, int]]:
    """Yield (the day's first time, index of its first ticket, index after its last) from `start` on."""
    first = start
    for index in range(start + 1, len(examples) + 1):
        if index == len(examples) or examples[index].filed_at.date() != examples[first].filed_at.date():
            yield examples[first].filed_at, first, index
            first = index


def train(history: History, memory: Memory, now: int, plan: Plan) -> Trained:
    """Train on the tickets before index `now`, all of them reviewed."""
    data, rows = _data(history, now, plan.window)
    learnt, multi_label = data.learnt, data.multi_label
    embeddings, labels, trust = history.embeddings[rows], data.labels[learnt], data.trust[learnt]
    head = fit_head(embeddings[learnt], labels, multi_label=multi_label, weights=trust)
    said = predict(head, embeddings, multi_label=multi_label)
    said[learnt] = out_of_fold(embeddings[learnt], labels, data.groups[learnt], multi_label=multi_label, weights=trust)
    lexical = lexical_voice(data)
    return Trained(head, lexical, weigh(data, Heads(said, lexical.honest), memory, plan.target), len(learnt))


def _data(history: History, now: int, window: int) -> tuple[TrainingData, NDArray[np.intp]]:
    """Return what a training at index `now` learns from and is judged on, and the rows of it in the history."""
    chosen = {example.ticket_key for example in build(history.examples[:now], window=window).examples}
    rows = np.array([i for i in range(now) if i >= now - RECENT or history.examples[i].ticket_key in chosen])
    examples = [history.examples[i] for i in rows]
    data = TrainingData(
        examples,
        history.roles,
        history.labels[rows],
        group_duplicates([example.text for example in examples]),
        [history.fired[i] for i in rows],
        np.flatnonzero([example.ticket_key in chosen for example in examples]),
        np.flatnonzero(rows >= now - RECENT),
    )
    return data, rows


def answer(history: History, trained: Trained, memory: Memory, rows: NDArray[np.intp]) -> Floats:
    """Return the pooled probabilities of some tickets, float64[n, roles]."""
    embeddings, fusion = history.embeddings[rows], trained.weighed.fusion
    texts, fired = [history.examples[i].text for i in rows], [history.fired[i] for i in rows]
    heads = Heads(
        predict(trained.head, embeddings, multi_label=fusion.multi_label),
        trained.lexical.head.probabilities(texts, multi_label=fusion.multi_label),
    )
    return fusion.answer(heads, fired, recall(memory, embeddings, fusion, shown=0))
