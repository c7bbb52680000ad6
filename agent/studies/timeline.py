"""Load the reviewed tickets as a dated history that can be replayed."""

from __future__ import annotations

import numpy as np

from agent.data_directory import DataDirectory
from agent.domain import RoleCatalogue
from agent.serving.model import Encoder
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
    encoder: str,
    last: int | None = None,
) -> History:
    """Return all reviewed tickets, or the `last` ones, in the order in which they were filed.

    `encoder` is the fingerprint of the frozen encoder.
    """
    examples = database.call(tickets.examples, catalogue)[-(last or 0) :]
    roles = tuple(sorted({role for e in examples for role in e.roles}))
    return History(
        examples,
        roles,
        np.array([[float(role in e.roles) for role in roles] for e in examples]),
        embed_kept(database, Encoder.load(directory.encoders / encoder), encoder, examples),
        [rules.match(*e.words, e.filed_at.date()) for e in examples],
    )
