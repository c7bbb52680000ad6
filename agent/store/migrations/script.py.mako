"""${message}."""

import sqlalchemy as sa
from alembic import op

from agent.store.tables import Utc

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    ${upgrades if upgrades else "pass"}
