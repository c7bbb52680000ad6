"""What was last seen of each ticket, the message that a review came from, and moves between closures and words."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("ticket", sa.Column("seen", sa.JSON(), nullable=True))
    op.add_column("review", sa.Column("message_id", sa.String(), nullable=True))
    op.drop_index("ix_review_answer", "review")
    op.execute("UPDATE review SET strength = strength + 1 WHERE strength >= 3")
    answer = sa.text("strength >= 4 AND origin <> 'import'")
    op.create_index("ix_review_answer", "review", ["id"], sqlite_where=answer, postgresql_where=answer)
