"""Load the reviewed tickets as a dated history that can be replayed."""

from __future__ import annotations

import numpy as np

from agent.data_directory import DataDirectory
from agent.domain import RoleCatalogue
from agent.errors import NotPossibleYet
from agent.serving.model import Encoder, RoleModel
from agent.store import tickets
from agent.store.database import Database
from agent.studies.replay import History
from agent.triage.memory import embed_kept
from heuristics import RuleSet


def dated_history(
    database: Database,
    directory: DataDirectory,
    catalogue: RoleCatalogue,
    rules: RuleSet,
    model: RoleModel | None,
    last: int | None = None,
) -> History:
    """Return all reviewed tickets, or the `last` ones, in the order in which they were filed.

    Raises NotPossibleYet before the first training, because there is no encoder yet.
    """
    if model is None:
        raise NotPossibleYet("the history is read with the model's encoder: run `rolecall train` first")
    examples = database.call(tickets.examples, catalogue)[-(last or 0) :]
    roles = tuple(sorted({role for e in examples for role in e.roles}))
    encoder = Encoder.load(directory.encoders / model.manifest.encoder)
    return History(
        examples,
        roles,
        np.array([[float(role in e.roles) for role in roles] for e in examples]),
        embed_kept(database, encoder, model.manifest.encoder, examples),
        [rules.match(*e.words, e.filed_at.date()) for e in examples],
    )
