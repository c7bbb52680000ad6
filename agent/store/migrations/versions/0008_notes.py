"""What stands on the ticket, in which version and form; by which way a review came."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    for name in ("version", "shown", "staff_text"):
        op.add_column("comment", sa.Column(name, sa.String(), nullable=True))
    # Comments of earlier releases have no version, and came back as they were sent.
    op.execute("UPDATE comment SET version = '', shown = text WHERE posted_at >= attempted_at")
    op.add_column("review", sa.Column("via", sa.String(), nullable=False, server_default="command"))
    op.execute("UPDATE review SET via = 'import' WHERE origin = 'import'")
    op.execute("UPDATE review SET via = 'closure' WHERE strength < 3")
