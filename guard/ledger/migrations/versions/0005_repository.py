"""Manifest stores that others deposit, and the soft bindings that lead to manifests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "deposits",
        sa.Column("id", sa.String(255), nullable=False),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.BigInteger, nullable=False),
        sa.Column("caller", sa.String(255)),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deposits"),
    )
    op.create_table(
        "bindings",
        sa.Column("index", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("alg", sa.String(128)),
        sa.Column("manifest_id", sa.String(255), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_bindings"),
    )
    op.create_index("ix_bindings_digest", "bindings", ["digest"])
    op.create_index("ix_bindings_manifest_id", "bindings", ["manifest_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("bindings")
    op.drop_table("deposits")
