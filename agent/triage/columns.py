"""Read the columns of a model, which was trained on the roles of its day, as today's roles.

A renamed role keeps its column. Of merged roles the columns are pooled: counts add up, and so do probabilities where a
ticket has one role; where it may have several, it has the merged role if it has either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.domain import RoleCatalogue
from agent.triage.evidence import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Today's `roles`, in the order of the columns, and the index of each column's role: intp[columns]."""

    roles: tuple[str, ...]
    role: NDArray[np.intp]

    @classmethod
    def of(cls, names: Sequence[str], catalogue: RoleCatalogue) -> Columns:
        """Return how columns with these names are read today."""
        roles = catalogue.today(names)
        return cls(roles, np.array([roles.index(catalogue.today([name])[0]) for name in names], dtype=np.intp))

    @property
    def merged(self) -> bool:
        """Whether two columns are one role today."""
        return len(self.roles) < len(self.role)

    def total(self, values: NDArray[np.floating]) -> Floats:
        """Return the sums [..., roles] of values [..., columns]."""
        return self._reduced(np.add, values)

    def either(self, probabilities: NDArray[np.floating]) -> Floats:
        """Return the probabilities [..., roles] that at least one holds of independent ones [..., columns]."""
        return 1.0 - self._reduced(np.multiply, 1.0 - probabilities)

    def highest(self, values: NDArray[np.floating]) -> Floats:
        """Return the highest [..., roles] of values [..., columns]."""
        return self._reduced(np.maximum, values)

    def _reduced(self, operation: np.ufunc, values: NDArray[np.floating]) -> Floats:
        wide = np.asarray(values, dtype=np.float64)
        reduced = [operation.reduce(wide[..., self.role == role], axis=-1) for role in range(len(self.roles))]
        return np.stack(reduced, axis=-1)
