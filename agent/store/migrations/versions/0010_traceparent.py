"""The trace of an event: the `traceparent` of the span in which it was received."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("inbox", sa.Column("traceparent", sa.String(), nullable=True))
