"""When a comment of ours was removed: after a trial, or because its ticket was merged into one with a comment."""

import sqlalchemy as sa
from alembic import op

from agent.store.coordination import Utc

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("comment", sa.Column("removed_at", Utc(), nullable=True))
