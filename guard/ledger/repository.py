"""The manifest repository: stores that others deposit, and the soft bindings that lead to them.

What Guard itself releases is in the ledger's other tables; this is the writing half of the C2PA Soft Binding
Resolution API (C2PA 2.4, "Decoupled Content Credentials").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from guard.errors import InputError
from guard.ledger.entry import utc_now
from guard.ledger.failures import ledger_errors
from guard.ledger.log.inclusion import Inclusion
from guard.ledger.log.leaf import deposit_leaf
from guard.ledger.log.tree import append, head
from guard.ledger.store import Ledger
from guard.ledger.tables import bindings, deposits

__all__ = ["Binding", "Repository"]

_UNWRITTEN = "The manifest repository cannot be changed"
_UNREAD = "The manifest repository cannot be read"


@dataclass(frozen=True, slots=True)
class Binding:
    """A soft binding: its value as text, and the algorithm that made it, None where whoever bound it did not
    say."""

    value: str
    alg: str | None = None


class Repository:
    """Deposited manifest stores, by the URN of their active manifest. Raises `LedgerError` where the database
    fails."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def deposit(
        self, manifest_id: str, manifest: bytes, bound: Iterable[Binding], caller: str | None
    ) -> None:
        """Keep a manifest store with the bindings that it names, and put its hash on the log. Nothing changes
        where these very bytes are kept already. Raises `InputError` where others are kept under this name."""
        signer = self._ledger.log.signer
        with ledger_errors(_UNWRITTEN), self._ledger.writer.begin() as connection:
            query = select(deposits.c.manifest).where(deposits.c.id == manifest_id)
            known = connection.execute(query).scalar()
            if known == manifest:
                return
            if known is not None:
                raise InputError(
                    "Another manifest store is kept under this identifier.", "Delete that one first."
                )
            tree = head(connection)
            leaf = deposit_leaf(manifest_id, manifest)
            row = {"id": manifest_id, "manifest": manifest, "caller": caller, "leaf": tree.size}
            connection.execute(insert(deposits).values(**row, created_at=utc_now()))
            append(connection, tree, [leaf], signer)
            for binding in dict.fromkeys(bound):
                _bind(connection, binding, manifest_id)

    def manifest(self, manifest_id: str) -> bytes | None:
        """The manifest store of this name."""
        with ledger_errors(_UNREAD), self._ledger.engine.connect() as connection:
            return connection.execute(
                select(deposits.c.manifest).where(deposits.c.id == manifest_id)
            ).scalar()

    def proof(self, manifest_id: str) -> Inclusion | None:
        """The log's word that this manifest store was deposited."""
        with ledger_errors(_UNREAD), self._ledger.engine.connect() as connection:
            leaf = connection.execute(select(deposits.c.leaf).where(deposits.c.id == manifest_id)).scalar()
        return None if leaf is None else self._ledger.log.inclusion(leaf)

    def delete(self, manifest_id: str) -> bool:
        """Drop a manifest store and its bindings; the log keeps the hash. Whether there was one."""
        with ledger_errors(_UNWRITTEN), self._ledger.writer.begin() as connection:
            connection.execute(delete(bindings).where(bindings.c.manifest_id == manifest_id))
            return connection.execute(delete(deposits).where(deposits.c.id == manifest_id)).rowcount > 0

    def bind(self, binding: Binding, manifest_id: str) -> None:
        """Let a soft binding lead to a manifest, a deposited one or that of a release, beside those it leads
        to already."""
        with ledger_errors(_UNWRITTEN), self._ledger.writer.begin() as connection:
            _bind(connection, binding, manifest_id)

    def rebind(self, binding: Binding, manifest_id: str) -> bool:
        """Let a soft binding lead to this manifest and no other. Whether it led anywhere before."""
        with ledger_errors(_UNWRITTEN), self._ledger.writer.begin() as connection:
            if not connection.execute(delete(bindings).where(_same(binding))).rowcount:
                return False
            _bind(connection, binding, manifest_id)
            return True

    def bound(self, binding: Binding, limit: int) -> list[str]:
        """The manifests that a soft binding leads to, the latest first."""
        query = select(bindings.c.manifest_id).where(_same(binding)).order_by(bindings.c.created_at.desc())
        with ledger_errors(_UNREAD), self._ledger.engine.connect() as connection:
            return list(connection.execute(query.limit(limit)).scalars())


def _bind(connection: Connection, binding: Binding, manifest_id: str) -> None:
    same = _same(binding) & (bindings.c.manifest_id == manifest_id)
    if connection.execute(select(bindings.c.manifest_id).where(same)).first() is None:
        row = {"digest": _digest(binding.value), "alg": binding.alg, "manifest_id": manifest_id}
        connection.execute(insert(bindings).values(**row, created_at=utc_now()))


def _same(binding: Binding) -> ColumnElement[bool]:
    """Who does not name an algorithm means any."""
    same = bindings.c.digest == _digest(binding.value)
    if binding.alg is None:
        return same
    return same & ((bindings.c.alg == binding.alg) | bindings.c.alg.is_(None))


def _digest(value: str) -> str:
    # Values may be as long as a video's fingerprint: what is indexed is not.
    return hashlib.sha256(value.encode()).hexdigest()
