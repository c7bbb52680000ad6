"""Who asked, as a pseudonym, and the requests to forget that were carried out."""

import sqlalchemy as sa
from alembic import op

from agent.store.coordination import Utc

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("ticket", sa.Column("requester", sa.String(), nullable=True))
    op.create_index("ix_ticket_requester", "ticket", ["requester"])
    op.create_table(
        "forgotten",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
