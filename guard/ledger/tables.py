"""The ledger's tables. Alembic migrations build them; a test checks that the two agree."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table

__all__ = ["api_keys", "manifests", "marks", "metadata", "releases", "shingles"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

# SQLite holds no text to its length, and to change the column there would mean to copy the table.
_STATUS = String(16).with_variant(String(8), "sqlite")

# `index` is the position in the ledger and only grows; `id` is the 64-bit release id that marks carry.
releases = Table(
    "releases",
    metadata,
    Column("index", Integer, primary_key=True, autoincrement=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("status", _STATUS, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("completed_at", String(27)),  # of a stream
    Column("modality", String(8), nullable=False),
    Column("mime", String(64), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("content_sha256", String(64), index=True),
    Column("prompt_sha256", String(64)),
    Column("size", BigInteger, nullable=False),
    Column("model", String(255), nullable=False),
    Column("model_version", String(255), nullable=False),
    Column("caller", String(255)),
    Column("policy", String(255), nullable=False),
    Column("policy_sha256", String(64), nullable=False),
    Column("action", String(8), nullable=False),
    Column("rule", String(255)),
    Column("decision", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    sqlite_autoincrement=True,
)

marks = Table(
    "marks",
    metadata,
    Column("release_id", ForeignKey("releases.id"), primary_key=True),
    Column("engine", String(32), primary_key=True),
    Column("alg", String(128), nullable=False),
    Column("payload", String(16), nullable=False, index=True),
    Column("short_id", BigInteger, nullable=False, index=True),
)

# Apart from `releases`, so that looking a release up does not drag kilobytes along.
manifests = Table(
    "manifests",
    metadata,
    Column("release_id", ForeignKey("releases.id"), primary_key=True),
    Column("manifest", LargeBinary),
    Column("sketch", LargeBinary),
)

# Under which runs of words a text is filed. Without a row id the table is its own index.
shingles = Table(
    "shingles",
    metadata,
    Column("shingle", BigInteger, primary_key=True, autoincrement=False),
    Column("release", ForeignKey("releases.index"), primary_key=True),
    sqlite_with_rowid=False,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("revoked_at", String(27)),
)
