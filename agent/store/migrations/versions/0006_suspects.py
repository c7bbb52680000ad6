"""An index of the events that were in hand when a process died: they are worked on one at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    suspect = sa.text("crashes > 0 AND state IN ('waiting', 'working')")
    op.create_index("ix_inbox_suspect", "inbox", ["crashes", "due_at"], sqlite_where=suspect, postgresql_where=suspect)
