"""Which tickets were drawn by lot for a random check. Those that are there already were not."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("ticket", sa.Column("drawn", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_ticket_drawn", "ticket", ["drawn"])
