"""For whom of a provider's people an account is."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.add_column("page_user", sa.Column("subject", sa.String(), nullable=True))
    op.create_index("ix_page_user_subject", "page_user", ["subject"], unique=True)
