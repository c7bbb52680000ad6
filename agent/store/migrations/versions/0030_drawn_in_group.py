"""An index by which random checks of a group are found without looking at the others."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

GROUP = """coalesce(seen ->> 'group', "group")"""
"""As in migration 0029."""

DRAWN = {"sqlite": "drawn = 1", "postgresql": "drawn"}
"""As each database is asked for them."""


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    drawn = DRAWN[op.get_bind().dialect.name]
    op.execute(f"CREATE INDEX ix_ticket_drawn_now ON ticket (({GROUP}), filed_at) WHERE {drawn}")
