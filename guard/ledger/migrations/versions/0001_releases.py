"""Releases, marks, manifests and API keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the first tables."""
    _releases()
    op.create_table(
        "marks",
        sa.Column(
            "release_id",
            sa.String(16),
            sa.ForeignKey("releases.id", name="fk_marks_release_id"),
            nullable=False,
        ),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("alg", sa.String(128), nullable=False),
        sa.Column("payload", sa.String(16), nullable=False),
        sa.Column("short_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("release_id", "engine", name="pk_marks"),
    )
    op.create_table(
        "manifests",
        sa.Column(
            "release_id",
            sa.String(16),
            sa.ForeignKey("releases.id", name="fk_manifests_release_id"),
            nullable=False,
        ),
        sa.Column("manifest", sa.LargeBinary),
        sa.Column("sketch", sa.LargeBinary),
        sa.PrimaryKeyConstraint("release_id", name="pk_manifests"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("revoked_at", sa.String(27)),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("sha256", name="uq_api_keys_sha256"),
    )
    for table, column in (
        ("releases", "sha256"),
        ("releases", "content_sha256"),
        ("marks", "payload"),
        ("marks", "short_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _releases() -> None:
    op.create_table(
        "releases",
        sa.Column("index", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("modality", sa.String(8), nullable=False),
        sa.Column("mime", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content_sha256", sa.String(64)),
        sa.Column("prompt_sha256", sa.String(64)),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("model_version", sa.String(255), nullable=False),
        sa.Column("caller", sa.String(255)),
        sa.Column("policy", sa.String(255), nullable=False),
        sa.Column("policy_sha256", sa.String(64), nullable=False),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("rule", sa.String(255)),
        sa.Column("decision", sa.JSON, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_releases"),
        sa.UniqueConstraint("id", name="uq_releases_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("api_keys", "manifests", "marks", "releases"):
        op.drop_table(table)
