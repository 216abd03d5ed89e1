"""API keys: random, shown once, kept as a hash, limited to scopes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from sqlalchemy import Engine, Executable, RowMapping, insert, select, update

from guard.errors import InputError
from guard.ledger.entry import utc_now
from guard.ledger.failures import ledger_errors
from guard.ledger.tables import api_keys

__all__ = ["ApiKey", "ApiKeys", "Scope"]

_REMEMBERED = 1.0
_MOST = 1024


class Scope(StrEnum):
    """What a key may do."""

    GENERATE = "generate"
    VERIFY = "verify"
    ERASE = "erase"
    STORE_MANIFESTS = "store:manifests"
    STORE_BINDINGS = "store:bindings"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key's public side; the secret is not in it."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: str
    revoked: bool


class ApiKeys:
    """The keys kept in a ledger's database.

    The secret has 256 random bits, so a plain SHA-256 is as good as a slow hash and costs a request nothing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._opened: dict[str, tuple[ApiKey, float]] = {}

    def create(self, name: str, scopes: frozenset[Scope]) -> tuple[ApiKey, str]:
        """A new key and its secret, `gk_<id>_<random>`, which cannot be shown again."""
        if not scopes:
            raise InputError("An API key needs at least one scope.", f"Choose from: {', '.join(Scope)}.")
        key = ApiKey(secrets.token_hex(8), name, scopes, utc_now(), revoked=False)
        secret = f"gk_{key.id}_{secrets.token_urlsafe(32)}"
        row = {
            "id": key.id,
            "name": name,
            "sha256": _hash(secret),
            "scopes": sorted(scopes),
            "created_at": key.created_at,
        }
        self._write(insert(api_keys).values(row))
        return key, secret

    def authenticate(self, secret: str) -> ApiKey | None:
        """The key that this secret opens, or None if there is none or it was revoked."""
        parts = secret.split("_", 2)
        if len(parts) != 3 or parts[0] != "gk":
            return None
        row = next(iter(self._read(select(api_keys).where(api_keys.c.id == parts[1]))), None)
        # Looked up by its public id, then compared in constant time.
        if row is None or row["revoked_at"] or not hmac.compare_digest(row["sha256"], _hash(secret)):
            return None
        scopes = frozenset(Scope(s) for s in row["scopes"])
        key = ApiKey(row["id"], row["name"], scopes, row["created_at"], revoked=False)
        if len(self._opened) >= _MOST:
            self._opened.clear()
        self._opened[row["sha256"]] = key, monotonic() + _REMEMBERED
        return key

    def remembered(self, secret: str) -> ApiKey | None:
        """The key that this secret opened less than a second ago, without asking the database again: so a
        key that another process revokes is shut within a second."""
        key, until = self._opened.get(_hash(secret), (None, 0.0))
        return key if monotonic() < until else None

    def list(self) -> list[ApiKey]:
        """All keys, oldest first."""
        rows = self._read(select(api_keys).order_by(api_keys.c.created_at))
        return [
            ApiKey(
                r["id"],
                r["name"],
                frozenset(Scope(s) for s in r["scopes"]),
                r["created_at"],
                bool(r["revoked_at"]),
            )
            for r in rows
        ]

    def revoke(self, key_id: str) -> None:
        """Close a key for good. Raises `InputError` if there is no such open key."""
        query = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        found = self._write(query.values(revoked_at=utc_now()))
        self._opened.clear()
        if not found:
            raise InputError(f"No open API key has the id {key_id!r}.", "`guard keys list` shows them.")

    def _read(self, query: Executable) -> Sequence[RowMapping]:
        with ledger_errors("The API keys cannot be read"), self._engine.connect() as connection:
            return connection.execute(query).mappings().all()

    def _write(self, statement: Executable) -> int:
        """The number of rows that changed."""
        with ledger_errors("The API keys cannot be changed"), self._engine.begin() as connection:
            return connection.execute(statement).rowcount


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
