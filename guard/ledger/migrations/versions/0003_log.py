"""The transparency log, who is streaming, and manifests by their label."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from guard.ledger.log.backfill import log_all

revision = "0003"
down_revision = "0002"

_KEPT = ("log_leaves", "log_nodes", "log_checkpoints", "log_attestations")
_PLACE = sa.BigInteger().with_variant(
    sa.Integer, "sqlite"
)  # there only an INTEGER key is the row's own number

_WHERE = sa.text("status = 'streaming'")


def upgrade() -> None:
    """Make the log append-only, then log what is on record already."""
    op.add_column("releases", sa.Column("leaf", sa.BigInteger))
    op.add_column("releases", sa.Column("salt", sa.LargeBinary))
    op.add_column("releases", sa.Column("writer", sa.BigInteger))
    op.create_index(
        "ix_releases_streaming", "releases", ["status"], sqlite_where=_WHERE, postgresql_where=_WHERE
    )
    op.add_column("manifests", sa.Column("label", sa.String(255)))
    op.create_index("ix_manifests_label", "manifests", ["label"])
    _tables()
    for table in _KEPT:
        _seal(table)
    log_all(op.get_bind())


def _tables() -> None:
    op.create_table(
        "log_leaves",
        sa.Column("index", _PLACE, autoincrement=False, nullable=False),
        sa.Column("leaf", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("index", name="pk_log_leaves"),
    )
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("index", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "index", name="pk_log_nodes"),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("size", _PLACE, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoints"),
    )
    op.create_table(
        "log_attestations",
        sa.Column("index", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("size", _PLACE, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoints.size"], name="fk_log_attestations_size"),
        sa.PrimaryKeyConstraint("index", name="pk_log_attestations"),
    )


def _seal(table: str) -> None:
    """Refuse to change or delete rows of a table."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION guard_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for act in ("UPDATE OR DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{act.lower().replace(' ', '_')} BEFORE {act} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only()"
        )


def downgrade() -> None:
    """Take all that back, and with it the log itself."""
    for table in reversed(_KEPT):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION guard_append_only")
    op.drop_index("ix_manifests_label", "manifests")
    op.drop_column("manifests", "label")
    op.drop_index("ix_releases_streaming", "releases")
    for column in ("writer", "salt", "leaf"):
        op.drop_column("releases", column)
