"""What was written about tickets; a desk that is in use goes on without notes on solved tickets until it wants them."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from agent.store.coordination import Utc

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.create_table(
        "writing",
        sa.Column("ticket_key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("writer", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_key", "kind"),
    )
    if op.get_bind().exec_driver_sql("SELECT 1 FROM ticket LIMIT 1").first():
        shared = sa.table("shared_value", sa.column("name"), sa.column("value"), sa.column("at", sa.DateTime()))
        op.bulk_insert(shared, [{"name": "older than solution notes", "value": "", "at": datetime.now(UTC)}])
