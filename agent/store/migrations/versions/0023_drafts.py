"""Drafts of notes wait for a person; verdicts on them are kept, and figures of the messages to learn from."""

import sqlalchemy as sa
from alembic import op

from agent.store.coordination import Utc

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("writing", sa.Column("due_at", Utc(), nullable=True))
    op.add_column("writing", sa.Column("verdict", sa.String(), nullable=True))
    op.add_column("writing", sa.Column("judged_by", sa.String(), nullable=True))
    op.add_column("writing", sa.Column("judged_at", Utc(), nullable=True))
    op.add_column("writing", sa.Column("said", sa.Text(), nullable=True))
    op.add_column("writing", sa.Column("seen", sa.JSON(), nullable=True))
