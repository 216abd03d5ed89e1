"""The tree agrees with RFC 6962, in its published vectors and in every shape of a small tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.errors import LedgerError
from guard.ledger.log.merkle import (
    EMPTY,
    Frontier,
    check_consistency,
    check_inclusion,
    consistency_places,
    edge,
    inclusion_places,
    leaf_hash,
)
from tests.unit.ledger.log import reference

MANY = [bytes([n, n * 7 % 256]) for n in range(70)]


def grown(leaves: list[bytes]) -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    """A tree and all its nodes."""
    tree, nodes = Frontier(), {}
    for leaf in leaves:
        nodes.update(tree.append(leaf_hash(leaf)))
    nodes.update(edge(tree.size, nodes.__getitem__))
    return tree, nodes


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots(size: int) -> None:
    tree, _ = grown(reference.LEAVES[:size])
    assert tree.root().hex() == reference.ROOTS[size] == reference.root(reference.LEAVES[:size]).hex()


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
    ],
)
def test_the_published_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    _, nodes = grown(reference.LEAVES[:size])
    assert [nodes[place].hex() for place in inclusion_places(index, size)] == proof


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_the_published_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    _, nodes = grown(reference.LEAVES[:new])
    assert [nodes[place].hex() for place in consistency_places(old, new)] == proof


@pytest.mark.parametrize("size", range(1, len(MANY) + 1))
def test_every_proof_is_the_standards_and_holds(size: int) -> None:
    leaves = MANY[:size]
    tree, nodes = grown(leaves)
    root = reference.root(leaves)
    assert tree.root() == root
    for index, leaf in enumerate(leaves):
        proof = [nodes[place] for place in inclusion_places(index, size)]
        assert proof == reference.path(index, leaves)
        check_inclusion(leaf_hash(leaf), index, size, proof, root)
    for old in range(1, size + 1):
        proof = [nodes[place] for place in consistency_places(old, size)]
        assert proof == reference.proof(old, leaves)
        check_consistency(old, size, proof, reference.root(leaves[:old]), root)


@given(st.data())
def test_no_other_leaf_place_size_or_path_passes(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 60))
    index = data.draw(st.integers(0, size - 1))
    tree, nodes = grown(MANY[:size])
    proof = [nodes[place] for place in inclusion_places(index, size)]
    leaf = leaf_hash(MANY[index])
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    at = data.draw(st.integers(0, len(proof) - 1))
    damaged = [*proof[:at], bytes(32), *proof[at + 1 :]]
    for case in (
        (leaf_hash(b"other"), index, size, proof),
        (leaf, other, size, proof),
        (leaf, index, size, damaged),
        (leaf, index, size, proof[:-1]),
        (leaf, index, size, [*proof, bytes(32)]),
        (leaf, size, size, proof),
        (leaf, -1, size, proof),
    ):
        with pytest.raises(LedgerError):
            check_inclusion(*case, tree.root())


@given(st.data())
def test_no_other_past_passes(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 60))
    old = data.draw(st.integers(1, new - 1))
    tree, nodes = grown(MANY[:new])
    past, root = reference.root(MANY[:old]), tree.root()
    proof = [nodes[place] for place in consistency_places(old, new)]
    at = data.draw(st.integers(0, len(proof) - 1))
    for case in (
        (old, new, [*proof[:at], bytes(32), *proof[at + 1 :]], past, root),
        (old, new, proof[:-1], past, root),
        (old, new, [*proof, bytes(32)], past, root),
        (old, new, [], past, root),
        (old, new, proof, reference.root(MANY[1 : old + 1]), root),
        (old, new, proof, past, bytes(32)),
        (new, old, proof, root, past),
    ):
        with pytest.raises(LedgerError):
            check_consistency(*case)


def test_checkpoints_of_one_size_have_one_root() -> None:
    check_consistency(3, 3, [], b"r" * 32, b"r" * 32)
    check_consistency(0, 3, [], EMPTY, b"r" * 32)
    for old, proof, roots in (
        (3, [], (b"r" * 32, b"s" * 32)),
        (3, [bytes(32)], (b"r" * 32, b"r" * 32)),
        (0, [], (b"r" * 32, b"s" * 32)),
    ):
        with pytest.raises(LedgerError):
            check_consistency(old, 3, proof, *roots)


def test_a_frontier_is_kept_and_loaded() -> None:
    tree, _ = grown(MANY[:37])
    again = Frontier.load(37, tree.dump())
    for leaf in MANY[37:]:
        list(again.append(leaf_hash(leaf)))
    assert again.root() == reference.root(MANY)
    with pytest.raises(LedgerError, match="damaged"):
        Frontier.load(36, tree.dump())


def test_an_empty_tree_has_nothing_to_prove() -> None:
    assert Frontier().root() == EMPTY
    assert consistency_places(0, 5) == consistency_places(5, 5) == []
