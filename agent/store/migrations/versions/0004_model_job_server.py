"""Which server runs a training job, where several share a database."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    with op.batch_alter_table("model_job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("server", sa.String(), nullable=True))
