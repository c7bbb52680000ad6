"""Decisions say clear, either_or or none, and why none, in the words that people read; bands are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OUTCOMES = {"tagged": "clear", "guessed": "either_or", "abstained": "none", "skipped": "none"}
REASONS = {
    "no role is probable enough": "unsure",
    "rules rule out every role": "ruled_out",
    "no role is active": "no_role",
    "closed before Rolecall could look": "closed",
    "staff named the role first": "staff_first",
}


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    decision = sa.table("decision", sa.column("outcome"), sa.column("reason"))
    for old, new in OUTCOMES.items():
        op.execute(decision.update().where(decision.c.outcome == old).values(outcome=new))
    for old, new in REASONS.items():
        op.execute(decision.update().where(decision.c.reason == old).values(reason=new))
    op.drop_column("decision", "band")
