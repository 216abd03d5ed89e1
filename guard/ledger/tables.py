"""The ledger's tables. Alembic migrations build them; a test checks that the two agree."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

__all__ = [
    "api_keys",
    "bindings",
    "deposits",
    "fingerprints",
    "log_attestations",
    "log_checkpoints",
    "log_leaves",
    "log_nodes",
    "manifests",
    "marks",
    "metadata",
    "releases",
    "shingles",
]

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

# In SQLite only an INTEGER key is the row's own number, and needs no index beside the table.
_PLACE = BigInteger().with_variant(Integer, "sqlite")

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
    Column("leaf", BigInteger),  # the latest in the log that tells of this release
    Column("salt", LargeBinary),  # of the leaf's salted hashes; dropped with the personal data
    Column("writer", BigInteger),  # who is streaming it
    sqlite_autoincrement=True,
)
_STREAMING = text("status = 'streaming'")
Index("ix_releases_streaming", releases.c.status, sqlite_where=_STREAMING, postgresql_where=_STREAMING)

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
    Column("label", String(255), index=True),  # the active manifest's URN
)

# Under which runs of words a text is filed. Without a row id the table is its own index.
shingles = Table(
    "shingles",
    metadata,
    Column("shingle", BigInteger, primary_key=True, autoincrement=False),
    Column("release", ForeignKey("releases.index"), primary_key=True),
    sqlite_with_rowid=False,
)

# In which buckets pictures, sounds and videos are filed: `place` numbers the fingerprints of a release, `at`
# is that in a sound or video, in seconds.
fingerprints = Table(
    "fingerprints",
    metadata,
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("release", ForeignKey("releases.index"), primary_key=True, index=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("at", Float),
    Column("code", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# The log: append-only by trigger, and nothing personal in it. `leaf` is canonical JSON, `hash` its leaf hash.
log_leaves = Table(
    "log_leaves",
    metadata,
    Column("index", _PLACE, primary_key=True, autoincrement=False),
    Column("leaf", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

# Roots of whole subtrees of 256, 65,536, … leaves (levels 8, 16, …): the rest is computed from them.
log_nodes = Table(
    "log_nodes",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

# One for each commit. `frontier`: the roots of the whole subtrees, the largest first, 32 bytes each.
log_checkpoints = Table(
    "log_checkpoints",
    metadata,
    Column("size", _PLACE, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
)

# What others say of a checkpoint: cosignatures of witnesses, time-stamps.
log_attestations = Table(
    "log_attestations",
    metadata,
    Column("index", Integer, primary_key=True, autoincrement=True),
    Column("size", ForeignKey("log_checkpoints.size"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("evidence", LargeBinary, nullable=False),
    Column("at", String(27), nullable=False),
)

# Manifest stores that others deposited, under the URN of their active manifest; `leaf` is theirs in the log.
deposits = Table(
    "deposits",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("manifest", LargeBinary, nullable=False),
    Column("leaf", BigInteger, nullable=False),
    Column("caller", String(255)),
    Column("created_at", String(27), nullable=False),
)

# Which soft bindings lead to which manifest, deposited or released; `digest` is the SHA-256 of the value.
bindings = Table(
    "bindings",
    metadata,
    Column("index", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, index=True),
    Column("alg", String(128)),
    Column("manifest_id", String(255), nullable=False, index=True),
    Column("created_at", String(27), nullable=False),
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
