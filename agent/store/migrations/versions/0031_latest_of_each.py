"""Indexes that lead to the latest tickets of a helpdesk or random checks, and to a ticket's set-aside events, alone."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

HELPDESK = {"sqlite": "substr(key, 1, instr(key, ':') - 1)", "postgresql": "split_part(key, ':', 1)"}
DRAWN = {"sqlite": "drawn = 1", "postgresql": "drawn"}
"""As each database is asked for them (agent.store.limits)."""

GROUP = """coalesce(seen ->> 'group', "group")"""
"""As in migration 0029."""


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    dialect = op.get_bind().dialect.name
    helpdesk, drawn = HELPDESK[dialect], DRAWN[dialect]
    op.execute(f"CREATE INDEX ix_ticket_drawn_at ON ticket (filed_at, key) WHERE {drawn}")
    op.execute(f"CREATE INDEX ix_ticket_drawn_group ON ticket (({GROUP}), filed_at, key) WHERE {drawn}")
    op.execute(f"CREATE INDEX ix_ticket_drawn_there ON ticket (({helpdesk}), filed_at, key) WHERE {drawn}")
    op.execute(f"CREATE INDEX ix_ticket_helpdesk ON ticket (({helpdesk}), filed_at, key)")
    op.execute("CREATE INDEX ix_inbox_dead_ticket ON inbox (ticket_key, seq) WHERE state = 'dead'")
    for former in ("ix_ticket_drawn", "ix_ticket_drawn_now"):  # last: until it ends, nobody else reads tickets
        op.drop_index(former, "ticket")
