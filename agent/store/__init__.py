"""What Rolecall remembers: SQLModel tables, one query function per question, Alembic migrations."""
