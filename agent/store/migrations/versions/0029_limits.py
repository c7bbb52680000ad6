"""Whose tickets an account sees, and an index by which those of a group are found without looking at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

GROUP = """coalesce(seen ->> 'group', "group")"""
"""The group that a ticket is in now, as agent.store.limits asks for it."""


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    for name in ("helpdesks", "groups"):
        op.add_column("page_user", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.execute(f"CREATE INDEX ix_ticket_group_now ON ticket (({GROUP}), filed_at, key)")
