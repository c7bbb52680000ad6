"""The words by which tickets are found, and their index. Tickets that are there already are added in the background."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

SQLITE = (
    "CREATE VIRTUAL TABLE ticket_words_index USING fts5(words, content='ticket_words', content_rowid='number',"
    " columnsize=0, tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER ticket_words_added AFTER INSERT ON ticket_words BEGIN"
    " INSERT INTO ticket_words_index(rowid, words) VALUES (new.number, new.words); END",
    "CREATE TRIGGER ticket_words_deleted AFTER DELETE ON ticket_words BEGIN INSERT INTO"
    " ticket_words_index(ticket_words_index, rowid, words) VALUES ('delete', old.number, old.words); END",
    "CREATE TRIGGER ticket_words_changed AFTER UPDATE OF number, words ON ticket_words BEGIN INSERT INTO"
    " ticket_words_index(ticket_words_index, rowid, words) VALUES ('delete', old.number, old.words);"
    " INSERT INTO ticket_words_index(rowid, words) VALUES (new.number, new.words); END",
)
POSTGRESQL = (
    "ALTER TABLE ticket_words ADD COLUMN found tsvector GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED",
    "CREATE INDEX ix_ticket_words_found ON ticket_words USING gin (found)",
)


def upgrade() -> None:  # noqa: D103 - Alembic's entry point, described at the top of the file
    op.create_table(
        "ticket_words",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("ticket_key", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("ticket_key"),
    )
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
