"""Why a comment of ours is not on its ticket: the hour's were used up, or a person deleted it."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("comment", sa.Column("withheld", sa.String(), nullable=True))
