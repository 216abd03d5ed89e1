"""Where pictures, sounds and videos are filed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of fingerprints."""
    op.create_table(
        "fingerprints",
        sa.Column("bucket", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column(
            "release",
            sa.Integer,
            sa.ForeignKey("releases.index", name="fk_fingerprints_release"),
            nullable=False,
        ),
        sa.Column("place", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float),
        sa.Column("code", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("bucket", "release", "place", name="pk_fingerprints"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_fingerprints_release", "fingerprints", ["release"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("fingerprints")
