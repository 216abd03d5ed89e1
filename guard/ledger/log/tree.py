"""The tree in the ledger's tables: appending to it, and reading proofs back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from guard.errors import InputError, LedgerError
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.inclusion import Inclusion
from guard.ledger.log.leaf import Leaf
from guard.ledger.log.merkle import (
    Frontier,
    Place,
    consistency_places,
    edge,
    inclusion_places,
    node_hash,
)
from guard.ledger.log.note import NoteSigner
from guard.ledger.prepared import Prepared
from guard.ledger.tables import log_checkpoints, log_leaves, log_nodes

__all__ = ["HEIGHT", "Tiles", "append", "consistency", "head", "inclusion"]

HEIGHT = 8
"""Levels between the nodes that are kept, as in c2sp.org/tlog-tiles: 256 hashes of one level make a tile."""

_LEAF, _NODE, _CHECKPOINT = map(Prepared, map(insert, (log_leaves, log_nodes, log_checkpoints)))
_NEWEST = select(func.max(log_checkpoints.c.size)).scalar_subquery()
_HEAD = Prepared(
    select(log_checkpoints.c.size, log_checkpoints.c.frontier).where(log_checkpoints.c.size == _NEWEST)
)


def head(connection: Connection) -> Frontier:
    """The tree as it stands. Hold the write lock to append to it."""
    rows = _HEAD.rows(connection)
    return Frontier.load(*rows[0]) if rows else Frontier()


def append(
    connection: Connection, frontier: Frontier, leaves: Sequence[Leaf], signer: NoteSigner | None
) -> list[Inclusion]:
    """Put `leaves` behind those of `frontier`, which is the tree's `head`, and sign the tree that results.

    Writes a row for each leaf and for 256 leaves one more; the proofs need nothing but the frontier.
    """
    first = frontier.size
    nodes = dict(frontier.places())
    for leaf in leaves:
        nodes.update(frontier.append(leaf.hash))
    size, root = frontier.size, frontier.root()
    note = signer.sign(str(Checkpoint(signer.origin, size, root))) if signer else ""
    rows = [{"index": first + n, "leaf": leaf.text, "hash": leaf.hash} for n, leaf in enumerate(leaves)]
    _LEAF.many(connection, rows)
    _NODE.many(connection, [_node(place, nodes[place]) for place in nodes if _is_kept(place, first)])
    checkpoint = {"size": size, "root": root, "frontier": frontier.dump(), "note": note}
    _CHECKPOINT.many(connection, [checkpoint])
    nodes.update(edge(size, nodes.__getitem__))
    paths = (tuple(map(nodes.__getitem__, inclusion_places(first + n, size))) for n in range(len(leaves)))
    return [
        Inclusion(leaf.text, first + n, size, path, note)
        for n, (leaf, path) in enumerate(zip(leaves, paths, strict=True))
    ]


def _is_kept(place: Place, first: int) -> bool:
    """Whether a node has a row of its own, and had none when the tree had `first` leaves."""
    level, index = place
    return level > 0 and level % HEIGHT == 0 and index + 1 << level > first


def _node(place: Place, value: bytes) -> dict[str, object]:
    return {"level": place[0], "index": place[1], "hash": value}


class Tiles:
    """Reads nodes of the tree, 256 hashes at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[Place, Sequence[bytes]] = {}

    def tile(self, level: int, index: int) -> Sequence[bytes]:
        """The hashes of tile `index` of a level that is a multiple of 8, fewer where the tree ends."""
        if (level, index) not in self._read:
            table = log_nodes if level else log_leaves
            query = select(table.c.hash).where(
                table.c.index.between(index << HEIGHT, (index + 1 << HEIGHT) - 1)
            )
            if level:
                query = query.where(log_nodes.c.level == level)
            rows = self._connection.execute(query.order_by(table.c.index)).scalars().all()
            self._read[level, index] = rows
        return self._read[level, index]

    def node(self, place: Place) -> bytes:
        """The hash of a node that covers as many leaves as it can."""
        level, index = place
        rest = level % HEIGHT
        first = index << rest
        start = first % (1 << HEIGHT)
        hashes = self.tile(level - rest, first >> HEIGHT)[start : start + (1 << rest)]
        if len(hashes) != 1 << rest:
            raise LedgerError(
                f"Leaves of the log are missing near {first << level - rest}.", "See guard log verify."
            )
        while len(hashes) > 1:
            hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def nodes(self, places: Sequence[Place], size: int) -> tuple[bytes, ...]:
        """The hashes of nodes in a tree of `size` leaves."""
        reaches_over = any(index + 1 << level > size for level, index in places)
        at_edge = dict(edge(size, self.node)) if reaches_over else {}
        return tuple(at_edge.get(place) or self.node(place) for place in places)


def inclusion(connection: Connection, index: int) -> Inclusion:
    """The proof of leaf `index` under the first checkpoint that covers it: the one that its receipt had.
    Raises `LedgerError` where the log has no such leaf."""
    text = connection.execute(select(log_leaves.c.leaf).where(log_leaves.c.index == index)).scalar()
    covering = select(log_checkpoints.c.size, log_checkpoints.c.note).where(log_checkpoints.c.size > index)
    # What an older ledger held was logged before there was a key: a later checkpoint is the first signed.
    for query in (covering.where(log_checkpoints.c.note != ""), covering):
        row = connection.execute(query.order_by(log_checkpoints.c.size).limit(1)).first()
        if row is not None:
            break
    if text is None or row is None:
        raise LedgerError(f"The log has no leaf {index}.", "See guard log verify.")
    size, note = row
    proof = Tiles(connection).nodes(inclusion_places(index, size), size)
    return Inclusion(text, index, size, proof, note)


def consistency(connection: Connection, old: int, new: int) -> tuple[bytes, ...]:
    """The proof that the tree of `old` leaves is the beginning of that of `new`. Raises `InputError` where
    the log never had so many."""
    if not 0 <= old <= new <= head(connection).size:
        raise InputError(f"The log has no consistency proof from {old} to {new}.", "Both are sizes it had.")
    return Tiles(connection).nodes(consistency_places(old, new), new)
