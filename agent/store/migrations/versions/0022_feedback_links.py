"""The link in the comment on each ticket, by which people answer with a click."""

import sqlalchemy as sa
from alembic import op

from agent.store.coordination import Utc

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.create_table(
        "feedback_link",
        sa.Column("ticket_key", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("made_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_key"),
    )
