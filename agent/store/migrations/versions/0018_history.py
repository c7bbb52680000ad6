"""How far the history of a system was taken in stands beside its poll's watermark."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("watermark", sa.Column("history", sa.JSON(), nullable=True))
