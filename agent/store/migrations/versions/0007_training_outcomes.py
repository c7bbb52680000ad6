"""Outcomes of trainings are kept as values; they were sentences."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

VALUES = {
    "kept the old one": "kept",
    "kept the old one for want of evidence": "undecided",
    "waits for a person": "asks",
}


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    training = sa.table("training", sa.column("outcome", sa.String))
    for sentence, value in VALUES.items():
        op.execute(training.update().where(training.c.outcome == sentence).values(outcome=value))
