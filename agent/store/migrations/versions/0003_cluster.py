"""An index for dead letters, and what several servers on one database share: ticks, models, the key, the brakes."""

import sqlalchemy as sa
from alembic import op

from agent.store.coordination import Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    dead = sa.text("state = 'dead'")
    op.create_index("ix_inbox_dead", "inbox", ["seq"], sqlite_where=dead, postgresql_where=dead)
    op.create_index("ix_comment_attempted_at", "comment", ["attempted_at"])
    op.create_table(
        "tick",
        sa.Column("job", sa.String(), primary_key=True),
        sa.Column("slot", sa.String(), primary_key=True),
        sa.Column("at", Utc(), nullable=False),
    )
    op.create_table(
        "shared_file",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("part", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "shared_value",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
    )
