"""The states of a stream, when it ended, and where texts are filed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Widen the status, save in SQLite: it holds no text to its length, and would have to copy the table."""
    _shingles()
    op.add_column("releases", sa.Column("completed_at", sa.String(27)))
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("releases", "status", existing_type=sa.String(8), type_=sa.String(16))


def _shingles() -> None:
    op.create_table(
        "shingles",
        sa.Column("shingle", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column(
            "release",
            sa.Integer,
            sa.ForeignKey("releases.index", name="fk_shingles_release"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("shingle", "release", name="pk_shingles"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take all that back."""
    op.drop_table("shingles")
    op.drop_column("releases", "completed_at")
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("releases", "status", existing_type=sa.String(16), type_=sa.String(8))
