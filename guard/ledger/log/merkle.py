"""The Merkle tree of RFC 6962 §2.1: hashes, a compact range to append to, and the two proofs.

A node stands at (level, index): it covers the leaves from `index << level` on, 2**level of them, or as many
as the tree has. At the right edge of a tree, where fewer are left, its hash depends on the tree's size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from guard.errors import LedgerError

__all__ = [
    "EMPTY",
    "Frontier",
    "Place",
    "check_consistency",
    "check_inclusion",
    "consistency_places",
    "edge",
    "inclusion_places",
    "leaf_hash",
    "node_hash",
    "places_of",
]

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""

Place = tuple[int, int]
"""Level and index of a node."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf: domain-separated from that of nodes, so that neither passes for the other."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its children's."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the whole subtrees that a tree falls into, the largest first: all that appending needs."""

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        if size.bit_count() != len(roots):
            raise LedgerError("The log's frontier is damaged.", "Run `guard log verify`.")
        self.size = size
        self.roots = list(roots)

    @classmethod
    def load(cls, size: int, data: bytes) -> Frontier:
        """The frontier of a tree of `size` leaves from what `dump` gave."""
        return cls(size, [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])

    def dump(self) -> bytes:
        """The roots one after another."""
        return b"".join(self.roots)

    def append(self, leaf: bytes) -> Iterator[tuple[Place, bytes]]:
        """Add a leaf by its hash; yields each node that it completes, itself first."""
        level, index = 0, self.size
        yield (level, index), leaf
        while index & 1:
            level, index = level + 1, index >> 1
            leaf = node_hash(self.roots.pop(), leaf)
            yield (level, index), leaf
        self.roots.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is."""
        if not self.roots:
            return EMPTY
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = node_hash(left, root)
        return root

    def places(self) -> list[tuple[Place, bytes]]:
        """The roots with where they stand."""
        return list(zip(places_of(self.size), self.roots, strict=True))


def places_of(size: int) -> list[Place]:
    """Where the roots of a tree's whole subtrees stand, the largest first."""
    levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
    return [(level, (size >> level) - 1) for level in levels]


def edge(size: int, node: Callable[[Place], bytes]) -> Iterator[tuple[Place, bytes]]:
    """The nodes at a tree's right edge that cover fewer leaves than they could; `node` gives whole ones."""
    root: bytes | None = None
    for level in range((size - 1).bit_length()):
        if size >> level & 1:  # A whole subtree ends the tree here: it is the left, or the only, child.
            whole = node((level, (size >> level) - 1))
            root = whole if root is None else node_hash(whole, root)
        if root is not None:
            yield (level + 1, size >> level + 1), root


def inclusion_places(index: int, size: int) -> list[Place]:
    """The nodes of the audit path of leaf `index` in a tree of `size` leaves (RFC 6962 §2.1.1)."""
    return _path(0, index, size)


def consistency_places(old: int, new: int) -> list[Place]:
    """The nodes of the proof that a tree of `new` leaves begins with one of `old` (RFC 6962 §2.1.2)."""
    if not 0 < old < new:
        return []
    level = (old & -old).bit_length() - 1
    index = (old - 1) >> level
    # Where `old` is a power of two, its root is the node, and whoever checks knows it.
    return [*([(level, index)] if index else []), *_path(level, index, new)]


def _path(level: int, index: int, size: int) -> list[Place]:
    """The siblings of a node and of all above it."""
    last = size - 1
    above = range(level, last.bit_length())
    return [(at, sibling) for at in above if (sibling := index >> at - level ^ 1) <= last >> at]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `LedgerError` unless `proof` shows the leaf with this hash at `index` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        raise LedgerError(f"A log of {size} leaves has no leaf {index}.")
    at, last, got = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise LedgerError("The inclusion proof is too long.")
        if at & 1 or at == last:
            got = node_hash(sibling, got)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            got = node_hash(got, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise LedgerError("The inclusion proof is too short.")
    _expect(got, root, "The inclusion proof leads to another root")


def check_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise `LedgerError` unless `proof` shows that the log of `new` leaves begins with that of `old`
    (RFC 9162 §2.1.4.2)."""
    if not 0 <= old <= new:
        raise LedgerError(f"A log of {new} leaves does not continue one of {old}: leaves are missing.")
    if old in (0, new):
        if proof:
            raise LedgerError("The consistency proof is too long.")
        return _expect(new_root if old else EMPTY, old_root, "The two checkpoints have different roots")
    hashes = iter(proof)
    # The node where both paths part; a power of two is such a node whole.
    shift = (old & -old).bit_length() - 1
    at, last = (old - 1) >> shift, (new - 1) >> shift
    first = old_root if at == 0 else _next(hashes)
    return _climb(at, last, first, hashes, (old_root, new_root))


def _climb(at: int, last: int, first: bytes, hashes: Iterator[bytes], roots: tuple[bytes, bytes]) -> None:
    """Both roots from the node where their paths part."""
    older = newer = first
    for sibling in hashes:
        if last == 0:
            raise LedgerError("The consistency proof is too long.")
        if at & 1 or at == last:
            older, newer = node_hash(sibling, older), node_hash(sibling, newer)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            newer = node_hash(newer, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise LedgerError("The consistency proof is too short.")
    _expect(older, roots[0], "The consistency proof does not lead to the older root")
    _expect(newer, roots[1], "The consistency proof does not lead to the newer root")


def _next(hashes: Iterable[bytes]) -> bytes:
    for each in hashes:
        return each
    raise LedgerError("The consistency proof is too short.")


def _expect(got: bytes, wanted: bytes, what: str) -> None:
    if got != wanted:
        raise LedgerError(f"{what}: got {got.hex()}, expected {wanted.hex()}.")
