"""Whose commands count, which answers were taken back, and what each comment offers to confirm.

Accounts whose commands were obeyed so far go on counting for a while: an upgrade must not silence a working desk.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

GRACE = timedelta(days=14)


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("comment", sa.Column("choices", sa.JSON(), nullable=True))
    op.add_column("comment", sa.Column("told_unknown", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("review", sa.Column("withdrawn", sa.String(), nullable=True))
    account = op.create_table(
        "account",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), primary_key=True),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("assigned", sa.Boolean(), nullable=False),
        sa.Column("trusted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("last_event", sa.Integer(), nullable=False),
    )
    found = op.get_bind().exec_driver_sql(
        "SELECT DISTINCT ticket_key, actor FROM review WHERE via = 'command' AND actor IS NOT NULL"
    )
    obeyed = sorted({(key.partition(":")[0], actor) for key, actor in found})
    until = datetime.now(UTC) + GRACE
    blank = {"ours": False, "assigned": False, "trusted_until": until, "refused": 0, "last_event": 0}
    op.bulk_insert(account, [{"source": source, "account_id": actor, **blank} for source, actor in obeyed])
    used = op.get_bind().exec_driver_sql("SELECT 1 FROM ticket LIMIT 1").first()
    if used:
        shared = sa.table("shared_value", sa.column("name"), sa.column("value"), sa.column("at", sa.DateTime()))
        op.bulk_insert(shared, [{"name": "older than reserved words", "value": "", "at": datetime.now(UTC)}])
