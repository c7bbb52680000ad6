"""Indexes on reviews, so that neither the brakes nor the memory costs more the longer the history is."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    answer = sa.text("strength >= 3 AND origin <> 'import'")
    op.create_index("ix_review_answer", "review", ["id"], sqlite_where=answer, postgresql_where=answer)
    op.create_index("ix_review_at", "review", ["at", "id"])
