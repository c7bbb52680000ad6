"""What Rolecall changed on tickets, and the moves of tickets between groups."""

import sqlalchemy as sa
from alembic import op

from agent.store.coordination import Utc

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.create_table(
        "action",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_key", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("last_message", sa.String(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("attempted_at", Utc(), nullable=True),
        sa.Column("settled_at", Utc(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_action_ticket_key", "action", ["ticket_key"])
    op.create_table(
        "group_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_key", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_group_move_ticket_key", "group_move", ["ticket_key"])
