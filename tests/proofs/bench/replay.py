"""Replay dated histories: retrain on the latest 150, answer the next tickets, be corrected, go on.

    python -m tests.proofs.bench replay [--every 50] [--window 150] [--corpus sandiego|excavators ...]

The frozen encoder's lane with the real training set, fusion, calibration, memory and cut-offs; staff correct every
wrong answer that was given. Beside it: rules only (most votes; the commonest role where none), model only, TF-IDF, and
a model of the first 150 that is never retrained. San Diego: the whole month; excavators: the last two years.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from agent.fitting.evaluation import Report, calibration_error, correct, evaluate, wilson
from agent.fitting.head import predict
from agent.learning.training_set import build
from agent.studies.replay import Plan, answer, train
from agent.triage.cutoffs import Abstained, judge
from agent.triage.memory import remember, reviewed_embeddings
from heuristics import leading_role
from tests.proofs.bench.baselines import frozen, tfidf
from tests.proofs.bench.histories import Corpus, load

Floats = NDArray[np.float64]

FIRST_DAY = {"sandiego": "2016-05-20", "excavators": "2010-01-01"}
CONTENDERS = ("fused", "rules only", "model only", "TF-IDF", "stale first 150")


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """Answers to the replayed tickets by contender, float64[n, roles] each; labels; which answers were clear."""

    answers: dict[str, Floats]
    labels: Floats
    clear: NDArray[np.bool_]


def replay(history: Corpus, start: int, every: int, window: int) -> Replayed:
    """Answer the tickets from index `start` on, `every` of them per model, each trained on the latest `window`."""
    count = len(history.examples)
    answers = {name: np.zeros((count, len(history.roles))) for name in CONTENDERS}
    rejected = np.zeros((count, len(history.roles)))
    clear = np.zeros(count, dtype=bool)
    whole = remember(reviewed_embeddings(history.examples, history.embeddings, {}), history.roles)
    texts, labels, embeddings = history.texts, history.labels, history.embeddings
    stale = frozen(embeddings[:window], labels[:window], embeddings)
    position = {example.ticket_key: index for index, example in enumerate(history.examples)}
    plan = Plan(window, timedelta())
    for now in range(start, count, every):
        chosen = build(history.examples[:now], window=window)
        rows = np.array([position[example.ticket_key] for example in chosen.examples])
        coming = np.arange(now, min(now + every, count))
        memory = replace(whole, rejected=rejected).first(now)
        trained = train(history, memory, now, plan)
        answers["model only"][coming] = predict(trained.head, embeddings[coming])
        answers["TF-IDF"][coming] = tfidf([texts[i] for i in rows], labels[rows], [texts[i] for i in coming])
        answers["rules only"][coming] = rules_only(history, rows, coming)
        answers["stale first 150"][coming] = stale[coming]
        answers["fused"][coming] = answer(history, trained, memory, coming)
        for i in coming:
            verdict = judge(answers["fused"][i], history.roles, trained.weighed.cutoffs)
            if not isinstance(verdict, Abstained):
                clear[i] = verdict.clear
                said = history.roles.index(verdict.roles[0])
                rejected[i, said] = 1.0 - labels[i, said]
    return Replayed({name: p[start:] for name, p in answers.items()}, labels[start:], clear[start:])


def rules_only(history: Corpus, rows: NDArray[np.intp], judged: NDArray[np.intp]) -> Floats:
    """Return 1 for the role with most votes, for the commonest role of the training rows where no rule decides."""
    commonest = Counter(history.examples[i].roles[0] for i in rows).most_common(1)[0][0]
    answers = np.zeros((len(judged), len(history.roles)))
    for row, index in enumerate(judged):
        answers[row, history.roles.index(leading_role(history.fired[index]) or commonest)] = 1.0
    return answers


def start_of(history: Corpus, window: int) -> int:
    """Return the index of the first ticket to answer: the corpus's first day, but after a full window."""
    day = FIRST_DAY[history.name]
    return max(window, sum(e.filed_at.date().isoformat() < day for e in history.examples))


def line(name: str, report: Report) -> str:
    """Return one contender's row of the table."""
    accuracy, f1 = report.accuracy_interval, report.macro_f1_interval
    return (
        f"  {name:16} {report.accuracy:6.1%} [{accuracy.low:.1%}, {accuracy.high:.1%}]  "
        f"{report.macro_f1:6.1%} [{f1.low:.1%}, {f1.high:.1%}]  {report.log_loss:6.3f}  {report.ece:.3f}"
    )


def show(name: str, roles: Sequence[str], done: Replayed) -> None:
    """Print the table of one corpus."""
    print(f"{name}: {len(done.labels)} tickets")
    print(f"  {'':16} {'accuracy':22} {'macro-F1':21} log-loss  ECE")
    for contender in CONTENDERS:
        print(line(contender, evaluate(done.answers[contender], done.labels, roles)))
    right = correct(done.answers["fused"], done.labels)[done.clear]
    interval = wilson(float(right.sum()), len(right))
    print(f"  clear {done.clear.mean():.1%}, right {right.mean():.1%} [{interval.low:.1%}, {interval.high:.1%}]")


def main(argv: list[str]) -> int:
    """Replay the corpora; the last line pools them."""
    parser = argparse.ArgumentParser(prog="replay", description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=50, help="tickets between two retrainings")
    parser.add_argument("--window", type=int, default=150, help="latest reviewed tickets that are learnt from")
    parser.add_argument("--corpus", nargs="+", default=list(FIRST_DAY), choices=FIRST_DAY)
    options = parser.parse_args(argv)
    summaries, confidences, rights, clear = [], [], [], []
    for name in options.corpus:
        history = load(name)
        done = replay(history, start_of(history, options.window), options.every, options.window)
        show(name, history.roles, done)
        summaries.append(evaluate(done.answers["fused"], done.labels, history.roles))
        confidences.append(done.answers["fused"].max(axis=1))
        rights.append(correct(done.answers["fused"], done.labels))
        clear.append(done.clear)
    right, said = np.concatenate(rights), np.concatenate(clear)
    ece = calibration_error(np.concatenate(confidences), right)
    print(
        f"accuracy={right.mean():.3f} f1={np.mean([s.macro_f1 for s in summaries]):.3f} ece={ece:.3f} "
        f"precision_at_target={right[said].mean():.3f} coverage_at_target={said.mean():.3f}"
    )
    return 0
