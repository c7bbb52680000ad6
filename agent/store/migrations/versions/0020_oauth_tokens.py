"""Tokens that a connected system replaces at each renewal."""

import sqlalchemy as sa
from alembic import op

from agent.store.coordination import Utc

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.create_table(
        "oauth_token",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("access", sa.String(), nullable=False),
        sa.Column("refresh", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("claimed_until", Utc(), nullable=True),
        sa.Column("spent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
