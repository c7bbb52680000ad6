"""Does a model serve after the first training? The whole training, on imported tickets, as an operator runs it.

    python -m tests.proofs.bench first_training [--draws 1] [--corpus endava german10 ...] [--trainer frozen]

Five desks with one rule that never hits, and the two that have rules of their own with these, too; each with 60, 150
and 1,000 imported tickets, German 42 with 400 and 1,000. `rules` and `model` are the accuracy of each on up to 1,000
other tickets: where the rules are best there, they may go on alone.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from agent.config.rules_file import load_rules
from agent.config.settings import LearningSettings
from agent.data_directory import DataDirectory
from agent.domain import Role, RoleCatalogue
from agent.feedback.importing import Reviewed, take_in
from agent.fitting.evaluation import correct
from agent.fitting.job import Trainer as Lane
from agent.learning.contest import contest
from agent.learning.train import Trainer
from agent.serving.registry import Registry
from agent.store.database import Database
from agent.triage.evidence import Heads
from agent.triage.memory import recall, remember, reviewed_embeddings
from heuristics import RuleSet
from tests.proofs.bench.desks import CORPORA, JUDGED, Floats, shuffled
from tests.proofs.bench.histories import CACHE, RULES, Corpus, load
from tests.proofs.bench.replay import rules_only

IMPORTED = {"german42": (400, 1000)}
OTHERS_IMPORTED = (60, 150, 1000)
ALWAYS = ("endava", "german10")
"""Where a model has to serve, whatever the rules say."""

NEVER_HITS = '[[rule]]\nid = "never"\nrole = "{role}"\nkeywords = ["no ticket says this"]\n'


@dataclass(frozen=True, slots=True)
class Row:
    """One first training: whether a model serves after it, and how good rules and model are on other tickets."""

    desk: str
    own_rules: bool
    imported: int
    serves: bool
    rules: float
    model: float

    @property
    def counts(self) -> bool:
        """Whether a model has to serve."""
        return self.desk in ALWAYS or self.rules < self.model


def train(corpus: Corpus, rules: RuleSet, imported: int, folder: Path, lane: Lane) -> tuple[bool, Floats]:
    """Import the first tickets, train, and return whether a model serves, and the trained one's answers to the rest."""
    directory, catalogue = DataDirectory(folder), RoleCatalogue([Role(name) for name in corpus.roles])
    directory.encoders.symlink_to((CACHE / "encoders").resolve())
    database = Database.open_file(directory.database)
    told = [Reviewed(e.ticket_key, e.subject, e.body, e.roles, e.filed_at) for e in corpus.examples[:imported]]
    database.call(take_in, "bench", told, "bench", catalogue)
    learning = LearningSettings(trainer=lane, threads=2)
    asyncio.run(Trainer(database, directory, catalogue, rules, learning, 0.9).train("bench"))
    registry = Registry(directory.models, directory.encoders)
    version = registry.versions()[-1].version
    model = contest(database, registry, rules, catalogue).load(version)
    fusion = model.fusion.for_roles(catalogue.names)
    reviews = reviewed_embeddings(corpus.examples[:imported], corpus.embeddings[:imported], {})
    texts, vectors = corpus.texts[imported:], corpus.embeddings[imported:]
    lexical = model.artefact.lexical
    heads = Heads(model.probabilities_of(vectors), lexical and lexical.probabilities(texts, multi_label=False))
    recalled = recall(remember(reviews, fusion.roles), vectors, fusion, shown=0)
    said = fusion.answer(heads, corpus.fired[imported:], recalled)
    serves = registry.active() is not None
    database.close()
    return serves, said[:, [fusion.roles.index(role) for role in corpus.roles]]


def row(corpus: Corpus, seed: int, imported: int, lane: Lane, *, own_rules: bool) -> Row:
    """Return the outcome of one first training."""
    drawn = shuffled(corpus, seed, imported + JUDGED)
    with tempfile.TemporaryDirectory() as place:
        rules_file = Path(place) / "rules.toml"
        rules_file.write_text(NEVER_HITS.format(role=corpus.roles[0]), "utf-8")
        rules = load_rules(RULES[corpus.name] if own_rules else rules_file)
        fired = [rules.match(*e.words, date(2026, 1, 5)) for e in drawn.examples]
        drawn = replace(drawn, fired=fired)
        serves, said = train(drawn, rules, imported, Path(place), lane)
    others = np.arange(imported, len(drawn.examples))
    alone = rules_only(drawn, np.arange(imported), others)
    right = [float(correct(answers, drawn.labels[others]).mean()) for answers in (alone, said)]
    return Row(corpus.name, own_rules, imported, serves, *right)


def rows(names: list[str], draws: int, lane: Lane) -> Iterator[Row]:
    """Yield the outcomes, one first training after the other."""
    for name in names:
        corpus = load(name)
        for own in (False, True) if name in RULES else (False,):
            for imported in IMPORTED.get(name, OTHERS_IMPORTED):
                for seed in range(draws):
                    yield row(corpus, seed, imported, lane, own_rules=own)


def main(argv: list[str]) -> int:
    """Print the table; the last line has the share of the trainings after which a model serves where it has to."""
    parser = argparse.ArgumentParser(prog="first_training", description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--corpus", nargs="+", default=list(CORPORA), choices=CORPORA)
    parser.add_argument("--trainer", default="frozen", choices=("frozen", "contrastive"))
    options = parser.parse_args(argv)
    done: list[Row] = []
    print(f"{'desk':12}{'rules':>12}{'imported':>10}{'serves':>10}{'rules %':>10}{'model %':>10}")
    for one in rows(options.corpus, options.draws, options.trainer):
        done.append(one)
        rules, serves = "own" if one.own_rules else "never hits", "model" if one.serves else "rules"
        print(f"{one.desk:12}{rules:>12}{one.imported:>10}{serves:>10}{one.rules:>10.1%}{one.model:>10.1%}", flush=True)
    needed = [one.serves for one in done if one.counts]
    best = [one.serves == (one.model >= one.rules) for one in done if one.own_rules]
    print(
        f"serves_after_first_training={np.mean(needed):.3f} trainings={len(done)} "
        f"best_serves_with_own_rules={np.mean(best) if best else float('nan'):.3f}"
    )
    return 0
